"""Reading and writing the CSV tables of hardware_specs: comments, a header row, sorted rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a CSV file whose first lines may be "# " comments; fails on a missing column."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(line for line in stream if not line.startswith("#"))
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise SystemExit(f"error: {path.name}: no column {', '.join(missing)}")
        return [{name: (cell or "").strip() for name, cell in row.items()} for row in reader]


def write_table(
    path: Path, comments: Sequence[str], header: Sequence[str], rows: Iterable[Sequence[str]]
) -> int:
    """Write a table and return its number of rows; no row may stand twice."""
    body = [list(row) for row in rows]
    if len({tuple(row) for row in body}) != len(body):
        raise SystemExit(f"error: {path.name}: a row stands twice")
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(f"# {line}\n" for line in comments)
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(body)
    return len(body)


def number(value: float | str, digits: int) -> str:
    """Write a number as text with at most so many significant digits and no trailing zeros.

    >>> number(383.78, 5), number("11.4558", 4), number(1357.0, 4), number(1.10, 4)
    ('383.78', '11.46', '1357', '1.1')
    """
    return f"{float(value):.{digits}g}"
