"""The verb `estimate`: plan in, footprint out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import log

import numpy as np

from joulecast import uncertainty, units
from joulecast.answers.footprint import (
    Assumption,
    Citation,
    CrossCheck,
    Driver,
    Footprint,
    UsePhase,
)
from joulecast.answers.quantity import Quantity
from joulecast.arrays import Array, Numbers
from joulecast.by_hand import strip_of
from joulecast.chain import Run, chain
from joulecast.data.library import Library
from joulecast.errors import brief
from joulecast.notices import Notice
from joulecast.plan import Plan
from joulecast.references import sources_of
from joulecast.resolve import Ledger, resolve
from joulecast.terms import EMBODIED_PARTS, PARTS, PROJECT_PARTS, RESULTS, TERMS
from joulecast.uncertainty import Datum
from joulecast.use.serving import RESULTS as USE_RESULTS
from joulecast.use.serving import Served, Training, serve

#: Stages that may be given and implied at once.
CHECKED = (
    "training_flop",
    "executed_flop",
    "mfu",
    "device_hours",
    "wall_clock_days",
    "device_energy_kwh",
    "host_energy_kwh",
    "it_energy_kwh",
    "energy_kwh",
    "operational_kgco2e",
    "embodied_kgco2e",
    "total_kgco2e",
)

#: Results that do not grow with the number of runs: data are kept and moved for all of them.
INTENSIVE = (
    "utilisation",
    "eu_training_compute_flop",
    "storage_energy_kwh",
    "storage_kgco2e",
    "transfer_energy_kwh",
    "transfer_kgco2e",
)

SKEW = 0.05

#: Training compute above which duties begin in the EU -> code and what follows, strongest first.
#: As we read Regulation (EU) 2024/1689, articles 51(2) and 52(1), and the Commission's guidelines
#: of 18 July 2025; no legal advice.
EU_THRESHOLDS = {
    1e25: (
        "eu_systemic_risk",
        "the EU AI Act then presumes high-impact capabilities, so systemic risk (art. 51(2)), to "
        "be notified within two weeks of knowing it (art. 52(1))",
    ),
    1e23: (
        "eu_general_purpose",
        "the Commission's guidelines then take a model that generates language, images or video "
        "for general-purpose AI",
    ),
}


def estimate(plan: Plan, library: Library | None = None) -> Footprint:
    """Forecast the footprint of a plan.

    Parameters
    ----------
    plan
        What is to be trained, on what, where, and what is known already.
    library
        The data to look things up in; the package's own where none is given.

    Returns
    -------
    Footprint with every quantity that can be known, its 80 % prediction range, and all that was
    assumed.

    Raises
    ------
    JoulecastError
        Where the plan contradicts itself, names something unknown or says too little.

    >>> plan = Plan(params=175e9, tokens=300e9, device="a100-sxm-80", region="fr", year=2024)
    >>> fp = estimate(plan)
    >>> fp.training_flop.value
    3.15e+23
    """
    library = library or Library.bundled()
    if plan.fleet:
        from joulecast import fleets

        return fleets.estimate(plan, library)
    return footprint_of(resolve(plan, library), library)


def footprint_of(ledger: Ledger, library: Library) -> Footprint:
    """Run the chain on a settled ledger: nominal, sampled, and one input at a time."""
    data = ledger.ordered()
    runs = ledger.resolved["runs"]
    middle = ledger.middle
    live = live_data(ledger)
    drawn = chain(uncertainty.sample(live))
    quantities = quantities_of(middle, drawn, runs)
    checks, checked_with = _cross_checks(data)
    shown = {name: datum for name, datum in data.items() if name in live or name in checked_with}
    served = serve(ledger, library, Training(middle.known, drawn.known))
    return Footprint(
        asked=ledger.plan,
        plan=ledger.resolved,
        quantities=quantities,
        assumptions=tuple(assumption_of(datum, library) for datum in shown.values()),
        cross_checks=checks,
        drivers=_drivers(live, middle),
        warnings=(
            *ledger.notices,
            *(served.notices if served else ()),
            *_unused(data, shown),
            *afterthoughts(quantities, checks),
        ),
        by_hand=strip_of(middle, runs),
        citations=citations_of(
            {**shown, **(served.data if served else {})},
            [*formulas_of(middle), *(formulas_of(served.middle, OF_USE) if served else ())],
            library,
        ),
        data_digest=library.digest,
        use_phase=None if served is None else use_phase_of(served, library),
        inputs=(live,),
    )


def use_phase_of(served: Served, library: Library) -> UsePhase:
    """The use as the answer shows it, with its own assumptions and drivers."""
    outcome, moved, draws = served.one_at_a_time()
    return UsePhase(
        plan=served.plan,
        results=served.results(),
        parts=served.parts(),
        by_size=served.by_size(),
        assumptions=tuple(assumption_of(datum, library) for datum in served.data.values()),
        driven=outcome,
        drivers=_shares(moved, draws),
    )


def live_data(ledger: Ledger) -> dict[str, Datum]:
    """The data that the answer rests on.

    A given result is its own input: nothing was computed from it, yet it is part of the answer.
    """
    used = ledger.middle.used
    return {
        name: datum
        for name, datum in ledger.ordered().items()
        if name in used or (datum.given and _is_result(name))
    }


def _is_result(name: str) -> bool:
    return name in RESULTS or name in PARTS.values()


def quantities_of(middle: Run, drawn: Run, runs: int = 1) -> dict[str, Quantity | None]:
    """Nominal value and levels of every result, over so many runs of the plan."""
    names = quantity_names()
    levels: dict[str, tuple[float, ...]] = {}
    spread = [name for name in names if np.ndim(drawn.known.get(source_of(name), 0.0))]
    if spread:
        table = uncertainty.quantiles(np.stack([drawn.known[source_of(name)] for name in spread]))
        levels |= dict(zip(spread, map(tuple, table), strict=True))
    quantities: dict[str, Quantity | None] = {}
    for name in names:
        if source_of(name) not in middle.known:
            quantities[name] = None
            continue
        unit = TERMS[name].unit
        size = size_of(name, runs)
        value = float(middle.known[source_of(name)])
        points = levels[name] if name in spread else (value,) * len(uncertainty.LEVELS)
        p5, p10, p50, p90, p95 = (float(point) / size for point in points)
        quantities[name] = Quantity(value / size, p5, p10, p50, p90, p95, unit)
    return quantities


def quantity_names() -> list[str]:
    """Results and the parts of them, each once."""
    tables = (PARTS, EMBODIED_PARTS, PROJECT_PARTS)
    return list(dict.fromkeys([*RESULTS, *(name for those in tables for name in those.values())]))


def size_of(name: str, runs: int) -> float:
    """What to divide a quantity of the chain by: the unit of the result, over so many runs."""
    return units.factor(TERMS[name].unit) / (1 if name in INTENSIVE else runs)


def source_of(name: str) -> str:
    """Result -> quantity of the chain: the utilisation shown is the one the run comes to."""
    return "achieved_utilisation" if name == "utilisation" else name


def _drivers(live: Mapping[str, Datum], middle: Run) -> tuple[Driver, ...]:
    """Shares of the variance of ln(total), or of ln(energy) without a grid; largest first."""
    outcome = "total_kgco2e" if "total_kgco2e" in middle.known else "energy_kwh"
    behind = middle.behind(outcome) | {outcome}
    moved, numbers = uncertainty.one_at_a_time({n: live[n] for n in live if n in behind})
    draws = np.asarray(chain(numbers).known.get(outcome, 0.0))
    return _shares(moved, draws)


def _shares(moved: Sequence[str], draws: Array) -> tuple[Driver, ...]:
    """Shares of the variance of ln(outcome) with one input moved per row; largest first."""
    if not moved or draws.ndim == 0 or np.any(draws <= 0):
        return ()
    shares = uncertainty.shares_of_variance(draws)
    found = [Driver(name, float(share)) for name, share in zip(moved, shares, strict=True)]
    return tuple(sorted(found, key=lambda driver: -driver.share))


def _cross_checks(data: Mapping[str, Datum]) -> tuple[tuple[CrossCheck, ...], set[str]]:
    """Given stages that the other inputs imply as well, and the inputs that do so."""
    checks, used = [], set()
    numbers = uncertainty.nominal(data)
    for name in CHECKED:
        if name not in data or not data[name].given:
            continue
        run = chain({key: value for key, value in numbers.items() if key != name})
        if name in run.known:
            size = units.factor(TERMS[name].unit)
            implied = float(run.known[name]) / size
            if implied > 0:
                checks.append(CrossCheck(name, data[name].value, implied, TERMS[name].unit))
                used |= run.behind(name)
    return tuple(checks), used


#: Given for what they tell of the model even where the arithmetic starts after them.
TELLING = ("params", "active_params", "trainable_params", "tokens", "device_count")


def _unused(data: Mapping[str, Datum], shown: Mapping[str, Datum]) -> list[Notice]:
    """Given quantities that changed nothing: people should know that they did not."""
    return [
        Notice("given_unused", f"{name} was given, but nothing in the answer rests on it")
        for name, datum in data.items()
        if datum.given and name not in shown and name not in TELLING
    ]


def afterthoughts(
    quantities: Mapping[str, Quantity | None], checks: tuple[CrossCheck, ...]
) -> list[Notice]:
    """What can only be said of the outcome."""
    notices = []
    total = quantities["total_kgco2e"]
    if total and total.value > 0 and total.p50 > 0 and abs(log(total.value / total.p50)) > SKEW:
        notices.append(
            Notice(
                "skewed",
                f"the nominal value is {total.value / total.p50:.2f} times the median of the "
                "draws, because an input's range is lopsided: quote the value with its range",
            )
        )
    if quantities["operational_kgco2e"] and quantities["embodied_kgco2e"] is None:
        notices.append(
            Notice(
                "embodied_unknown",
                "device-hours or hardware not given: the making of hardware is left out",
            )
        )
    notices += _eu_duties(quantities["eu_training_compute_flop"])
    notices += [
        Notice(
            "cross_check",
            f"{check.name} given is {check.ratio:.2g} times what the other inputs imply",
        )
        for check in checks
        if not 0.5 <= check.ratio <= 2
    ]
    return notices


def _eu_duties(compute: Quantity | None) -> list[Notice]:
    """The highest threshold that the run's compute passes or, by its range, may pass."""
    if compute is None:
        return []
    for threshold, (code, meaning) in EU_THRESHOLDS.items():
        if max(compute.value, compute.p90) > threshold:
            passes = "passes" if compute.value > threshold else "may pass"
            message = (
                f"training compute of {brief(float(f'{compute.value:.2g}'))} FLOP {passes} "
                f"{brief(threshold)}: {meaning}; all stages of its training count together, for "
                "models placed on the EU market"
            )
            return [Notice(code, message)]
    return []


