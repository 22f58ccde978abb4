"""Questions over rows that look clear and are not: no calculation answers them, or one over the right rows."""

from __future__ import annotations

import pytest

from app.answering.computation import Calculator
from app.models import Passage
from ingest.models import Query


def answered(question: str, documents: dict[str, str], heading: tuple[str, ...] = ()) -> str:
    passages = [
        Passage(n, f"/docs/{name}.csv", name, "", None, heading, 0, len(text), text, 1.0)
        for n, (name, text) in enumerate(documents.items(), start=1)
    ]
    quotes = Calculator(lambda version, start, end: documents[version][start:end]).answer(Query(question), passages)
    return "".join(quotes.text[start:end] for one in quotes.sentences for start, end in one.spans)


def table(*rows: str) -> str:
    header, *others = (f"| {' | '.join(row.split(','))} |" for row in rows)
    return "\n".join([header, f"|{' --- |' * len(rows[0].split(','))}", *others]) + "\n"


PROJECTS = "The table lists all projects. Delayed projects are marked with D.\n\n" + table(
    "Project,State,Budget", "One,D,100", "Two,ok,200", "Three,C,300", "Four,ok,400"
)
PEOPLE = table("Name,Type,Salary", "Ann,E,200", "Bob,C,100", "Cid,E,300")
REMOTE = table("Name,Skills,Active", "Ann,Python,yes", "Bob,Go,no", "Cid,C,yes", "Dee,Java,no")


@pytest.mark.parametrize(
    ("question", "documents"),
    [
        ("How many delayed projects are there?", {"projects": PROJECTS}),
        ("What is the total budget of delayed projects?", {"projects": PROJECTS}),
        ("How many contractors are there?", {"employees and contractors": PEOPLE}),
        ("What is the total salary of employees?", {"employees and contractors": PEOPLE}),
        ("How many employees are active?", {"employees": REMOTE}),
        ("What does amount mean?", {"orders": table("Order,Amount", "1-A,10", "1-B,20")}),
        (
            "What is the total amount?",
            {"orders": table("Order,Currency code,Amount", "A,EUR,10", "B,USD,20", "C,EUR,30")},
        ),
        (
            "What is the total amount?",
            {"lands": table("Land,Amount", "Europe,500", "of which Germany,300", "Asia,200")},
        ),
        ("What is the total amount?", {"sales": table("Land,Amount", "A,1", "North total,1", "B,2", "South total,2")}),
        (
            "What is the total amount for Meyer?",
            {"a": table("Client,Amount", "Meyer,10", "Meyer,20"), "b": table("Client,Amount", "Meyer,1000", "Kern,1")},
        ),
        (
            "How many contracts are there?",
            {
                "one contracts": table("Contract,Sum of", "A,x", "B,y"),
                "two contracts": table("Contract,Sum of", "C,x", "D,y"),
            },
        ),
    ],
)
def test_what_is_unclear_is_not_computed(question, documents):
    assert answered(question, documents) == ""


def test_a_cell_that_lists_the_value_among_others_makes_a_condition_unclear():
    skills = {"employees": "| Name | Skills |\n| --- | --- |\n| Ann | Python |\n| Bob | Python, SQL |\n| Cid | C |\n"}
    assert answered("How many employees with skills Python are there?", skills) == ""


def test_a_name_that_begins_like_a_word_for_a_total_is_a_row():
    sales = {"sales": table("Client,Region,Amount", "Summit Ltd,North,10", "TotalEnergies,North,20", "Kern,North,5")}
    assert answered("What is the total amount?", sales) == "35"


@pytest.mark.parametrize("last", [",,420.50", "Endbetrag,,420.50", "Zwischensumme,,420.50"])
def test_a_total_is_no_row(last):
    orders = {"orders": table("Order,Client,Amount", "A,Meyer,400.50", "B,Kern,20", last)}
    assert answered("What is the total amount?", orders) == "420.50"
    assert answered("What is the highest amount?", orders) == "400.50"
