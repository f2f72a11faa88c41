"""The verb `compare`: several plans side by side, drawn from the same causes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from joulecast import uncertainty
from joulecast.answers.comparison import Change, Comparison, Option, shown
from joulecast.answers.footprint import Footprint
from joulecast.answers.quantity import Quantity, quantity_in, ratio_of
from joulecast.arrays import Array
from joulecast.data.library import Library
from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest
from joulecast.estimation import drawn, footprint_of
from joulecast.notices import Notice
from joulecast.plan import FIELDS_OF_QUANTITIES, FleetEntry, Plan, varied
from joulecast.resolve import Settled, resolve
from joulecast.resolve.hardware import never_measured
from joulecast.terms import RESULTS, TERMS
from joulecast.whatif import axes, scenarios

#: More than anybody reads, and every pair of them is drawn together.
MOST_OPTIONS = 500

#: What is compared where nobody says: the first of these that every option has.
OUTCOMES = ("total_kgco2e", "energy_kwh", "device_hours", "training_flop")

#: Stages that the ratio of two options is split by -> what each adds to the one before.
STAGES_OF_RATIOS = (
    ("training_flop", "work"),
    ("device_hours", "hours"),
    ("it_energy_kwh", "power"),
    ("energy_kwh", "pue"),
    ("operational_kgco2e", "grid"),
    ("total_kgco2e", "making"),
)

#: Fields whose value says by itself what it is.
PLAIN_FIELDS = ("model", "arch", "device", "region", "provider", "precision", "grid_basis", "fleet")


def compare(
    plans: Plan | Iterable[Plan],
    vary: Mapping[str, Any] | None = None,
    *,
    on: str | None = None,
    names: Sequence[str] | None = None,
    library: Library | None = None,
) -> Comparison:
    """Compare plans, or variants of a plan, by one outcome.

    Unknowns that options have in common are drawn once for all of them, so that a ratio holds only
    what differs (docs/method/comparisons.md).

    Parameters
    ----------
    plans
        A plan or several; the first is the one others are compared to.
    vary
        Name of a field of the plan or of a quantity -> its values: a list, an array, or text as
        on the command line (``"fr,pl"``, ``"log:1B:100B:3"``, ``"all"``, ``"@file"``); every
        combination is an option.
    on
        The result to compare, such as ``energy_kwh``; emissions where they are known.
    names
        What to call the plans; made from what differs where none are given.
    library
        The data to look things up in; the package's own where none is given.

    Raises
    ------
    JoulecastError
        With fewer than two options, with over 500, or where an option cannot be forecast.
    """
    library = library or Library.bundled()
    listed = [plans] if isinstance(plans, Plan) else list(plans)
    choices, left_out = _choices(listed, vary, library)
    if on is not None and on not in RESULTS:
        raise UnknownNameError("--on", on, "is not a result", nearest(on, RESULTS) or RESULTS[:3])
    groups = [[varied(plan, choice) for choice in choices] for plan in listed]
    options = [option for group in groups for option in group]
    differs = _differences(options)
    labels = _labels(groups, names)
    whose = [name for name in names or [""] * len(groups) for _ in choices]
    settled, footprints = [], []
    for plan, name in zip(options, whose, strict=True):
        with _named(name):
            settled.append(resolve(plan, library))
            footprints.append(footprint_of(settled[-1]))
    on = on or outcome_of(footprints)
    values = np.array(
        [known_of(one, on, label).value for one, label in zip(footprints, labels, strict=True)]
    )
    draws = draws_of(settled, on)
    likely = uncertainty.probability_lowest(draws)

    lower = _lower_than(draws)

    def option(i: int, label: str) -> Option:
        ratio = ratio_of(float(values[0]), float(values[i]), draws[[0, i]])
        return Option(
            label,
            differs[i],
            footprints[i],
            ratio,
            float(likely[i]),
            _ratio_parts(on, footprints[0], footprints[i]),
            dict(zip(labels, lower[i], strict=True)),
            _never_measured(settled[i]),
        )

    return Comparison(
        on,
        tuple(option(i, label) for i, label in enumerate(labels)),
        _best_change(on, differs, labels, values, draws),
        left_out,
    )


def _ratio_parts(on: str, first: Footprint, other: Footprint) -> dict[str, float] | None:
    """The ratio of an outcome to the first option's, as factors whose product it is.

    A stage that one of the two does not know goes into the next; None for outcomes beside the
    chain and where one of the numbers is zero.
    """
    stages = dict(STAGES_OF_RATIOS)
    if on not in stages:
        return None
    parts: dict[str, float] = {}
    before = 1.0
    for stage, name in stages.items():
        pair = [footprint.quantities[stage] for footprint in (first, other)]
        if all(pair):
            one, two = (quantity.value for quantity in pair if quantity is not None)
            if not one or not two:
                return None
            parts[name] = two / one / before
            before = two / one
        if stage == on:
            break
    return parts


def _lower_than(draws: Array) -> list[list[float]]:
    """Probability that an option [row] is lower than another [column]; level draws count half."""
    lower = np.array([(row < draws).mean(axis=1) for row in draws])
    level = 1 - lower - lower.T
    found: list[list[float]] = (lower + level / 2).tolist()
    return found


def _never_measured(settled: Settled) -> tuple[str, ...]:
    """What of an option's devices nobody measured, unless it was given."""
    said: dict[str, None] = {}
    for ledger in settled.ledgers:
        if ledger.device is None:
            continue
        for words in never_measured(ledger.device):
            name = "device_power_w" if words.startswith("power") else "utilisation"
            assumed = {name, f"large_step_{name}", "device_power_full_w", "mfu"} & {*ledger.live}
            if any(not ledger.live[one].given for one in assumed):
                said[f"{ledger.device.name}: {words}"] = None
    return tuple(said)


