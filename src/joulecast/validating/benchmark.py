"""Published runs forecast again from what was known before each, and scored.

A forecast may use size, data, architecture, device, count, sequence length, precision, place and
year of its run; never the run's utilisation, hours, power, PUE or grid.  The default utilisation
comes from a fit that never saw the run's family, unless the shipped one is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from joulecast import units
from joulecast._version import __version__
from joulecast.arrays import Array
from joulecast.data.library import Library
from joulecast.estimation import drawn
from joulecast.footprint import SCHEMA_VERSION
from joulecast.plan import Plan
from joulecast.resolve import resolve
from joulecast.resolve.utilisation import DECODERS, ceiling_of
from joulecast.terms import TERMS
from joulecast.uncertainty import quantiles
from joulecast.validating import scoring
from joulecast.validating.accounting import Account, accounts
from joulecast.validating.baselines import (
    NAIVE_PUE,
    NAIVE_UTILISATION,
    Seen,
    class_median,
    pooled_constant,
)
from joulecast.validating.calibration import calibrate, case_of, flop_of, hours_runs
from joulecast.validating.gates import Gate, gates_of

if TYPE_CHECKING:
    from joulecast.validating.runs import ReportedRun

#: Shares of outcomes that the central ranges are meant to hold.
NOMINAL = (0.5, 0.8, 0.9)

#: Parameters from which a run counts as large where energy and emissions are scored.
LARGE = 1e9

#: Grid intensity and PUE as published with the run, where they are given.
GRID = "grid and PUE"

BASELINES = ("naive", "pooled_constant", "class_medians")

#: What of a run is compared -> the quantity of the chain.
QUANTITIES = {"hours": "device_hours", "energy": "it_energy_kwh", "co2": "operational_kgco2e"}


@dataclass(frozen=True)
class Row:
    """One published figure of a run beside its forecast, both in `unit`.

    `known` says what of the run was given besides the allowed inputs; `baselines` are point
    forecasts of the same figure.
    """

    run: ReportedRun
    quantity: str
    known: tuple[str, ...]
    device_class: str
    unit: str
    predicted: float
    draws: Array
    reported: float
    baselines: Mapping[str, float]

    @property
    def ln_ratio(self) -> float:
        """ln(predicted / reported)."""
        return math.log(self.predicted / self.reported)

    @cached_property
    def pit(self) -> float:
        """Share of the draws below the reported figure."""
        return scoring.pit(self.draws, self.reported)

    @property
    def z(self) -> float:
        """Normal score of the PIT value."""
        return NormalDist().inv_cdf(self.pit)

    def range(self, nominal: float) -> tuple[float, float]:
        """Ends of the central range meant to hold a share of outcomes."""
        low, high = quantiles(self.draws, ((1 - nominal) / 2, (1 + nominal) / 2))
        return float(low), float(high)

    def inside(self, nominal: float) -> bool:
        """Whether the reported figure lies in that range."""
        low, high = self.range(nominal)
        return low <= self.reported <= high

    @property
    def large(self) -> bool:
        """Whether the model has a billion parameters or more."""
        params = self.run.before.params
        return params is not None and params.value >= LARGE

    def to_dict(self) -> dict[str, Any]:
        """Keys as in the JSON contract."""
        (low, high), before = self.range(0.8), self.run.before
        return {
            "run": self.run.id,
            "family": self.run.family,
            "quantity": self.quantity,
            "known": list(self.known),
            "arch": before.arch,
            "device": before.device,
            "device_class": self.device_class,
            "unit": self.unit,
            "predicted": self.predicted,
            "p10": low,
            "p90": high,
            "reported": self.reported,
            "ratio": self.predicted / self.reported,
            "inside_50": self.inside(0.5),
            "inside_80": self.inside(0.8),
            "inside_90": self.inside(0.9),
            "pit": self.pit,
            "baselines": {name: self.baselines.get(name) for name in BASELINES},
        }

    def flat(self) -> dict[str, Any]:
        """The same in one row of a table."""
        entries = self.to_dict()
        simpler: dict[str, Any] = entries.pop("baselines")
        return entries | {"known": " ".join(self.known)} | simpler


@dataclass(frozen=True)
class Hits:
    """Ranges that held, families weighing one, and how many to expect of honest ones."""

    nominal: float
    hits: float
    low: int
    high: int

    @property
    def within(self) -> bool:
        """Whether they are as many as honest ranges would hold."""
        return self.low <= self.hits <= self.high


@dataclass(frozen=True)
class Point:
    """How good a point forecast was: medians of predicted over reported, typical factors."""

    median_ratio: float
    factor: float
    factor_by_row: float


@dataclass(frozen=True)
class Score:
    """How good forecasts of a group of rows were; families weigh one unless it says by row."""

    runs: int
    families: int
    median_ratio: float
    median_ratio_by_row: float
    factor: float
    factor_by_row: float
    within_1_5: float
    within_2: float
    hits: tuple[Hits, ...]
    pit: tuple[float, ...]
    mean_z: float
    sd_z: float
    crps: float
    interval_score_80: float
    half_width_80: float
    baselines: Mapping[str, Point]

    @property
    def ln_median(self) -> float:
        """Ln of the median ratio, families weighing one."""
        return math.log(self.median_ratio)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers by name; null where there is too little to say."""
        made: dict[str, Any] = {**vars(self), "pit": list(self.pit)}
        made["sd_z"] = None if math.isnan(self.sd_z) else self.sd_z
        made["hits"] = [vars(hits) for hits in self.hits]
        points = {name: self.baselines.get(name) for name in BASELINES}
        made["baselines"] = {name: point and vars(point) for name, point in points.items()}
        return made


