"""Make hardware_specs/benchmark_{runs,tasks,nodes}.csv from tables of parsed benchmark logs.

    python tools/build_benchmark.py FOLDER

FOLDER holds mlperf_training_v3_to_v6.csv (one tuned entry a row: round, submitter, device, count,
samples, batch, FLOP, hours) and mlperf_node_power.csv (metered nodes).  Tokens, FLOP, hours and
watts of a device follow from the logs and are not verified by MLCommons; each line says so, with
its round, submitter and path.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

OUT = Path(__file__).parents[1] / "hardware_specs"
MARK = "derived, not verified by MLCommons"

#: Active parameters and layers of the benchmark's models (public configurations).
TASKS: dict[str, tuple[float, int]] = {
    "gpt3": (175e9, 96), "llama31_405b": (405e9, 126), "llama31_8b": (8.03e9, 32),
    "llama2_70b_lora": (69e9, 80), "bert": (336e6, 24), "flux1": (11.9e9, 57),
    "stable_diffusion": (866e6, 60), "deepseekv3_671b": (37.6e9, 61), "gpt_oss_20b": (3.6e9, 24),
}  # fmt: skip

NOTES = {
    "bert": "FLOP at the nominal 512 tokens; padding is removed: utilisation is an upper bound",
    "stable_diffusion": "FLOP derived: 0.804 TFLOP forward a picture",
    "flux1": "FLOP derived at 256 + 256 tokens",
    "llama2_70b_lora": "weights frozen: 4 per parameter and token, adapters left out",
}

#: Submitters that write their name in two ways.
SAME = {"GIGABYTE": "GigaComputing", "QCT": "Quanta_Cloud_Technology"}

#: Cooling as the systems' descriptions write it.
COOLING = {
    "": "", "air": "air", "air-cooled": "air", "air cooled": "air", "passive & active": "air",
    "dlc": "liquid", "liquid": "liquid", "liquid-cooled": "liquid", "water": "liquid",
    "immersion": "immersion", "smc immersion coolin": "immersion",
}  # fmt: skip

RUNS_HEAD = (
    "Tuned benchmark runs, full goodput: never mixed with whole jobs.  Tokens, FLOP and "
    "device-hours are ours, not verified by MLCommons.  MLPerf is a trademark of MLCommons."
)
NODES_HEAD = (
    "Metered nodes of MLPerf entries, watts of a device with its share of the node; switches and "
    "cooling not in it"
)


def main(folder: Path) -> None:
    """Write the three tables."""
    runs = _table(folder / "mlperf_training_v3_to_v6.csv")
    _write(
        "benchmark_runs.csv",
        RUNS_HEAD,
        ("id", "task", "round", "submitter", "device", "device_count", "devices_per_node",
         "samples", "global_batch_samples", "tokens", "training_flop", "device_hours", "runs",
         "precision", "precision_settled", "cooling", "repeats_earlier", "source", "path", "note",
         "mark"),
        _runs(runs),
    )  # fmt: skip
    _write(
        "benchmark_tasks.csv",
        "What the tasks of benchmark_runs.csv train; sizes are public configurations",
        ("task", "arch", "active_params", "layers", "seq_len", "trained", "note"),
        _tasks(runs),
    )
    _write(
        "benchmark_nodes.csv",
        NODES_HEAD,
        ("id", "kind", "task", "round", "submitter", "device", "device_count", "nodes", "cooling",
         "side", "tuned_for_energy", "power_w", "power_w_median", "power_w_least", "seconds",
         "source", "path", "mark"),
        _nodes(_table(folder / "mlperf_node_power.csv")),
    )  # fmt: skip


def _runs(rows: list[dict[str, str]]) -> Iterator[list[str]]:
    named = _Names()
    for row in rows:
        key, path, note = _path_of(row["source"])
        submitter = SAME.get(row["submitter"], row["submitter"])
        said = f"{row['round']}-{submitter}-{row['benchmark']}-{row['device']}-{row['count']}"
        yield [
            named(said), row["benchmark"], row["round"], submitter, row["device"], row["count"],
            row["per_node"], row["samples"], _short(row["global_batch"]), _short(row["tokens"]),
            _short(row["train_flop"]), _short(row["device_hours"]), row["n_runs"],
            row["precision"].strip("?"), "no" if "?" in row["precision"] else "yes",
            COOLING[row["cooling"].lower()], "yes" if row["repeat"] == "True" else "", key, path,
            note, MARK,
        ]  # fmt: skip


def _tasks(rows: list[dict[str, str]]) -> Iterator[list[str]]:
    kinds = {row["benchmark"]: row["kind"].removesuffix("-lora") for row in rows}
    lengths = {row["benchmark"]: _short(row["seq_len"]) for row in rows}
    for task, (params, layers) in TASKS.items():
        trained = "adapters" if "lora" in task else "all"
        sizes = [_short(str(params)), str(layers), lengths[task]]
        yield [task, kinds[task], *sizes, trained, NOTES.get(task, "")]


def _nodes(rows: list[dict[str, str]]) -> Iterator[list[str]]:
    named = _Names()
    for row in rows:
        key, path, _ = _path_of(row["source"])
        sides = {"AC side": "ac", "DC side": "dc"}
        side = next((short for words, short in sides.items() if words in row["scope"]), "wall")
        said = (row["round"], row["submitter"], row["benchmark"], row["device"], row["n_devices"])
        nodes, devices = int(row["n_nodes"]), int(row["n_devices"])
        least = str(float(row["node_w_min"]) * nodes / devices) if row["node_w_min"] else ""
        yield [
            named(f"{'-'.join(said)}-{row['kind'].split()[-1]}"), row["kind"].split()[0].lower(),
            row["benchmark"], row["round"].removeprefix("inference-"), row["submitter"],
            row["device"], str(devices), str(nodes), COOLING[row["cooling"].lower()], side,
            "yes" if "MaxQ" in row["scope"] else "", _short(row["w_per_device"]),
            _short(row["w_per_device_median"]), _short(least), _short(row["seconds"]), key, path,
            MARK,
        ]  # fmt: skip


class _Names:
    """Ids made of what a row says; a second one of the same words gets a number."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def __call__(self, said: str) -> str:
        name = re.sub(r"[^a-z0-9]+", "-", said.lower()).strip("-")
        self.seen[name] = self.seen.get(name, 0) + 1
        return name if self.seen[name] == 1 else f"{name}-{self.seen[name]}"


def _path_of(source: str) -> tuple[str, str, str]:
    """Key of the round's source, the path in its repository, and what else its line says."""
    repository, path = source.split(": ", 1)
    found = re.search(r"(training|inference)_results_v([0-9]+)\.([0-9]+)", repository)
    assert found, source
    path, _, note = path.partition("; ")
    if "fork" in repository:
        note = f"{note}; read in a fork".removeprefix("; ")
    return f"mlcommons-{found[1]}-v{found[2]}-{found[3]}", path, note


def _short(text: str) -> str:
    return f"{float(text):.5g}".replace("e+", "e") if text.strip() else ""


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _write(name: str, head: str, fields: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    rows = [list(row) for row in rows]
    with (OUT / name).open("w", encoding="utf-8", newline="") as stream:
        stream.write(f"# {head}\n")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(fields)
        writer.writerows(rows)
    print(f"wrote {name}: {len(rows)} rows")


if __name__ == "__main__":
    typer.run(main)
