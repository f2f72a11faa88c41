"""The plain case of the command line, parsed by a table that the build made of the flags.

The table (made by `compiling`) knows the flags of `estimate` and the texts of help.  Whatever it
does not know goes to Typer, and so does everything where it is not there, as in a checkout, or
older than the flags.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

#: Where an installed copy has it.
TABLE = Path(__file__).parents[1] / "hardware_specs" / "compiled" / "flags.json"

#: Where these are set, the command line means more than its words.
ENVIRONMENT = ("_JOULECAST_COMPLETE", "JOULECAST_SPECS")

#: Columns of the texts of help.
WIDTH = 80


def answered(words: list[str]) -> bool:
    """Answer a plain case; False where it is none, and nothing was done."""
    if any(name in os.environ for name in ENVIRONMENT):
        return False
    table, texts = _table()
    if table is None:
        return False
    text = _text(texts, words)
    if text is not None:
        from joulecast.cli.output import say

        say(text)
        return True
    said = parsed(table, words) if words[:1] == ["estimate"] else None
    if said is None:
        return False
    from joulecast.cli.answering import answer
    from joulecast.cli.asked import Asked

    targets, values = said
    answer(Asked.of(targets, values["plan"], values["use"]), **values["own"])
    return True


def _table() -> tuple[dict[str, Any] | None, bytes]:
    """Flags and texts; None for the flags where there are none or they have changed since."""
    try:
        flags, texts = TABLE.read_bytes().split(b"\n")
        table: dict[str, Any] = json.loads(flags)
    except (OSError, ValueError):
        return None, b""
    return (table if table["digest"] == digest() else None), texts


def digest() -> int:
    """Of the files that declare flags and their help."""
    total = 0
    for path in sorted(Path(__file__).parent.glob("*.py")):
        total = crc32(path.read_bytes().replace(b"\r\n", b"\n"), total)
    return total


def _text(texts: bytes, words: Sequence[str]) -> str | None:
    """What is printed without a forecast: the version, the tour, the help of a wide terminal."""
    if list(words) == ["--version"]:
        from joulecast.cli.output import version_line

        return version_line()
    about = "tour" if not words else " ".join(["help", *words[:-1]])
    if words and (words[-1] not in ("-h", "--help") or _columns() < WIDTH):
        return None
    found: str | None = json.loads(texts).get(about)
    return found


def _columns() -> int:
    import shutil  # no plain case needs it

    return shutil.get_terminal_size().columns


def parsed(
    table: dict[str, Any], words: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, dict[str, Any]]] | None:
    """Targets, and the values of all flags by where they belong; None for what is not plain."""
    values = {group: dict(flags) for group, flags in table["values"].items()}
    targets: list[str] = []
    once: set[str] = set()
    rest = iter(words[1:])
    for word in rest:
        if not word.startswith("-"):
            targets.append(word)
            continue
        name, equals, value = word.partition("=")
        known = table["flags"].get(name)
        if known is None:
            return None
        group, field, kind = known
        if kind in ("on", "off"):
            if equals:
                return None
            values[group][field] = kind == "on"
            continue
        value = value if equals else next(rest, "-")
        if not value or value.startswith("-") or field in once:
            return None
        if kind == "many":
            values[group][field] = [*(values[group][field] or ()), value]
        else:
            values[group][field] = value
            once.add(field)
    if len(targets) > 1 or "" in targets:
        return None
    return tuple(targets), values
