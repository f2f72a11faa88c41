"""The verb `advise`: the changes open to a plan, ranked by the saving to expect of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import ceil

import numpy as np

from joulecast import uncertainty
from joulecast.advice import hardware, models, places, running
from joulecast.advice.opened import Candidate, NotOpenError, Opened, drawn
from joulecast.answers.advice import LIFETIME, Advice, Advised, Closed
from joulecast.answers.footprint import Citation, Footprint
from joulecast.answers.quantity import quantity_in, ratio_of
from joulecast.data.library import Library
from joulecast.errors import InputError, JoulecastError, UnknownNameError, brief, nearest
from joulecast.estimation import citation_of, footprint_of
from joulecast.plan import Plan
from joulecast.terms import RESULTS, TERMS
from joulecast.whatif import comparing

Finder = Callable[[Opened], list[Candidate]]

#: Kind of change -> what looks for it, in the order in which they are put together: what is
#: trained, on what, where, how well.
KINDS: dict[str, Finder] = {
    "size": models.sizes,
    "moe": models.mixtures,
    "device": hardware.devices,
    "precision": hardware.precisions,
    "place": places.places,
    "site": places.sites,
    "reserving": running.reserving,
    "goodput": running.goodput,
    "packing": running.packing,
    "tuning": running.tuning,
    "batch": running.batching,
}

#: Kinds of which one stands for the other: together they would change the same thing twice.
IN_PLACE_OF = (("size", "moe"), ("place", "site"), ("goodput", "tuning"))

#: What else of a place may be kept while the place itself may change.
PARTS_OF_A_PLACE = ("country", "provider")

#: A change that saves less often than this is not advised.
LIKELY = 0.5

#: Results of which less is not better.
NOT_TO_LOWER = ("utilisation", "offsets_kgco2e")

#: Results that people often want to lower.
OFTEN = ("total_kgco2e", "energy_kwh", "water_l")


def advise(
    plan: Plan,
    *,
    on: str | None = None,
    keep: str | Iterable[str] = (),
    only: str | Iterable[str] = (),
    library: Library | None = None,
) -> Advice:
    """Rank the changes open to a plan by what they are expected to save.

    Parameters
    ----------
    plan
        The run as it is planned, as for `estimate`.
    on
        The result to lower, such as ``energy_kwh``, or ``lifetime_kgco2e``: training and use
        together.  The latter where the plan says how much and how long it is used; else emissions
        where they are known.
    keep
        Kinds of change not to look for (size, moe, device, precision, place, site, reserving,
        goodput, packing, tuning, batch), and ``country`` or ``provider``; names, or text with
        commas.
    only
        Kinds to look for, and no others.
    library
        The data to look things up in; the package's own where none is given.

    Returns
    -------
    Advice: each change with its options, its saving with an 80 % prediction range, and the
    probability that it saves anything (docs/method/advice.md).

    Raises
    ------
    JoulecastError
        Where the plan cannot be forecast, or a name is not that of a kind or a result.

    >>> advice = advise(Plan(params=7e9, tokens=1e12, device="a100-sxm-80", region="us-va"))
    >>> advice.best.kind
    'place'
    """
    library = library or Library.bundled()
    kept, kinds = _asked(keep, only)
    now = Opened(plan, library, "total_kgco2e", kept)
    footprint = footprint_of(now.settled)
    now = Opened(plan, library, _on(on, now, footprint), kept)
    weigh = partial(_advised, now, footprint)
    helpful: list[Advised] = []
    useless: list[Advised] = []
    closed: list[Closed] = []
    for kind in kinds:
        found = _found(now, kind)
        if isinstance(found, Closed):
            closed.append(found)
            continue
        ranked = sorted(map(weigh, found), key=_rank)
        good = [change for change in ranked if _helps(change)]
        helpful += good
        useless += [] if good else ranked[:1]
    helpful.sort(key=_rank)
    draws = drawn([now])[0]
    together = _together(now, helpful, weigh)
    return Advice(
        on=now.on,
        now=footprint,
        outcome=quantity_in(TERMS[now.on].unit, now.value, draws),
        changes=tuple(helpful),
        together=together,
        would_not_help=tuple(useless),
        not_open=tuple(closed),
        citations=_citations([*helpful, *useless], library),
    )


def _asked(
    keep: str | Iterable[str], only: str | Iterable[str]
) -> tuple[frozenset[str], list[str]]:
    """What must stay, and the kinds of change to look for."""
    kept = _names("--keep", keep, (*KINDS, *PARTS_OF_A_PLACE))
    wanted = _names("--only", only, tuple(KINDS))
    both = next((name for name in wanted if name in kept), None)
    if both is not None:
        raise InputError("--only", both, "is to be kept as well", [f"--only {both}"])
    kinds = [kind for kind in KINDS if kind not in kept and (not wanted or kind in wanted)]
    if not kinds:
        raise InputError("--keep", ",".join(kept), "leaves nothing to change", ["keeping less"])
    return frozenset(kept), kinds


def _names(flag: str, said: str | Iterable[str], known: Sequence[str]) -> list[str]:
    """Names as they were said, each one of a few."""
    parts = [said] if isinstance(said, str) else list(said)
    names = [name.strip().casefold() for part in parts for name in str(part).split(",")]
    for name in names:
        if name not in known:
            why = "is not a kind of change"
            raise UnknownNameError(flag, name, why, nearest(name, known) or known)
    return list(dict.fromkeys(names))


def _on(on: str | None, now: Opened, footprint: Footprint) -> str:
    """The outcome to lower: the one asked for, or training and use, or the first that is known."""
    if on is None:
        return comparing.outcome_of([footprint]) if now.lifetime is None else LIFETIME
    if on == LIFETIME:
        if now.lifetime is None:
            why = "needs to know the use: how much, and for how long"
            raise InputError("--on", on, why, ["--use-tokens 1T/year --use-years 3"])
        return on
    if on not in RESULTS:
        names = (*RESULTS, LIFETIME)
        raise UnknownNameError("--on", on, "is not a result", nearest(on, names) or OFTEN)
    if on in NOT_TO_LOWER:
        raise InputError("--on", on, "is nothing to lower", OFTEN)
    comparing.known_of(footprint, on, "this plan")
    return on


def _found(now: Opened, kind: str) -> list[Candidate] | Closed:
    """Changes of a kind that change something, or why there are none."""
    try:
        found = KINDS[kind](now)
    except NotOpenError as closed:
        return Closed(kind, str(closed))
    moving, refused = [], None
    for candidate in found:
        try:
            if not np.array_equal(*drawn([now, now.after(candidate)])):
                moving.append(candidate)
        except JoulecastError as problem:
            refused = problem
    if moving:
        return moving
    if refused is not None:
        return Closed(kind, f"cannot be changed here: {refused.field}: {refused.why}")
    return Closed(kind, f"changes nothing of {now.on} here")


def _advised(now: Opened, before: Footprint, candidate: Candidate) -> Advised:
    """A change weighed: its outcome against the plan's, drawn in pairs."""
    then = now.after(candidate)
    draws = drawn([now, then])
    after = footprint_of(then.settled)
    codes = {notice.code for notice in before.warnings}
    saved = draws[0] - draws[1]
    return Advised(
        kind=candidate.kind,
        change=candidate.change,
        options=candidate.options,
        plan=then.plan,
        footprint=after,
        value=then.value,
        saving=quantity_in(TERMS[now.on].unit, now.value - then.value, saved),
        expected_saving=float(saved.mean()),
        ratio=ratio_of(now.value, then.value, draws),
        probability_lower=float(uncertainty.probability_lowest(draws)[1]),
        effects=_effects(then, before, after),
        detail="; ".join(filter(None, [candidate.detail, _replaced(now, candidate)])),
        caveat=candidate.caveat,
        sources=candidate.sources,
        extrapolated=candidate.extrapolated,
        warnings=tuple(n for n in after.warnings if n.code not in (*codes, "skewed")),
    )


