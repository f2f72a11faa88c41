"""Rows of a table, one by one: CSV in the ways of spreadsheets, JSON Lines, Parquet, frames."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple

from joulecast.errors import InputError

#: What stands between cells, the likeliest first.
DELIMITERS = (",", ";", "\t", "|")

#: Marks at the head of a file -> its encoding.
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}

#: What people write into a cell that has nothing.
BLANK = ("", "-", "--", "–", "—", "n/a", "na", "nan", "none", "null", "?", "unknown", "tbd")

#: A number with the decimal comma of half of the world, as semicolons between cells tell.
COMMA = re.compile(r"^([+-]?\d{1,3}(?:\.\d{3})*|[+-]?\d+),(\d+)(\D*)$")

#: Rows of a Parquet file that are held at once.
AT_ONCE = 4096

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")


class Row(NamedTuple):
    """A row: its line in the file (the header is line 1), and its cells by header, no blanks."""

    line: int
    cells: dict[str, Any]


def rows_of(table: Any) -> Iterator[Row]:
    """Read the rows of a file, of a list of mappings, or of a frame of pandas or polars.

    Raises InputError for what is no table, with its line where one is wrong.
    """
    if isinstance(table, str | Path):
        yield from _of_file(Path(table))
    elif hasattr(table, "iter_rows"):  # polars
        yield from _of_mappings(table.iter_rows(named=True))
    elif hasattr(table, "itertuples"):  # pandas
        names = [str(name) for name in table.columns]
        yield from _of_mappings(
            dict(zip(names, cells, strict=True)) for cells in table.itertuples(index=False)
        )
    elif isinstance(table, Iterable) and not isinstance(table, Mapping | bytes):
        yield from _of_mappings(table)
    else:
        kinds = ["a path", "a list of dictionaries", "a DataFrame"]
        raise InputError("table", type(table).__name__, "is not a table", kinds)


def _of_file(path: Path) -> Iterator[Row]:
    if path.is_dir():
        raise InputError("table", path, "is a folder, expected a table", ENDINGS)
    if not path.is_file():
        raise InputError("table", path, "no such file")
    kind = path.suffix.lower()
    if kind in (".parquet", ".pq"):
        yield from _of_parquet(path)
    elif kind in (".jsonl", ".ndjson"):
        yield from _of_json_lines(path)
    elif kind in (".csv", ".tsv", ".txt", ""):
        yield from _of_csv(path)
    else:
        raise InputError("table", path, "has no ending of a table", ENDINGS)


def _of_csv(path: Path) -> Iterator[Row]:
    """Any CSV that a spreadsheet writes; columns without a name and a value are passed over."""
    encoding = _encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as stream:
            first = next((line for line in stream if line.strip()), "")
            delimiter = max(DELIMITERS, key=first.count)
            if path.suffix.lower() == ".tsv":
                delimiter = "\t"
            stream.seek(0)
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            heads: list[str] = []
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if not heads:
                    heads = _heads(path, cells)
                    continue
                if any(cell.strip() for cell in cells[len(heads) :]):
                    count = f"{len(cells)} cells under {len(heads)} headers"
                    raise InputError("table", f"{path.name}: line {reader.line_num}", count)
                named = zip(heads, cells, strict=False)
                yield _row(
                    reader.line_num,
                    ((head, _point(cell, delimiter)) for head, cell in named if head),
                )
            if not heads:
                raise InputError("table", path.name, "is empty")
    except UnicodeDecodeError:
        raise InputError("table", path, "is not a text file", ENDINGS) from None
    except csv.Error as problem:
        raise InputError("table", path, f"is not CSV: {problem}") from None


def _encoding(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(4)
    return next((name for mark, name in MARKS.items() if head.startswith(mark)), "utf-8")


def _heads(path: Path, cells: list[str]) -> list[str]:
    heads = [cell.strip() for cell in cells]
    twice = [head for k, head in enumerate(heads) if head and head in heads[:k]]
    if twice:
        raise InputError("table", f"{path.name}: line 1", f"has the column {twice[0]!r} twice")
    return heads


def _point(cell: str, delimiter: str) -> str:
    """A cell with a decimal point, where semicolons tell that commas are decimal."""
    found = COMMA.match(cell.strip()) if delimiter == ";" else None
    return f"{found[1].replace('.', '')}.{found[2]}{found[3]}" if found else cell


def _of_json_lines(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for line, text in enumerate(stream, start=1):
                if not text.strip():
                    continue
                try:
                    found = json.loads(text)
                except ValueError:
                    raise InputError("table", f"{path.name}: line {line}", "is not JSON") from None
                if not isinstance(found, dict):
                    raise InputError("table", f"{path.name}: line {line}", "must be a JSON object")
                yield _row(line, found.items())
    except UnicodeDecodeError:
        raise InputError("table", path, "is not a text file") from None


def _of_parquet(path: Path) -> Iterator[Row]:
    try:
        from pyarrow import parquet
    except ImportError:
        ways = ["pip install 'joulecast[parquet]'", ".csv"]
        raise InputError("pyarrow", None, "is not installed", ways) from None
    try:
        file = parquet.ParquetFile(path)
    except (OSError, ValueError):
        raise InputError("table", path, "is not a Parquet file") from None
    line = 1
    for batch in file.iter_batches(AT_ONCE):
        for cells in batch.to_pylist():
            line += 1
            yield _row(line, cells.items())


def _of_mappings(rows: Iterable[Any]) -> Iterator[Row]:
    for line, cells in enumerate(rows, start=2):
        if not isinstance(cells, Mapping):
            raise InputError("table", f"row {line - 1}", "must map columns to values")
        yield _row(line, cells.items())


def _row(line: int, cells: Iterable[tuple[str, Any]]) -> Row:
    return Row(line, {str(head).strip(): cell for head, cell in cells if not _is_blank(cell)})


def _is_blank(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell.strip().casefold() in BLANK
    return cell is None or (isinstance(cell, float) and isnan(cell))
