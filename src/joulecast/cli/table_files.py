"""A table of runs to files and streams: a row as it comes, or the whole."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulecast.answers.runs import Runs, TableRun
from joulecast.answers.shape import ten
from joulecast.errors import InputError
from joulecast.report.files import whole_file
from joulecast.report.runs import table

if TYPE_CHECKING:
    from joulecast.whatif.tabling import Reading

#: Formats written row by row, in constant memory.
STREAMED = ("csv", "jsonl", "parquet")

#: Formats that need all rows.
WHOLE = ("text", "json", "md", "html")

ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".md": "md",
           ".html": "html", ".htm": "html", ".parquet": "parquet", ".txt": "text"}  # fmt: skip

#: Rows of a Parquet file that are written at once.
AT_ONCE = 2048


def exports() -> list[str]:
    """Exports that can hold many runs."""
    from joulecast.exporting import FORMATS

    return [name for name, one in FORMATS.items() if one.several and name not in ("csv", "md")]


def kind_of(format_: str, output: Path | None) -> str:
    """The format asked for, or that of the file's ending; raises InputError for none we have."""
    known = [*WHOLE, *STREAMED, *exports()]
    if format_ not in known:
        raise InputError("--format", format_, "is not a format of a table of runs", known)
    if output is None or format_ != "text":
        if format_ == "parquet" and output is None:
            raise InputError("--format", format_, "needs a file", ["--output runs.parquet"])
        return format_
    kind = ENDINGS.get(output.suffix.lower())
    if kind is None:
        raise InputError("output", output, "has no ending that is known", [*ENDINGS])
    return kind


def write(reading: Reading, kind: str, output: Path | None, force: bool) -> None:
    """Write rows as they are forecast, to a file or to stdout."""
    if kind not in STREAMED:
        from joulecast.cli.output import save_or_say
        from joulecast.estimation import estimate
        from joulecast.exporting import export

        answers = [estimate(one.plan, reading.library) for one in reading.plans()]
        save_or_say(export(answers, kind), output, force)
        return
    if output is None:
        for line in _lines(reading, kind, None):
            sys.stdout.write(line)
        return
    with whole_file(output, force) as unfinished, _bar(reading.count) as progress:
        if kind == "parquet":
            _parquet(reading, unfinished, progress)
            return
        with unfinished.open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(_lines(reading, kind, progress))


def _rows(reading: Reading, progress: Callable[[int], None] | None) -> Iterator[dict[str, Any]]:
    """Rows of the runs, then the total."""
    for one in reading.runs(progress):
        yield _rounded(one.row())
    yield _rounded(TableRun("total", 0, reading.total()).row())


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: ten(cell) if isinstance(cell, float) else cell for name, cell in row.items()}


def _lines(reading: Reading, kind: str, progress: Callable[[int], None] | None) -> Iterator[str]:
    if kind == "jsonl":
        for row in _rows(reading, progress):
            yield json.dumps(row, ensure_ascii=False) + "\n"
        return
    text = io.StringIO()
    writer = None
    for row in _rows(reading, progress):
        if writer is None:
            writer = csv.DictWriter(text, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _parquet(reading: Reading, path: Path, progress: Callable[[int], None]) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        ways = ["pip install 'joulecast[parquet]'", ".csv"]
        raise InputError("pyarrow", None, "is not installed", ways) from None
    writer: Any = None
    batch: list[dict[str, Any]] = []
    schema: Any = None
    for row in _rows(reading, progress):
        if schema is None:
            words, figures = pyarrow.string(), pyarrow.float64()
            schema = pyarrow.schema([(n, words if n == "name" else figures) for n in row])
            writer = parquet.ParquetWriter(path, schema)
        batch.append(row)
        if len(batch) == AT_ONCE:
            writer.write_table(pyarrow.Table.from_pylist(batch, schema))
            batch.clear()
    if batch:
        writer.write_table(pyarrow.Table.from_pylist(batch, schema))
    writer.close()


@contextmanager
def _bar(count: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    import typer

    with typer.progressbar(length=count, label="runs", file=sys.stderr) as bar:
        yield lambda _: bar.update(1)


def whole(runs: Runs, kind: str) -> str:
    """The text of a file that holds all rows."""
    from joulecast.report import door

    if kind == "json":
        return runs.to_json() + "\n"
    if kind == "html":
        head = '<!doctype html><meta charset="utf-8"><title>Runs of a table</title>'
        return f"{head}\n{door.html(runs)}\n"
    if kind == "md":
        made = table(runs)
        lines = [list(made.head), ["---"] * len(made.head), *map(list, made.rows)]
        text = "\n".join(f"| {' | '.join(c.replace('|', '/') for c in line)} |" for line in lines)
        return f"{text}\n\n{made.note}\n" if made.note else f"{text}\n"
    return runs.explain() + "\n"
