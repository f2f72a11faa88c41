"""Plan files: TOML in, TOML out, errors that name the line."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joulecast.errors import PlanFileError, nearest
from joulecast.plan.parts import FleetEntry, Phase, Use
from joulecast.terms import INPUTS, PROJECT_PARTS, PROJECT_SHARES

#: Section -> keys it may hold; the names are those of the flags.
SECTIONS: dict[str, tuple[str, ...]] = {
    "model": (
        "id",
        "config",
        "params",
        "active_params",
        "trainable_params",
        "method",
        "lora_rank",
        "lora_targets",
        "base",
        "base_precision",
        "framework",
        "arch",
        "field",
        "mtp_depth",
        "flop",
        "hardware_flop",
    ),
    "data": (
        "tokens",
        "unique_tokens",
        "epochs",
        "samples",
        "sample_tokens",
        "packing",
        "seq_len",
        "document_len",
        "global_batch_tokens",
    ),
    "hardware": ("device", "device_count", "precision", "recompute"),
    "place": (
        "region",
        "provider",
        "year",
        "grid_basis",
        "national_average",
        "hydro_evaporation",
        "cooling",
    ),
    "run": (
        "runs",
        "project_factor",
        "include_building",
        "embodied_mode",
        "storage_medium",
        "currency",
        "only_given",
    ),
    "use": tuple(Use.fields),
    "project": tuple(PROJECT_PARTS),
    "given": tuple(INPUTS),
    "phase": tuple(Phase.fields),
    "fleet": tuple(FleetEntry.fields),
}

#: Sections that may come many times -> the field of a plan they are.
LISTS = {"phase": "phases", "fleet": "fleet"}

LARGEST_FILE = 1_000_000


def read(path: Path) -> dict[str, Any]:
    """Read a plan file into the fields of a Plan.

    Raises PlanFileError for a file that is missing, empty, not text, not TOML, or that holds a
    section or key that does not exist, with its line and the nearest right one.
    """
    return parse(_text(path), path)


def parse(text: str, path: Path) -> dict[str, Any]:
    """Read the text of a plan file that stands in `path`; raises as `read` does."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise PlanFileError(str(path), None, f"is not TOML: {broken}") from None
    values: dict[str, Any] = {}
    for section, keys in content.items():
        _check_section(path, text, section, keys)
        if section in LISTS:
            values[LISTS[section]] = [dict(part) for part in keys]
        elif section == "use":
            values[section] = dict(keys)
        elif section in ("given", "project"):
            prefix = "project_" if section == "project" else ""
            values.setdefault("given", {}).update({prefix + k: v for k, v in keys.items()})
        else:
            values |= keys
    if "id" in values and "config" in values:
        raise PlanFileError(str(path), None, "[model] has both id and config: leave one out")
    for name in ("id", "config"):
        if name in values:
            values["model"] = values.pop(name)
    return values


def save(said: Mapping[str, Any], path: Path) -> None:
    """Write what a plan says; a file that is there is never written over."""
    if path.exists():
        raise PlanFileError(str(path), None, "is there already", ["another name"])
    if not path.parent.is_dir():
        raise PlanFileError(str(path), None, f"the folder {path.parent} does not exist")
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(dump(said))
    except OSError as problem:
        raise PlanFileError(str(path), None, f"cannot be written: {problem.strerror}") from None


def dump(said: Mapping[str, Any]) -> str:
    """What a plan says as the text of its file; reading it back gives the same plan."""
    said = {"id" if name == "model" else name: value for name, value in said.items()}
    given = said.get("given") or {}
    blocks = []
    for section, keys in SECTIONS.items():
        if section == "use":
            rows = dict(said.get(section) or {})
        elif section == "given":
            rows = {k: v for k, v in given.items() if k not in PROJECT_SHARES}
        elif section == "project":
            rows = {PROJECT_SHARES[k]: v for k, v in given.items() if k in PROJECT_SHARES}
        elif section in LISTS:
            continue
        else:
            rows = {key: said[key] for key in keys if said.get(key) is not None}
        if rows or (section == "use" and section in said):
            blocks.append("\n".join([f"[{section}]", *(_row(k, v) for k, v in rows.items())]))
    for section, field in LISTS.items():
        for part in said.get(field, ()):
            rows = {key: value for key, value in part.items() if value is not None}
            blocks.append("\n".join([f"[[{section}]]", *(_row(k, v) for k, v in rows.items())]))
    return "\n\n".join(blocks) + "\n"


