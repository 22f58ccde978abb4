"""The page's style sheet, for light and dark themes and all widths from a phone's up."""

from __future__ import annotations

CSS = """
<style>
:root { --fn-accent: light-dark(#1f5f5b, #7cc4b8); --fn-page: light-dark(#fdfcf9, #171716);
  --fn-ink: light-dark(#23211d, #f4f1ea); --fn-serif: Charter, "Bitstream Charter", Georgia, serif; }
.block-container { max-width: 46rem; padding-top: 3.2rem; padding-bottom: 7rem; }
[data-testid="stSidebarUserContent"] { padding-bottom: 2rem; }
[data-testid="stSidebar"] [data-testid="stVerticalBlock"] { gap: .7rem; }
[data-testid="stSidebar"] [class*="st-key-open-"] { margin-bottom: -.55rem; }
[data-testid="stSidebar"] [class*="st-key-open-"] button { justify-content: flex-start; text-align: left;
  padding: .3rem .6rem; min-height: 0; }
[data-testid="stSidebar"] [class*="st-key-open-"] button p { overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; font-size: .9rem; }
[data-testid="stHeader"] { background: transparent; }
.fn-brand { font: 600 1.35rem/1.2 var(--fn-serif); margin: 0; letter-spacing: -.01em; }
.fn-brand sup, .fn-hero sup { font-size: .5em; opacity: .7; margin-left: .12em; }
.fn-hero { font: 600 2.3rem/1.15 var(--fn-serif); letter-spacing: -.02em;
  margin: 7vh 0 .4rem; }
.fn-lead { opacity: .72; margin: 0 0 1.6rem; line-height: 1.55; }
.fn-question { font: 600 1.22rem/1.4 var(--fn-serif); margin: 1.6rem 0 .3rem;
  overflow-wrap: anywhere; white-space: pre-wrap; }
.fn-searched { font-size: .82rem; opacity: .62; margin: 0 0 .5rem; overflow-wrap: anywhere; }
.fn-answer { line-height: 1.68; overflow-wrap: anywhere; }
.fn-answer p { margin: 0 0 .75rem; }
.fn-answer pre { overflow-x: auto; padding: .7rem .9rem; border-radius: 8px;
  background: color-mix(in srgb, currentColor 7%, transparent); font-size: .86rem; }
.fn-answer table { border-collapse: collapse; font-size: .92rem; display: block; overflow-x: auto; margin: 0 0 .9rem; }
.fn-answer th, .fn-answer td { padding: .3rem .7rem; overflow-wrap: break-word; border-bottom: 1px solid
  color-mix(in srgb, currentColor 18%, transparent); text-align: left; }
.fn-refused { opacity: .8; font-style: italic; }
a.fn-marker { display: inline-block; min-width: 1.25em; margin: 0 .1em 0 .16em; padding: 0 .3em; border-radius: .55em;
  font-size: .68rem; line-height: 1.5; font-weight: 600; text-align: center; vertical-align: .32em;
  text-decoration: none !important; color: var(--fn-accent) !important;
  background: color-mix(in srgb, var(--fn-accent) 13%, transparent); }
a.fn-marker:hover, a.fn-marker:focus-visible { background: var(--fn-accent);
  color: var(--fn-page) !important; }
.fn-unsupported { text-decoration: underline wavy #c0762b; text-decoration-thickness: 1px;
  text-underline-offset: .25em; }
.fn-partly { text-decoration: underline dotted #c0762b; text-decoration-thickness: 2px; text-underline-offset: .25em; }
.fn-unfinished { opacity: .72; }
.fn-why { display: block; width: fit-content; margin: .15rem 0 .35rem; padding: .05rem .5rem;
  border-left: 3px solid #c0762b; font-size: .82rem; line-height: 1.45; }
.fn-answer mark { color: inherit; font-weight: 600; background: color-mix(in srgb, #e9b949 30%, transparent);
  border-radius: .2em; padding: 0 .1em; }
.fn-legend { text-decoration: underline wavy #c0762b; text-decoration-thickness: 1px; text-underline-offset: .2em; }
.fn-notice { font-size: .82rem; opacity: .68; margin: .5rem 0 0; line-height: 1.5; }
.fn-incomplete { padding: .05rem .45rem; border-radius: .6em; font-weight: 600;
  background: color-mix(in srgb, #c0762b 22%, transparent); }
.fn-waiting { display: flex; align-items: baseline; gap: .6rem; margin: .2rem 0 0; opacity: .8; line-height: 1.5;
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.fn-pulse { flex: none; width: .55em; height: .55em; border-radius: 50%; background: var(--fn-accent);
  animation: fn-pulse 1.6s ease-in-out infinite; }
.fn-details { margin: .4rem 0 0; font-size: .78rem; }
.fn-details summary { cursor: pointer; width: fit-content; opacity: .62; font-variant-numeric: tabular-nums; }
.fn-details summary:hover, .fn-details[open] summary { opacity: .85; }
.fn-details dl.fn-facts { font-size: .78rem; display: grid; grid-template-columns: max-content 1fr;
  gap: .1rem .9rem; margin: .35rem 0 0 1rem; }
.fn-details dl.fn-facts dt { opacity: .62; font-weight: 400; font-size: inherit; }
.fn-details dl.fn-facts dd { margin: 0; overflow-wrap: anywhere; font-size: inherit; }
.fn-total { font-size: .78rem; opacity: .62; margin: 0; font-variant-numeric: tabular-nums; }
.fn-notes { margin: .3rem 0 0; border-top: 1px solid color-mix(in srgb, currentColor 16%, transparent); }
.fn-notes-title { font-size: .82rem; font-weight: 600; opacity: .7; margin: .55rem 0 .2rem; }
.fn-note { border-bottom: 1px solid color-mix(in srgb, currentColor 9%, transparent); }
.fn-note summary { display: flex; align-items: baseline; gap: .55rem; padding: .42rem .1rem; cursor: pointer;
  list-style: none; font-size: .87rem; min-width: 0; }
.fn-note summary::-webkit-details-marker { display: none; }
.fn-note summary:hover .fn-doc { text-decoration: underline; text-underline-offset: .2em; }
.fn-n { flex: none; min-width: 1.1rem; font-weight: 600; font-size: .74rem; color: var(--fn-accent); }
.fn-doc { flex: 0 1 auto; min-width: 0; font-weight: 500; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.fn-place { flex: 1 1 0; min-width: 4rem; opacity: .62; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.fn-body { padding: 0 .1rem .8rem 1.65rem; }
.fn-path, .fn-changed { font-size: .75rem; opacity: .6; margin: 0 0 .45rem; overflow-wrap: anywhere; }
.fn-passage { max-height: 22rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .88rem;
  line-height: 1.6; padding: .75rem .95rem; border-radius: 8px;
  color: color-mix(in srgb, currentColor 70%, transparent);
  background: color-mix(in srgb, currentColor 5%, transparent); }
.fn-passage mark { color: var(--fn-ink); border-radius: .2em; padding: .08em .1em;
  scroll-margin: 7rem 0; box-decoration-break: clone; -webkit-box-decoration-break: clone;
  background: color-mix(in srgb, #e9b949 42%, transparent); }
.fn-passage:has(mark:target) { outline: 2px solid
  color-mix(in srgb, var(--fn-accent) 55%, transparent); }
.fn-caret { display: inline-block; width: .5em; height: 1em; vertical-align: -.12em; opacity: .5;
  background: currentColor; animation: fn-blink 1s steps(2) infinite; }
.fn-small { font-size: .82rem; opacity: .68; margin: 0; line-height: 1.5; overflow-wrap: anywhere; }
.fn-outcome { font-size: .84rem; margin: .15rem 0; line-height: 1.45; overflow-wrap: anywhere; }
.fn-outcome b { font-weight: 600; }
.fn-failed b { color: #c2513a; }
.fn-answer > p:has(+ .fn-caret) { display: inline; }
@keyframes fn-blink { to { visibility: hidden; } }
@keyframes fn-pulse { 50% { opacity: .25; } }
@media (prefers-reduced-motion: reduce) { .fn-caret, .fn-pulse { animation: none; } }
@media (max-width: 640px) {
  .block-container { padding: 3.4rem 1rem 7rem; }
  [data-testid="stHeader"] { background: color-mix(in srgb, var(--fn-page) 94%, transparent); }
  .fn-hero { font-size: 1.8rem; margin-top: 2vh; }
  .fn-note summary { flex-wrap: wrap; row-gap: 0; padding: .55rem .1rem; }
  .fn-place { flex-basis: 100%; padding-left: 1.65rem; }
  .fn-body { padding-left: .1rem; }
}
</style>
"""
