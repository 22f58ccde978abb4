"""Converts formulas of Office documents (OMML) and of web pages (MathML) to one line of text: a^2 + b_i, (x + 1)/2."""

from ingest.loaders.formulas.mathml import mathml_text
from ingest.loaders.formulas.omml import omml_text

__all__ = ["mathml_text", "omml_text"]
