"""Make records of accelerators of 2025 and 2026, and of little-known ones, from a table.

    python tools/build_devices.py DEVICES.csv

The table has one device a row: names, status, dense peaks by precision, memory, power, where each
was read and how sure it is.  tools/device_facts.toml adds what a table cannot hold.  A peak that is
empty was read nowhere: the record then says so in `missing`, and nothing is guessed.  Records that
are there already are not touched, those that this script made are made anew.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).parents[1]
OUT = ROOT / "hardware_specs" / "devices"
NAMES = ROOT / "tests" / "data" / "device_names.csv"
FACTS = Path(__file__).with_name("device_facts.toml")
MARK = "# Made by tools/build_devices.py; edit the script or device_facts.toml, not this file.\n"

#: Beginning of where a row was read -> our source.
SOURCES = {
    "Epoch AI": "epoch-hardware-2026",
    "stas00": "stas00-accelerators-2026",
    "maker's page": "makers-pages-2026",
    "huggingface.js": "hf-hardware-tables-2026",
    "Yufeng98": "ai-datacenter-corpus-2026",
    "public GPU catalogue": "nvidia-rtx-pro-sheets-2026",
    "NVIDIA": "nvidia-rtx-pro-sheets-2026",
    "ying-wen": "device-tables-weak-2026",
    "charlesqing": "device-tables-weak-2026",
}

#: Columns of peaks -> precisions.
PEAKS = {
    "fp32_tflops": "fp32", "tf32_dense": "tf32", "fp16_dense": "fp16", "bf16_dense": "bf16",
    "fp8_dense": "fp8", "fp4_dense": "fp4", "int8_dense_tops": "int8",
}  # fmt: skip

#: How sure a row is -> in words.
CONFIDENCE = {
    "verified": "as the maker prints it, read in a copy",
    "derived": "rates derived from a headline",
    "partial": "some figures alone were found",
    "weak": "of one poor source",
    "name only": "the name alone was found",
    "reported, unverified": "reported, not confirmed by the maker",
}

#: Form -> share of the host [W: value, low, high], its making [kg: ...], why, devices a host.
SERVER = ((350, 210, 570), None, "taken equal to an 8-GPU H100 server; no measurement found", 8)
DESKTOP = ((100, 61, 160), (250, 120, 500),
           "CPU, memory, board and supply loss of a desktop while training", 1)  # fmt: skip
MACHINE = ((15, 9.1, 25), (200, 100, 400), "storage and supply loss; the chip holds the rest", 1)
CARD = ((150, 91, 250), None, "8-card server with two CPUs, about 1.2 kW besides the cards", 8)
HOSTS: dict[str, tuple[Any, Any, str, int]] = {
    "desktop": DESKTOP, "SoC": MACHINE, "PCIe": CARD,
    "laptop": ((25, 15, 45), (200, 100, 400), "processor, display and supply loss", 1),
}  # fmt: skip

ONE = {
    "PCIe": "one card", "desktop": "one graphics card", "SoC": "one computer's chip",
    "laptop": "one laptop's graphics chip", "wafer": "one wafer", "superchip": "one GPU",
    "cloud": "one chip", "TPU": "one chip",
}  # fmt: skip


def main(table: Path) -> None:
    """Write the records that are not there yet."""
    facts = tomllib.loads(FACTS.read_text(encoding="utf-8"))
    count, names = 0, ["typed,id"]
    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            said = [row["id"], row["name"], *row["aliases"].split(";")]
            names += [f"{typed},{row['id']}" for typed in dict.fromkeys(map(_bare, said)) if typed]
            path = OUT / f"{row['id']}.toml"
            if path.exists() and not path.read_text(encoding="utf-8").startswith(MARK):
                continue
            text = "\n".join(_lines(row, facts.get(row["id"], {})))
            path.write_text(f"{MARK}{text}\n", encoding="utf-8")
            count += 1
    NAMES.write_text("\n".join(names) + "\n", encoding="utf-8")
    print(f"wrote {count} records, {len(names) - 1} names")


def _lines(row: Mapping[str, str], facts: Mapping[str, Any]) -> Iterator[str]:
    name, kind = _name(row), facts.get("kind") or _kind(row)
    yield f'id = "{row["id"]}"'
    yield f"name = {_text(name)}"
    yield f'vendor = "{_bare(row["vendor"])}"'
    family = facts.get("family", row["id"])
    yield f'family = "{family}"'
    if facts.get("family_default", family == row["id"]):
        yield "family_default = true"
    yield f'device_class = "{facts.get("device_class", "other")}"'
    yield f'kind = "{kind}"'
    yield f'form_factor = "{row["form_factor"]}"'
    yield f'one_device = "{ONE.get(row["form_factor"], "one module")}"'
    yield f'status = "{row["status"]}"'
    missing = _missing(row, facts)
    yield from [f"missing = {_text(missing)}"] * bool(missing)
    date, whole = _date(row["release_date"], facts)
    yield from [f"release_date = {date}"] * bool(date)
    for field in ("generation", "software_since"):
        if field in facts:
            yield f'{field} = "{facts[field]}"'
    yield f"aliases = [{', '.join(map(_text, _aliases(row, facts, name)))}]"
    yield from _numbered("process_nm", row["process_nm"])
    host_w, host_kg, why, many = HOSTS.get(row["form_factor"], SERVER)
    many = int(_value(row["host_devices"])) if 1 < _value(row["host_devices"]) <= 16 else many
    yield f"devices_per_host = {many}"
    yield f"note = {_text(_note(row, facts, whole))}"
    yield f'source = "{_source(row["source"])}"'
    basis = "derived" if row["confidence"] == "derived" else "published"
    for column, field in (
        ("memory_gb", "memory_gb"),
        ("mem_bw_gbs", "memory_bandwidth_gb_per_s"),
        ("interconnect_gbs", "interconnect_gb_per_s"),
        ("tdp_w", "tdp_w"),
        ("die_mm2", "die_mm2"),
    ):
        if field == "tdp_w" and "tdp" in facts:
            value, low, high = facts["tdp"]
            yield (
                f"tdp_w = {{ value = {value}, low = {low}, high = {high}, "
                'basis = "assumed", source = "joulecast-judgement", note = "as of the family" }'
            )
        else:
            yield from _numbered(field, row[column])
    peaks = [*_peaks(row, facts, basis)]
    yield from ["", "[peak_tflops]", *peaks] if peaks else []
    others = [*_other_peaks(facts)]
    yield from ["", "[other_peak_tflops]", *others] if others else []
    ceiling, peak = _value(row["mamf_bf16_tflops"]), _value(row["bf16_dense"] or row["fp16_dense"])
    if ceiling and peak:
        yield from _figure("matmul_share", (round(ceiling / peak, 3),), "measured",
                           _source(row["source2"] or row["source"]),
                           f"{ceiling:g} of {peak:g}, a product measured")  # fmt: skip
    if "device_w" in facts:
        basis_w = facts.get("device_basis", "derived")
        yield from _figure("device_power_w", facts["device_w"], basis_w,
                           "device-notes-2026", facts["device_note"])  # fmt: skip
    racks = "host_basis" in facts
    yield from _figure("host_power_w", facts.get("host_w", host_w),
                       facts.get("host_basis", "assumed"),
                       "device-notes-2026" if racks else "joulecast-judgement",
                       facts.get("host_note", why))  # fmt: skip
    if host_kg:
        yield from _figure("host_embodied_kgco2e", host_kg, "assumed", "joulecast-judgement",
                           "one computer without its accelerator")  # fmt: skip


def _peaks(row: Mapping[str, str], facts: Mapping[str, Any], basis: str) -> Iterator[str]:
    note = facts.get("matrix_note", "")
    if basis == "derived":
        note = note or "by the usual ratios of rates from what the maker prints"
    for column, name in PEAKS.items():
        own = facts.get("peak", {}).get(name)
        if own:
            value, low, high = own
            extra = f"low = {low}, high = {high}, "
        elif _is_number(row[column]):
            value, extra = _number(row[column]), ""
        else:
            continue
        if not note and not extra:
            yield f"{name} = {value}"
        else:
            yield f'{name} = {{ value = {value}, {extra}basis = "{basis}", note = {_text(note)} }}'


def _other_peaks(facts: Mapping[str, Any]) -> Iterator[str]:
    """What a utilisation of the device has been divided by, other than its peak."""
    for name, one in facts.get("other_peak", {}).items():
        basis = f'basis = "{one["basis"]}", ' if "basis" in one else ""
        why = f'source = "device-notes-2026", note = {_text(one["note"])}'
        yield f"{name} = {{ value = {one['value']}, {basis}{why} }}"


def _missing(row: Mapping[str, str], facts: Mapping[str, Any]) -> str:
    """What nobody published, in words; empty where nothing is missing."""
    if "cancelled" in facts:
        return str(facts["cancelled"])
    lacking = []
    if not any(_is_number(row[column]) for column in ("fp16_dense", "bf16_dense")):
        lacking.append("16-bit peak")
    if not _is_number(row["tdp_w"]) and not {"tdp", "device_w"} & {*facts}:
        lacking.append("power")
    if not row["release_date"] and "release_date" not in facts:
        lacking.append("date of release")
    if not _is_number(row["memory_gb"]):
        lacking.append("memory")
    return f"no {' or '.join(lacking)} is published" if lacking else ""


def _name(row: Mapping[str, str]) -> str:
    bare, vendor = _bare(row["name"]), _bare(row["vendor"])
    return bare if bare.startswith((vendor, "Ryzen")) else f"{vendor} {bare}"


def _aliases(row: Mapping[str, str], facts: Mapping[str, Any], name: str) -> list[str]:
    """Names people type: without remarks in brackets, and none that is another device's."""
    said = [_bare(row["name"]), *map(_bare, row["aliases"].split(";")), *facts.get("names", [])]
    out = {row["id"].casefold(), name.casefold(), *(w.casefold() for w in facts.get("drop", []))}
    found: dict[str, str] = {}
    for alias in said:
        if alias and alias.casefold() not in out:
            found.setdefault(alias.casefold(), alias)
    return [*found.values()]


