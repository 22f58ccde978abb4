"""The batch command, and the output of an ingest on a terminal, in a log and as JSON."""

from ingest.cli.command import (
    INTERRUPTED,
    SOME_FAILED,
    CollectionOption,
    JsonOption,
    failure_words,
    ingest_command,
    library_opener,
    main,
    messages,
)
from ingest.cli.terminal import (
    LINE_SECONDS,
    ProgressView,
    one_line,
    print_anything,
    print_json,
    print_report,
    stopping,
    visible,
)

__all__ = [
    "INTERRUPTED",
    "LINE_SECONDS",
    "SOME_FAILED",
    "CollectionOption",
    "JsonOption",
    "ProgressView",
    "failure_words",
    "ingest_command",
    "library_opener",
    "main",
    "messages",
    "one_line",
    "print_anything",
    "print_json",
    "print_report",
    "stopping",
    "visible",
]