def compact(value: float) -> str | float | int:
    """A count as people write it, where that loses nothing: 70e9 is "70B".

    >>> compact(70e9), compact(1024.0), compact(1.5e12), compact(6738417664.0)
    ('70B', 1024, '1.5T', 6738417664)
    """
    for size, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        short = f"{value / size:.4g}"
        if value >= size and "e" not in short and float(short) * size == value:
            return f"{short}{suffix}"
    return int(value) if value == int(value) and value < 1e15 else value


def _row(key: str, value: Any) -> str:
    if isinstance(value, float):
        value = compact(value)
    if isinstance(value, tuple):
        value = list(value)
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _text(path: Path) -> str:
    if path.is_dir():
        raise PlanFileError(str(path), None, "is a folder, expected a plan file")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise PlanFileError(str(path), None, "is too large for a plan file")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        near = [str(other) for other in sorted(path.parent.glob("*.toml"))]
        choices = nearest(str(path), near) if path.parent.is_dir() else []
        raise PlanFileError(str(path), None, "no such plan file", choices) from None
    except UnicodeDecodeError:
        raise PlanFileError(str(path), None, "is not a text file") from None
    except OSError as problem:
        raise PlanFileError(str(path), None, f"cannot be read: {problem.strerror}") from None
    if not text.strip():
        raise PlanFileError(str(path), None, "is empty", ['[model]\\nparams = "7B"'])
    if "\0" in text:
        raise PlanFileError(str(path), None, "is not a text file")
    return text


def _check_section(path: Path, text: str, section: str, keys: Any) -> None:
    if section not in SECTIONS:
        where = _line(text, section, None)
        homes = [name for name, keys in SECTIONS.items() if section in keys]
        if homes and not isinstance(keys, dict):
            why, choices = "must stand in its section", [f"{section} under [{homes[0]}]"]
        else:
            why = "is not a section of a plan"
            choices = [f"[{name}]" for name in nearest(section, SECTIONS) or list(SECTIONS)[:4]]
        raise PlanFileError(f"{path}: line {where}", section, why, choices)
    tables = keys if section in LISTS else [keys]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        form = f"[[{section}]]" if section in LISTS else f"[{section}]"
        raise PlanFileError(
            f"{path}: line {_line(text, section, None)}", section, "must be a section", [form]
        )
    for table in tables:
        for key in table:
            if key not in SECTIONS[section]:
                raise PlanFileError(
                    f"{path}: line {_line(text, section, key)}",
                    key,
                    f"is not a key of [{section}]",
                    _near_key(section, key),
                )


def _near_key(section: str, key: str) -> list[str]:
    """The nearest keys of the section, or the section the key belongs to."""
    homes = [name for name, keys in SECTIONS.items() if key in keys and name != section]
    if homes:
        return [f"{key} under [{homes[0]}]"]
    everywhere = {name: s for s, names in SECTIONS.items() for name in names if s != "given"}
    near = nearest(key, SECTIONS[section])
    return near or [f"{name} under [{everywhere[name]}]" for name in nearest(key, everywhere)]


def _line(text: str, section: str, key: str | None) -> int:
    """Line of a section's header, or of a key inside it; 1 where it cannot be told."""
    wanted = re.compile(rf"\s*\"?{re.escape(key if key is not None else section)}\"?\s*=")
    inside = False
    for count, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[+\s*\"?([\w-]+)", line)
        if header:
            inside = header.group(1) == section
            if inside and key is None:
                return count
        elif wanted.match(line) and (inside or key is None):
            return count
    return 1
