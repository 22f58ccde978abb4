"""Tests README and docs: valid links, generated reference pages, and a map with every package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from reference_pages import PAGES

from ingest.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PATH = re.compile(r"`((?:app|ingest|bench|tests|prompts|docs)/[\w./-]+)`")
MODULES = [one for side in ("ingest", "app") for one in (ROOT / side).glob("*.py") if not one.name.startswith("__")]
PACKAGES = [one.parent for side in ("ingest", "app") for one in (ROOT / side).glob("*/__init__.py")]
ROOMS = sorted(one.relative_to(ROOT).with_suffix("").as_posix() for one in [*MODULES, *PACKAGES])


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in HEADING.findall(without_code(text))}


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path):
    text = page.read_text(encoding="utf-8")
    for link in LINK.findall(without_code(text)):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_every_path_that_is_named_exists(page: Path):
    for path in PATH.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_reference_page_agrees_with_the_code(page: Path):
    assert page.read_text(encoding="utf-8") == PAGES[page](), f"docs/{page.name} is out of date. Run: make docs"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 200


def test_the_architecture_names_every_room():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    ingest, app = text.split("## The packages of `app`")
    for room in ROOMS:
        side = ingest if room.startswith("ingest/") else app
        assert f"`{Path(room).name}`" in side, room


def test_the_sample_documents_are_those_of_the_data_folder():
    found = Settings(_env_file=None).sample_dir
    assert found.samefile(ROOT / "data" / "sample")
    assert not found.is_symlink()
