"""Tests numbered items: the clause, section or step of a number, from its line to the next item's."""

from __future__ import annotations

import pytest

from app.text import find_identifiers, numbered_items

TEXT = """# Manual

1. Check the heater.
2. Evacuate the circuit.
- Use the gauge.
3. Charge it with 4.2 kg.

These values are logged.

# 4. Termination

4.1 Either party may end it.
4.2 The tenant may end it.

More on that.
4.10 Nobody else may.

# Handover

Step 7: Sign the form.
Step 8: Leave the keys.

Art. 9 Powers
2026 was a good year.
"""


@pytest.mark.parametrize(
    ("asked", "item"),
    [
        ("step 2", "2. Evacuate the circuit.\n- Use the gauge.\n"),
        ("step 3", "3. Charge it with 4.2 kg.\n"),
        ("clause 4.2", "4.2 The tenant may end it.\n\nMore on that.\n"),
        ("clause 4.10", "4.10 Nobody else may.\n"),
        ("Section 4", TEXT[TEXT.index("# 4. ") : TEXT.index("# Handover")]),
        ("step 8", "Step 8: Leave the keys.\n"),
        ("article 9", "Art. 9 Powers\n2026 was a good year.\n"),
        ("\u00a7 4.1", "4.1 Either party may end it.\n"),
    ],
)
def test_an_item_reaches_from_its_number_to_the_next_item(asked, item):
    (wanted,) = find_identifiers(asked)
    spans = [TEXT[start:end] for start, end in numbered_items(TEXT, wanted)]
    assert [span.strip() for span in spans] == [item.strip()]


@pytest.mark.parametrize("asked", ["clause 8", "step 9", "step 10", "section 2026", "clause 4.3"])
def test_a_number_elsewhere_begins_no_item(asked):
    (wanted,) = find_identifiers(asked)
    assert numbered_items(TEXT, wanted) == []
