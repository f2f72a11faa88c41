"""The verb `estimate`: plan in, footprint out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from joulecast import together, uncertainty, units
from joulecast.answers.footprint import (
    USE_RESULTS,
    Assumption,
    Citation,
    CrossCheck,
    Driver,
    FleetPart,
    Footprint,
    UsePhase,
)
from joulecast.answers.quantity import Quantity
from joulecast.arrays import Array, Numbers
from joulecast.by_hand import strip_of
from joulecast.chain import Run
from joulecast.data.library import Library
from joulecast.errors import brief
from joulecast.notices import Notice
from joulecast.outcome import Outcome, follow, result_names, size_of
from joulecast.plan import Plan
from joulecast.references import sources_of
from joulecast.resolve import Part, Settled, resolve
from joulecast.resolve.use import UseLedger
from joulecast.terms import STAGES, TERMS, Term
from joulecast.uncertainty import Datum
from joulecast.use import phase

if TYPE_CHECKING:
    from joulecast.answers.count import ModelCount

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


def estimate(plan: Plan | ModelCount, library: Library | None = None, **said: Any) -> Footprint:
    """Forecast the footprint of a plan.

    Parameters
    ----------
    plan
        What is to be trained, on what, where, and what is known already; or a counted model, of
        which `said` are the other fields of the plan.
    library
        The data to look things up in; the package's own where none is given.
    **said
        Fields of a plan, beside a counted model: ``estimate(count, samples=50_000)``.

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
    if not isinstance(plan, Plan):
        plan = Plan(model=plan, **said)
    elif said:
        plan = plan.replace(**said)
    return footprint_of(resolve(plan, library or Library.bundled()))


def drawn(options: Sequence[Settled], use: bool = False) -> list[Outcome]:
    """The outcomes of several settled plans, draw by draw from the same causes.

    With `use` that of their use too, which changes the draws of none.
    """
    served = [option.use if use else None for option in options]
    numbers = iter(
        uncertainty.paired(
            [live for option in options for live in option.lives],
            [ledger.data for ledger in served if ledger is not None],
        )
    )
    found = [follow([next(numbers) for _ in option.parts], option.runs) for option in options]
    return [
        outcome if ledger is None else outcome.used(next(numbers))
        for outcome, ledger in zip(found, served, strict=True)
    ]


def footprint_of(settled: Settled) -> Footprint:
    """Run the chain on a settled plan: nominal, sampled, and one input at a time."""
    ledgers, lives, library, use = settled.ledgers, settled.lives, settled.library, settled.use
    middle, (sampled,) = settled.middle, drawn([settled], use=True)
    quantities = quantities_of(middle, sampled)
    formulas = dict.fromkeys(formula for run in middle.parts for formula in formulas_of(run))
    cited = [datum for live in lives for datum in live.values()]
    checks: tuple[CrossCheck, ...] = ()
    unused: list[Notice] = []
    parts = tuple(
        _part(part, Outcome([run], settled.runs), Outcome([sample], settled.runs), library)
        for part, run, sample in zip(settled.parts, middle.parts, sampled.parts, strict=True)
        if part.said is not None
    )
    if len(ledgers) == 1:
        data = ledgers[0].ordered()
        checks, checked_with = _cross_checks(data)
        shown = {name: data[name] for name in data if name in lives[0] or name in checked_with}
        cited = list(shown.values())
        assumptions = tuple(assumption_of(datum, library) for datum in cited)
        unused = _unused(data, shown)
        by_hand = strip_of(middle.parts[0], settled.runs, ledgers[0].factors)
    else:
        assumptions = tuple(
            assumption_of(datum, library)._replace(whose=whose)
            for datum, whose in together.assumed(ledgers)
        )
        by_hand = together.by_hand(parts)
    if use is not None:
        middle = middle.used(uncertainty.nominal(use.data))
        assert middle.use is not None
        formulas |= dict.fromkeys(formulas_of(middle.use, OF_USE))
        cited += use.own.values()
    return Footprint(
        asked=settled.plan,
        plan=together.common(ledgers),
        quantities=quantities,
        assumptions=assumptions,
        cross_checks=checks,
        drivers=_drivers(settled),
        warnings=(
            *settled.notices,
            *(use.notices if use else ()),
            *unused,
            *afterthoughts(quantities, checks),
        ),
        by_hand=by_hand,
        citations=citations_of(cited, formulas, library),
        data_digest=library.digest,
        use_phase=None if use is None else _use_phase(use, middle, sampled, library),
        fleet=parts,
        inputs=tuple(lives),
    )