def _note(row: Mapping[str, str], facts: Mapping[str, Any], whole: bool) -> str:
    said = [facts.get("note", "")]
    if not whole and row["release_date"]:
        said.append("of the release only year or month is known")
    if row["measured_device_w"]:
        said.append(f"metered {row['measured_device_w']} W on a matrix product or as typical")
    said.append(CONFIDENCE[row["confidence"]])
    return "; ".join(filter(None, said))


def _date(said: str, facts: Mapping[str, Any]) -> tuple[str, bool]:
    """A date, in the middle of what is known of it, and whether all of it is known."""
    if "release_date" in facts:
        return str(facts["release_date"]), False
    parts = said.split("-") if said else []
    if not parts:
        return "", True
    month = parts[1] if len(parts) > 1 else "07"
    day = parts[2] if len(parts) > 2 else "01" if len(parts) == 1 else "15"
    return f"{parts[0]}-{month}-{day}", len(parts) == 3


def _kind(row: Mapping[str, str]) -> str:
    gpus = ("NVIDIA", "AMD", "Intel", "Moore Threads", "MetaX", "Iluvatar CoreX", "Biren", "Hygon")
    return "gpu" if row["vendor"] in gpus and "LPU" not in row["name"] else "npu"


def _source(said: str) -> str:
    return next((key for start, key in SOURCES.items() if said.startswith(start)),
                "device-notes-2026")  # fmt: skip


def _figure(
    name: str, points: tuple[float, ...], basis: str, source: str, note: str
) -> Iterator[str]:
    yield from ["", f"[{name}]", f"value = {points[0]:g}"]
    if len(points) > 1:
        yield from [f"low = {points[1]:g}", f"high = {points[2]:g}"]
    yield from [f'basis = "{basis}"', f'source = "{source}"', f"note = {_text(note)}"]


def _bare(text: str) -> str:
    """Without remarks in brackets, and what is said after a colon."""
    return re.sub(r"\s*\([^)]*\)", "", text.split(":", maxsplit=1)[0]).strip()


def _numbered(field: str, said: str) -> Iterator[str]:
    if _is_number(said):
        yield f"{field} = {_number(said)}"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text.strip()) is not None


def _value(text: str) -> float:
    return float(text) if _is_number(text) else 0.0


def _number(text: str) -> str:
    return f"{float(text):.10g}"


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', "'") + '"'


if __name__ == "__main__":
    typer.run(main)
