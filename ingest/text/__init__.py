"""Languages, scripts, stop words, document names, periods, and strings that every store accepts."""

from ingest.text.document_names import absolute_name, composed_name, matching_names, name_on_disk, path_separator
from ingest.text.languages import COMMON_WORDS, ENGLISH, LANGUAGES, asked_in, language_of
from ingest.text.periods import last_day, most_specific, parts_of, period_of, periods_in, periods_in_name
from ingest.text.reported_periods import OPENING_CHARACTERS, DocumentPeriods, document_periods, in_order
from ingest.text.scripts import (
    LANGUAGE_OF_SCRIPT,
    SPACELESS,
    SPACELESS_LETTER,
    SPACELESS_RUN,
    light_stem,
    word_pieces,
)
from ingest.text.stop_words import STOP_WORDS
from ingest.text.storable_text import StorableStream, escaped, is_storable, storable, storable_document, storable_values

__all__ = [
    "COMMON_WORDS",
    "ENGLISH",
    "LANGUAGES",
    "LANGUAGE_OF_SCRIPT",
    "OPENING_CHARACTERS",
    "SPACELESS",
    "SPACELESS_LETTER",
    "SPACELESS_RUN",
    "STOP_WORDS",
    "DocumentPeriods",
    "StorableStream",
    "absolute_name",
    "asked_in",
    "composed_name",
    "document_periods",
    "escaped",
    "in_order",
    "is_storable",
    "language_of",
    "last_day",
    "light_stem",
    "matching_names",
    "most_specific",
    "name_on_disk",
    "parts_of",
    "path_separator",
    "period_of",
    "periods_in",
    "periods_in_name",
    "storable",
    "storable_document",
    "storable_values",
    "word_pieces",
]
