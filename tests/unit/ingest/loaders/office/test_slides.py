"""Slides: what is hidden is left out and reported, and SmartArt is read by paragraph."""

from __future__ import annotations

import io
import zipfile

import pytest
from format_files import of_kind, zipped
from office_files import opendocument_file
from pptx import Presentation

from ingest.errors import EmptyDocument
from ingest.loaders import load

A = "http://schemas.openxmlformats.org/drawingml/2006/main"
DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/diagramData"


def deck(*texts: str, hidden: int = -1, hidden_shape: str = "") -> bytes:
    presentation = Presentation()
    for i, text in enumerate(texts):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = text
        if i == hidden:
            slide._element.set("show", "0")
        if hidden_shape:
            slide.placeholders[1].text = hidden_shape
            slide.placeholders[1]._element.nvSpPr.cNvPr.set("hidden", "1")
    buffer = io.BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def test_hidden_slides_are_left_out_and_the_others_keep_their_number(write):
    document = load(write("a.pptx", deck("One", "Two", "Three", hidden=1)))
    assert [page.label for page in document.pages] == ["slide 1", "slide 3"]
    assert "Two" not in document.text
    assert document.warnings[0].startswith("Hidden slides were left out: 2.")


def test_hidden_shapes_are_left_out(write):
    assert load(write("a.pptx", deck("One", hidden_shape="old price"))).text == "# One"


def test_a_presentation_of_hidden_slides_is_empty(write):
    with pytest.raises(EmptyDocument, match=r"Hidden slides were left out: 1\."):
        load(write("a.pptx", deck("One", hidden=0)))


def test_hidden_slides_of_opendocument(write):
    frame = "<draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>"
    body = (
        f'<draw:page>{frame.format("One")}</draw:page><draw:page draw:style-name="h">{frame.format("Two")}</draw:page>'
    )
    style = (
        '<style:style style:name="h" style:family="drawing-page"><style:drawing-page-properties '
        'presentation:visibility="hidden"/></style:style>'
    )
    document = load(write("a.odp", opendocument_file("presentation", body, style)))
    assert document.text == "One"
    assert document.warnings[0].startswith("Hidden slides were left out: 2.")


def test_a_paragraph_of_smartart_is_one_item(write):
    runs = "<a:r><a:t>Phase one ends in </a:t></a:r><a:r><a:rPr b='1'/><a:t>October</a:t></a:r>"
    data = (
        f'<dgm:dataModel xmlns:dgm="{DIAGRAM}" xmlns:a="{A}"><dgm:ptLst><dgm:pt><dgm:t><a:p>{runs}</a:p><a:p><a:r>'
        "<a:t>Go-live</a:t></a:r><a:br/><a:r><a:t>in May</a:t></a:r></a:p></dgm:t></dgm:pt><dgm:pt><dgm:t><a:p/>"
        "</dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>"
    )
    with zipfile.ZipFile(io.BytesIO(deck("Plan"))) as package:
        members = {entry.filename: package.read(entry) for entry in package.infolist()}
    name = "ppt/slides/_rels/slide1.xml.rels"
    relation = f'<Relationship Id="rId99" Type="{RELATION}" Target="../diagrams/data1.xml"/></Relationships>'
    members[name] = members[name].decode().replace("</Relationships>", relation)
    types = "[Content_Types].xml"
    kind = '<Override PartName="/ppt/diagrams/data1.xml" ContentType="application/xml"/></Types>'
    members[types] = members[types].decode().replace("</Types>", kind)
    document = load(write("a.pptx", zipped({**members, "ppt/diagrams/data1.xml": data})))
    assert of_kind(document, "list") == ["- Phase one ends in October\n- Go-live in May"]


def test_hidden_text_of_an_opendocument_text_is_left_out_and_reported(write):
    style = '<style:style style:name="h" style:family="text"><style:text-properties text:display="none"/></style:style>'
    body = (
        '<text:p>Seen<text:span text:style-name="h"> gone</text:span>.</text:p>'
        '<text:section text:display="none"><text:p>Away.</text:p></text:section>'
    )
    document = load(write("a.odt", opendocument_file("text", body, style)))
    assert document.text == "Seen."
    assert document.warnings[0].startswith("Hidden text of 9 characters was left out.")
