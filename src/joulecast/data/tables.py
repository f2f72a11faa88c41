"""What a table of hardware_specs must look like, and how one is read: CSV and TOML to plain data.

Standard library and our errors only: the build reads the tables before anything is installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from joulecast.errors import SpecsError, nearest


class Shape(NamedTuple):
    """Columns of a CSV table: those that identify a row, those it must have, those it may have.

    `numbers` maps a column of numbers to the least one may be; `ordered` columns rise in a row.
    """

    keys: tuple[str, ...]
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()
    numbers: Mapping[str, float] = {}
    ordered: tuple[str, ...] = ()


#: What electricity is made from: columns of mix.csv.
GENERATION = ("coal", "gas", "oil", "nuclear", "hydro", "bioenergy", "geothermal", "solar", "wind")

_INTENSITY = {"gco2e_per_kwh": 0.0}
_PUES = tuple(f"pue_{year}" for year in range(2022, 2026))
_WUES = ("wue_2022", "wue_2024", "wue_2025")
_FLEET = ("pue_low", "pue", "pue_high")

SHAPES: dict[str, Shape] = {
    "countries": Shape(("iso3",), ("iso2", "name"), ("aliases",)),
    "grids_ember": Shape(("iso3", "year"), ("gco2e_per_kwh",), (), _INTENSITY),
    "grids_electricitymaps": Shape(("zone", "year"), ("gco2e_per_kwh",), (), _INTENSITY),
    "grids_within_country": Shape(
        ("iso3", "year"), ("p5", "p95"), ("zones",), {"p5": 0.1, "p95": 0.1}, ("p5", "p95")
    ),
    "grids_direct": Shape(("area", "year"), ("gco2e_per_kwh", "source"), (), _INTENSITY),
    "zones": Shape(("zone",), ("name", "iso3")),
    "place_names": Shape(("name",), ("places",), ("why",)),
    "states": Shape(("id",), ("name", "iso3", "zone"), ("aliases", "egrid_subregion", "note")),
    "regions": Shape(
        ("provider", "region"),
        ("name", "iso3", "zone", "source_pue"),
        ("egrid_subregion", "direct_area", *_PUES, "pue_level", *_WUES, "note"),
        dict.fromkeys(_PUES, 1.0) | dict.fromkeys(_WUES, 0.0),
    ),
    "providers": Shape(
        ("provider", "year"),
        ("name", "pue", "pue_low", "pue_high", "source"),
        ("wue_l_per_kwh", "wue_kind", "wue_source", "note"),
        {**dict.fromkeys(_FLEET, 1.0), "wue_l_per_kwh": 0.0},
        _FLEET,
    ),
    "instances": Shape(
        ("instance",),
        ("device", "provider", "source"),
        ("devices", "per_device", "aliases", "note"),
        {"devices": 1, "per_device": 1},
    ),
    "water": Shape(("iso3",), ("l_per_kwh",), (), {"l_per_kwh": 0.0}),
    "benchmark_runs": Shape(
        ("id",),
        (
            "task",
            "round",
            "submitter",
            "device",
            "device_count",
            "training_flop",
            "device_hours",
            "precision",
            "precision_settled",
            "source",
            "path",
            "mark",
        ),
        (
            "devices_per_node",
            "samples",
            "global_batch_samples",
            "tokens",
            "runs",
            "cooling",
            "repeats_earlier",
            "note",
        ),
        {"device_count": 1, "training_flop": 1, "device_hours": 0.0},
    ),
    "benchmark_tasks": Shape(
        ("task",),
        ("arch", "active_params", "layers", "trained"),
        ("seq_len", "note"),
        {"active_params": 1, "layers": 1},
    ),
    "benchmark_nodes": Shape(
        ("id",),
        (
            "kind",
            "task",
            "round",
            "submitter",
            "device",
            "device_count",
            "nodes",
            "side",
            "power_w",
            "source",
            "path",
            "mark",
        ),
        ("cooling", "tuned_for_energy", "power_w_median", "power_w_least", "seconds"),
        {"device_count": 1, "nodes": 1, "power_w": 0.0},
    ),
    "throughput": Shape(
        ("id",),
        (
            "device",
            "family",
            "publisher",
            "year",
            "model",
            "arch",
            "precision",
            "counted",
            "source",
        ),
        (
            "device_count",
            "params",
            "active_params",
            "seq_len",
            "tokens_per_s_per_device",
            "tflops_per_device",
        ),
        {"active_params": 1, "year": 2000},
    ),
    "finetunes": Shape(
        ("id",),
        (
            "device",
            "family",
            "publisher",
            "year",
            "model",
            "arch",
            "params",
            "active_params",
            "method",
            "counted",
            "precision",
            "framework",
            "stack",
            "tokens_per_s_per_device",
            "source",
        ),
        ("device_count", "seq_len", "data", "micro_batch"),
        {"active_params": 1, "year": 2000, "tokens_per_s_per_device": 0.0},
    ),
    "mix": Shape(("iso3",), ("year", *GENERATION), (), dict.fromkeys(GENERATION, 0.0)),
}

#: Tables kept as TOML, and folders of one TOML file per record.
TOML_TABLES = (
    "calibration",
    "defaults",
    "fine_tuning",
    "own_runs",
    "scaling_laws",
    "sites",
    "sources",
    "use_phase",
)

#: Those of them that hold defaults: judged or published, and fitted.
DEFAULT_TABLES = ("defaults", "calibration", "fine_tuning", "use_phase")
FOLDERS = ("devices", "models", "reported_runs")


def read(folder: Path, path: Path) -> Any:
    """Content of a table, rows nested by their keys; raises SpecsError naming file and row."""
    import csv  # imported here: an installed copy has nothing to parse
    import tomllib

    name = path.relative_to(folder).as_posix()
    _check_name(name)
    try:
        if path.suffix == ".toml":
            return tomllib.loads(path.read_text(encoding="utf-8-sig"))
        shape = SHAPES[path.stem]
        return _keyed(name, _rows(name, path, shape), shape)
    except UnicodeDecodeError:
        raise SpecsError(name, None, "is not UTF-8 text") from None
    except (tomllib.TOMLDecodeError, csv.Error) as broken:
        raise SpecsError(name, None, str(broken)) from None


def check_listed(
    where: str, key: str, table: Iterable[str], file: str, otherwise: Iterable[str] = ()
) -> None:
    """Raise SpecsError where a table has no such key, with the nearest or else with `otherwise`."""
    if key not in table:
        raise SpecsError(where, key, f"is not in {file}", nearest(key, table) or otherwise)


def said_source(path: Path) -> str | None:
    """Key of the source of a whole CSV table, from a comment "# source: KEY" at its head."""
    with path.open(encoding="utf-8-sig") as stream:
        for line in stream:
            mark, _, key = line.lstrip("# ").partition(":")
            if line.startswith("#") and mark.strip().casefold() == "source":
                # Our own tables go on after the key; a changed copy must not pass for ours.
                return key.strip() if len(key.split()) == 1 else None
    return None


def overlaid(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of `own` over those of `base`: down to a row of CSV, a default's value, a record."""
    depth = {name: len(shape.keys) for name, shape in SHAPES.items()}
    depth |= dict.fromkeys(DEFAULT_TABLES, 9) | {"scaling_laws": 2}
    return {**base, **{k: _over(base.get(k), own[k], depth.get(k, 1)) for k in own}}


