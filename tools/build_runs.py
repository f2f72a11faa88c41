"""Make hardware_specs/reported_runs/<id>.toml from a table of published training runs.

    python tools/build_runs.py RUNS.csv

The table has one row a run: sizes, tokens, device and count, then hours, power, energy and
emissions as published.  tools/run_facts.toml adds what a table cannot hold: sources by key,
places by id, boundaries, how a figure was concluded where it was not printed, and what is wrong
with it.  Its `family` entries hold for every run of a family, its `run` entries for one run.
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer

from joulecast.validating.runs import After, Before

ROOT = Path(__file__).parents[1]
FACTS = Path(__file__).with_name("run_facts.toml")
OUT = ROOT / "hardware_specs" / "reported_runs"

#: Devices as the table names them -> our ids.
DEVICES = {
    "A100-SXM4-40GB": "a100-sxm-40",
    "A100-SXM4-80GB": "a100-sxm-80",
    "A100-PCIe-40GB": "a100-pcie-40",
    "H100-SXM5-80GB": "h100-sxm",
    "H800": "h800-sxm",
    "GH200": "gh200",
    "V100-SXM2": "v100-sxm2-32",
    "P100": "p100-pcie",
    "TPUv2": "tpu-v2",
    "TPUv3": "tpu-v3",
    "TPUv4": "tpu-v4",
    "TPUv5e": "tpu-v5e",
    "MI250X": "mi250x",
}
INFERRED_DEVICES = {
    "V100-SXM2": "memory not stated; peak and power are those of both variants",
    "P100": "form factor not stated",
}
ARCHES = {"dense-decoder": "dense", "rnn": "recurrent"}

#: Columns of the table -> fields of `before`.
INPUTS = {
    "params_total": "params",
    "params_active": "active_params",
    "tokens": "tokens",
    "flops_reported": "flop",
    "seq_len": "seq_len",
}
SHAPE = {"n_layers": "layers", "d_model": "width", "n_heads": "heads", "vocab": "vocab"}

#: How hours were had -> basis, by whom, and how in our words; the first that matches.
HOURS: tuple[tuple[str, tuple[str, str, str]], ...] = (
    (r"third-party assumption", ("assumed", "third-party", "34 days of 992 devices")),
    (r"third-party extrap", ("assumed", "third-party", "scaled up from the speed of a small task")),
    (r"third-party copy", ("published", "third-party", "")),
    (r"vendor", ("assumed", "authors", "the vendor's table of training times, not the run itself")),
    (r"approximate", ("derived", "joulecast", "device_count x a duration given in round figures")),
    (r"(chips|devices) x published", ("derived", "joulecast", "device_count x published duration")),
    (r"sum of", ("derived", "joulecast", "sum over published stages")),
    (r"rate x tokens", ("derived", "joulecast", "published device-hours per trillion tokens")),
    (r"epoch time", ("derived", "joulecast", "published time of an epoch x epochs")),
    (r"throughput", ("derived", "joulecast", "samples / published throughput; no downtime")),
    (r"step time", ("derived", "joulecast", "published time of a step x steps")),
    (r"iteration time", ("derived", "authors", "time of an iteration x iterations; no downtime")),
    (r"published", ("published", "authors", "")),
)
#: Days to which a duration in round figures is known.
ROUGH_DAYS = {"week": 7.0, "month": 30.0, "half a day": 0.5, "days": 1.0}


def main(runs: Path, out: Path = OUT, facts: Path = FACTS) -> None:
    """Write a record for every row."""
    with runs.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    known = tomllib.loads(facts.read_text(encoding="utf-8"))
    strange = set(known["run"]) - {row["id"] for row in rows}
    strange |= set(known["family"]) - {row["family"] for row in rows}
    if strange:
        raise SystemExit(f"error: {facts.name}: no such run: {', '.join(sorted(strange))}")
    out.mkdir(parents=True, exist_ok=True)
    for row in rows:
        record = merged(automatic(row), known["family"].get(row["family"], {}))
        record = merged(record, known["run"].get(row["id"], {}))
        for path in record.pop("drop", []):
            *tables, name = path.split(".")
            inner = record
            for part in tables:
                inner = inner[part]
            del inner[name]
        text = "\n".join(toml(record)) + "\n"
        (out / f"{row['id']}.toml").write_text(text, encoding="utf-8")
    print(f"wrote {len(rows)} runs to {out}")


def automatic(row: Mapping[str, str]) -> dict[str, Any]:
    """What the columns alone say."""
    return {
        "id": row["id"],
        "name": row["model"],
        "developer": row["org"],
        "family": row["family"],
        "tests": [letter for letter in row["tests"].split(",") if letter],
        "before": before(row),
        "reported": reported(row),
    }


def before(row: Mapping[str, str]) -> dict[str, Any]:
    """Inputs of a run; sizes of layers and training lengths are known from memory."""
    found: dict[str, Any] = {"arch": ARCHES.get(row["kind"], row["kind"]), "year": int(row["year"])}
    found |= {field: number(row[column]) for column, field in INPUTS.items() if row[column]}
    if "seq_len" in found:
        found["seq_len"] = {"value": found["seq_len"], "source": "model-cards-recalled"}
    if row["device"] in DEVICES:
        found["device"] = DEVICES[row["device"]]
    if row["device"] in INFERRED_DEVICES:
        found["inferred"] = {"device": INFERRED_DEVICES[row["device"]]}
    if row["n_devices"]:
        found["device_count"] = int(row["n_devices"])
    shape = {field: int(row[column]) for column, field in SHAPE.items() if row[column]}
    if shape:
        found["shape"] = {"source": "model-cards-recalled", **shape}
    return found


def reported(row: Mapping[str, str]) -> dict[str, Any]:
    """Outcome of a run."""
    found: dict[str, Any] = {}
    if row["device_hours"]:
        found["device_hours"] = hours(row)
    if row["days"] and not row["device_hours"]:
        found["wall_clock_days"] = number(row["days"])
    for column, field in (("mfu_reported", "mfu"), ("pue", "pue"), ("water_l", "water_l")):
        if row[column]:
            found[field] = number(row[column])
    if row["grid_gco2_per_kwh"]:
        found["grid_gco2e_per_kwh"] = number(row["grid_gco2_per_kwh"])
    if row["avg_power_w_reported"]:
        found["power_w"] = power(row)
    pue = "pue" in row["energy_scope"]
    if row["energy_kwh"]:
        found["energy_kwh"] = {
            "value": number(row["energy_kwh"]),
            "scope": row["energy_scope"].removesuffix("+pue"),
            "includes_pue": pue,
            **energy_basis(row),
        }
    if row["tco2e"]:
        found["operational_kgco2e"] = {
            "value": number(row["tco2e"], 1000),
            "accounting": row["grid_basis"] or "unstated",
            "includes_pue": pue if row["energy_kwh"] else None,
            **({"basis": "derived", "note": "energy x grid"} if row["energy_kwh"] else {}),
        }
    if row["embodied_tco2e"]:
        found["embodied_kgco2e"] = number(row["embodied_tco2e"], 1000)
    return found


def hours(row: Mapping[str, str]) -> dict[str, Any]:
    """Device-hours with how they were had and how finely they are known."""
    basis, by, note = next(how for mark, how in HOURS if re.search(mark, row["hours_basis"]))
    found: dict[str, Any] = {"value": number(row["device_hours"])}
    if (basis, by) != ("published", "authors"):
        found |= {"basis": basis, "by": by, "note": note}
    if note.startswith("device_count x"):
        found |= duration(row, note)
    return found


def duration(row: Mapping[str, str], note: str) -> dict[str, Any]:
    """How a count times a duration came about, and to what unit the duration is known."""
    count, said = int(row["n_devices"]), row["hours_basis"]
    if "published hours" in said:
        each = float(row["device_hours"]) / count
        return {"note": f"{note}: {count:,} x {each:g} hours", "rounding": count}
    unit = next((days for word, days in ROUGH_DAYS.items() if word in said), 1.0)
    if "approximate" not in said:
        unit = min(10.0 ** int(Decimal(row["days"]).normalize().as_tuple().exponent), 1.0)
    shown = f"{note}: {count:,} x {row['days']} days"
    return {"note": shown, "rounding": round(24 * count * unit, 1)}


def power(row: Mapping[str, str]) -> dict[str, Any]:
    """Mean power; a rated one was assumed."""
    found = {"value": number(row["avg_power_w_reported"]), "basis": "measured", "scope": "system"}
    if row["power_scope"] == "device":
        found |= {"scope": "device"}
    elif row["power_scope"] == "tdp":
        found |= {"scope": "device", "basis": "assumed", "note": "rated power, not a meter"}
    return found


def energy_basis(row: Mapping[str, str]) -> dict[str, str]:
    """Whether energy was metered or made from hours and a power."""
    if row["energy_basis"] == "measured":
        return {"basis": "measured"}
    if row["energy_basis"] == "tdp-based":
        pue = " x PUE" if "pue" in row["energy_scope"] else ""
        return {"basis": "derived", "note": f"device-hours x rated power{pue}, by the authors"}
    return {"basis": "derived"}


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`new` over `old`, table by table; a bare figure becomes one when a table comes."""
    found = dict(old)
    for key, value in new.items():
        if isinstance(value, Mapping) and key in old:
            inner = old[key] if isinstance(old[key], Mapping) else {"value": old[key]}
            found[key] = merged(inner, value)
        else:
            found[key] = value
    return found


