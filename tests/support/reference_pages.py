"""Writes docs/configuration.md and docs/cli.md from the settings and the commands themselves: `make docs`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from app.cli.commands import cli
from ingest.settings import ENV_FILE, PREFIX, Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"

CONFIGURATION = """# Configuration

Settings are environment variables. They can also be lines of a file `.env` in the data folder (`data/.env` in a
checkout), or of the file that `FOOTNOTE_ENV_FILE` names; the environment wins. Footnote reads no other `.env`. It
refuses a file that another user owns or may write to ([why](security.md#keys)).

    FOOTNOTE_PORT=8600 footnote run
    echo 'FOOTNOTE_LLM=openai:gpt-5-mini' >> data/.env

A value that cannot be used ends the command with a message that names the variable and what it accepts. A variable
`FOOTNOTE_...` that does not exist is reported, with the nearest one that does.
"""
# The heading of each table, and the first field of it; the tables have the order of `Settings`.
GROUPS = {
    "data_dir": "Data",
    "host": "Chat",
    "embedding_model": "Embedding, checking and vectors",
    "llm": "Language model",
    "reranker": "Reranking",
    "passages": "Answers and reading",
}
COLUMNS = """
| variable | default | accepts | meaning |
| --- | --- | --- | --- |
"""
# Defaults that depend on the machine.
DEFAULTS = {"data_dir": "`data` in a checkout, else `~/.local/share/footnote`"}

# Placeholders by type.
VALUES = {str: "TEXT", list[str]: "TEXT", int: "N", float: "NUMBER", bool: "", Path: "PATH"}

COMMANDS = """# Command line

The command is `footnote`; in a checkout it is `.venv/bin/footnote`. `footnote ingest` is also `python -m ingest`.

| command | purpose |
| --- | --- |
{table}

## JSON, files of questions and exit status

All commands but `run` accept `--json`. They then print one JSON object and nothing else on standard output, with an
`error` in it if they failed.

`search` and `ask` accept `--questions FILE`: JSON lines with `_id` and `text`, or one question per line; `-` is
standard input. They write one line of JSON per question, and load the models once.

While `footnote run` serves the same data folder with the same settings, `search` and `ask` let it do the work, and need
not load the models. Their output is the same.

| exit status | meaning |
| ---: | --- |
| 0 | success |
| 1 | some files or questions failed, a metric fell below the gate, or `doctor` found a problem |
| 2 | wrong usage, or a setting that cannot be used |
| 3 | the index, the model or the port cannot be used |
| 130 | stopped with Ctrl-C |
"""


def configuration() -> str:
    """Returns the text of docs/configuration.md."""
    parts = [CONFIGURATION]
    for name, field in Settings.model_fields.items():
        if name in GROUPS:
            parts.append(f"\n## {GROUPS[name]}\n{COLUMNS}")
        parts.append(_row(_variable(name, field), _default(name, field), _accepted(field), field.description or ""))
        if name == "data_dir":
            named = "The file that settings are read from. Only the environment can set it."
            parts.append(_row(ENV_FILE, "`.env` in the data folder", "", named))
    return "".join(parts)


def command_line() -> str:
    """Returns the text of docs/cli.md."""
    commands = list(_commands(typer.main.get_command(cli), "footnote"))
    table = "\n".join(f"| [`{name}`](#{name.replace(' ', '-')}) | {_summary(one)} |" for name, one in commands)
    return COMMANDS.format(table=table) + "".join(_section(name, one) for name, one in commands)


PAGES = {DOCS / "configuration.md": configuration, DOCS / "cli.md": command_line}


def _row(*cells: str) -> str:
    first, *others = cells
    return f"| `{first}` |" + "".join(f" {' '.join(cell.split())} |" if cell else " |" for cell in others) + "\n"


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return alias if isinstance(alias, str) else PREFIX + name.upper()


def _default(name: str, field: FieldInfo) -> str:
    value = field.default
    if name in DEFAULTS or value is None or not str(value):
        return DEFAULTS.get(name, "")
    return f"`{value:g}`" if isinstance(value, float) else f"`{str(value).lower()}`"


def _accepted(field: FieldInfo) -> str:
    """Returns the range of a number, and the two values of a switch."""
    if field.annotation is bool:
        return "`true`, `false`"
    least = next((f"{one.ge:,}" for one in field.metadata if isinstance(one, Ge)), "")
    above = next((f"more than {one.gt:,}" for one in field.metadata if isinstance(one, Gt)), "")
    most = next((f"{one.le:,}" for one in field.metadata if isinstance(one, Le)), "")
    if most:
        return f"{least} to {most}" if least else f"{above}, up to {most}"
    return f"{least} or more" if least else above


def _commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yields the name and the command of each command in a group and in the groups below it."""
    for one, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _commands(command, f"{name} {one}")
        else:
            yield f"{name} {one}", command


def _summary(command: Any) -> str:
    return _paragraphs(command)[0].removesuffix(".")


def _paragraphs(command: Any) -> list[str]:
    return [" ".join(one.split()) for one in inspect.cleandoc(command.help).split("\n\n")]


def _section(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and "--help" not in one.opts]
    usage = " ".join([name, *(["[OPTIONS]"] if options else []), *map(_argument, arguments)])
    table = _parameters([*arguments, *options])
    return f"\n## {name}\n\n    {usage}\n\n" + "\n\n".join(_paragraphs(command)) + "\n" + table


def _argument(argument: Any) -> str:
    shown = argument.name.upper() + ("..." if argument.nargs == -1 else "")
    return shown if argument.required else f"[{shown}]"


def _parameters(parameters: Sequence[Any]) -> str:
    if not parameters:
        return ""
    rows = [f"| `{_names(one)}` | {_with_default(one)} |\n" for one in parameters]
    return "\n| argument or option | meaning |\n| --- | --- |\n" + "".join(rows)


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return _argument(parameter)
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    kind = VALUES[parameter.type_descriptor.annotation]
    return names if parameter.is_flag else f"{names} {parameter.metavar or kind}"


def _with_default(parameter: Any) -> str:
    text = " ".join(parameter.help.split()).replace("|", "\\|")
    default = parameter.default
    if parameter.required or default is None or default is False or default == "":
        return text
    return f"{text} Default: {default}."


if __name__ == "__main__":
    for page, text in PAGES.items():
        page.write_text(text(), encoding="utf-8")