def _part(part: Part, middle: Outcome, sampled: Outcome, library: Library) -> FleetPart:
    """What an entry of a fleet did, and what it comes to."""
    assert part.said is not None
    plan = part.ledger.resolved
    assert plan["device"] is not None and plan["device_name"] is not None  # an entry has one
    return FleetPart(
        plan["device"],
        plan["device_name"],
        plan["device_count"],
        part.share,
        part.said.hours,
        plan["region"],
        plan["region_name"],
        quantities_of(middle, sampled),
        plan,
        tuple(assumption_of(datum, library) for datum in part.ledger.live.values()),
    )


def _use_phase(ledger: UseLedger, middle: Outcome, sampled: Outcome, library: Library) -> UsePhase:
    """The use as the answer shows it, with its own assumptions and drivers."""
    assert middle.use is not None and sampled.use is not None
    outcome, moved, draws = phase.one_at_a_time(ledger, middle.use)
    return UsePhase(
        plan=ledger.plan,
        results=phase.results_of(middle.use, sampled.use),
        parts=phase.parts_of(middle.use, sampled.use),
        by_size=phase.by_size(ledger, middle.use),
        assumptions=tuple(assumption_of(datum, library) for datum in ledger.own.values()),
        driven=outcome,
        drivers=_shares(moved, draws),
    )


def quantities_of(middle: Outcome, sampled: Outcome) -> dict[str, Quantity | None]:
    """Nominal value and levels of every result."""
    names = result_names()
    draws = {name: np.asarray(sampled.base(name)) for name in names}
    spread = [name for name in names if draws[name].ndim]
    levels: dict[str, tuple[float, ...]] = {}
    if spread:
        table = uncertainty.quantiles([draws[name] for name in spread])
        levels = dict(zip(spread, map(tuple, table), strict=True))
    quantities: dict[str, Quantity | None] = dict.fromkeys(names)
    for name in names:
        nominal = middle.base(name)
        if nominal is not None:
            value, size = float(nominal), size_of(name, middle.runs)
            points = levels.get(name, (value,) * len(uncertainty.LEVELS))
            p5, p10, p50, p90, p95 = (float(point) / size for point in points)
            quantities[name] = Quantity(value / size, p5, p10, p50, p90, p95, TERMS[name].unit)
    return quantities


def _drivers(settled: Settled) -> tuple[Driver, ...]:
    """Shares of the variance of ln(total), or of ln(energy) without a grid; largest first.

    An unknown moves in all parts at once.
    """
    known = settled.middle.base("total_kgco2e") is not None
    outcome = "total_kgco2e" if known else "energy_kwh"
    if settled.middle.base(outcome) is None:
        return ()
    labels = uncertainty.labels_of(uncertainty.causes_of(settled.lives))
    causes, numbers = uncertainty.one_at_a_time(
        [
            {name: datum for name, datum in live.items() if name in names}
            for live, names in zip(settled.lives, settled.middle.behind(outcome), strict=True)
        ]
    )
    draws = np.asarray(follow(numbers).base(outcome))
    return _shares([labels[cause] for cause in causes], draws)


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
    for name in STAGES:
        if name not in data or not data[name].given:
            continue
        (run,) = follow([{key: x for key, x in numbers.items() if key != name}]).parts
        if name in run.known:
            size = units.factor(TERMS[name].unit)
            implied = float(run.known[name]) / size
            if implied > 0:
                checks.append(CrossCheck(name, data[name].value, implied, TERMS[name].unit))
                used |= run.behind(name)
    return tuple(checks), used


#: Given for what they tell of the model even where the arithmetic starts after them.
TELLING = ("params", "active_params", "trainable_params", "tokens", "device_count")

#: The same where a pass is told: its overhead and its tokens are settled from these.
OF_A_PASS = ("layers", "global_batch_tokens")


def _unused(data: Mapping[str, Datum], shown: Mapping[str, Datum]) -> list[Notice]:
    """Given quantities that changed nothing: people should know that they did not."""
    told = (*TELLING, *OF_A_PASS) if "pass_overhead_s" in shown else TELLING
    return [
        Notice("given_unused", f"{name} was given, but nothing in the answer rests on it")
        for name, datum in data.items()
        if datum.given and name not in shown and name not in told
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
    """A datum as the answer shows it; a constant that is no quantity of the chain has no unit."""
    term = TERMS.get(datum.name) or Term(datum.name, "", "linear", "", flag="--specs")
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
    shown: Iterable[Datum], formulas: Iterable[Callable[..., Numbers]], library: Library
) -> tuple[Citation, ...]:
    """Sources of the numbers, then those of the formulas behind what the answer shows.

    In the order of the chain; our own judgement is not a source to cite.
    """
    numbers = dict.fromkeys(datum.source for datum in shown if datum.source)
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
