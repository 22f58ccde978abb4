"""Names as they are typed, and as they are kept."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.filters import Filter
from ingest.text.document_names import absolute_name, matching_names, name_on_disk

# Letters whose two forms differ, and some that have one.
letters = st.text(st.sampled_from("aä ÅéẹộñŸΐ한が\u0958-."), min_size=1, max_size=12).filter(lambda t: t.strip(". "))


@given(names=st.lists(letters, min_size=1, max_size=4), data=st.data())
def test_every_form_of_a_name_finds_it_and_its_folder(names, data):
    form = st.sampled_from(["NFC", "NFD"])
    kept = "/" + "/".join(unicodedata.normalize(data.draw(form), name) for name in names)
    known = [kept, kept + "/below.md", "/other.md"]
    typed = unicodedata.normalize(data.draw(form), kept)
    assert matching_names(typed, known) == [kept]
    assert matching_names(typed, known[1:]) == [known[1]]
    assert matching_names(typed, known[2:]) == []


def test_an_exact_name_precedes_a_similar_one():
    both = [unicodedata.normalize(form, "/docs/über.md") for form in ("NFC", "NFD")]
    assert [matching_names(one, both) for one in both] == [both[:1], both[1:]]
    assert matching_names("https://x.org/über", ["https://x.org/u\u0308ber/a"]) == ["https://x.org/u\u0308ber/a"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (r"C:\Users\me\docs\a.md", "/mnt/c/Users/me/docs/a.md"),
        ("d:/docs/a.md", "/mnt/d/docs/a.md"),
        (r"\\wsl$\Ubuntu\home\me\a.md", "/home/me/a.md"),
        (r"\\wsl.localhost\Ubuntu-24.04\home\me\a.md", "/home/me/a.md"),
        (r"/docs\sub\a.md", "/docs/sub/a.md"),
        (r"/docs\sub", "/docs/sub/a.md"),
        (r"/docs/with\backslash.md", r"/docs/with\backslash.md"),
    ],
)
def test_paths_as_windows_writes_them_find_documents(typed, kept):
    assert matching_names(typed, ["/docs/other.md", kept]) == [kept]
    assert matching_names(*Filter.of(sources=[typed]).sources, ["/docs/other.md", kept]) == [kept]


@pytest.mark.parametrize("typed", ["", ".", "no/such", "C:", "\\"])
def test_a_name_that_matches_nothing_finds_nothing(typed):
    assert matching_names(typed, ["/docs/a.md", "/mnt/c/a.md"]) == []


def test_a_web_address_stays_as_it_is():
    assert absolute_name(r"https://x.org/a\b") == r"https://x.org/a\b"


def test_a_file_on_disk_is_found_by_another_form_of_its_name(tmp_path):
    folder = tmp_path / unicodedata.normalize("NFD", "Verträge")
    folder.mkdir()
    path = folder / unicodedata.normalize("NFD", "Geschäftsführung.md")
    path.write_text("words")
    assert name_on_disk(unicodedata.normalize("NFC", str(path))) == str(path)
    assert name_on_disk(str(path).replace("/", "\\")) == str(path)
    assert name_on_disk(str(tmp_path / "ä.md")) == str(tmp_path / "ä.md")
