"""Make the records of runs found in 2026 from two tables: hardware_specs/reported_runs/<id>.toml.

    python tools/build_jobs.py FOLDER

FOLDER holds runs_2025_2026.csv and new_runs_2026.csv: one run a row with sizes, data, devices,
hours, source, and a letter that says what it may test.  H rows test hours; of those that test
orders of magnitude alone (W), the few whose FLOP can be counted (COUNTED) become records too.
Sources are entered in sources.toml by hand.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from joulecast.data.library import Library

OUT = Path(__file__).parents[1] / "hardware_specs" / "reported_runs"

#: Month since which these records are here.
ADDED = "2026-12"

ARCHES = {"dense-decoder": "dense", "rnn": "recurrent"}
FIELDS = {
    "language": "language", "code": "language", "biology": "biology", "vision": "images",
    "multimodal": "images", "diffusion": "images",
}  # fmt: skip

#: Devices as the tables name them -> our ids; form factor or memory not always stated.
DEVICES = {
    "A100": "a100-sxm-80", "A100-SXM4-80GB": "a100-sxm-80", "A100-SXM4-40GB": "a100-sxm-40",
    "A800-SXM4-80GB": "a800-sxm-80", "H100-SXM5-80GB": "h100-sxm", "H800-SXM5": "h800-sxm",
    "H200-SXM": "h200-sxm", "V100-SXM2": "v100-sxm2-32", "RTX2080Ti": "rtx2080ti",
    "RTX3090": "rtx3090", "RTX4090": "rtx4090", "L40": "l40", "TPUv3": "tpu-v3",
    "TPUv4": "tpu-v4", "TPUv5e": "tpu-v5e", "TPUv5p": "tpu-v5p",
}  # fmt: skip
INFERRED = ("A100", "V100-SXM2")

#: No record of the device, whose peak nothing published here says.
WITHOUT_RECORD = ("Quadro-RTX-4000",)

#: Rows whose tokens are a ceiling by their own note: padding, sizes from memory.
CEILINGS = ("amplify-350m", "dnabert", "scgpt-10m", "scgpt-human")

#: W rows whose work follows from the cited source: FLOP, kind of model, a ceiling, how.
COUNTED: dict[str, tuple[float, str, bool, str]] = {
    "esm1b": (6 * 652.4e6 * 1.5176e9 * 300 * 1.05, "encoder", False,
              "sequences seen x mean length near 300 (row's note) x 6 N, 5 % of attention"),
    "micro-dit-xl2": (
        6 * 1.16e9 * 2048 * (250e3 * 64 + 30e3 * 256 + 50e3 * 256 + 5e3 * 1024), "diffusion",
        False, "steps x 2,048 x tokens kept (256 and 1,024 a picture, a quarter while masked) x "
        "6 N"),
    "coca": (6 * 32.768e9 * (1.0e9 * 256 + 1.1e9 * 64), "vision", False,
             "pairs x (1 B x 256 patches + 1.1 B x 64 text tokens, recalled) x 6"),
    "var-d30-512": (6 * 2.0e9 * 1.00446e12, "dense", True,
                    "published tokens x 6 N; the early stages have fewer: a ceiling"),
    "videomae-b": (
        6 * 1.92e8 * (86e6 * 157 + 8e6 * 1568) * 1.15, "vision", False,
        "clips x (a tenth of 1,568 tokens through 86 M + all through 8 M, split recalled) x 6"),
    "videomae2-g": (6 * 1.62e9 * 1.01e9 * 157, "vision", False,
                    "clips x a tenth of 1,568 tokens (recalled for V2) x 6 N; hours are a floor"),
    "mantis-8m": (6 * 8e6 * 32 * 2e8, "encoder", False, "series x 32 tokens x 6 N"),
}  # fmt: skip

#: Words of how hours were had -> how, in our words.
HOURS = {
    "approximate": "device_count x a duration given in round figures",
    "published days": "device_count x published days",
    "published hours": "device_count x published hours",
    "seconds an epoch": "published time of an epoch x epochs x devices",
    "over the steady rate": "tokens over the published steady rate; no downtime",
    "epoch on": "published time of an epoch x epochs",
}

RECALLED = "public configuration or the row's own product; not read in the source"
OURS = "ours, from the row's pictures, tokens and weights"
TOGETHER = "6 x parameters x published tokens, pictures and text together"


def main(folder: Path) -> None:
    """Write a record for each row that can be forecast."""
    count = 0
    for row in _table(folder / "runs_2025_2026.csv"):
        known = row["tests"] == "H" or row["id"] in COUNTED
        if known and row["device"] not in WITHOUT_RECORD:
            _save(_record(row, _source_of(row)))
            count += 1
    for row in _table(folder / "new_runs_2026.csv"):
        field = "biology" if "protein" in row["model"] else "language"
        own = {"params_total": row["params"], "flops_reported": "", "field": field}
        own |= {"params_active": row["active"] if row["kind"] == "moe" else "", "family": row["id"]}
        record = _record({**own, **row, "tests": "H"}, _slug(re.split(r"[,(]", row["source"])[0]))
        if row["precision"]:
            record["before"]["precision"] = row["precision"]
        if row["tests"] == "S":
            record["reported"]["device_hours"]["bound"] = "floor"  # no downtime in it
        if row["id"].startswith("oellm"):
            record["note"] = (
                "hours of modules or of dies: not said; taken as modules, half of them if dies"
            )
        _save(record)
        count += 1
    print(f"wrote {count} records")


def _record(row: Mapping[str, str], source: str) -> dict[str, Any]:
    name, counted = row["id"], COUNTED.get(row["id"])
    arch = counted[1] if counted else ARCHES.get(row["kind"], row["kind"])
    before: dict[str, Any] = {"arch": arch, "year": int(row["year"])}
    before["field"] = FIELDS.get(row["field"], "other")
    total, active = _number(row["params_total"]), _number(row["params_active"])
    before |= {"params": _figure(total)} if total else {}
    before |= {"active_params": _figure(active)} if active else {}
    before |= _work(row, arch, active or total or 0.0)
    if length := _number(row["seq_len"]):
        before["seq_len"] = _figure(length)
    before["device"] = (
        DEVICES.get(row["device"]) or Library.bundled().device(row["device"]).device.id
    )
    if row["device"] in INFERRED:
        before["inferred"] = {"device": "form factor or memory not stated"}
    if row["n_devices"]:
        before["device_count"] = int(float(row["n_devices"]))
    note = row["note"].split(";")[0].strip()
    if source == "epoch-models-2026":
        quoted = row["source"].split("quoting the paper: ")[-1]
        note = f"Quoted: {quoted}. {note}".strip()
    return {
        "id": name, "name": row["model"], "developer": row["org"], "family": row["family"],
        "source": source, "tests": ["H" if row["tests"] == "H" else "W"], "added": ADDED,
        "note": note, "before": before, "reported": {"device_hours": _hours(row)},
    }  # fmt: skip


def _work(row: Mapping[str, str], arch: str, size: float) -> dict[str, Any]:
    """FLOP where counts do not give them, tokens where they do."""
    counted, ceiling = COUNTED.get(row["id"]), row["id"] in CEILINGS
    tokens, flop = _number(row["tokens"]), _number(row["flops_reported"])
    if counted and (tokens is None or counted[2]):
        bound = {"bound": "ceiling"} if counted[2] else {}
        return {"flop": _figure(counted[0], counted[3], **bound)}
    if flop:
        return {"flop": _figure(flop, OURS if "FLOP" in row["note"] else RECALLED)}
    if tokens and arch in ("vision", "diffusion", "speech", "other"):
        return {"flop": _figure(6 * size * tokens, TOGETHER)}
    if tokens and ceiling:
        note = "steps x batch x full length: a ceiling"
        return {"tokens": _figure(tokens, note, bound="ceiling")}
    return {"tokens": _figure(tokens, RECALLED * ("recalled" in row["note"]))} if tokens else {}


def _hours(row: Mapping[str, str]) -> Any:
    said, value = row["hours_basis"], _number(row["device_hours"])
    assert value is not None
    bound = "ceiling" * ("ceiling" in said)
    if "floor" in said or "more than" in said:
        bound = "floor"
    how = next((text for words, text in HOURS.items() if words in said), "")
    made: dict[str, Any] = {"value": value}
    if how:
        made |= {"basis": "derived", "by": "joulecast", "note": how}
    elif "published" not in said:
        made |= {"basis": "derived", "by": "third-party", "note": said[:120]}
    made |= {"bound": bound} if bound else {}
    return made if len(made) > 1 else _figure(value)


def _source_of(row: Mapping[str, str]) -> str:
    """Key of the source: one of its own for each text; Epoch's tables are one."""
    text = row["source"]
    if text.startswith("Epoch AI"):
        return "epoch-models-2026"
    where = text.split(": ")[-1] if text.startswith("authors' answer") else text.split(",")[0]
    return _slug(where)[:48].strip("-")


def _figure(value: float, note: str = "", **more: str) -> Any:
    if not note and not more:
        return int(value) if value == int(value) and value < 1e15 else value
    return {"value": value, "basis": "derived", "note": note, **more}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _toml_value(value: object) -> str:
    if isinstance(value, int):
        return f"{value:_}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_toml_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _save(record: Mapping[str, Any]) -> None:
    halves = ("before", "reported")
    lines = [f"{k} = {_toml_value(v)}" for k, v in record.items() if k not in halves and v]
    for half in halves:
        inline, tables = [], []
        for key, value in record[half].items():
            line = f"{key} = {value if key == 'year' else _toml_value(value)}"
            if isinstance(value, Mapping) and len(line) > 90:
                own = [f"{name} = {_toml_value(part)}" for name, part in value.items()]
                tables += ["", f"[{half}.{key}]", *own]
            else:
                inline.append(line)
        lines += ["", f"[{half}]", *inline] if inline else []
        lines += tables
    (OUT / f"{record['id']}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
