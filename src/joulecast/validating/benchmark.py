"""Published runs forecast again from what was known before each, and scored.

A forecast may use size, data, architecture, device, count, sequence length, precision, place and
year of its run; never the run's utilisation, hours, power, PUE or grid.  The default utilisation
comes from a fit that never saw the run's family, unless the shipped one is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from joulecast import units
from joulecast.answers.validation import (
    BASELINES,
    Gain,
    Hits,
    Kind,
    Point,
    Row,
    Score,
    Validation,
)
from joulecast.arrays import Array
from joulecast.chain import chain
from joulecast.data.library import Library
from joulecast.estimation import live_data
from joulecast.plan import Plan
from joulecast.resolve import resolve
from joulecast.resolve.utilisation import DECODERS, ceiling_of
from joulecast.terms import TERMS
from joulecast.uncertainty import sample
from joulecast.validating import scoring
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

if TYPE_CHECKING:
    from joulecast.validating.runs import ReportedRun

#: Shares of outcomes that the central ranges are meant to hold.
NOMINAL = (0.5, 0.8, 0.9)

#: Grid intensity and PUE as published with the run, where they are given.
GRID = "grid and PUE"

#: What of a run is compared -> the quantity of the chain.
QUANTITIES = {"hours": "device_hours", "energy": "it_energy_kwh", "co2": "operational_kgco2e"}


def run_benchmark(library: Library, shipped: bool) -> Validation:
    """Forecast every published run and score the forecasts; `shipped` as in `validate`."""
    bench = _Bench(library, shipped)
    rows = [*bench.hours(), *bench.energy(), *bench.co2()]
    scores = _scores(rows)
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
        return [self.row(run, "hours") for run in self._learned]

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
        told = [run for run in runs if GRID in _told(run)]
        return [self.row(run, "co2") for run in runs] + [
            self.row(run, "co2", (GRID,)) for run in told
        ]

    def row(self, run: ReportedRun, quantity: Kind, known: tuple[str, ...] = ()) -> Row:
        """Forecast one figure of a run with some of what was reported of it given."""
        library, share = self.fit(run.family)
        given = {**_boundary(run, quantity), **_given(run, known)}
        ledger = resolve(Plan(**inputs(run, "hours" not in known), given=given), library)
        drawn = chain(sample(live_data(ledger)))
        name = QUANTITIES[quantity]
        size = units.factor(TERMS[name].unit)
        draws = np.broadcast_to(np.asarray(drawn.known[name]) / size, (4096,))
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
            _reported(run, quantity),
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
            naive_hours = _plain_flop(run) / (peak * NAIVE_UTILISATION) / units.hour
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
        if quantity != "hours":
            naive *= rating / 1000
        if quantity == "co2":
            pue = middle["pue"] if GRID in known else NAIVE_PUE
            naive *= pue * middle["grid_gco2e_per_kwh"] / units.factor("g/kWh") / 1000
        return {"naive": naive, **simpler}


def inputs(run: ReportedRun, with_flop: bool = True) -> dict[str, Any]:
    """Fields of a plan that were known before the run; nothing of what was reported after it."""
    before = run.before
    plan: dict[str, Any] = {
        "arch": before.arch,
        "params": before.params,
        "active_params": before.active_params,
        "seq_len": before.seq_len and int(before.seq_len.value),
        "device": before.device,
        "device_count": before.device_count,
        "year": before.year,
        "precision": before.precision,
        "region": before.place,
    }
    if with_flop:
        plan |= {"flop": before.flop} if before.needs_flop else {"tokens": before.tokens}
    plain = {name: getattr(value, "value", value) for name, value in plan.items()}
    return {name: value for name, value in plain.items() if value is not None}


def _boundary(run: ReportedRun, quantity: str) -> dict[str, float]:
    """What the meter left out is left out of the forecast too."""
    energy = run.reported.energy_kwh
    if quantity == "hours" or energy is None:
        return {}
    left_out = {"network_share": 0.0}
    if energy.scope == "device":
        left_out["host_power_w"] = 0.0
    return left_out


def _given(run: ReportedRun, known: Iterable[str]) -> dict[str, float]:
    """Reported figures that the forecast is told."""
    after, given = run.reported, {}
    for name in known:
        if name == "hours":
            assert after.device_hours is not None
            given["device_hours"] = after.device_hours.value
        elif name == "mfu":
            assert after.mfu is not None
            given["mfu"] = after.mfu.value
        elif name == GRID:
            assert after.grid_gco2e_per_kwh is not None and after.pue is not None
            given["grid_gco2e_per_kwh"] = after.grid_gco2e_per_kwh.value
            given["pue"] = after.pue.value
        else:
            assert after.power_w is not None
            given["device_power_w"] = after.power_w.value
            if after.power_w.scope == "system":
                given["host_power_w"] = 0.0
    return given


def _reported(run: ReportedRun, quantity: str) -> float:
    """The published figure; energy without cooling, which no meter here read."""
    after = run.reported
    if quantity == "hours":
        assert after.device_hours is not None
        return after.device_hours.value
    if quantity == "co2":
        assert after.operational_kgco2e is not None
        return after.operational_kgco2e.value
    assert after.energy_kwh is not None
    cooling = after.pue.value if after.energy_kwh.includes_pue and after.pue else 1.0
    return after.energy_kwh.value / cooling


def _seen(run: ReportedRun, library: Library, attention_share: float) -> Seen:
    case = case_of(run, library, attention_share)
    device = library.device(run.before.device or "").device
    ln_ceiling = math.log(ceiling_of(library, device).value)
    return Seen(run.family, run.before.arch, device.device_class, case.y + ln_ceiling)


def _plain_flop(run: ReportedRun) -> float:
    """6 N D with the weights a token uses; as reported where counts do not give them."""
    before = run.before
    if before.needs_flop:
        assert before.flop is not None
        return before.flop.value
    active = before.active_params or before.params
    assert active is not None and before.tokens is not None
    return 6 * active.value * before.tokens.value


def _dense_on(device_class: str) -> Callable[[Row], bool]:
    return lambda row: row.run.before.arch == "dense" and row.device_class == device_class


#: Groups of hours.
CLASSES: dict[str, Callable[[Row], bool]] = {
    "all": lambda row: True,
    "decoders": lambda row: row.run.before.arch in DECODERS,
    "dense on A100": _dense_on("ampere"),
    "dense on H100": _dense_on("hopper"),
    "mixtures of experts": lambda row: row.run.before.arch == "moe",
    "the rest": lambda row: row.run.before.arch not in DECODERS,
}


def _bought(run: ReportedRun) -> bool:
    """Whether purchases of clean electricity were taken off the published emissions."""
    emitted = run.reported.operational_kgco2e
    return emitted is not None and emitted.accounting == "market"


#: Groups of energy and of emissions.
SIZES: dict[str, dict[str, Callable[[Row], bool]]] = {
    "energy": {
        "true hours given": lambda row: bool(row.known),
        "blind, 1B parameters and more": lambda row: not row.known and row.large,
        "blind, smaller": lambda row: not row.known and not row.large,
    },
    "co2": {
        "blind, 1B parameters and more": lambda row: not row.known and row.large,
        "of these, location-based": (
            lambda row: not row.known and row.large and not _bought(row.run)
        ),
        "blind, smaller": lambda row: not row.known and not row.large,
        "grid and PUE given, 1B parameters and more": lambda row: bool(row.known) and row.large,
    },
}


def _scores(rows: Sequence[Row]) -> dict[str, dict[str, Score]]:
    """Scores by quantity and group; groups without a row are left out."""
    found: dict[str, dict[str, Score]] = {}
    for quantity, groups in ({"hours": CLASSES} | SIZES).items():
        own = [row for row in rows if row.quantity == quantity]
        chosen = {name: [row for row in own if test(row)] for name, test in groups.items()}
        found[quantity] = {name: score(group) for name, group in chosen.items() if group}
    return found


def score(rows: Sequence[Row]) -> Score:
    """Score a group of rows, families weighing one."""
    families = [row.run.family for row in rows]
    weights, count = scoring.family_weights(families), len(set(families))
    errors = np.array([row.ln_ratio for row in rows])
    pits = np.array([row.pit for row in rows])
    mean_z, sd_z = scoring.mean_and_sd(np.array([row.z for row in rows]), weights)

    def mean(values: Iterable[float]) -> float:
        return float(np.average(list(values), weights=weights))

    hits = []
    for nominal in NOMINAL:
        held = count * mean(row.inside(nominal) for row in rows)
        hits.append(Hits(nominal, held, *scoring.window(count, nominal)))
    logs = [(np.log(row.draws), math.log(row.reported)) for row in rows]
    ranges = [tuple(math.log(end) for end in row.range(0.8)) for row in rows]
    shared = [name for name in BASELINES if all(name in row.baselines for row in rows)]
    return Score(
        runs=len(rows),
        families=count,
        median_ratio=math.exp(scoring.weighted_median(errors, weights)),
        median_ratio_by_row=math.exp(float(np.median(errors))),
        factor=scoring.typical_factor(errors, weights),
        factor_by_row=scoring.typical_factor(errors, np.ones(len(rows))),
        within_1_5=mean(np.abs(errors) <= math.log(1.5)),
        within_2=mean(np.abs(errors) <= math.log(2)),
        hits=tuple(hits),
        pit=tuple(scoring.histogram(pits, weights)),
        mean_z=mean_z,
        sd_z=sd_z,
        crps=mean(scoring.crps(draws, outcome) for draws, outcome in logs),
        interval_score_80=mean(
            scoring.interval_score(low, high, outcome, 0.8)
            for (low, high), (_, outcome) in zip(ranges, logs, strict=True)
        ),
        half_width_80=math.exp(mean((high - low) / 2 for low, high in ranges)),
        baselines={name: _point(rows, name, weights) for name in shared},
    )


def _point(rows: Sequence[Row], name: str, weights: Array) -> Point:
    errors = np.array([math.log(row.baselines[name] / row.reported) for row in rows])
    return Point(
        math.exp(scoring.weighted_median(errors, weights)),
        scoring.typical_factor(errors, weights),
        scoring.typical_factor(errors, np.ones(len(rows))),
    )


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
        runs = [row.run for row in blind if row.large and asked <= _told(row.run)]
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


def _told(run: ReportedRun) -> set[str]:
    """What was reported of a run that a forecast could be given."""
    after = run.reported
    names = {"hours": after.device_hours, "mfu": after.mfu, "power": after.power_w}
    found = {name for name, figure in names.items() if figure is not None}
    grid = after.grid_gco2e_per_kwh is not None and after.pue is not None
    return found | ({GRID} if grid else set())
