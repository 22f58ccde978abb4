"""The review page for generated questions, before they are used: keep, change or drop each one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import streamlit as st

from app.evaluation import read_lines
from app.ui.components.rendering import text_html

# Questions drawn at a time: a page with hundreds of fields is slow.
QUESTIONS_A_PAGE = 20
LEAD = (
    "Keep the questions that a person would ask and that the quote answers. Reword or drop the others. "
    "Then download the file and run: footnote eval FILE"
)


def draw() -> None:
    """Asks for a file from `footnote eval generate`, and shows its questions one by one."""
    st.html(text_html("Review questions", "fn-hero"))
    st.html(text_html(LEAD, "fn-lead"))
    file = st.file_uploader("A file of questions, made by footnote eval generate", type=["jsonl"])
    if file is not None:
        questions(read_lines(file.getvalue(), file.name), file.name, file.file_id)


def questions(lines: list[dict[str, Any]], name: str, key: str) -> None:
    """Shows a file's questions, and offers the kept ones for download.

    Args:
        lines: the file's lines, as `app.evaluation.dataset_readers.read_lines` returns them.
        name: the file's name.
        key: distinguishes it from other files, so that each keeps its own choices.
    """
    reviewed: dict[int, dict[str, Any]] = st.session_state.setdefault(f"reviewed-{key}", dict(enumerate(lines)))
    pages = -(-len(lines) // QUESTIONS_A_PAGE)
    page = st.number_input(f"Page, 1 to {pages}", 1, pages, key=f"page-{key}") if pages > 1 else 1
    first = (page - 1) * QUESTIONS_A_PAGE
    for number in range(first, min(first + QUESTIONS_A_PAGE, len(lines))):
        _question(number, lines[number], reviewed, key)
    kept = [reviewed[number] for number in sorted(reviewed)]
    st.download_button(
        f"Download {len(kept)} of {len(lines)} questions",
        "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in kept),
        file_name=f"{Path(name).stem}-reviewed.jsonl",
        mime="application/jsonl",
        type="primary",
        disabled=not kept,
    )


def _question(number: int, line: dict[str, Any], reviewed: dict[int, dict[str, Any]], key: str) -> None:
    current = reviewed.get(number, line)
    with st.container(border=True):
        text = st.text_input("Question", current["question"], key=f"question-{key}-{number}")
        st.html(text_html(str(line.get("quote") or ""), "fn-passage"))
        page = f", page {line['page']}" if line.get("page") else ""
        st.html(text_html(f"{line.get('source', '')}{page}, made by {line.get('made_by', 'hand')}", "fn-small"))
        if st.checkbox("Keep", number in reviewed, key=f"keep-{key}-{number}"):
            reviewed[number] = line | {"question": text.strip() or line["question"], "reviewed": True}
        else:
            reviewed.pop(number, None)
