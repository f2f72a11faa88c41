"""What commands print, and how: results to stdout, nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joulecast.errors import InputError


def say(text: str) -> None:
    """Print a result; a reader that went away, as `head` does, is no error."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Point stdout at nothing, so that closing it at exit stays quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def note(text: str) -> None:
    """Say something about a result, beside it: to stderr."""
    if sys.stderr is not None:
        sys.stderr.write(text + "\n")


def version_line() -> str:
    """Version of the package and of its data."""
    from joulecast._version import __version__
    from joulecast.data import specs

    return f"joulecast {__version__}, data {specs.load(specs.bundled_folder())['digest']}"


def show(answer: Any, to_json: bool, quiet: bool) -> None:
    """Print an answer as JSON or in words."""
    from joulecast.report import door

    say(answer.to_json() if to_json else door.text(answer, bold, quiet))


def save_or_say(text: str, output: Path | None, force: bool) -> None:
    """Write a text to a file where one was named, else print it."""
    if output is None:
        say(text.rstrip("\n"))
    else:
        from joulecast.report.files import save_text

        save_text(text, output, force)
        note(f"wrote {output}")


def bold(text: str) -> str:
    """Bold on a terminal that can; plain in a pipe, a dumb terminal or under NO_COLOR."""
    plain = (
        sys.stdout is None
        or not sys.stdout.isatty()
        or os.environ.get("TERM") == "dumb"
        or "NO_COLOR" in os.environ
    )
    return text if plain else f"\033[1m{text}\033[0m"


def is_json(format_: str) -> bool:
    """Whether JSON was asked for; raises InputError on a format nobody has."""
    return chosen(format_, ("text", "json")) == "json"


def chosen(format_: str, formats: Sequence[str]) -> str:
    """One of the formats a command has; raises InputError on any other."""
    if format_ not in formats:
        raise InputError("--format", format_, "is not a format of this command", formats)
    return format_


def print_rows(rows: list[dict[str, Any]], format_: str) -> None:
    """Print rows of one shape as a table, a JSON array, CSV or a Markdown table."""
    if chosen(format_, ROW_FORMATS) == "json":
        print_json(rows)
        return
    if not rows:
        note("nothing fits")
        return
    names = list(rows[0])
    if format_ == "csv":
        say(_csv(names, rows))
        return
    cells = [[cell(row[name]) for name in names] for row in rows]
    if format_ == "md":
        for line in [names, ["---"] * len(names), *cells]:
            say(f"| {' | '.join(part.replace('|', chr(92) + '|') for part in line)} |")
        return
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(names)]
    for line in [names, *cells]:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        say("  ".join(padded).rstrip())


#: What rows can be printed as.
ROW_FORMATS = ["text", "json", "csv", "md"]


def _csv(names: list[str], rows: list[dict[str, Any]]) -> str:
    """Rows as CSV, cells that are not known left empty."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def cell(value: object) -> str:
    """One value of a table."""
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)


def print_json(content: object) -> None:
    """Print as indented JSON."""
    import json

    say(json.dumps(content, indent=2, ensure_ascii=False, default=str))


def tree(content: Any, indent: int = 0) -> list[str]:
    """A record as indented lines."""
    pad = "  " * indent
    lines = []
    for key, value in content.items():
        if isinstance(value, dict):
            lines += [f"{pad}{key}", *tree(value, indent + 1)]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            parts = [f"{pad}  {': '.join(map(str, part.values()))}" for part in value]
            lines += [f"{pad}{key}", *parts]
        elif value not in (None, "", [], ()):
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else cell(value)
            lines.append(f"{pad}{key}: {shown}")
    return lines
