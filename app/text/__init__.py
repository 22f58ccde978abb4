"""Parses the text of answers and sources: sentences, words, tables, markers, identifiers, languages."""

from app.text.asked_periods import NO_DATE, Date, asks_latest, compared_words, latest_date, with_periods
from app.text.citation_markers import MARKER, MarkerFilter, code_spans, marker_numbers, replace_markers, without_markers
from app.text.identifiers import (
    CHAIN,
    Identifier,
    contains_identifier,
    file_names,
    find_identifiers,
    identifier_mentions,
    identifier_shape,
    nearest_identifiers,
    normalized_identifier,
)
from app.text.item_numbers import is_about, numbered_items
from app.text.language_data import Language, language_data_of, translated_names
from app.text.language_data.figure_names import other_figure_names
from app.text.language_detection import claim_languages, detect_language
from app.text.sentences import split_sentences
from app.text.tables import (
    MOST_LEAD,
    Scale,
    StatedScales,
    TableRow,
    above_table,
    cell_scale,
    header_of,
    is_data_row,
    row_cells,
    stated_scales,
    table_rows,
    with_scale,
    without_rule,
    without_scale,
)
from app.text.terms import content_terms, number, numbers_in, shared_language, words_of
from app.text.token_estimate import most_tokens
from app.text.tokens import FACT_KINDS, Token, acronyms, is_year, same_name, say_the_same, tokenize

__all__ = [
    "CHAIN",
    "FACT_KINDS",
    "MARKER",
    "MOST_LEAD",
    "NO_DATE",
    "Date",
    "Identifier",
    "Language",
    "MarkerFilter",
    "Scale",
    "StatedScales",
    "TableRow",
    "Token",
    "above_table",
    "acronyms",
    "asks_latest",
    "cell_scale",
    "claim_languages",
    "code_spans",
    "compared_words",
    "contains_identifier",
    "content_terms",
    "detect_language",
    "file_names",
    "find_identifiers",
    "header_of",
    "identifier_mentions",
    "identifier_shape",
    "is_about",
    "is_data_row",
    "is_year",
    "language_data_of",
    "latest_date",
    "marker_numbers",
    "most_tokens",
    "nearest_identifiers",
    "normalized_identifier",
    "number",
    "numbered_items",
    "numbers_in",
    "other_figure_names",
    "replace_markers",
    "row_cells",
    "same_name",
    "say_the_same",
    "shared_language",
    "split_sentences",
    "stated_scales",
    "table_rows",
    "tokenize",
    "translated_names",
    "with_periods",
    "with_scale",
    "without_markers",
    "without_rule",
    "without_scale",
    "words_of",
]
