"""The answer of `calibrate`: what past runs say of the next, and how well that forecasts them."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from joulecast.answers.base import Noun, made_with
from joulecast.answers.shape import shows

#: What can be fitted to past runs.
Fittable = Literal["utilisation", "device_power_w", "pue"]


class Fitted(NamedTuple):
    """What was fitted, for a device (null: any other) and kind of model (null: all).

    Utilisation and power are factors on what we expect of a run, PUE is itself; p10 and p90 end the
    80 % prediction range of the next run, `default` what holds without past runs.  `runs` of the
    table were on this device.
    """

    quantity: Fittable
    device: str | None
    kind: Literal["decoder", "other"] | None
    value: float
    p10: float
    p90: float
    default: float
    default_p10: float
    default_p90: float
    runs: int


class Score(NamedTuple):
    """How well past runs forecast each other, each left out with its family.

    Typical factors are exp(mean of abs(ln(forecast / true))), families of one weight; null where
    there are fewer than two.  `inside` of `runs` fell into their 80 % range.
    """

    quantity: Fittable
    runs: int
    families: int
    typical_factor: float | None
    default_typical_factor: float
    inside: int | None
    better: bool | None


class PastRun(NamedTuple):
    """A row of the table: device-hours as they were and as forecast without it.

    `default_hours` is the forecast without any past run; `left_out_hours` has the 80 % prediction
    range `left_out_p10` to `left_out_p90`.
    """

    row: int
    run: str
    device: str
    kind: Literal["decoder", "other"]
    utilisation: float
    device_hours: float
    default_hours: float
    left_out_hours: float
    left_out_p10: float
    left_out_p90: float


@shows(
    "schema_version", "name", "folder", "fitted", "scores", "runs", "remarks", "unused_columns",
    "provenance",
    provenance=made_with(),
)  # fmt: skip
class Calibration(Noun):
    """What one's own past runs say of the next on the same cluster.

    `folder` holds the records for ``--specs``; None where none was asked for.  `remarks` say in
    words where the runs tell little or contradict.
    """

    name: str
    folder: str | None
    fitted: tuple[Fitted, ...]
    scores: tuple[Score, ...]
    runs: tuple[PastRun, ...]
    remarks: tuple[str, ...]
    unused_columns: tuple[str, ...]
    data_digest: str

    def rows(self) -> list[dict[str, Any]]:
        """One row a past run."""
        return [run._asdict() for run in self.runs]

    @property
    def factor(self) -> float:
        """Factor on our default utilisation for a decoder on the device with most past runs."""
        found = [one for one in self.fitted if one.quantity == "utilisation"]
        return max(found, key=lambda one: (one.runs, one.kind == "decoder")).value
