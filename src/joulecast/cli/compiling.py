"""Makes the table of `plain` from the flags that Typer has: run by the build."""

from __future__ import annotations

import json
import os
from inspect import signature
from pathlib import Path
from typing import Any, get_args

import typer

from joulecast.cli import plain, planning, typed
from joulecast.cli.estimate import estimate


def compiled() -> bytes:
    """The table: a line for the digest, flags and defaults of `estimate`, and one for the texts."""
    group: Any = typer.main.get_command(typed.app)
    context = group.make_context("joulecast", ["list"])
    flags, values = _flags(group.get_command(context, "estimate"))
    parts: tuple[dict[str, Any], ...] = (
        {"digest": plain.digest(), "flags": flags, "values": values},
        {"tour": typed.TOUR, **_helps(group)},
    )
    lines = (json.dumps(part, ensure_ascii=False, separators=(",", ":")) for part in parts)
    return "\n".join(lines).encode()


def _flags(command: Any) -> tuple[dict[str, list[str]], dict[str, dict[str, Any]]]:
    """Option -> group, field and kind of those that plain words can say; all defaults by group."""
    groups = {flag.name: "plan" for flag in planning.FLAGS}
    groups |= {flag.name: "use" for flag in planning.USE_FLAGS}
    declared = signature(estimate).parameters
    types = {name: get_args(flag.annotation)[0] for name, flag in declared.items()}
    flags: dict[str, list[str]] = {}
    values: dict[str, dict[str, Any]] = {"plan": {}, "use": {}, "own": {}}
    for parameter in command.params:
        name = parameter.name
        if name in ("target", "help"):
            continue
        group = groups.get(name, "own")
        values[group][name] = parameter.default
        kind = KINDS.get(types[name])
        if kind is not None:
            flags |= {option: [group, name, kind] for option in parameter.opts}
            flags |= {option: [group, name, "off"] for option in parameter.secondary_opts}
    return flags, values


#: Type of a flag -> its kind; a path is nothing plain.
KINDS: dict[Any, str] = {str: "one", str | None: "one", list[str] | None: "many", bool: "on"}
KINDS[bool | None] = "on"


def _helps(group: Any) -> dict[str, str]:
    """Texts of help by the words that ask for them, as a terminal of the usual width has them."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(plain.WIDTH)
    try:
        whole = group.make_context("joulecast", ["list"])
        found = {"help": group.get_help(whole)}
        for name in typed.COMMANDS:
            command = group.get_command(whole, name)
            context = command.make_context(name, [], parent=whole, resilient_parsing=True)
            found[f"help {name}"] = command.get_help(context)
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return found


def write(path: Path) -> Path:
    """Write the table to a file and return its path."""
    path.write_bytes(compiled())
    return path
