"""Make hardware_specs/throughput.csv from a table of published training speeds.

    python tools/build_throughput.py FOLDER

FOLDER holds other_accelerators_throughput.csv: what a maker's or a user's table says of a model on
a device, as tokens/s or FLOP/s.  Products of matrices, power alone, and rows that the table's own
note doubts are left out; so are shares of a peak that nobody shows.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import typer

from joulecast.data.library import Library

OUT = Path(__file__).parents[1] / "hardware_specs" / "throughput.csv"
HEAD = (
    "Published speeds of training steps, mostly of tuned tables: never mixed with whole jobs.  "
    "FLOP of an update and token: 6 a parameter where tokens are given."
)
COLUMNS = (
    "id", "device", "device_count", "family", "publisher", "year", "model", "arch", "params",
    "active_params", "seq_len", "precision", "tokens_per_s_per_device", "tflops_per_device",
    "counted", "source",
)  # fmt: skip

#: Publishers' groups of the table -> our sources.
SOURCES = {
    "modellink": "mindspeed-llm-tables", "modellink-mfu": "mindspeed-llm-tables",
    "telechat": "mindformers-cards", "mindformers-910a": "mindformers-cards",
    "modelzoo": "ascend-modelzoo-tables", "flagperf": "flagperf-cases",
    "deepspark": "deepsparkhub-cards", "lumi-reframe": "lumi-megatron-test",
    "frontier": "dash-2023", "xmoe": "x-moe-2025", "primus-moe": "amd-primus-2026",
    "primus-pipeline": "amd-primus-2026", "neuron": "neuron-trn1-tables",
    "neuron-bert": "neuron-trn1-tables", "aurora-70b": "auroragpt-notes",
    "aurora-small": "auroragpt-notes", "jupiter": "openeurollm-speed",
    "jupiter-small": "openeurollm-speed", "mosaic-gaudi": "databricks-gaudi2",
    "nanochat": "nanochat-mi300x-note",
}  # fmt: skip


def main(folder: Path) -> None:
    """Write the table."""
    library = Library.bundled()
    written: dict[str, tuple[object, ...]] = {}
    with (folder / "other_accelerators_throughput.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["basis"] not in ("benchmark", "run_steady") or row["group"] not in SOURCES:
                continue
            by_tokens = bool(row["u_6n"])
            if "doubtful" in row["note"] or not (by_tokens or row["tflops_per_device"]):
                continue
            device = library.device(row["device"]).device
            counted = "6 N" if by_tokens else "with attention"
            if "recomputation)" in row["flop_convention"] or "hardware" in row["flop_convention"]:
                counted = "recomputation perhaps"
            size = row["active_params_b"] or row["params_b"]
            words = f"{device.id} {row['model']} {row['n_devices']} {row['seq_len']}"
            name = first = re.sub(r"[^a-z0-9]+", "-", f"{words} {row['precision']}".lower())
            repeat = 1
            while name in written:
                repeat += 1
                name = f"{first}-{repeat}"
            arch = "moe" if row["moe"] == "1" else "encoder" if "BERT" in row["model"] else "dense"
            written[name] = (
                device.id, row["n_devices"], row["family"], row["group"], row["year"],
                row["model"], arch, _billions(row["params_b"]), _billions(size), row["seq_len"],
                row["precision"], row["tokens_per_s_per_device"] if by_tokens else "",
                "" if by_tokens else row["tflops_per_device"], counted, SOURCES[row["group"]],
            )  # fmt: skip
    with OUT.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {HEAD}\n")
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((name, *cells) for name, cells in sorted(written.items()))
    print(f"wrote {len(written)} rows")


def _billions(text: str) -> str:
    return f"{float(text) * 1e9:.4g}" if text else ""


if __name__ == "__main__":
    typer.run(main)