def _over(old: Any, new: Any, depth: int) -> Any:
    """`new` over `old`, so many keys deep; what holds a value is replaced whole."""
    both = isinstance(old, Mapping) and isinstance(new, Mapping)
    if depth == 0 or not both or "value" in new:
        return new
    return {**old, **{key: _over(old.get(key), value, depth - 1) for key, value in new.items()}}


def _check_name(name: str) -> None:
    """A file nobody reads is a misspelt one."""
    path, folder = Path(name), name.rpartition("/")[0]
    is_toml = path.suffix == ".toml"
    stems = TOML_TABLES if is_toml else tuple(SHAPES)
    if (is_toml and folder in FOLDERS) or (not folder and path.stem in stems):
        return
    choices = [f"{stem}{path.suffix}" for stem in nearest(path.stem, stems, count=1)]
    other = [f"devices/{path.name}"] if is_toml else [f"{stem}.csv" for stem in stems]
    raise SpecsError(name, None, "is not a table of hardware_specs", choices or other)


def _rows(name: str, path: Path, shape: Shape) -> list[dict[str, str]]:
    """Rows of a CSV table whose lines may be "#" comments."""
    import csv

    with path.open(encoding="utf-8-sig", newline="") as stream:
        lines = csv.reader((line for line in stream if not line.startswith("#")), strict=True)
        cells = [[cell.strip() for cell in line] for line in lines if any(line)]
    header, body = (cells[0], cells[1:]) if cells else ([], [])
    _check_header(name, header, shape)
    for number, line in enumerate(body, start=1):
        if len(line) != len(header):
            raise SpecsError(name, None, f"row {number} has more or fewer cells than the header")
    return [dict(zip(header, line, strict=True)) for line in body]