class Gain(NamedTuple):
    """Forecasts of the same runs with and without something known of them."""

    quantity: str
    known: str
    runs: int
    families: int
    factor: float
    half_width_80: float
    naive_factor: float

    def to_dict(self) -> dict[str, Any]:
        """Its fields by name."""
        return self._asdict()


@dataclass(frozen=True)
class Validation:
    """Rows, their summary by quantity and group, and the gates that the numbers must pass."""

    rows: tuple[Row, ...]
    scores: Mapping[str, Mapping[str, Score]]
    gains: tuple[Gain, ...]
    accounting: tuple[Account, ...]
    gates: tuple[Gate, ...]
    shipped: bool
    data_digest: str

    @property
    def ok(self) -> bool:
        """Whether every gate passes, or fails no worse than declared."""
        return all(gate.ok for gate in self.gates)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the contract: rows, summary, gates."""
        summary: dict[str, Any] = {
            quantity: {name: score.to_dict() for name, score in groups.items()}
            for quantity, groups in self.scores.items()
        }
        summary["knowing_more"] = [gain.to_dict() for gain in self.gains]
        summary["accounting"] = [account.to_dict() for account in self.accounting]
        whole = {
            "schema_version": SCHEMA_VERSION,
            "fit": "shipped" if self.shipped else "family left out",
            "rows": [row.to_dict() for row in self.rows],
            "summary": summary,
            "gates": [gate.to_dict() for gate in self.gates],
            "provenance": {"joulecast": __version__, "data": self.data_digest},
        }
        return {key: _ten(content) for key, content in whole.items()}

    def rows_flat(self) -> list[dict[str, Any]]:
        """The rows as those of a table: no lists, no objects inside."""
        return [_ten(row.flat()) for row in self.rows]


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


def _ten(content: Any) -> Any:
    """The same with ten significant figures in every number, alike on every machine."""
    if isinstance(content, float):
        return float(f"{content:.10g}")
    if isinstance(content, Mapping):
        return {key: _ten(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_ten(value) for value in content]
    return content


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

    def row(self, run: ReportedRun, quantity: str, known: tuple[str, ...] = ()) -> Row:
        """Forecast one figure of a run with some of what was reported of it given."""
        library, share = self.fit(run.family)
        given = {**_boundary(run, quantity), **_given(run, known)}
        settled = resolve(Plan(**inputs(run, "hours" not in known), given=given), library)
        ledger, sampled = settled.only, drawn([settled])[0].parts[0]
        name = QUANTITIES[quantity]
        size = units.factor(TERMS[name].unit)
        draws = np.broadcast_to(np.asarray(sampled.known[name]) / size, (4096,))
        middle = {key: float(value) for key, value in ledger.middle.known.items()}
        predicted = middle[name] / size
        device = library.device(ledger.resolved["device"]).device
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
KNOWING: dict[str, tuple[tuple[str, ...], ...]] = {
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
