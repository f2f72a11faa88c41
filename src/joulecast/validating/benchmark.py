"""Published runs forecast again from what was known before each, and scored.

A forecast may use size, data, architecture, device, count, sequence length, precision, place and
year of its run; never the run's utilisation, hours, power, PUE or grid.  The default utilisation
comes from a fit that never saw the run's family, unless the shipped one is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from joulecast import units
from joulecast.answers.validation import (
    Gain,
    Kind,
    Row,
    Validation,
)
from joulecast.data.library import Library
from joulecast.estimation import drawn
from joulecast.plan import Plan
from joulecast.resolve import resolve
from joulecast.resolve.shares import tuned_share
from joulecast.terms import TERMS
from joulecast.validating import telling
from joulecast.validating.accounting import accounts
from joulecast.validating.baselines import (
    NAIVE_PUE,
    NAIVE_UTILISATION,
    Seen,
    class_median,
    pooled_constant,
)
from joulecast.validating.calibration import calibrate, case_of, flop_of, hours_runs
from joulecast.validating.gates import gates_of
from joulecast.validating.groups import score, scores_of
from joulecast.validating.telling import GRID

if TYPE_CHECKING:
    from joulecast.validating.runs import ReportedRun


#: What of a run is compared -> the quantity of the chain.
QUANTITIES = {"hours": "device_hours", "energy": "it_energy_kwh", "co2": "operational_kgco2e"}
QUANTITIES["magnitude"] = QUANTITIES["hours"]


def run_benchmark(library: Library, shipped: bool) -> Validation:
    """Forecast every published run and score the forecasts; `shipped` as in `validate`."""
    bench = _Bench(library, shipped)
    rows = [*bench.hours(), *bench.energy(), *bench.co2()]
    scores = scores_of(rows)
    gains, book = _gains(bench, rows), list(accounts(library))
    gates = gates_of(scores, book)
    return Validation(
        tuple(rows), scores, tuple(gains), tuple(book), tuple(gates), shipped, library.digest
    )


class _Bench:
    """Forecasts of runs, each by tables that never saw its family."""

    def __init__(self, library: Library, shipped: bool) -> None:
        self.library = library
        self.shipped = shipped
        self.runs = library.runs
        self._learned = hours_runs(library)
        self._taught = [run for run in library.runs if set(run.tests) & set("HEP")]
        share = library.default("attention_share").value
        self._seen = [_seen(run, library, share) for run in self._learned]
        self._fits: dict[str, tuple[Library, float]] = {}

    def hours(self) -> list[Row]:
        """Device-hours of the runs that test them."""
        return [self.row(run, "hours") for run in self._learned] + [
            self.row(run, "magnitude") for run in self.runs if "W" in run.tests
        ]

    def energy(self) -> list[Row]:
        """Metered energy: from what was known before, and with the true hours given."""
        blind = [self.row(run, "energy") for run in self.runs if "E" in run.tests]
        return blind + [
            self.row(run, "energy", ("hours",))
            for run in self.runs
            if set(run.tests) & set("EP") and run.reported.device_hours is not None
        ]

    def co2(self) -> list[Row]:
        """Emissions from metered energy where the FLOP are known: by place, by published grid."""
        runs = [run for run in self.runs if {"E", "C"} <= set(run.tests)]
        told = [run for run in runs if GRID in telling.told(run)]
        return [self.row(run, "co2") for run in runs] + [
            self.row(run, "co2", (GRID,)) for run in told
        ]

    def row(self, run: ReportedRun, quantity: Kind, known: tuple[str, ...] = ()) -> Row:
        """Forecast one figure of a run with some of what was reported of it given."""
        library, share = self.fit(run.family)
        given = {**telling.boundary(run, quantity), **telling.given(run, known)}
        inputs = telling.inputs(run, "hours" not in known)
        settled = resolve(Plan(**inputs, given=given), library)
        ledger, sampled = settled.only, drawn([settled])[0].parts[0]
        name = QUANTITIES[quantity]
        size = units.factor(TERMS[name].unit)
        draws = np.broadcast_to(np.asarray(sampled.known[name]) / size, (4096,))
        middle = {key: float(value) for key, value in ledger.middle.known.items()}
        predicted = middle[name] / size
        device = library.device(ledger.resolved["device"] or "").device
        return Row(
            run,
            quantity,
            known,
            device.device_class,
            TERMS[name].unit,
            predicted,
            draws,
            telling.reported(run, quantity),
            self._baselines(run, quantity, known, predicted, middle, share),
        )

    def fit(self, family: str) -> tuple[Library, float]:
        """Tables fitted without a family's own runs, and their share of attention."""
        known = family if any(run.family == family for run in self._taught) else ""
        if known not in self._fits:
            others = [run for run in self._taught if run.family != known]
            fitted = calibrate(others, self.library)
            tables = self.library.with_calibration(fitted.figures())
            self._fits[known] = (self.library if self.shipped else tables, fitted.attention_share)
        return self._fits[known]

    def _baselines(
        self,
        run: ReportedRun,
        quantity: str,
        known: tuple[str, ...],
        predicted: float,
        middle: Mapping[str, float],
        share: float,
    ) -> dict[str, float]:
        """The naive chain, and our own with a simpler utilisation, on the same figure."""
        device = self.library.device(run.before.device or "").device
        hours = middle["device_hours"] / units.hour
        naive_hours, simpler = hours, {}
        if "hours" not in known:
            peak = middle["peak_flops"]
            naive_hours = telling.plain_flop(run) / (peak * NAIVE_UTILISATION) / units.hour
            speed = peak * units.hour * middle["precision_speedup"]
            flop = flop_of(run, self.library, share)
            seen = [other for other in self._seen if other.family != run.family]
            guesses = {
                "pooled_constant": pooled_constant(seen),
                "class_medians": class_median(seen, run.before.arch, device.device_class),
            }
            simpler = {
                name: predicted * flop / (speed * math.exp(guess)) / hours
                for name, guess in guesses.items()
            }
        rating = (device.tdp_w or device.device_power_w).value  # type: ignore[union-attr]
        naive = naive_hours
        if quantity not in ("hours", "magnitude"):
            naive *= rating / 1000
        if quantity == "co2":
            pue = middle["pue"] if GRID in known else NAIVE_PUE
            naive *= pue * middle["grid_gco2e_per_kwh"] / units.factor("g/kWh") / 1000
        return {"naive": naive, **simpler}


