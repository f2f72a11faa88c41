"""Reading an export back: the plan it was made from, so that the forecast can be made again."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from joulecast.errors import InputError
from joulecast.plan import file as planfile
from joulecast.report.html import ANSWER

#: Formats that carry the plan.
CARRIERS = ("joulecast export --format json", "csv", "md", "html")

#: Ending -> why a file of that kind cannot be read back.
LOST = {
    ".tex": "LaTeX carries the numbers in words and not the plan",
    ".txt": "plain text carries the numbers in words and not the plan",
    ".bib": "a bibliography carries no plan",
}


class Reread(NamedTuple):
    """Fields of the plan, and the version of the data the export was made with."""

    fields: dict[str, Any]
    data_digest: str | None


def read(path: Path) -> Reread:
    """Read the plan of an export.

    Numbers are not read but made again: with the same data they are the same.  Raises InputError
    for a file that is missing or that carries no plan, and says which formats do.
    """
    if path.suffix in LOST:
        raise InputError("--from", path, LOST[path.suffix], CARRIERS)
    text = _text(path)
    if text.lstrip().startswith("{"):
        return _json(text, path)
    if text.lstrip().lower().startswith("<!doctype html"):
        answer = re.search(rf'id="{ANSWER}">(.*?)</script>', text, re.DOTALL)
        if answer is None:
            raise InputError("--from", path, "carries no plan", CARRIERS)
        return _json(answer[1], path)
    if "joulecast_plan" in text.partition("\n")[0]:
        return _csv(text, path)
    found = re.search(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise InputError("--from", path, "carries no plan", CARRIERS)
    digest = re.search(r"^Made with joulecast \S+, data (\w+)", text, re.MULTILINE)
    return Reread(planfile.parse(found[1], path), digest[1] if digest else None)


def _text(path: Path) -> str:
    if path.is_dir():
        raise InputError("--from", path, "is a folder, expected an export")
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("--from", path, "no such file") from None
    except UnicodeDecodeError:
        raise InputError("--from", path, "is not a text file") from None
    except OSError as problem:
        raise InputError("--from", path, f"cannot be read: {problem.strerror}") from None


def _json(text: str, path: Path) -> Reread:
    content = _parsed(text, path)
    asked = content.get("asked")
    if not isinstance(asked, dict):
        why = "carries no plan: it is not what joulecast exports as JSON"
        raise InputError("--from", path, why, CARRIERS)
    provenance = content.get("provenance")
    digest = provenance.get("data") if isinstance(provenance, dict) else None
    return Reread(asked, digest)


def _csv(text: str, path: Path) -> Reread:
    rows = list(csv.DictReader(io.StringIO(text)))
    if len(rows) != 1:
        why = f"holds {len(rows)} runs, expected one"
        raise InputError("--from", path, why, ["a file with one row"])
    plan = _parsed(rows[0]["joulecast_plan"] or "", path)
    return Reread(plan, rows[0].get("joulecast_data"))


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as broken:
        raise InputError("--from", path, f"is not JSON: {broken.msg.lower()}") from None
    if not isinstance(content, dict):
        raise InputError("--from", path, "carries no plan", CARRIERS)
    return content
