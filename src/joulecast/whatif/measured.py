"""A forecast against its measurement: inside the range or not, and what would explain it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import numpy as np

from joulecast import uncertainty, units
from joulecast.answers.quantity import quantity_in
from joulecast.answers.verdict import Compared, Explanation, Told, Verdict
from joulecast.arrays import Array, Numbers
from joulecast.chain import Run
from joulecast.data.codecarbon import Measurement, one_run
from joulecast.data.library import Library
from joulecast.errors import InputError
from joulecast.estimation import drawn, footprint_of
from joulecast.outcome import follow
from joulecast.plan import Plan
from joulecast.resolve import resolve
from joulecast.terms import TERMS
from joulecast.uncertainty import Datum

#: Beyond this score an input is not looked for.
FARTHEST = 4.0

#: Halvings that bring a score to ten digits.
HALVINGS = 50


def compare_measured(
    plan: Plan, path: str | Path, *, run: str | None = None, library: Library | None = None
) -> Verdict:
    """Compare a plan's forecast with a run that CodeCarbon measured.

    Without a PUE in the file, its energy is that of the machines, and is compared with the IT
    energy of the forecast; with one, with that of the facility.

    Parameters
    ----------
    plan
        What was to be trained; one run.
    path
        CodeCarbon's ``emissions.csv``.
    run
        ``run_id`` of the row, where the file holds several.
    library
        The data to look things up in; the package's own where none is given.

    Raises
    ------
    JoulecastError
        For a file or plan that cannot be read, or where the forecast knows nothing measured.
    """
    library = library or Library.bundled()
    measurement = one_run(Path(path), run)
    settled = resolve(plan, library)
    ledger = settled.only
    if ledger.resolved["runs"] > 1:
        raise InputError("runs", ledger.resolved["runs"], "a measurement is of one run", ["1"])
    data, sampled = ledger.live, drawn([settled])[0].parts[0]
    footprint = footprint_of(settled)
    flags = {entry.name: entry.flag for entry in footprint.assumptions}
    results = [
        _compared(outcome, data, ledger.middle, sampled, flags)
        for outcome in _outcomes(measurement)
        if outcome.of in ledger.middle.known
    ]
    if not results:
        why = "the forecast knows no hours, energy or emissions to compare"
        raise InputError("plan", None, why, ["--tokens", "--device-count"])
    told = tuple(_told(measurement, data, flags))
    return Verdict(measurement, footprint, tuple(results), told)


class _Outcome(NamedTuple):
    """What was measured, the quantity of the chain it is, and the value in that one's unit."""

    name: str
    of: str
    value: float
    unit: str


def _outcomes(run: Measurement) -> Iterator[_Outcome]:
    """Results that a file tells."""
    hours = run.duration_s / (units.hour / units.second)
    yield _Outcome("duration", "wall_clock_days", hours / (units.day / units.hour), "days")
    if run.gpu_count:
        yield _Outcome("device-hours", "device_hours", hours * run.gpu_count, "h")
    if run.gpu_energy_kwh:
        yield _Outcome("energy of the devices", "device_energy_kwh", run.gpu_energy_kwh, "kWh")
    if run.facility:
        yield _Outcome("energy, with PUE", "energy_kwh", run.energy_kwh, "kWh")
        yield _Outcome("emissions, with PUE", "operational_kgco2e", run.emissions_kg, "kgCO2e")
    else:
        yield _Outcome("energy, without PUE", "it_energy_kwh", run.energy_kwh, "kWh")
        yield _Outcome("emissions, without PUE", "it_kgco2e", run.emissions_kg, "kgCO2e")


def _compared(
    outcome: _Outcome,
    data: Mapping[str, Datum],
    middle: Run,
    drawn: Run,
    flags: Mapping[str, str],
) -> Compared:
    size = _size(outcome.of)
    value = float(middle.known[outcome.of]) / size
    draws = np.broadcast_to(np.asarray(drawn.known[outcome.of]) / size, (uncertainty.DRAWS,))
    forecast = quantity_in(outcome.unit, value, draws)
    below = float(np.mean(draws < outcome.value))
    level = (below + float(np.mean(draws <= outcome.value))) / 2
    inputs = middle.behind(outcome.of) & set(data)
    found = [
        why
        for name in sorted(inputs)
        if (why := _explanation(data, name, outcome, size, flags)) is not None
    ]
    ordered = tuple(sorted(found, key=lambda why: abs(why.score)))
    return Compared(outcome.name, outcome.of, outcome.value, forecast, level, ordered)


def _size(name: str) -> float:
    """What takes a quantity of the chain to the unit it is shown in."""
    unit = TERMS[name].unit if name in TERMS else "kgCO2e"
    return units.factor(unit)


def _explanation(
    data: Mapping[str, Datum],
    name: str,
    outcome: _Outcome,
    size: float,
    flags: Mapping[str, str],
) -> Explanation | None:
    """The value of one input at which the nominal run is as measured."""
    datum = data[name]
    if datum.exact:
        return None
    middle: dict[str, Numbers] = uncertainty.nominal(data)

    def at(score: float) -> float:
        moved = uncertainty.pick(datum, np.array([score]))
        (run,) = follow([{**middle, name: moved}]).parts
        return float(np.asarray(run.known[outcome.of]).flat[0]) / size

    score = _score_at(at, outcome.value)
    if score is None:
        return None
    term = TERMS[name]
    needed = float(uncertainty.pick(datum, np.array([score]))[0]) / units.factor(term.unit)
    return Explanation(name, term.unit, datum.value, needed, score, flags.get(name, term.override))


def _score_at(at: Callable[[float], float], wanted: float) -> float | None:
    """Score up to FARTHEST at which a monotonic function has a value, by halving."""
    low, high = -FARTHEST, FARTHEST
    rising = at(high) >= at(low)
    least, most = sorted((at(low), at(high)))
    if not least <= wanted <= most or least == most:
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if (at(middle) < wanted) == rising:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _told(run: Measurement, data: Mapping[str, Datum], flags: Mapping[str, str]) -> Iterator[Told]:
    """Inputs of the forecast that the file tells by itself."""
    hours = run.duration_s / (units.hour / units.second)
    known: dict[str, float] = {}
    if run.gpu_energy_kwh and run.gpu_count and hours:
        known["device_power_w"] = run.gpu_energy_kwh * 1000 / (hours * run.gpu_count)
    if run.energy_kwh and run.emissions_kg:
        known["grid_gco2e_per_kwh"] = run.emissions_kg * 1000 / run.energy_kwh
    if run.facility:
        known["pue"] = run.pue
    if run.gpu_count:
        known["device_count"] = float(run.gpu_count)
    for name, value in known.items():
        if name in data and isfinite(value):
            datum, unit = data[name], TERMS[name].unit
            size = units.factor(unit)

            def at(score: float, datum: Datum = datum, size: float = size) -> float:
                picked: Array = uncertainty.pick(datum, np.array([score]))
                return float(picked[0]) / size

            score = None if datum.exact else _score_at(at, value)
            yield Told(name, unit, datum.value, value, score, flags.get(name, ""))