def number(cell: str, factor: int = 1) -> int | float:
    """Exact number of a cell, whole where it is."""
    exact = Decimal(cell) * factor
    return int(exact) if exact == exact.to_integral_value() else float(exact)


HEAD = ("id", "name", "developer", "family", "source", "other_sources", "tests", "note")


def toml(record: Mapping[str, Any]) -> Iterator[str]:
    """Lines of a record: its head, then its tables, small ones on a line."""
    if extra := set(record) - {*HEAD, "before", "reported"}:
        raise SystemExit(f"error: {record['id']}: unknown: {', '.join(sorted(extra))}")
    for name in HEAD:
        if record.get(name):
            yield f"{name} = {written(record[name])}"
    for half, fields in (("before", Before.fields), ("reported", After.fields)):
        order = [*fields, *sorted(set(record[half]) - set(fields))]
        yield from table(half, {name: record[half][name] for name in order if name in record[half]})


def table(name: str, content: Mapping[str, Any]) -> Iterator[str]:
    """Lines of a table, those of its own large tables after it."""
    lines, large = [], {}
    for key, value in content.items():
        if value in (None, ""):
            continue
        line = f"{key} = {value if key == 'year' else written(value)}"
        if isinstance(value, Mapping) and len(line) > 90:
            large[f"{name}.{key}"] = value
        else:
            lines.append(line)
    if lines:
        yield from ("", f"[{name}]", *lines)
    for key, value in large.items():
        yield from table(key, value)


def written(value: Any) -> str:
    """A value as TOML: large counts in scientific notation where that loses nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping) and set(value) == {"value"}:
        return written(value["value"])
    if isinstance(value, Mapping):
        inner = (f"{k} = {written(v)}" for k, v in value.items() if v not in (None, ""))
        return "{ " + ", ".join(inner) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, int | float):
        return numeral(value)
    return json.dumps(value, ensure_ascii=False)


def numeral(value: int | float) -> str:
    """A number people can read.

    >>> numeral(300_000_000_000), numeral(1_082_990), numeral(0.371), numeral(4.05e22)
    ('300e9', '1_082_990', '0.371', '4.05e22')
    """
    if value >= 1e15:
        return f"{Decimal(repr(value)).normalize():E}".replace("E+", "e")
    for power, mark in ((12, "e12"), (9, "e9"), (6, "e6")):
        scaled = Decimal(repr(value)).scaleb(-power).normalize()
        if value >= 1e7 and scaled >= 1 and len(scaled.as_tuple().digits) <= 5:
            return f"{scaled:f}{mark}"
    whole = int(value) == value
    return f"{int(value):_}" if whole else repr(value)


if __name__ == "__main__":
    typer.run(main)
