"""Reads the values of form fields, and comments, from a PDF's pages."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

MOST_ANNOTATIONS = 5_000
MOST_BYTES = 64 * 1024
OFF = frozenset({"", "Off"})
COMMENTS = frozenset(
    {
        pdfium_c.FPDF_ANNOT_TEXT,
        pdfium_c.FPDF_ANNOT_FREETEXT,
        pdfium_c.FPDF_ANNOT_HIGHLIGHT,
        pdfium_c.FPDF_ANNOT_UNDERLINE,
        pdfium_c.FPDF_ANNOT_STRIKEOUT,
        pdfium_c.FPDF_ANNOT_SQUIGGLY,
        pdfium_c.FPDF_ANNOT_STAMP,
        pdfium_c.FPDF_ANNOT_CARET,
        pdfium_c.FPDF_ANNOT_SQUARE,
        pdfium_c.FPDF_ANNOT_CIRCLE,
        pdfium_c.FPDF_ANNOT_LINE,
    }
)


def notes(pdf: pdfium.PdfDocument, page: pdfium.PdfPage) -> Iterator[str]:
    """Yields a line for each form field that has a value ("Name: value"), and for each comment."""
    form = pdf.formenv.raw if pdf.formenv else None
    for i in range(min(pdfium_c.FPDFPage_GetAnnotCount(page.raw), MOST_ANNOTATIONS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page.raw, i)
        if not annotation:
            continue
        try:
            kind = pdfium_c.FPDFAnnot_GetSubtype(annotation)
            if kind == pdfium_c.FPDF_ANNOT_WIDGET and form:
                yield from _field(form, annotation)
            elif kind in COMMENTS:
                yield from _comment(annotation)
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)


def _comment(annotation: object) -> Iterator[str]:
    said = _string(lambda buffer, size: pdfium_c.FPDFAnnot_GetStringValue(annotation, b"Contents", buffer, size))
    if said:
        yield f"Comment: {said}"


def _field(form: object, annotation: object) -> Iterator[str]:
    if pdfium_c.FPDFAnnot_GetFormFieldType(form, annotation) in {
        pdfium_c.FPDF_FORMFIELD_CHECKBOX,
        pdfium_c.FPDF_FORMFIELD_RADIOBUTTON,
    } and not pdfium_c.FPDFAnnot_IsChecked(form, annotation):
        return
    value = _string(lambda buffer, size: pdfium_c.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, size))
    name = _string(
        lambda buffer, size: pdfium_c.FPDFAnnot_GetFormFieldAlternateName(form, annotation, buffer, size)
    ) or _string(lambda buffer, size: pdfium_c.FPDFAnnot_GetFormFieldName(form, annotation, buffer, size))
    if value not in OFF:
        yield f"{name}: {value}" if name else value


def _string(read: Callable[[object, int], int]) -> str:
    """Returns the UTF-16 result of a PDFium function, on one line."""
    size = min(int(read(None, 0)), MOST_BYTES)
    if size <= 2:  # noqa: PLR2004 - the zero at its end
        return ""
    buffer = ctypes.create_string_buffer(size)
    read(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return " ".join(buffer.raw.decode("utf-16-le", "replace").rstrip("\0").split())