def assumption_of(datum: Datum, library: Library) -> Assumption:
    """A datum as the answer shows it."""
    term = TERMS[datum.name]
    return Assumption(
        name=datum.name,
        unknown=datum.unknown,
        value=datum.value,
        low=datum.low,
        high=datum.high,
        unit=term.unit,
        basis=datum.basis,
        source=datum.source or "given",
        read="primary" if datum.given else library.read_of(datum.source),
        given=datum.given,
        flag=term.override,
        note=datum.note,
        meaning=term.meaning,
    )


def citations_of(
    shown: Mapping[str, Datum], formulas: Iterable[Callable[..., Numbers]], library: Library
) -> tuple[Citation, ...]:
    """Sources of the numbers, then those of the formulas behind what the answer shows.

    In the order of the chain; our own judgement is not a source to cite.
    """
    numbers = dict.fromkeys(datum.source for datum in shown.values() if datum.source)
    found = [citation_of(key, library) for key in numbers]
    found += [
        citation_of(key, library, of_formula=True)
        for key in sources_of(formulas)
        if key not in numbers
    ]
    return tuple(citation for citation in found if citation is not None)


#: Results that an answer shows; what is made beside them, as recomputation is, needs no source.
SHOWN = (
    "training_flop",
    "device_hours",
    "wall_clock_days",
    "energy_kwh",
    "total_kgco2e",
    "project_kgco2e",
    "storage_kgco2e",
    "transfer_kgco2e",
    "water_l",
)


#: The same of the use of a model.
OF_USE = tuple(source for source, _ in USE_RESULTS.values())


def formulas_of(run: Run, shown: Sequence[str] = SHOWN) -> list[Callable[..., Numbers]]:
    """Formulas behind what the answer shows, in the order of the chain."""
    wanted = {name for result in shown for name in (result, *run.behind(result))}
    return [formula for result, formula in run.made_by.items() if result in wanted]


def citation_of(key: str, library: Library, of_formula: bool = False) -> Citation | None:
    """A source, short enough to print; None where it is our own judgement."""
    source = library.source(key)
    if source.kind == "judgement":
        return None
    where = f"doi:{source.doi}" if source.doi else source.url or source.publisher
    text = f"{source.short_authors} ({source.year}), {source.title}. {where}"
    return Citation(key, text, source.read, source, of_formula)
