"""Tables of a person's own past runs: rows of CSV, TSV or JSON Lines, headers as people write them.

Kept thin: what a column means stands here, what a cell means is read where it is used.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple

from joulecast.errors import InputError, nearest

#: Column -> other headers that people give it, letters and digits alone.
COLUMNS: dict[str, tuple[str, ...]] = {
    "run": ("name", "runname", "runid", "id", "experiment", "label"),
    "family": ("project", "group", "campaign"),
    "model": ("modelname",),
    "params": ("parameters", "nparams", "modelsize", "totalparams", "size"),
    "active_params": ("activeparameters", "nactiveparams", "activated", "activatedparams"),
    "arch": ("architecture", "kind", "modeltype"),
    "field": ("domain",),
    "tokens": ("ntokens", "trainingtokens", "traintokens", "tokensseen"),
    "seq_len": ("sequencelength", "contextlength", "context", "seqlength"),
    "training_flop": ("flop", "flops", "trainingflops", "totalflops"),
    "precision": ("dtype",),
    "device": ("gpu", "accelerator", "hardware", "gputype", "devicetype", "chip"),
    "device_count": ("devices", "gpus", "numgpus", "ngpus", "gpucount", "ndevices", "numdevices",
                     "count"),
    "device_hours": ("gpuhours", "tpuhours", "acceleratorhours", "chiphours", "gpuh"),
    "wall_clock_days": ("days", "wallclock", "walltimedays", "durationdays"),
    "wall_clock_hours": ("walltimehours", "durationhours", "walltimeh", "elapsedhours"),
    "tokens_per_second_per_device": ("tokenspersecondpergpu", "tokensspergpu", "tokpersecpergpu",
                                     "tokenssgpu", "tpsgpu", "throughputperdevice"),
    "goodput": (),
    "year": ("yearofrun", "date", "start", "started"),
    "device_power_w": ("gpupowerw", "meanpowerw", "avgpowerw", "powerw", "gpupower"),
    "device_energy_kwh": ("gpuenergykwh", "gpuenergy"),
    "it_energy_kwh": ("itenergy", "nodeenergykwh", "serverenergykwh", "nodeenergy"),
    "energy_kwh": ("energy", "facilityenergykwh", "totalenergykwh"),
    "pue": (),
}  # fmt: skip

#: Endings of the files that are read.
KINDS = (".csv", ".tsv", ".jsonl", ".ndjson")


class Row(NamedTuple):
    """A row by its number in the table, the header not counted: what is said, by column."""

    number: int
    cells: Mapping[str, Any]


class PastRuns(NamedTuple):
    """The rows of a table, what to call it, and its columns that mean nothing here."""

    where: str
    rows: tuple[Row, ...]
    unused: tuple[str, ...]


def read(table: str | Path | Iterable[Mapping[str, Any]]) -> PastRuns:
    """Read a table of past runs: a file, or rows that map columns to what they hold.

    Raises InputError for a file that is not there or not such a table, one without rows, and a
    column that stands twice.
    """
    if isinstance(table, str | Path):
        path = Path(table)
        where, rows = path.name, _rows_of(path)
    else:
        where, rows = "runs", [_mapping(row) for row in table]
    headers = list(dict.fromkeys(header for row in rows for header in row))
    meant: dict[str, str] = {}
    for header in headers:
        column = _column(str(header))
        if column is None:
            continue
        if column in meant.values():
            first = next(other for other, known in meant.items() if known == column)
            raise InputError(where, header, f"means {column}, and so does {first}", ["one of them"])
        meant[header] = column
    unused = tuple(str(header) for header in headers if header not in meant)
    found = []
    for number, row in enumerate(rows, start=1):
        cells = {meant[header]: cell for header, cell in row.items() if header in meant}
        said = {name: cell for name, cell in cells.items() if not _is_blank(cell)}
        if said:
            found.append(Row(number, said))
    if not found:
        raise InputError(where, None, "has no rows", ["a row for each past run"])
    return PastRuns(where, tuple(found), unused)


def require(table: PastRuns, column: str, others: Iterable[Iterable[str]] = ()) -> None:
    """Raise InputError where no row says `column`, nor all of any of `others`."""
    said = {name for row in table.rows for name in row.cells}
    if column in said or any(set(names) <= said for names in others):
        return
    near = [name for name in table.unused if column in nearest(name, [column])]
    choices = [f"{name!r} renamed" for name in near]
    choices += [" with ".join(names) for names in others]
    raise InputError(table.where, None, f"column {column} is missing", choices or [column])


def _rows_of(path: Path) -> list[dict[str, Any]]:
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise InputError("runs", path.name, "has no ending that is known", KINDS[:3])
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise InputError("runs", path.name, f"cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise InputError("runs", path.name, "is not UTF-8 text") from None
    if kind in (".jsonl", ".ndjson"):
        return [_object(path, i, line) for i, line in enumerate(text.splitlines(), 1) if line]
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    first = lines[0] if lines else ""
    by_line = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(lines, delimiter="\t" if kind == ".tsv" else by_line)
    header, *body = [[cell.strip() for cell in line] for line in reader] or [[]]
    for number, cells in enumerate(body, start=1):
        if len(cells) != len(header):
            where = f"{path.name}: row {number}"
            raise InputError(where, None, "has more or fewer cells than the header")
    return [dict(zip(header, cells, strict=True)) for cells in body]


def _mapping(row: Any) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        hints = ['frame.to_dict("records")', "a .csv file"]
        raise InputError("runs", row, "is no row: must map columns to what they hold", hints)
    return dict(row)


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as problem:
        raise InputError(f"{path.name}: row {number}", None, f"is no JSON: {problem.msg}") from None
    if not isinstance(found, dict):
        raise InputError(f"{path.name}: row {number}", line, "is no JSON object")
    return found


def _column(header: str) -> str | None:
    bare = "".join(char for char in header.casefold() if char.isalnum())
    for name, others in COLUMNS.items():
        if bare == name.replace("_", "") or bare in others:
            return name
    return None


def _is_blank(cell: Any) -> bool:
    """Whether a cell says nothing: empty, a dash, or the NaN of a data frame."""
    if isinstance(cell, str):
        return cell.strip() in ("", "-", "NA", "n/a", "nan", "None")
    return cell is None or (isinstance(cell, float) and isnan(cell))
