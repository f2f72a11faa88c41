"""How devices compare: tuned runs at equal work beside what is said of their devices."""

from __future__ import annotations

from typing import NamedTuple

from joulecast.answers.base import Frozen, made_with
from joulecast.answers.shape import shows
from joulecast.answers.validation import Gate


class PairRow(NamedTuple):
    """Two devices in one round, task and count: hours of the newer over those of the older.

    `forecast` is by the shares of a fit that saw no entry of the submitters, `with_batch` the same
    with the cost of their steps, `shipped` by the records of the devices, `version_0_1_0` by
    ceilings and the age of each device.
    """

    round: str
    task: str
    device_count: int
    older: str
    newer: str
    submitters: tuple[str, ...]
    precision_settled: bool
    measured: float
    forecast: float
    with_batch: float
    shipped: float
    version_0_1_0: float


class Transfer(NamedTuple):
    """Forecast over measured, by a way of forecasting: rows, typical factor, median."""

    group: str
    way: str
    rows: int
    factor: float
    median_ratio: float


class StepRow(NamedTuple):
    """A tuned pre-training run: utilisation as measured and as forecast from its batch."""

    id: str
    task: str
    submitter: str
    device: str
    device_count: int
    measured: float
    forecast: float
    without_steps: float


class NodeRow(NamedTuple):
    """A metered node: watts of a device with its share of it."""

    id: str
    task: str
    device: str
    device_count: int
    side: str
    busy_share: float
    measured_w: float
    forecast_w: float


class Example(NamedTuple):
    """Hours of one device over another's at equal work: the range over rows, the mean, ours."""

    newer: str
    older: str
    task: str
    rows: int
    measured_low: float
    measured: float
    measured_high: float
    forecast: float
    shipped: float


class Platform(NamedTuple):
    """Published speeds on one maker's platform, each family of models left out of the fit.

    `inside` counts families in the 80 % range, rows sharing a family's weight; of as many honest
    ranges `lowest` to `highest` would be, 95 % sure.
    """

    platform: str
    rows: int
    families: int
    factor: float
    median_ratio: float
    inside: float
    lowest: int
    highest: int


class FineTunes(NamedTuple):
    """Published speeds of fine-tunes by a method, each family of tables left out.

    `factor` and `median_ratio` are of hours, families of one weight; `inside` is the share of rows
    in the 80 % range.  `untold_factor` is where nobody says the framework and the micro-batch,
    `measured_factor` where another row of the family, device and method was measured.
    """

    method: str
    rows: int
    families: int
    factor: float
    median_ratio: float
    inside: float
    untold_factor: float
    measured_factor: float


@shows(
    "pairs", "steps", "nodes", "examples", "summary", "platforms", "fine_tunes", "gates",
    "provenance",
    provenance=made_with(),
)  # fmt: skip
class DeviceValidation(Frozen):
    """Tuned benchmark runs forecast by fits that never saw their submitters."""

    pairs: tuple[PairRow, ...]
    steps: tuple[StepRow, ...]
    nodes: tuple[NodeRow, ...]
    examples: tuple[Example, ...]
    summary: tuple[Transfer, ...]
    platforms: tuple[Platform, ...]
    fine_tunes: tuple[FineTunes, ...]
    gates: tuple[Gate, ...]
    data_digest: str

    @property
    def ok(self) -> bool:
        """Whether every gate passes, or fails no worse than declared."""
        return all(gate.ok for gate in self.gates)
