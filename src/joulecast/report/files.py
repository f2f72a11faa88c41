"""Tables to files and streams: CSV, JSON, JSON Lines, Markdown, Parquet; block by block.

A file appears under its name when it is whole: what was interrupted leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from joulecast.answers.sweep import ROWS_AT_ONCE, Sweep
from joulecast.errors import InputError

#: Called with the number of rows written so far.
Progress = Callable[[int], None]

#: Ending of a file -> what is written.
KINDS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".md": "md",
         ".parquet": "parquet"}  # fmt: skip


def save(table: Sweep, path: Path, force: bool = False, progress: Progress | None = None) -> None:
    """Write a table in the format its file's ending names, in constant memory.

    Raises InputError for an ending nobody knows, a file that is there (unless `force`), a folder
    that is not, and what the system refuses.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        known = [*list(KINDS)[:2], ".parquet"]
        raise InputError("output", path, "has no ending that is known", known)
    with whole_file(path, force) as unfinished:
        if kind == "parquet":
            _parquet(table, unfinished, progress)
            return
        with unfinished.open("w", encoding="utf-8", newline="") as stream:
            for text in written(table, kind, progress):
                stream.write(text)


def save_text(text: str, path: Path, force: bool = False) -> None:
    """Write a text whole or not at all; raises as `whole_file` does."""
    with whole_file(path, force) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")


@contextmanager
def whole_file(path: Path, force: bool) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its name when all went well.

    Raises InputError where there is such a file already (unless `force`), or no such folder.
    """
    if path.is_dir():
        raise InputError("output", path, "is a folder, expected a file")
    if path.exists() and not force:
        raise InputError("output", path, "is there already", ["another name", "--force"])
    if not path.parent.is_dir():
        raise InputError("output", path, f"the folder {path.parent} does not exist")
    try:
        handle, name = tempfile.mkstemp(suffix=path.suffix, prefix=".unfinished-", dir=path.parent)
    except OSError as problem:
        raise InputError("output", path, f"cannot be written: {problem.strerror}") from None
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        _open_to_readers(unfinished)
        unfinished.replace(path)
    except OSError as problem:
        raise InputError("output", path, f"cannot be written: {problem.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _open_to_readers(path: Path) -> None:
    """Give a temporary file, which only its owner may read, the rights of any new file."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def written(table: Sweep, kind: str, progress: Progress | None = None) -> Iterator[str]:
    """Text of a table, a block of rows at a time.

    Numbers have ten significant figures; what cannot be known is empty, or null in JSON.
    """
    labels = [_labels(axis.values, kind) for axis in table.axes]
    head, between, row, end = _frame(table.names, kind)
    unknown = "null" if kind.startswith("json") else ""
    if head:
        yield head
    done = 0
    for block, results in _parts(table):
        columns = [label[at].tolist() for label, at in zip(labels, block, strict=True)]
        columns += [_figures(column, unknown) for column in results]
        lines = [row % cells for cells in zip(*columns, strict=True)]
        yield (between if done else "") + between.join(lines)
        done += len(lines)
        if progress:
            progress(done)
    yield end


def _parts(table: Sweep) -> Iterator[tuple[list[Any], list[Any]]]:
    """Blocks as positions on the axes and columns of results."""
    from joulecast.answers.sweep import tiles

    for block in tiles(table.shape, ROWS_AT_ONCE):
        yield table.positions(block), list(table.results_of(block).values())


def _frame(names: Sequence[str], kind: str) -> tuple[str, str, str, str]:
    """What stands before, between and after the rows, and the pattern of a row."""
    if kind == "csv":
        return ",".join(names) + "\n", "\n", ",".join(["%s"] * len(names)), "\n"
    if kind == "md":
        rule = "|".join(["---"] * len(names))
        head = f"| {' | '.join(names)} |\n|{rule}|\n"
        return head, "\n", f"| {' | '.join(['%s'] * len(names))} |", "\n"
    row = "{" + ", ".join(f'"{name}": %s' for name in names) + "}"
    return ("[\n", ",\n", "  " + row, "\n]\n") if kind == "json" else ("", "\n", row, "\n")


def _figures(column: Any, unknown: str) -> list[str]:
    return [f"{value:.10g}" if isfinite(value) else unknown for value in column.tolist()]


def _labels(values: Any, kind: str) -> Any:
    """Each value of an axis as it stands in a cell."""
    return np.array([_label(value, kind) for value in values.tolist()], dtype=object)


def _label(value: object, kind: str) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    if kind.startswith("json"):
        return json.dumps(value, ensure_ascii=False)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "csv" and any(mark in text for mark in ',"\n'):
        quoted = text.replace('"', '""')
        return f'"{quoted}"'
    return text.replace("|", r"\|") if kind == "md" else text


def _parquet(table: Sweep, path: Path, progress: Progress | None) -> None:
    """Write Parquet: words as dictionaries, numbers as float64."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        way = "pip install 'joulecast[parquet]'"
        raise InputError("output", path.suffix, "needs pyarrow", [way]) from None
    words = {
        axis.name: pa.array([str(value) for value in axis.values])
        for axis in table.axes
        if {type(value) for value in axis.values.tolist()} - {int, float, bool}
    }
    kinds = {
        axis.name: pa.dictionary(pa.int32(), pa.string())
        if axis.name in words
        else pa.array(axis.values[:1].tolist()).type
        for axis in table.axes
    }
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in table.names])
    done = 0
    with pq.ParquetWriter(path, schema) as writer:
        for block, results in _parts(table):
            columns = [
                pa.DictionaryArray.from_arrays(pa.array(at, pa.int32()), words[axis.name])
                if axis.name in words
                else pa.array(axis.values[at], kinds[axis.name])
                for axis, at in zip(table.axes, block, strict=True)
            ]
            columns += [pa.array(column, from_pandas=True) for column in results]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            done += len(columns[0])
            if progress:
                progress(done)
