"""Reads the tables of hardware_specs into plain data, and keeps a compiled copy.

Authors write TOML and CSV; programs load JSON some fifty times faster.  The
compiled files are made when the package is built (one for each licence, so that
share-alike data stay apart) and are ignored in a checkout where a source file is
newer.  Standard library only: the build runs this before anything is installed.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii
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

#: Published training runs, compiled apart with those of tables: no forecast rests on them.
RUNS_TABLE = "reported_runs"
BENCHMARK = ("benchmark_runs", "benchmark_tasks", "benchmark_nodes", "throughput", "finetunes")

#: So many are found one by one, of a table that is asked for more all are decoded.
SEARCHES = 50

#: As json.loads, without a look at the encoding and at white space.
_decode = json.JSONDecoder().raw_decode


class Records(Mapping[str, Any]):
    """A table as it is compiled, each record decoded when it is first asked for.

    A separator stands before, between and after records; one is its key, a colon and its content.
    There is no index: to find a few is quicker than to read where all of them lie.
    """

    def __init__(self, packed: bytes, start: int, end: int) -> None:
        self._packed, self._start, self._end = packed, start, end
        self._separator = packed[start : start + 1]
        self._read: dict[str, Any] = {}
        self._searches, self._whole = 0, False

    def __getitem__(self, name: str) -> Any:
        if name not in self._read and self._searches >= SEARCHES:
            return self._all()[name]
        if name not in self._read and not self._whole:
            self._searches += 1
            key = b"%b%b:" % (self._separator, encode_basestring_ascii(name).encode())
            start = self._packed.find(key, self._start, self._end) + len(key)
            if start >= len(key):
                end = self._packed.index(self._separator, start)
                self._read[name] = _content(self._packed, start, end)
        return self._read[name]

    def _all(self) -> dict[str, Any]:
        if not self._whole:
            parts = self._packed[self._start : self._end].split(self._separator)[1:-1]
            keys = (_decode(part.decode()) for part in parts)
            found = zip(keys, parts, strict=True)
            self._read = {key: _content(part, end + 1, len(part)) for (key, end), part in found}
            self._whole = True
        return self._read

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _content(packed: bytes, start: int, end: int) -> Any:
    """What lies between two places: a table, where it begins with a separator, or JSON."""
    if packed[start] < ord(" "):
        return Records(packed, start, end)
    return _decode(packed[start:end].decode())[0]


def bundled_folder() -> Path:
    """The hardware_specs that came with the package, or those of the checkout."""
    here = Path(__file__).parent
    packaged = here.parent / "hardware_specs"
    return packaged if packaged.is_dir() else here.resolve().parents[2] / "hardware_specs"


def load(folder: Path, name: str = CORE) -> Mapping[str, Any]:
    """Tables of a folder, from their compiled copy where that is up to date.

    `name` is that of the copy: the core tables, those that are share-alike (ODBL) or the published
    runs (RUNS); the last two are empty where they were removed.
    """
    compiled = folder / COMPILED / name
    try:
        made = compiled.stat().st_mtime_ns
        if made > _newest_change(folder, name):
            return unpack(compiled.read_bytes())
    except FileNotFoundError:
        pass
    return unpack(pack(_READERS[name](folder)))


def compile_folder(folder: Path) -> None:
    """Write the compiled copies."""
    (folder / COMPILED).mkdir(exist_ok=True)
    for name, read in _READERS.items():
        (folder / COMPILED / name).write_bytes(pack(read(folder)))


def pack(tables: Mapping[str, Any]) -> bytes:
    """Lay tables out: a line of JSON that says where each begins and ends, then the tables."""
    where: dict[str, tuple[int, int]] = {}
    body = b""
    for name, content in tables.items():
        separators = "\v\n" if name == "regions" or name.startswith("names_of_") else "\n"
        start, body = len(body), body + _packed(content, separators).encode()
        where[name] = start, len(body)
    return json.dumps(where, separators=(",", ":")).encode() + b"\n" + body


def _packed(content: Any, separators: str) -> str:
    """JSON, of mappings by record as deep as there are separators."""
    if not separators or not isinstance(content, Mapping):
        return json.dumps(content, separators=(",", ":"), ensure_ascii=False, default=str)
    first, inner = separators[0], separators[1:]
    records = (f"{json.dumps(key)}:{_packed(x, inner)}{first}" for key, x in content.items())
    return first + "".join(records)


def unpack(packed: bytes) -> dict[str, Any]:
    """The tables of `pack`."""
    body = packed.index(b"\n") + 1
    where = json.loads(packed[:body])
    return {name: _content(packed, body + a, body + b) for name, (a, b) in where.items()}


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A folder as programs use it: (core tables with digest and names, share-alike tables)."""
    return _read_core(folder), _read_odbl(folder)


def _read_core(folder: Path) -> dict[str, Any]:
    core = parse_folder(folder, lambda name: name not in (*ODBL_TABLES, RUNS_TABLE, *BENCHMARK))
    return {**core, "digest": digest(folder), **derived(core)}


def _read_odbl(folder: Path) -> dict[str, Any]:
    odbl = parse_folder(folder, lambda name: name in (*ODBL_TABLES, *BESIDE_ZONES))
    beside = {name: odbl.pop(name, {}) for name in BESIDE_ZONES}
    return {**odbl, "names_of_zones": zone_names(odbl, beside)}


def _read_runs(folder: Path) -> dict[str, Any]:
    found = parse_folder(folder, lambda name: name in (RUNS_TABLE, *BENCHMARK))
    return {**found, **with_names(found.get(RUNS_TABLE, {}))}


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
        if path.parent.name == RUNS_TABLE or path.stem in BENCHMARK:
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
    ours = (RUNS_TABLE,) if name == RUNS else ("devices", "models")
    found = [here, here.with_name("tables.py")]
    for place in filter(Path.is_dir, (folder, *map(folder.joinpath, ours))):
        found += [place, *(path for path in place.iterdir() if path.suffix in (".toml", ".csv"))]
    return max(path.stat().st_mtime_ns for path in found)


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


def derived(core: Mapping[str, Any]) -> dict[str, Any]:
    """What look-ups need of whole tables: every name of a record or a place, codes of countries."""
    clouds = core.get("regions", {}).values()
    return {
        "iso3_of": {row["iso2"].lower(): key for key, row in core.get("countries", {}).items()},
        "iso3_with_cloud": sorted({row["iso3"] for rows in clouds for row in rows.values()}),
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
