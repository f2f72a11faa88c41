"""Tuned benchmark runs and metered nodes, as hardware_specs/benchmark_*.csv hold them.

Tokens, FLOP, hours and watts are derived from published logs and not verified by MLCommons.  Tuned
stacks at full goodput keep about twice what whole jobs keep, so these never mix with those: they
tell how devices and precisions compare at equal work, what a step costs, and what nodes draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from joulecast import units

if TYPE_CHECKING:
    from joulecast.data.library import Library

#: Round -> when its runs were made, as a year.
ROUNDS = {
    "v3.0": 2023.45, "v3.1": 2023.85, "v4.0": 2024.45, "v4.1": 2024.85, "v5.0": 2025.45,
    "v5.1": 2025.85, "v6.0": 2026.45,
}  # fmt: skip

#: A submitter that writes its own stack from nothing, whose speed tells of the stack alone.
STACK_IN_THE_MAKING = ("tinycorp",)

#: Submitters whose repeated entries are kept: the earlier ones are not in the table.
REPEATS_KEPT = ("krai",)


class Entry(NamedTuple):
    """A tuned run: what was trained, by whom, on what, and how long it took.

    `step_flop` are those of one optimiser step, `peak` the dense 16-bit peak of one device
    [FLOP/s]; `settled` says that the logs tell the precision.
    """

    id: str
    task: str
    arch: str
    round: str
    year: float
    submitter: str
    device: str
    device_count: int
    precision: str
    settled: bool
    flop: float
    hours: float
    step_flop: float
    peak: float
    params: float
    layers: int
    adapters: bool

    @property
    def utilisation(self) -> float:
        """Model FLOP over what the 16-bit peak of the devices would have done."""
        return self.flop / (self.hours * units.hour * self.peak)

    @property
    def step_time(self) -> float:
        """Time of an optimiser step at the peak [s]."""
        return self.step_flop / (self.device_count * self.peak)

    @property
    def cell(self) -> tuple[str, str, int]:
        """Round, task and count: what two entries must share to be at equal work."""
        return self.round, self.task, self.device_count


class Node(NamedTuple):
    """A metered node of a training entry: watts of a device with its share of the node."""

    id: str
    task: str
    submitter: str
    device: str
    device_count: int
    side: str
    power_w: float


def entries_of(library: Library) -> list[Entry]:
    """Tuned runs that repeat no earlier one, but for stacks still in the making."""
    return [
        entry_of(name, library)
        for name, row in library.benchmark("benchmark_runs").items()
        if not row["repeats_earlier"] or row["submitter"] in REPEATS_KEPT
        if row["submitter"] not in STACK_IN_THE_MAKING
    ]


def entry_of(name: str, library: Library) -> Entry:
    """A tuned run by its id."""
    row = library.benchmark("benchmark_runs")[name]
    task = library.benchmark("benchmark_tasks")[row["task"]]
    device = library.device(row["device"]).device
    peak = device.peak("bf16")
    assert peak is not None  # the schema asks for one of bf16, fp16 and fp32
    flop = float(row["training_flop"])
    return Entry(
        name,
        row["task"],
        task["arch"],
        row["round"],
        ROUNDS[row["round"]],
        row["submitter"],
        device.id,
        int(row["device_count"]),
        row["precision"],
        row["precision_settled"] == "yes",
        flop,
        float(row["device_hours"]),
        flop / float(row["samples"]) * float(row["global_batch_samples"]),
        peak.value * 1e12,
        float(task["active_params"]),
        int(task["layers"]),
        task["trained"] == "adapters",
    )


def nodes_of(library: Library) -> list[Node]:
    """Metered nodes of training entries."""
    return [
        Node(
            name,
            row["task"],
            row["submitter"],
            row["device"],
            int(row["device_count"]),
            row["side"],
            float(row["power_w"]),
        )
        for name, row in library.benchmark("benchmark_nodes").items()
        if row["kind"] == "training"
    ]