def _replaced(now: Opened, candidate: Candidate) -> str:
    """What the change takes the place of: `--set` may say a quantity once."""
    names = [name for name in candidate.sets if name in now.plan.given]
    return f"in place of {', '.join(names)} as you gave it" if names else ""


def _rank(change: Advised) -> float:
    return -change.expected_saving


def _helps(change: Advised) -> bool:
    """Whether a change is expected to save, and more likely than not does."""
    return change.expected_saving > 0 and change.probability_lower >= LIKELY


def _together(
    now: Opened, helpful: Sequence[Advised], weigh: Callable[[Candidate], Advised]
) -> Advised | None:
    """The best of each kind as one plan, each looked for anew after those before it.

    Kinds follow one another as in KINDS; one that no longer helps after others is left out.  None
    where fewer than two are left, or where they save less than the best one alone.
    """
    kinds = [change.kind for change in helpful]
    best = list(dict.fromkeys(kinds))
    for pair in IN_PLACE_OF:
        if set(pair) <= set(best):
            best.remove(max(pair, key=best.index))
    taken: list[Candidate] = []
    at = now
    for kind in (kind for kind in KINDS if kind in best):
        found = _found(at, kind)
        if isinstance(found, Closed):
            continue
        ranked = [(_against(at, candidate), candidate) for candidate in found]
        (expected, likely), first = max(ranked, key=lambda pair: pair[0][0])
        if expected > 0 and likely >= LIKELY:
            taken.append(first)
            at = at.after(first)
    if len(taken) < 2:
        return None
    together = weigh(_merged(taken))
    return together if together.expected_saving > helpful[0].expected_saving else None