def _seen(run: ReportedRun, library: Library, attention_share: float) -> Seen:
    case = case_of(run, library, attention_share)
    device = library.device(run.before.device or "").device
    ln_share = math.log(tuned_share(library, device).value)
    return Seen(run.family, run.before.arch, device.device_class, case.y + ln_share)


#: What may be known of a run beforehand, by quantity.
KNOWING: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "hours": ((), ("mfu",)),
    "energy": ((), ("power",), ("hours",), ("hours", "power")),
    "co2": ((), (GRID,), ("hours", "power"), ("hours", "power", GRID)),
}


def _gains(bench: _Bench, rows: Sequence[Row]) -> list[Gain]:
    """The same runs with more and more given."""
    found = []
    for quantity, steps in KNOWING.items():
        blind = [row for row in rows if row.quantity == quantity and not row.known]
        asked = {name for known in steps for name in known}
        runs = [row.run for row in blind if row.large and asked <= telling.told(row.run)]
        for known in steps if runs else ():
            told = score([bench.row(run, quantity, known) for run in runs])
            found.append(
                Gain(
                    quantity,
                    ", ".join(known) or "nothing",
                    told.runs,
                    told.families,
                    told.factor,
                    told.half_width_80,
                    told.baselines["naive"].factor,
                )
            )
    return found
