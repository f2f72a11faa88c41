"""Make hardware_specs/finetunes.csv from a table of published fine-tuning speeds.

    python tools/build_finetunes.py FOLDER

FOLDER holds finetune_throughput.csv.  Kept are rows with a rate of tokens, a device whose 16-bit
peak is known and a model whose size is; left out are those that the table's own note doubts,
images, other adapters than LoRA, and a mixture whose experts were held outside the device.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import typer

from joulecast.data.library import Library
from joulecast.errors import JoulecastError

OUT = Path(__file__).parents[1] / "hardware_specs" / "finetunes.csv"
HEAD = (
    "Published speeds of fine-tuning steps, by family of tables; no whole jobs.  real: tokens of "
    "samples, pads left out; all: every token of a full, packed or filled length."
)
COLUMNS = (
    "id", "device", "device_count", "family", "publisher", "year", "model", "arch", "params",
    "active_params", "method", "seq_len", "data", "counted", "micro_batch", "precision",
    "framework", "stack", "tokens_per_s_per_device", "source",
)  # fmt: skip

METHODS = {
    "full": "full", "lora": "lora", "qlora": "qlora", "gptq-lora": "qlora", "grpo": "grpo",
    "ppo": "ppo", "dapo": "grpo", "full-dpo": "dpo", "qlora-dpo": "dpo",
}  # fmt: skip

#: Word of the table -> how samples fill a batch.
DATA = {
    "yes": "packed", "fixed length": "packed", "padding-free": "unpadded", "padded fixed": "filled",
    "batch 1, no pads": "unpadded", "padded batch": "padded", "no": "padded",
}  # fmt: skip

#: How the name of a framework begins -> whether it brings kernels of its own for this work; judged.
STACKS = {
    "Megatron": "tuned", "NeMo": "tuned", "Unsloth": "tuned", "Surogate": "tuned",
    "torchtune": "tuned", "Optimum": "tuned", "XTuner": "tuned",
}  # fmt: skip

SOURCES = {
    "nvidia-megatron-bridge": "megatron-bridge-tables", "torchtune": "torchtune-tables",
    "fms-acceleration": "fms-acceleration-tables", "answerai-fsdp-qlora": "fsdp-qlora-tables",
    "optimum-habana": "optimum-habana-tables", "xtuner": "xtuner-tables",
    "peft-method-comparison": "peft-method-comparison", "deepspeed-chat": "deepspeed-chat-tables",
    "surogate": "surogate-tables", "nvidia-nemo-rl": "nemo-rl-tables",
}  # fmt: skip


def main(folder: Path) -> None:
    """Write the table."""
    library = Library.bundled()
    written: dict[str, tuple[object, ...]] = {}
    with (folder / "finetune_throughput.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            cells = _cells(row, library)
            if cells is None:
                continue
            words = f"{row['family']} {row['model']} {row['method']} {cells[0]} {row['n_devices']}"
            name = first = re.sub(r"[^a-z0-9]+", "-", f"{words} {row['seq_len']}".lower()).strip(
                "-"
            )
            repeat = 1
            while name in written:
                repeat += 1
                name = f"{first}-{repeat}"
            written[name] = cells
    with OUT.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {HEAD}\n")
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((name, *cells) for name, cells in sorted(written.items()))
    print(f"wrote {len(written)} rows")


def _cells(row: dict[str, str], library: Library) -> tuple[object, ...] | None:
    """One row of ours, or None where the table's is not for a forecast."""
    method, source = METHODS.get(row["method"]), SOURCES.get(row["family"])
    rate, size = row["tokens_per_s_per_device"], row["active_params_b"] or row["params_b"]
    unfit = "doubtful" in row["note"] or row["packing"] == "images"
    held_outside = row["model"] == "Qwen3 30B-A3B" and row["device_id"] == "rtx5090"
    if method is None or source is None or not rate or not size or unfit or held_outside:
        return None
    try:
        device = library.device(row["device_id"]).device
    except JoulecastError:
        return None
    if device.peak("bf16") is None:
        return None
    basis = row["tokens_basis"]
    real = "real tokens" in basis
    data = DATA.get(row["packing"], "")
    if "bucketed" in basis:
        data = "unpadded"
    length = row["seq_len"]
    told = re.search(r"([\d.]+) a sample", basis)
    if told and data != "packed":
        length = f"{float(told[1]):g}"
    eight = "fp8" in row["precision"] or "fp4" in row["precision"]
    base = (
        "nf4" if "base" in row["precision"] or row["method"] in ("qlora", "gptq-lora") else "bf16"
    )
    precision = "fp8" if eight and base != "nf4" else base
    arch = "moe" if row["moe"] == "1" else "encoder" if "BERT" in row["model"] else "dense"
    stack = next((s for word, s in STACKS.items() if row["framework"].startswith(word)), "ordinary")
    return (
        device.id, row["n_devices"], row["family"], row["group"], row["year"], row["model"], arch,
        f"{float(row['params_b']) * 1e9:.4g}", f"{float(size) * 1e9:.4g}", method, length, data,
        "real" if real else "all", row["micro_batch"], precision, row["framework"], stack, rate,
        source,
    )  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