def _against(at: Opened, candidate: Candidate) -> tuple[float, float]:
    """Expected saving of a change, and the probability that it saves."""
    draws = drawn([at, at.after(candidate)])
    likely = float(uncertainty.probability_lowest(draws)[1])
    return float((draws[0] - draws[1]).mean()), likely


def _merged(taken: Sequence[Candidate]) -> Candidate:
    """Several changes as one; of two values of an option the later holds."""
    flags, sets, use = ({} for _ in range(3))  # type: dict[str, str], dict[str, str], dict[str, str]
    for candidate in taken:
        flags |= candidate.flags
        sets |= candidate.sets
        use |= candidate.use
    return Candidate(
        kind="together",
        change=" + ".join(candidate.kind for candidate in taken),
        flags=flags,
        sets=sets,
        use=use,
        sources=tuple(dict.fromkeys(key for one in taken for key in one.sources)),
        extrapolated=any(candidate.extrapolated for candidate in taken),
    )


def _effects(then: Opened, before: Footprint, after: Footprint) -> tuple[str, ...]:
    """What else a change moves: grid, PUE, time, the making of hardware."""
    said = []
    for name, word, unit in (("grid_gco2e_per_kwh", "grid", " g/kWh"), ("pue", "PUE", "")):
        one, two = (_entry(footprint, name) for footprint in (before, after))
        if one is not None and two is not None and one != two:
            said.append(f"{word} {_short(one)} to {_short(two)}{unit}")
    said.append(_time(before, after) + _in_as_many_days(then, before, after))
    one, two = (_nominal(footprint, "embodied_kgco2e") for footprint in (before, after))
    if one is not None and two is not None and abs(one - two) > 0.01 * one:
        share = abs(two / one - 1)
        amount = "> 99%" if 0.995 < share < 1 else f"{share:.0%}"
        said.append(f"making {'up' if two > one else 'down'} {amount}")
    return tuple(filter(None, said))


def _time(before: Footprint, after: Footprint) -> str:
    """What becomes of the days, or of the device-hours where the days are not known."""
    for name, word in (("wall_clock_days", "days"), ("device_hours", "device-hours")):
        one, two = (_nominal(footprint, name) for footprint in (before, after))
        if one is not None and two is not None:
            same = abs(one - two) <= 1e-9 * one
            return f"as many {word}" if same else f"{word} {_short(one)} to {_short(two)}"
    return ""


def _in_as_many_days(then: Opened, before: Footprint, after: Footprint) -> str:
    """How many of another device take as long, where so many can hold the model."""
    one, two = (_nominal(footprint, "device_hours") for footprint in (before, after))
    count, other = (footprint.plan["device_count"] for footprint in (before, after))
    same = before.plan["device"] == after.plan["device"]
    if same or count != other or not count or not one or not two:
        return ""
    needed = ceil(count * two / one)
    fewer = then.after(Candidate("device", "", {"device_count": str(needed)}))
    if any(notice.code == "memory_too_small" for notice in fewer.ledger.notices):
        return ""
    return f" (or {needed:,} devices in as many days)"


def _entry(footprint: Footprint, name: str) -> float | None:
    return next((entry.value for entry in footprint.assumptions if entry.name == name), None)


def _nominal(footprint: Footprint, name: str) -> float | None:
    quantity = footprint.quantities[name]
    return None if quantity is None else quantity.value


def _short(value: float) -> str:
    """Three significant figures as people read them."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 1000 else brief(rounded)


def _citations(changes: Iterable[Advised], library: Library) -> tuple[Citation, ...]:
    """What the caveats and targets rest on, our own judgement left out."""
    keys = dict.fromkeys(key for change in changes for key in change.sources)
    found = (citation_of(key, library) for key in keys)
    return tuple(citation for citation in found if citation is not None)
