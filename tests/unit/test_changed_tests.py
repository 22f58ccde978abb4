"""`make check` runs the tests of what changed."""

from __future__ import annotations

import pytest
from changed_tests import affected


@pytest.fixture
def project(tmp_path):
    files = {
        "tests/unit/app/text/test_dates.py": "from app.text.dates import read",
        "tests/unit/app/llm/test_usage.py": "import app.llm.usage",
        "tests/integration/test_all.py": "from app import bootstrap\nfrom app.text import dates",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ("app/text/dates.py", ["tests/integration/test_all.py", "tests/unit/app/text/test_dates.py"]),
        ("app/text/words.py", ["tests/unit/app/text/test_dates.py"]),
        ("app/llm/__init__.py", ["tests/unit/app/llm/test_usage.py"]),
        ("app/bootstrap.py", ["tests/integration/test_all.py"]),
        ("tests/unit/app/llm/test_usage.py", ["tests/unit/app/llm/test_usage.py"]),
        ("README.md", []),
    ],
)
def test_the_affected_a_change_are_its_own_and_those_that_import_it(project, changed, wanted):
    assert affected([changed], project) == wanted


def test_a_change_of_shared_test_code_selects_all_tests(project):
    assert len(affected(["tests/support/bombs.py"], project)) == 3