def _check_header(name: str, header: list[str], shape: Shape) -> None:
    if len(header) == 1 and ";" in header[0]:
        raise SpecsError(name, None, "cells must be separated by commas, not semicolons")
    for column in (*shape.keys, *shape.columns):
        if column not in header:
            raise SpecsError(name, None, f"column {column} is missing")
    known = (*shape.keys, *shape.columns, *shape.optional)
    for column in header:
        if column not in known:
            raise SpecsError(f"{name}: column", column, "is not known", nearest(column, known))
        if header.count(column) > 1:
            raise SpecsError(name, None, f"column {column} stands twice")


def _keyed(name: str, rows: Iterable[dict[str, str]], shape: Shape) -> dict[str, Any]:
    """Nest rows by their key columns; a lone value column becomes a number."""
    table: dict[str, Any] = {}
    for row in rows:
        label = " ".join(row[key] for key in shape.keys if row[key])
        _check_row(f"{name}: {label}", row, shape)
        place = table
        for key in shape.keys[:-1]:
            place = place.setdefault(row[key], {})
        last = row[shape.keys[-1]]
        if last in place:
            raise SpecsError(name, None, f"{label} stands twice")
        rest = {column: cell for column, cell in row.items() if column not in shape.keys}
        alone = len(shape.columns) == 1 and not shape.optional
        place[last] = float(rest[shape.columns[0]]) if alone else rest
    return table


def _check_row(where: str, row: Mapping[str, str], shape: Shape) -> None:
    for key in shape.keys:
        if not row[key]:
            raise SpecsError(where, None, f"{key} is empty")
    if "year" in shape.keys and not row["year"].isdecimal():
        raise SpecsError(where, None, f"year must be a whole number, not {row['year']}")
    for column, least in shape.numbers.items():
        cell = row.get(column, "")
        may_be_empty = column in shape.optional or column in _FLEET
        if _is_number(cell, least) or (may_be_empty and not cell):
            continue
        what = "" if len(shape.columns) == 1 else f"{column} "
        why = f"{what}must be a number of at least {least:g}, not {cell or 'empty'}"
        raise SpecsError(where, None, why)
    cells = [row[column] for column in shape.ordered]
    if any(cells):
        numbers = [float(cell) for cell in cells if cell]
        if len(numbers) < len(cells) or sorted(numbers) != numbers or numbers[0] == numbers[-1]:
            shown = ", ".join(cell or "empty" for cell in cells)
            why = f"{', '.join(shape.ordered)} must all be there and rise, not {shown}"
            raise SpecsError(where, None, why)


def _is_number(cell: str, least: float) -> bool:
    try:
        number = float(cell)
    except ValueError:
        return False
    return isfinite(number) and number >= least
