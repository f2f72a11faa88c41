"""Records of a calibration: a folder for ``--specs``, checked as any other before it is there."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from joulecast._version import __version__
from joulecast.answers.calibration import Calibration, Fitted, Score
from joulecast.data.library import Library
from joulecast.errors import InputError
from joulecast.uncertainty import T90, T95

#: 5 % and 95 % points of an answer's range over its 80 % range, on the scale of the quantity.
#: Utilisation has the tails of Student's t with 4 degrees of freedom there, the others a normal's.
WIDER = {"utilisation": T95 / T90, "device_power_w": 1.6448536 / 1.2815516,
         "pue": 1.6448536 / 1.2815516}  # fmt: skip

#: How each of its files begins.
MADE = re.compile(r"# Made by joulecast \S+ calibrate from ")

#: Files of such a folder.
FILES = ("own_runs.toml", "sources.toml", "defaults.toml")


def write(answer: Calibration, folder: Path, table: str, force: bool, library: Library) -> None:
    """Write the records; raises InputError where the folder is there already (unless `force`).

    Even then nothing but an earlier calibration is replaced.
    """
    if folder.is_file():
        raise InputError("output", folder, "is a file, expected a folder")
    if folder.exists() and not force:
        raise InputError("output", folder, "is there already", ["another name", "--force"])
    for path in sorted(folder.iterdir()) if folder.exists() else ():
        if path.name not in FILES or not _is_ours(path):
            why = f"holds {path.name}, which calibrate did not write"
            raise InputError("output", folder, why, ["another name"])
    files = _files(answer, table)
    with tempfile.TemporaryDirectory() as scratch:  # what cannot be loaded is not written
        for name, text in files.items():
            (Path(scratch) / name).write_text(text, encoding="utf-8", newline="")
        Library.with_folder(Path(scratch))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in FILES:
                (folder / name).unlink(missing_ok=True)
            for name in files:
                shutil.copyfile(Path(scratch) / name, folder / name)
        except OSError as problem:
            why = f"cannot be written: {problem.strerror}"
            raise InputError("output", folder, why) from None


def _is_ours(path: Path) -> bool:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    return MADE.match(lines[0]) is not None


def _files(answer: Calibration, table: str) -> dict[str, str]:
    source = f"{answer.name}-runs".lower().replace(".", "-").replace("_", "-")
    head = (
        f"# Made by joulecast {__version__} calibrate from {table}: run it again, do not edit.\n"
        "# Used by --specs with this folder alone; what it means: docs/method/calibrate.md\n"
    )
    scores = {score.quantity: score for score in answer.scores}
    own, defaults = head, head
    for one in answer.fitted:
        entry = _entry(one, scores[one.quantity], answer.name, source)
        if one.quantity == "pue":
            defaults += _toml("pue", entry)
        else:
            kind = f".{one.kind}" if one.kind else ""
            own += _toml(f"{one.quantity}.{one.device or 'any'}{kind}", entry)
    cited: dict[str, Any] = {
        "kind": "dataset",
        "authors": "the user",
        "title": f"Past runs of {answer.name} ({len(answer.runs)} runs, {Path(table).name})",
        "publisher": answer.name,
        "year": _year(),
        "read": "primary",
        "note": f"fitted by joulecast {__version__} on data {answer.data_digest}",
    }
    files = {FILES[0]: own, FILES[1]: head + _toml(source, cited)}
    return files | ({FILES[2]: defaults} if defaults != head else {})


def _year() -> int:
    from datetime import UTC, datetime

    return datetime.now(UTC).year


def _entry(one: Fitted, score: Score, name: str, source: str) -> dict[str, Any]:
    """A figure with the 5 % and 95 % points of what an answer draws from."""
    base, wide = (1.0 if one.quantity == "pue" else 0.0), WIDER[one.quantity]
    value, p10, p90 = (math.log(end - base) for end in (one.value, one.p10, one.p90))
    low, high = (base + math.exp(value + wide * (end - value)) for end in (p10, p90))
    return {
        "value": float(f"{one.value:.6g}"),
        "low": float(f"{low:.6g}"),
        "high": float(f"{high:.6g}"),
        "basis": "measured",
        "source": source,
        "note": _note(one, score, name),
    }


def _note(one: Fitted, score: Score, name: str) -> str:
    runs = "run" if score.runs == 1 else "runs"
    what = f"{score.runs} past {runs} of {name}"
    if one.quantity == "pue":
        figures = "figure" if score.runs == 1 else "different figures"
        what = f"{score.runs} {figures} of PUE of {name}"
    elif one.device is not None and one.runs < score.runs:
        what += f", {one.runs} on this device"
    if score.typical_factor is None:
        return f"{what}; nothing could be left out: pulled towards the default"
    note = (
        f"{what}; each left out, the others forecast it within a typical factor of "
        f"{score.typical_factor:.3g}, the default {score.default_typical_factor:.3g}"
    )
    return note if score.better else f"{note}: the default does as well"


def _toml(name: str, entry: dict[str, Any]) -> str:
    lines = (
        f'{key} = "{_escaped(value)}"' if isinstance(value, str) else f"{key} = {value!r}"
        for key, value in entry.items()
    )
    return f"\n[{name}]\n" + "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    plain = "".join(char for char in text if char.isprintable())
    return plain.replace("\\", "\\\\").replace('"', '\\"')
