"""Reads the tables of hardware_specs into plain data, and keeps a compiled copy.

Authors write TOML and CSV; programs load JSON some fifty times faster.  The
compiled files are made when the package is built (one for each licence, so that
share-alike data stay apart) and are ignored in a checkout where a source file is
newer.  Standard library only: the build runs this before anything is installed.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

CORE = "core.json"
ODBL = "electricitymaps.json"
RUNS = "runs.json"
COMPILED = "compiled"

#: Tables under the Open Database Licence, compiled apart and removable.
ODBL_TABLES = ("zones", "grids_electricitymaps", "grids_within_country")

#: Core tables that say what a zone is called.
BESIDE_ZONES = ("countries", "place_names")

#: Published training runs, compiled apart: no forecast rests on them.
RUNS_TABLE = "reported_runs"

#: Tables of which one record is wanted at a time; each record is decoded by itself.
_RECORDS = ("devices", "models", "grids_ember", "grids_direct", "regions", "sources", "defaults")
_NAMES = tuple(f"names_of_{kind}" for kind in ("places", "devices", "models", "instances"))
BY_RECORD = (*_RECORDS, *_NAMES, RUNS_TABLE)

#: Bytes that the line which says where tables lie usually fits in.
LINE = 16_384


class Tables(Mapping[str, Any]):
    """Tables of a compiled file, each decoded when it is first asked for.

    The file is one line of JSON that says where each table lies (offset, length), then the tables;
    a table kept by record is such a file in itself.
    """

    def __init__(self, packed: bytes | memoryview) -> None:
        # Views, not copies: of most tables little is wanted.
        line, *_ = bytes(packed[:LINE]).split(b"\n", 1)
        if len(line) == LINE:
            line, *_ = bytes(packed).split(b"\n", 1)
        self._where: dict[str, tuple[int, int, bool]] = json.loads(line)
        self._body = memoryview(packed)[len(line) + 1 :]
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            start, length, nested = self._where[name]
            part = self._body[start : start + length]
            self._read[name] = Tables(part) if nested else json.loads(bytes(part))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def __len__(self) -> int:
        return len(self._where)


def bundled_folder() -> Path:
    """The hardware_specs that came with the package, or those of the checkout."""
    here = Path(__file__).resolve().parent
    packaged = here.parent / "hardware_specs"
    return packaged if packaged.is_dir() else here.parents[2] / "hardware_specs"


def load(folder: Path, name: str = CORE) -> Mapping[str, Any]:
    """Tables of a folder, from their compiled copy where that is up to date.

    `name` is that of the copy: the core tables, those that are share-alike (ODBL) or the published
    runs (RUNS); the last two are empty where they were removed.
    """
    compiled = folder / COMPILED / name
    try:
        made = compiled.stat().st_mtime_ns
        if made > _newest_change(folder, name):
            return Tables(compiled.read_bytes())
    except FileNotFoundError:
        pass
    return Tables(pack(_READERS[name](folder)))


def compile_folder(folder: Path) -> None:
    """Write the compiled copies."""
    (folder / COMPILED).mkdir(exist_ok=True)
    for name, read in _READERS.items():
        (folder / COMPILED / name).write_bytes(pack(read(folder)))


def pack(tables: Mapping[str, Any], nested: tuple[str, ...] = BY_RECORD) -> bytes:
    """Lay tables out for `Tables`."""
    where: dict[str, tuple[int, int, bool]] = {}
    body = b""
    for name, content in tables.items():
        if name in nested:
            part = pack(content, ())
        else:
            text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, default=str)
            part = text.encode()
        where[name] = (len(body), len(part), name in nested)
        body += part
    return json.dumps(where, separators=(",", ":")).encode() + b"\n" + body


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A folder as programs use it: (core tables with digest and names, share-alike tables)."""
    return _read_core(folder), _read_odbl(folder)


def _read_core(folder: Path) -> dict[str, Any]:
    core = parse_folder(folder, lambda name: name not in (*ODBL_TABLES, RUNS_TABLE))
    return {**core, "digest": digest(folder), **all_names(core)}


def _read_odbl(folder: Path) -> dict[str, Any]:
    odbl = parse_folder(folder, lambda name: name in (*ODBL_TABLES, *BESIDE_ZONES))
    beside = {name: odbl.pop(name, {}) for name in BESIDE_ZONES}
    return {**odbl, "names_of_zones": zone_names(odbl, beside)}


def _read_runs(folder: Path) -> dict[str, Any]:
    return with_names(parse_folder(folder, lambda name: name == RUNS_TABLE).get(RUNS_TABLE, {}))


def with_names(runs: Mapping[str, Any]) -> dict[str, Any]:
    """Runs as they are kept: the records and every name one answers to."""
    return {RUNS_TABLE: runs, "names_of_runs": index(names_of(runs))}


#: Compiled file -> what makes it from the files of a folder.
_READERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    CORE: _read_core,
    ODBL: _read_odbl,
    RUNS: _read_runs,
}


def parse_folder(folder: Path, wanted: Callable[[str], bool] = bool) -> dict[str, Any]:
    """What a folder's files hold, by file stem; a sub-folder gives {file stem: content}."""
    from joulecast.data import tables  # imported here: an installed copy has nothing to parse

    found: dict[str, Any] = {}
    for path in sorted(_source_files(folder)):
        parts = path.relative_to(folder).with_suffix("").parts
        if not wanted(parts[0]):
            continue
        target = found
        for part in parts[:-1]:
            target = target.setdefault(part, {})
        target[parts[-1]] = tables.read(folder, path)
    return found


