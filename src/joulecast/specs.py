"""Reads the tables of hardware_specs into plain data, and keeps a compiled copy.

Authors write TOML and CSV; programs load JSON some fifty times faster.  The
compiled files are made when the package is built (one for each licence, so that
share-alike data stay apart) and are ignored when a source file is newer.
Standard library only: the build runs this file before anything is installed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CORE = "core.json"
ODBL = "electricitymaps.json"
COMPILED = "compiled"

#: Tables under the Open Database Licence, compiled apart and removable.
ODBL_TABLES = ("zones", "grids_electricitymaps", "grids_within_country")


#: Table -> the columns that identify a row; the rest is what is looked up.
KEYS: dict[str, tuple[str, ...]] = {
    "countries": ("iso3",),
    "grids_ember": ("iso3", "year"),
    "grids_electricitymaps": ("zone", "year"),
    "grids_within_country": ("iso3", "year"),
    "grids_direct": ("area", "year"),
    "zones": ("zone",),
    "states": ("id",),
    "regions": ("provider", "region"),
    "providers": ("provider", "year"),
    "water": ("iso3",),
}


class BrokenTableError(Exception):
    """A file that cannot be parsed: (file name, reason)."""


def bundled_folder() -> Path:
    """The hardware_specs that came with the package, or those of the checkout."""
    here = Path(__file__).resolve().parent
    packaged = here / "hardware_specs"
    return packaged if packaged.is_dir() else here.parents[1] / "hardware_specs"


def load(folder: Path) -> dict[str, Any]:
    """Core tables of a folder, from its compiled copy where that is up to date."""
    return _load(folder, CORE)


def load_odbl(folder: Path) -> dict[str, Any]:
    """The share-alike tables of a folder; empty where they were removed."""
    return _load(folder, ODBL)


def compile_folder(folder: Path) -> list[Path]:
    """Write the compiled copies and return their paths."""
    target = folder / COMPILED
    target.mkdir(exist_ok=True)
    written = []
    for name, content in zip((CORE, ODBL), read_folder(folder), strict=True):
        path = target / name
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, default=str)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parse a folder's TOML and CSV: (core tables, share-alike tables).

    Keys are file stems; a sub-folder gives {file stem: content}.
    """
    core: dict[str, Any] = {}
    odbl: dict[str, Any] = {}
    for path in sorted(_source_files(folder)):
        parts = path.relative_to(folder).with_suffix("").parts
        content = _parse(path)
        target = odbl if parts[0] in ODBL_TABLES else core
        for part in parts[:-1]:
            target = target.setdefault(part, {})
        target[parts[-1]] = content
    core["digest"] = digest(folder)
    core["names"] = all_names(core)
    odbl["names"] = {"places": _zone_names(odbl)}
    return core, odbl


def digest(folder: Path) -> str:
    """First 12 hex digits of the SHA-256 over all tables: the version of the data."""
    total = hashlib.sha256()
    for path in sorted(_source_files(folder)):
        text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
        total.update(f"{path.relative_to(folder).as_posix()}\n{text}\n".encode())
    return total.hexdigest()[:12]


def _load(folder: Path, name: str) -> dict[str, Any]:
    compiled = folder / COMPILED / name
    try:
        made = compiled.stat().st_mtime_ns
        if made >= _newest_change(folder):
            content: dict[str, Any] = json.loads(compiled.read_bytes())
            return content
    except FileNotFoundError:
        pass
    core, odbl = read_folder(folder)
    plain = core if name == CORE else odbl
    return json.loads(json.dumps(plain, default=str))  # type: ignore[no-any-return]


def _newest_change(folder: Path) -> int:
    """Latest change of any source file; installed copies do not change."""
    if folder.parent.name == "joulecast" and folder.parent.parent.name != "src":
        return 0
    newest = 0
    for place in (folder, folder / "devices", folder / "models"):
        if not place.is_dir():
            continue
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.endswith((".toml", ".csv")):
                    newest = max(newest, entry.stat().st_mtime_ns)
    return newest


def _source_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix in (".toml", ".csv") and COMPILED not in path.parts:
            yield path


def _parse(path: Path) -> Any:
    try:
        if path.suffix == ".toml":
            return tomllib.loads(path.read_text(encoding="utf-8"))
        return _keyed(_rows(path), KEYS.get(path.stem, ()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, csv.Error, ValueError) as broken:
        raise BrokenTableError(path.name, str(broken)) from None


def _rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV table whose first lines may be "# " comments."""
    with path.open(encoding="utf-8", newline="") as stream:
        lines = [line for line in stream if not line.startswith("#")]
    rows = list(csv.DictReader(lines, strict=True))
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():
            raise ValueError(f"row {number} has more or fewer cells than the header")
    return rows


def _keyed(rows: list[dict[str, str]], keys: tuple[str, ...]) -> Any:
    """Nest rows by their key columns; a lone value column becomes a number."""
    if not keys:
        return rows
    table: dict[str, Any] = {}
    for row in rows:
        place = table
        for key in keys[:-1]:
            place = place.setdefault(row[key], {})
        last = row[keys[-1]]
        if last in place:
            raise ValueError(f"{' '.join(row[key] for key in keys)} stands twice")
        rest = {name: cell for name, cell in row.items() if name not in keys}
        place[last] = float(*rest.values()) if len(rest) == 1 else rest
    return table


def all_names(core: dict[str, Any]) -> dict[str, Any]:
    """Every name a device or a place answers to."""
    return {"devices": _device_names(core), "places": _place_names(core)}


def _device_names(core: dict[str, Any]) -> dict[str, Any]:
    return index(
        {key: record.get("aliases", ()) for key, record in core.get("devices", {}).items()}
    )


def _place_names(core: dict[str, Any]) -> dict[str, Any]:
    """Ids are fr, us-va, aws:us-east-1, jean-zay; a cloud region also answers to its bare name."""
    names: dict[str, list[str]] = {}
    for iso3, row in core.get("countries", {}).items():
        names[row["iso2"].lower()] = [iso3, row["name"], *_split(row["aliases"])]
    for key, row in core.get("states", {}).items():
        names[key] = [row["name"], *_split(row.get("aliases", ""))]
    for provider, regions in core.get("regions", {}).items():
        for region in regions:
            names[f"{provider}:{region}"] = [region]
    for key, site in core.get("sites", {}).items():
        names[key] = [site["name"], *site.get("aliases", ())]
    return index(names)


def _zone_names(odbl: dict[str, Any]) -> dict[str, Any]:
    """Zones inside countries; a zone that is a whole country is that country."""
    zones = odbl.get("zones", {})
    return index({zone.lower(): [row["name"]] for zone, row in zones.items() if "-" in zone})


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def index(names: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Three ways to find an id: exactly, by alias, and without punctuation."""
    exact: dict[str, list[str]] = {}
    alias: dict[str, list[str]] = {}
    loose: dict[str, list[str]] = {}
    for key, others in names.items():
        _add(exact, fold(key), key)
        _add(loose, bare(key), key)
        for other in others:
            _add(alias, fold(other), key)
            _add(loose, bare(other), key)
    return {"exact": exact, "alias": alias, "loose": loose}


def _add(table: dict[str, list[str]], name: str, key: str) -> None:
    if key not in table.setdefault(name, []):
        table[name].append(key)


def fold(name: str) -> str:
    """Case folded and single-spaced, hyphens kept: us-west-1 is not us-west1."""
    return " ".join(name.casefold().split())


def bare(name: str) -> str:
    """Letters and digits alone, accents dropped: Québec is quebec."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in plain if char.isalnum())