def _choices(
    plans: Sequence[Plan], vary: Mapping[str, object] | None, library: Library
) -> tuple[list[dict[str, Any]], tuple[Notice, ...]]:
    """What each option sets, and what there is to say of values that cannot be used."""

    def check(choices: int) -> None:
        count = len(plans) * choices
        if count < 2:
            raise InputError("compare", None, "needs two options or more", ["--vary region=fr,pl"])
        if count > MOST_OPTIONS:
            why = f"are more options than a comparison takes ({MOST_OPTIONS})"
            raise InputError("compare", f"{count:,}", why, ["fewer values", "sweep"])

    if not vary:
        check(1)
        return [{}], ()
    read, optional = axes.read(vary, library, check)
    kept, left_out = scenarios.usable(plans[0], read, optional, library)
    return axes.combinations(kept), tuple(left_out)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say of an error which of several named plans it is about."""
    try:
        yield
    except JoulecastError as error:
        if not name:
            raise
        field = f"{name}: {error.field}"
        raise type(error)(field, error.value, error.why, error.choices) from None


def outcome_of(footprints: Sequence[Footprint]) -> str:
    """The first outcome that every option has."""
    for name in OUTCOMES:
        if all(footprint.quantities[name] is not None for footprint in footprints):
            return name
    raise InputError("--on", None, "the options have no outcome in common", [f"--on {RESULTS[3]}"])


def known_of(footprint: Footprint, on: str, label: str = "") -> Quantity:
    """An outcome that is known; raises InputError naming those that are where it is not."""
    quantity = footprint.quantities[on]
    if quantity is None:
        have = [name for name in OUTCOMES if footprint.quantities[name] is not None]
        raise InputError("--on", on, f"cannot be known for {label}", have)
    return quantity


def draws_of(options: Sequence[Settled], on: str) -> Array:
    """The outcome [option, draw] in its unit, from common causes."""
    draws = np.empty((len(options), uncertainty.DRAWS))
    for row, outcome in zip(draws, drawn(options), strict=True):
        row[:] = outcome.result(on)
    return draws


def _best_change(
    on: str,
    differs: Sequence[Mapping[str, object]],
    labels: Sequence[str],
    values: Array,
    draws: Array,
) -> Change | None:
    """The one field whose change from the first option saves most on average."""
    best: tuple[float, int, str] | None = None
    for i, those in enumerate(differs):
        changed = [name for name, value in those.items() if value != differs[0][name]]
        mean = float((draws[0] - draws[i]).mean())
        if len(changed) == 1 and mean > 0 and (best is None or mean > best[0]):
            best = mean, i, changed[0]
    if best is None:
        return None
    _, i, field = best
    saving = quantity_in(TERMS[on].unit, float(values[0] - values[i]), draws[0] - draws[i])
    lower = float(uncertainty.probability_lowest(draws[[0, i]])[1])
    return Change(field, differs[i][field], labels[i], saving, lower)


def _differences(plans: Sequence[Plan]) -> list[dict[str, object]]:
    """What sets the plans apart: the fields and quantities that are not the same in all."""
    said = [_said(plan) for plan in plans]
    names = dict.fromkeys(name for one in said for name in one)
    apart = [name for name in names if any(one.get(name) != said[0].get(name) for one in said)]
    return [{name: one.get(name) for name in apart} for one in said]


def _said(plan: Plan) -> dict[str, object]:
    """What a plan says, its given quantities beside its fields."""
    said: dict[str, object] = plan.said()
    given: Any = said.pop("given", {})
    if plan.fleet:
        said["fleet"] = " + ".join(map(_entry, plan.fleet))
    return said | {FIELDS_OF_QUANTITIES.get(name, name): value for name, value in given.items()}


def _entry(entry: FleetEntry) -> str:
    """An entry of a fleet in a few words."""
    count = "" if entry.device_count is None else f"{entry.device_count:,.0f} x "
    much = "" if entry.share is None else f" share {entry.share:g}"
    much = much if entry.hours is None else f" {entry.hours:g} h"
    place = "" if entry.region is None else f" in {entry.region}"
    return f"{count}{entry.device}{place}{much}"


def _labels(groups: Sequence[Sequence[Plan]], names: Sequence[str] | None) -> list[str]:
    """Short names made from what differs; behind the name of a plan, what its variants vary."""
    if names is None:
        made = [
            _label(those) for those in _differences([plan for group in groups for plan in group])
        ]
    else:
        made = [
            ", ".join(filter(None, [name, _label(those)]))
            for name, group in zip(names, groups, strict=True)
            for those in _differences(group)
        ]
    seen: dict[str, int] = {}
    labels = []
    for label in (label or "as given" for label in made):
        seen[label] = seen.get(label, 0) + 1
        labels.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return labels


def _label(those: Mapping[str, object]) -> str:
    parts = []
    for name, value in those.items():
        if value is None:
            continue
        text = str(shown(value))
        parts.append(text if name in PLAIN_FIELDS else f"{name} {text}")
    return ", ".join(parts)