def digest(folder: Path) -> str:
    """First 12 hex digits of the SHA-256 over the tables that forecasts rest on: their version."""
    import hashlib

    total = hashlib.sha256()
    for path in sorted(_source_files(folder)):
        if path.parent.name == RUNS_TABLE:
            continue
        text = path.read_bytes().replace(b"\r\n", b"\n")
        total.update(path.relative_to(folder).as_posix().encode() + b"\n" + text + b"\n")
    return total.hexdigest()[:12]


def _newest_change(folder: Path, name: str) -> int:
    """Latest change of a source file, of a folder (a file gone or new) or of the code that reads.

    The files of an installed copy do not change.
    """
    if not (folder.parent / "pyproject.toml").exists():
        return -1
    here = Path(__file__)
    newest = max(path.stat().st_mtime_ns for path in (here, here.with_name("tables.py")))
    ours = (folder / RUNS_TABLE,) if name == RUNS else (folder / "devices", folder / "models")
    for place in (folder, *ours):
        if not place.is_dir():
            continue
        newest = max(newest, place.stat().st_mtime_ns)
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.endswith((".toml", ".csv")):
                    newest = max(newest, entry.stat().st_mtime_ns)
    return newest


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Files of a folder with their sizes and times of change: other where one was edited."""
    found = ((str(path), path.stat()) for path in sorted(_source_files(folder)))
    return tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in found)


def _source_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        hidden = inside[0] == COMPILED or any(part.startswith(".") for part in inside)
        if path.suffix in (".toml", ".csv") and not hidden:
            yield path


def all_names(core: Mapping[str, Any]) -> dict[str, dict[str, dict[str, list[str]]]]:
    """Every name a device, an instance, a model or a place answers to."""
    return {
        "names_of_instances": index(_instance_names(core.get("instances", {}))),
        "names_of_devices": index(names_of(core.get("devices", {}))),
        "names_of_models": index(names_of(core.get("models", {}))),
        "names_of_places": _with_typed_names(index(_place_names(core)), core),
    }


def names_of(records: Mapping[str, Any]) -> dict[str, list[str]]:
    """Full name and aliases of each record; what is no name is left for the check of the record."""
    names = {}
    for key, record in records.items():
        aliases = record.get("aliases", ())
        others = [record.get("name"), *(aliases if isinstance(aliases, list | tuple) else ())]
        names[key] = [name for name in others if isinstance(name, str)]
    return names


def _instance_names(rows: Mapping[str, Any]) -> dict[str, list[str]]:
    """Aliases of each instance type, and Azure's names without the word they all begin with."""
    return {
        key: [key.removeprefix("Standard_"), *_split(row.get("aliases", ""))]
        for key, row in rows.items()
    }


def _place_names(core: Mapping[str, Any]) -> dict[str, list[str]]:
    """Ids are fr, us-va, aws:us-east-1, jean-zay; a cloud region also answers to its bare name."""
    names: dict[str, list[str]] = {}
    for iso3, row in core.get("countries", {}).items():
        names[row["iso2"].lower()] = [iso3, row["name"], *_split(row.get("aliases", ""))]
    for key, row in core.get("states", {}).items():
        names[key] = [row["name"], *_split(row.get("aliases", ""))]
    for provider, regions in core.get("regions", {}).items():
        for region in regions:
            names[f"{provider}:{region}"] = [region]
    for key, site in core.get("sites", {}).items():
        names[key] = [site["name"], *site.get("aliases", ())]
    return names


def _with_typed_names(
    names: dict[str, dict[str, list[str]]], core: Mapping[str, Any]
) -> dict[str, dict[str, list[str]]]:
    """The names of place_names.csv as further aliases.

    A zone by itself is found among the zones; of several places none is ever guessed.
    """
    for name, row in core.get("place_names", {}).items():
        places = _split(row["places"])
        for key in places:
            if len(places) > 1 or key in names["exact"]:
                _add(names["alias"], fold(name), key)
                _add(names["loose"], bare(name), key)
    return names


def zone_names(odbl: Mapping[str, Any], core: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Names of zones; a zone that is a whole country with a series of its own is that country."""
    names = {
        zone.lower(): [row["name"]]
        for zone, row in odbl.get("zones", {}).items()
        if "-" in zone or row["iso3"] not in core.get("countries", {})
    }
    for name, row in core.get("place_names", {}).items():
        if row["places"] in names:
            names[row["places"]].append(name)
    return index(names)


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def index(names: Mapping[str, list[str]]) -> dict[str, dict[str, list[str]]]:
    """Three ways to find an id: exactly, by alias, and without punctuation."""
    found: dict[str, dict[str, list[str]]] = {"exact": {}, "alias": {}, "loose": {}}
    for key, others in names.items():
        for form, name in (("exact", key), *(("alias", other) for other in others)):
            _add(found[form], fold(name), key)
            _add(found["loose"], bare(name), key)
    return found


def _add(table: dict[str, list[str]], name: str, key: str) -> None:
    if key not in table.setdefault(name, []):
        table[name].append(key)


def fold(name: str) -> str:
    """Case folded and single-spaced, hyphens kept: us-west-1 is not us-west1."""
    return " ".join(name.casefold().split())


@lru_cache(maxsize=8192)
def bare(name: str) -> str:
    """Letters and digits alone, accents dropped: Québec is quebec."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in plain if char.isalnum())
