"""Formulas are written on a line with the brackets that they need, from Word's form and from MathML."""

from __future__ import annotations

from itertools import product
from xml.etree import ElementTree as ET

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from office_files import opendocument_file

from ingest.loaders import load
from ingest.loaders.formulas import mathml_text, omml_text

OMML = "http://schemas.openxmlformats.org/officeDocument/2006/math"


def run(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def over(top: str, bottom: str) -> str:
    return f"<m:f><m:num>{top}</m:num><m:den>{bottom}</m:den></m:f>"


def raised(base: str, power: str) -> str:
    return f"<m:sSup><m:e>{base}</m:e><m:sup>{power}</m:sup></m:sSup>"


def of_word(inner: str) -> str:
    return omml_text(ET.fromstring(f'<m:oMath xmlns:m="{OMML}">{inner}</m:oMath>'))


def of_page(inner: str) -> str:
    return mathml_text(BeautifulSoup(f"<math>{inner}</math>", "lxml").math)


HALF = over(run("L"), run("D"))
SUM = (
    f"<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>{run('i=1')}</m:sub><m:sup>{run('n')}</m:sup>"
    f"<m:e>{run('i+1')}</m:e></m:nary>"
)
MATRIX = (
    f"<m:m><m:mr><m:e>{run('a')}</m:e><m:e>{run('b')}</m:e></m:mr>"
    f"<m:mr><m:e>{run('c')}</m:e><m:e>{run('d')}</m:e></m:mr></m:m>"
)
NAME = "<m:fName>{}</m:fName><m:e>{}</m:e>"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (run("x=") + HALF + run("+1"), "x=L/D+1"),
        (run("λ") + HALF + over(run("ρ") + raised(run("v"), run("2")), run("2")), "λ(L/D)(ρv^2/2)"),
        (run("λ") + run("") + HALF, "λ(L/D)"),
        (run("λ ") + HALF + run(" y"), "λ (L/D) y"),
        (run("2") + HALF, "2(L/D)"),
        (HALF + run("·z"), "(L/D)·z"),
        (over(run("a+b"), run("2")), "(a+b)/2"),
        (over(run("1"), run("2a")), "1/(2a)"),
        (over(run("a"), HALF), "a/(L/D)"),
        (over(run("total cost"), run("units")), "(total cost)/(units)"),
        (over(run("dy"), run("dx")), "dy/dx"),
        (raised(HALF, run("2")), "(L/D)^2"),
        (raised(run("a"), run("n+1")) + run("b"), "a^(n+1) b"),
        (raised(run("CO"), run("2")), "CO^2"),
        (f"<m:rad><m:deg>{run('3')}</m:deg><m:e>{run('x')}</m:e></m:rad>", "∛(x)"),
        (f"<m:rad><m:deg>{run('n')}</m:deg><m:e>{run('x')}</m:e></m:rad>", "√[n](x)"),
        (f"<m:func>{NAME.format(run('log'), run('x'))}</m:func>", "log x"),
        (f"<m:func>{NAME.format(run('log'), HALF)}</m:func>", "log(L/D)"),
        (f"<m:d><m:dPr><m:begChr m:val='|'/><m:endChr m:val='|'/></m:dPr><m:e>{run('x')}</m:e></m:d>", "|x|"),
        (SUM, "∑_(i=1)^n (i+1)"),
        (MATRIX, "[a, b; c, d]"),
        (
            f"<m:f><m:fPr><m:type m:val='noBar'/></m:fPr><m:num>{run('n')}</m:num><m:den>{run('k')}</m:den></m:f>",
            "(n over k)",
        ),
    ],
)
def test_formulas_of_word(inner, expected):
    assert of_word(inner) == expected


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<mi>a</mi><mo>=</mo><mfrac><mi>b</mi><mi>c</mi></mfrac>", "a=b/c"),
        ("<mfrac><mn>1</mn><mn>2</mn></mfrac><mi>m</mi><msup><mi>v</mi><mn>2</mn></msup>", "(1/2)mv^2"),
        ("<mi>λ</mi><mo>&#x2062;</mo><mfrac><mi>L</mi><mi>D</mi></mfrac>", "λ(L/D)"),
        ("<mfrac><mi>a</mi><mrow><mn>2</mn><mi>b</mi></mrow></mfrac>", "a/(2b)"),
        ("<msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt>", "√(x+1)"),
        ("<mroot><mi>x</mi><mn>3</mn></mroot>", "∛(x)"),
        ("<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>i</mi>",
         "∑_(i=1)^n i"),
        ("<mover><mi>x</mi><mo>^</mo></mover>", "x\u0302"),
        ("<semantics><mi>x</mi><annotation>TeX</annotation></semantics>", "x"),
        ("<mfenced><mi>a</mi><mi>b</mi></mfenced>", "(a, b)"),
        ("<mtable><mtr><mtd><mi>a</mi></mtd></mtr><mtr><mtd><mi>b</mi></mtd></mtr></mtable>", "[a; b]"),
        ("<mi>x</mi><mtext>if</mtext><mi>y</mi>", "x if y"),
    ],
)  # fmt: skip
def test_formulas_of_web_pages(inner, expected):
    assert of_page(inner) == expected


def test_formulas_stand_in_the_text_of_pages_and_lists(write):
    half = "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>"
    page = f"<p>Take {half}.</p><ul><li>or {half}</li></ul><table><tr><td>a<td>{half}</tr><tr><td>b<td>2</table>"
    text = load(write("a.html", page)).text
    assert text == "Take 1/2.\n\n- or 1/2\n\n| a | 1/2 |\n| --- | --- |\n| b | 2 |"


def test_formulas_of_opendocument_are_in_parts_of_their_own(write):
    math = '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mfrac><mi>a</mi><mi>b</mi></mfrac></semantics></math>'
    body = '<text:p>Take <draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>.</text:p>'
    file = opendocument_file("text", body, **{"Object 1__content.xml": math})
    assert load(write("a.odt", file)).text == "Take a/b."


FACTORS = {"a": 2.0, "b": 3.0, "c": 5.0, "e": 7.0}
TERMS = st.recursive(
    st.sampled_from(sorted(FACTORS)).map(lambda name: (run(name), FACTORS[name])),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: (over(two[0][0], two[1][0]), two[0][1] / two[1][1])),
        st.tuples(inner, inner).map(lambda two: (two[0][0] + two[1][0], two[0][1] * two[1][1])),
        st.tuples(inner, inner).map(
            lambda two: (f"<m:d><m:e>{two[0][0]}{run('+')}{two[1][0]}</m:e></m:d>", two[0][1] + two[1][1])
        ),
    ),
    max_leaves=6,
)


def evaluated(text: str) -> float:
    """The value of a formula in which neighbours are multiplied before anything is divided."""
    neighbours = [(left, right) for left, right in product([*FACTORS, ")"], [*FACTORS, "("])]
    for _ in range(2):  # overlapping pairs
        for left, right in neighbours:
            text = text.replace(left + right, f"{left}*{right}")
    return eval(text, {}, FACTORS)  # of the letters above


@given(TERMS)
def test_a_line_of_factors_has_the_value_of_its_formula(term):
    inner, value = term
    assert evaluated(of_word(inner)) == pytest.approx(value)
