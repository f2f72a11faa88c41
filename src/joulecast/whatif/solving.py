"""The verb `solve`: the largest model, the most tokens, the fewest devices within a budget.

Between the sizes at which a default jumps or bends, an outcome is a power of what is solved for, or
at least rises with it.  A power is inverted as it is, for any number of budgets at once; anything
else is bracketed in a table that narrows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, sqrt
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from joulecast import uncertainty
from joulecast.answers.solution import Budget, Solution, Solutions
from joulecast.arrays import Array, Numbers
from joulecast.chain import chain, repeat
from joulecast.data.library import Library
from joulecast.data.reading import number
from joulecast.errors import InputError, JoulecastError, UnknownNameError, brief, nearest
from joulecast.estimation import footprint_of, live_data, size_of, source_of
from joulecast.plan import FIELDS_OF_QUANTITIES, Plan, varied
from joulecast.resolve import Ledger, hardware, resolve
from joulecast.terms import INPUTS, TERMS
from joulecast.uncertainty import Datum
from joulecast.whatif import budgets
from joulecast.whatif.budgets import BUDGETS
from joulecast.whatif.inverting import ROUNDING, Stretch


class Goal(NamedTuple):
    """What can be solved for: the quantity, whether it is a count, and whether least is best."""

    name: str
    whole: bool
    least: bool
    lower: float
    upper: float


#: Below a grid of a microgram per kWh nothing but the making of hardware is left.
GOALS: dict[str, Goal] = {
    "params": Goal("params", True, False, 1.0, INPUTS["params"].upper),
    "tokens": Goal("tokens", True, False, 1.0, INPUTS["tokens"].upper),
    "device_count": Goal("device_count", True, True, 1.0, INPUTS["device_count"].upper),
    "grid_gco2e_per_kwh": Goal("grid_gco2e_per_kwh", False, False, 1e-6, 1e6),
    "pue": Goal("pue", False, False, 1.0, INPUTS["pue"].upper),
}
GOAL_ALIASES = {"devices": "device_count", "grid": "grid_gco2e_per_kwh"}

#: What can be asked for, as people say it.
ASKED_FOR = ("params", "tokens", "devices", "grid", "pue")

#: Budgets that depend on what not every budget does.
DEPENDING = {
    "device_count": ["--max days=30"],
    "grid_gco2e_per_kwh": ["--max total=50t"],
    "pue": ["--max energy=200MWh"],
}

#: Tokens are counted up to here.
MOST_TOKENS = INPUTS["tokens"].upper

JUMP = "a default changes at this size: beyond it the budget would not be met"


@overload
def solve(
    plan: Plan,
    for_: str,
    max: Mapping[str, float | str],
    *,
    ratio: float | str | None = None,
    confidence: float | str | None = None,
    library: Library | None = None,
) -> Solution: ...


@overload
def solve(
    plan: Plan,
    for_: str,
    max: Mapping[str, Array],
    *,
    ratio: float | str | None = None,
    confidence: float | str | None = None,
    library: Library | None = None,
) -> Solutions: ...


def solve(
    plan: Plan,
    for_: str,
    max: Mapping[str, float | str] | Mapping[str, Array],
    *,
    ratio: float | str | None = None,
    confidence: float | str | None = None,
    library: Library | None = None,
) -> Solution | Solutions:
    """Find how large one quantity of a plan may be within budgets.

    Parameters
    ----------
    plan
        All that is settled; its own value of what is solved for is not used.
    for_
        ``params``, ``tokens``, ``grid`` or ``pue`` (the largest), ``devices`` (the fewest).
    max
        Budget -> limit: ``total``, ``operational``, ``embodied``, ``energy``, ``hours``, ``days``,
        ``water``, ``flop`` or any result.  Text has a unit (``"50t"``); a number is in the unit of
        the result (kgCO2e, kWh, h, d, L).  Arrays of limits [question] ask many questions at once.
    ratio
        Tokens per active parameter, where `for_` is ``params`` and the plan has no tokens.
    confidence
        In percent: the budget holds at this level of the range.  Without it, for the nominal run.
    library
        The data to look things up in; the package's own where none is given.

    Returns
    -------
    Solution, or Solutions where the limits are arrays.

    Raises
    ------
    JoulecastError
        Where the question contradicts itself or one question has no answer, saying why.

    >>> plan = Plan(device="h100-sxm", region="us-va", year=2024)
    >>> found = solve(plan, "params", {"total": "50t"}, ratio=20, confidence=90)
    >>> round(found.at.total.p90)
    50000
    """
    library = library or Library.bundled()
    goal = _goal(for_)
    limits = budgets.read(max)
    if not limits:
        raise InputError("--max", None, "needs a budget", ["--max total=50t", "--max days=30"])
    _check_ways(plan, goal, ratio)
    share = None if confidence is None else budgets.percent(confidence)
    question = _Question(
        plan,
        goal,
        None if ratio is None else _above_zero("--ratio", ratio),
        None if share is None else share / 100,
        library,
    )
    stretches = question.stretches(list(limits))
    table = np.stack(np.broadcast_arrays(*map(np.atleast_1d, limits.values())))
    found = (question.least if goal.least else question.largest)(stretches, table)
    if any(limit.ndim for limit in limits.values()):
        unlimited = found.x >= stretches[-1][0].hi
        return Solutions(
            goal.name,
            TERMS[goal.name].unit,
            np.where(unlimited, np.inf, found.x),
            np.array([*limits, None], dtype=np.object_)[found.binding],
            limits,
        )
    _check_found(question, stretches, limits, float(found.x[0]))
    return _solution(question, stretches, limits, found, share)


class _Found(NamedTuple):
    """Answers [question]: x (NaN: none), which budget binds (-1: none), whether a jump holds x."""

    x: Array
    binding: NDArray[np.intp]
    jump: NDArray[np.bool_]


class _Question:
    """A plan with one quantity open, and the outcomes that are limited."""

    def __init__(
        self, plan: Plan, goal: Goal, ratio: float | None, level: float | None, library: Library
    ) -> None:
        self.plan, self.goal, self.ratio = plan, goal, ratio
        self.level, self.library = level, library
        self.sizes = _sizes(plan, goal)
        self.end = ""

    def at(self, x: float) -> Plan:
        """The plan with the quantity closed."""
        if self.goal.name != "params":
            return varied(self.plan, {self.goal.name: x})
        setting: dict[str, object] = {name: x * share for name, share in self.sizes.items()}
        if self.ratio is not None:
            setting["tokens"] = self.ratio * x * self.sizes.get("active_params", 1.0)
        return varied(self.plan, setting)

    def ledger(self, x: float) -> Ledger:
        """The plan at x, settled."""
        return resolve(self.at(x), self.library)

    def stretches(self, results: Sequence[str]) -> list[list[Stretch]]:
        """Intervals of x without a jump or bend, rising, each with a stretch for every result."""
        goal = self.goal
        smallest = min(self.sizes.values(), default=1.0)
        most = goal.upper if self.ratio is None else min(goal.upper, MOST_TOKENS / self.ratio)
        lower = float(ceil(goal.lower / smallest)) if goal.whole else goal.lower
        upper = self._reach(lower, most)
        edges = [lower, *(edge for edge in self._breaks() if lower < edge < upper), upper]
        ends = [edge - 1 for edge in edges[1:-1]] + [upper]
        return [self._stretch(lo, hi, results) for lo, hi in zip(edges, ends, strict=False)]

    def _reach(self, lower: float, upper: float) -> float:
        """How far x can go before the plan contradicts itself; `end` keeps what it then says."""
        try:
            self.ledger(upper)
        except JoulecastError as error:
            self.end = f"beyond it {error.field} {error.why}"
        else:
            return upper
        self.ledger(lower)  # where this fails as well, x is not to blame
        while upper > lower * (1 + 1e-6):
            middle = sqrt(lower * upper)
            try:
                self.ledger(middle)
            except JoulecastError:
                upper = middle
            else:
                lower = middle
        return float(floor(lower)) if self.goal.whole else lower

    def _breaks(self) -> list[float]:
        """Values of x at which a default jumps or bends, rising."""
        if self.goal.name == "params":
            active = self.sizes.get("active_params", 1.0)
            return [float(ceil(size / active)) for size in hardware.bends(self.library)]
        if self.goal.name == "device_count":
            return [self.library.default("devices_in_a_node").value + 1.0]
        return []

    def _stretch(self, lo: float, hi: float, results: Sequence[str]) -> list[Stretch]:
        low, high = self.ledger(lo), self.ledger(hi)
        for name in results:
            _check_known(name, high)
        moving = self._moving(low, high, lo, hi)
        drawn = self._drawn(live_data(high))

        def draws(name: str) -> Callable[[Array], Array]:
            source = source_of(name)
            size = size_of(name, high.resolved["runs"])

            def outcome(x: Array) -> Array:
                if moving is not None:
                    numbers = drawn | self._moved(high, moving, drawn, x / hi)
                    whole = repeat(high.middle, numbers, [source])[source]
                else:  # a default moves with x in a way of its own: each is settled anew
                    runs = [chain(self._drawn(live_data(self.ledger(float(one))))) for one in x]
                    whole = np.stack([np.atleast_1d(run.known[source]) for run in runs])
                whole = np.atleast_2d(whole) / size
                return np.broadcast_to(whole, (x.size, whole.shape[-1]))

            return outcome

        return [Stretch(lo, hi, draws(name), self.level) for name in results]

    def _moving(self, low: Ledger, high: Ledger, lo: float, hi: float) -> list[str] | None:
        """Data that move along a stretch, where they all move in ways we know; else None.

        They grow in proportion to x, or follow the size of the model.
        """
        if low.data.keys() != high.data.keys():
            return None
        share = self.sizes.get("active_params", 1.0)
        sized = self.goal.name == "params" and all(
            ledger.size is not None and ledger.size.active_params == x * share
            for ledger, x in ((low, lo), (high, hi))
        )
        moving = []
        for name, datum in high.data.items():
            before = low.data[name]
            if datum.levels == before.levels:
                continue
            grows = datum.exact and abs(datum.value / before.value / (hi / lo) - 1) <= ROUNDING
            if not grows and not (sized and name in hardware.OF_SIZE):
                return None
            moving.append(name)
        return moving

    def _moved(
        self, high: Ledger, moving: Sequence[str], drawn: Mapping[str, Numbers], share: Array
    ) -> dict[str, Numbers]:
        """Numbers that move [node, draw], in base units, at shares of the x a ledger is for."""
        data = high.data
        numbers: dict[str, Numbers] = {
            name: drawn[name] * share[:, None]
            for name in moving
            if name in drawn and data[name].exact
        }
        others = [name for name in moving if name in drawn and name not in numbers]
        if not others:
            return numbers
        assert (
            high.size is not None and high.size.active_params is not None
        )  # or nothing follows it
        resized = hardware.resized(high, high.size.active_params * share)
        columns = uncertainty.columns_of(live_data(high).values())
        for name in others:
            scores = np.zeros(1)
            if self.level is not None:
                scores = uncertainty.scores()[columns[data[name].unknown]].astype(np.float64)
            numbers[name] = uncertainty.pick_each(TERMS[name], resized[name][..., None], scores)
        return numbers

    def _drawn(self, data: Mapping[str, Datum]) -> dict[str, Numbers]:
        return uncertainty.nominal(data) if self.level is None else uncertainty.sample(data)

    def largest(self, stretches: Sequence[Sequence[Stretch]], limits: Array) -> _Found:
        """The largest x within all limits [budget, question]; from the top stretch down."""
        found = _nothing(limits.shape[1])
        for row in reversed(stretches):
            each = np.stack([one.largest(limit) for one, limit in zip(row, limits, strict=True)])
            x = each.min(axis=0)
            new = np.isnan(found.x) & ~np.isnan(x)
            held = x >= row[0].hi
            found.x[new] = x[new]
            found.binding[new] = np.where(held, -1, each.argmin(axis=0))[new]
            found.jump[new] = held[new]
        if self.goal.whole:
            found.x[:] = np.floor(found.x * (1 + 1e-12))
        return found

    def least(self, stretches: Sequence[Sequence[Stretch]], limits: Array) -> _Found:
        """The least x within all limits [budget, question]; from the bottom stretch up."""
        found = _nothing(limits.shape[1])
        for row in stretches:
            each = np.stack([one.least(limit) for one, limit in zip(row, limits, strict=True)])
            x = np.ceil(each.max(axis=0) * (1 - ROUNDING))
            new = np.isnan(found.x) & ~np.isnan(x) & (x <= row[0].hi)
            held = x <= row[0].lo
            found.x[new] = x[new]
            found.binding[new] = np.where(held, -1, each.argmax(axis=0))[new]
            found.jump[new] = held[new]
        return found


def _nothing(questions: int) -> _Found:
    return _Found(
        np.full(questions, np.nan),
        np.full(questions, -1, dtype=np.intp),
        np.zeros(questions, dtype=np.bool_),
    )


def _solution(
    question: _Question,
    stretches: Sequence[Sequence[Stretch]],
    limits: Mapping[str, Array],
    found: _Found,
    confidence: float | None,
) -> Solution:
    goal, x = question.goal, float(found.x[0])
    row = next(row for row in stretches if row[0].lo <= x <= row[0].hi)
    held = tuple(
        Budget(
            name,
            float(limit),
            float(one.at(np.array([x]))[0]),
            TERMS[name].unit,
            bool(found.binding[0] == i),
        )
        for i, ((name, limit), one) in enumerate(zip(limits.items(), row, strict=True))
    )
    note = ""
    if found.jump[0] and goal.least:
        note = "one device is enough" if x == stretches[0][0].lo else JUMP
    elif found.jump[0]:
        note = JUMP
    footprint = footprint_of(question.ledger(x), question.library)
    return Solution(goal.name, x, TERMS[goal.name].unit, confidence, held, note, footprint)


def _check_found(
    question: _Question,
    stretches: Sequence[Sequence[Stretch]],
    limits: Mapping[str, Array],
    x: float,
) -> None:
    """One question needs an answer, or the reason why there is none."""
    goal = question.goal
    moving = any(one.exponent != 0 for row in stretches for one in row)
    said = ", ".join(f"{name}={_amount(float(limit), name)}" for name, limit in limits.items())
    if np.isnan(x):
        end = stretches[-1] if goal.least else stretches[0]
        over = [
            (name, one)
            for (name, limit), one in zip(limits.items(), end, strict=True)
            if one.ends[goal.least] > float(limit)
        ]
        why = "no value meets all of them at once"
        if over:
            name, one = over[0]
            amount = _amount(one.ends[goal.least], name)
            where = (
                "whatever it is"
                if one.exponent == 0
                else f"even at {goal.name} {brief(end[-1].hi if goal.least else end[0].lo)}"
            )
            if one.exponent != 0 and goal.name == "grid_gco2e_per_kwh":
                where = "from making the hardware alone"
            why = f"{name} is {amount} {where}"
        raise InputError("--max", said, f"no solution for {goal.name} because {why}")
    if not moving:
        why = f"does not depend on {goal.name} in this plan"
        raise InputError("--max", said, why, DEPENDING.get(goal.name, ()))
    if not goal.least and x >= stretches[-1][0].hi:
        why = f"allows any {goal.name}, up to {brief(x)}"
        if question.end:
            why = f"allows any {goal.name} up to {brief(x)}; {question.end}"
        raise InputError("--max", said, why)


def _amount(value: float, name: str) -> str:
    """A limit as people write it."""
    unit = TERMS[name].unit
    if unit == "kgCO2e":
        return f"{brief(value / 1000)} tCO2e" if value >= 1000 else f"{brief(value)} kgCO2e"
    return f"{brief(value)} {unit}".rstrip()


def _goal(name: str) -> Goal:
    key = name.strip().removeprefix("--").replace("-", "_")
    key = GOAL_ALIASES.get(key, key)
    if key not in GOALS:
        raise UnknownNameError(
            "--for", name, "cannot be solved for", nearest(key, GOALS) or list(ASKED_FOR)
        )
    return GOALS[key]


def _check_ways(plan: Plan, goal: Goal, ratio: object) -> None:
    """Questions a plan cannot be asked."""
    if goal.name == "device_count" and plan.embodied_mode == "purchase":
        why = "charges every device whole, so that fewer are always better"
        raise InputError("embodied_mode", "purchase", why, ["amortised"])
    told = [
        name for name in ("tokens", "unique_tokens", "samples", "phases") if getattr(plan, name)
    ]
    told += ["tokens"] if "tokens" in plan.given else []
    if goal.name == "params":
        if plan.model is not None:
            raise InputError(
                "model", plan.model, "fixes the parameters; leave it out", ["--for tokens"]
            )
        for name in ("training_flop", "executed_flop"):
            field = FIELDS_OF_QUANTITIES[name]
            said = getattr(plan, field) or plan.given.get(name)
            if said is not None:
                why = "fixes the FLOP, so the outcome does not grow with params; leave it out"
                raise InputError(field, said, why, ["--ratio 20", "--tokens 2T"])
        if ratio is not None and told:
            why = f"contradicts {told[0]}, which the plan gives"
            raise InputError("--ratio", ratio, why, ["giving one of the two"])
        if ratio is None and not told:
            why = "needs tokens, or how many there are for each parameter"
            raise InputError("--for", "params", why, ["--ratio 20", "--tokens 2T"])
    elif ratio is not None:
        raise InputError("--ratio", ratio, "goes with --for params alone", ["leaving it out"])
    if goal.name == "tokens" and plan.phases:
        raise InputError(
            "--for", "tokens", "the phases of the plan fix the tokens", ["--for params"]
        )


def _sizes(plan: Plan, goal: Goal) -> dict[str, float]:
    """Sizes of the model over its parameters: they grow together."""
    if goal.name != "params":
        return {}
    sizes = {"params": 1.0}
    whole = _size(plan, "params")
    for name in ("active_params", "trainable_params"):
        part = _size(plan, name)
        if part is not None and whole is None:
            why = "grows with params, so it needs them beside it"
            raise InputError(name, brief(part), why, [f"--params {brief(part)}"])
        if part is not None and whole is not None:
            sizes[name] = part / whole
    return sizes


def _size(plan: Plan, name: str) -> float | None:
    said = getattr(plan, name)
    said = plan.given.get(name) if said is None else said
    return None if said is None else number(name, said)


def _above_zero(field: str, raw: object) -> float:
    value = number(field, raw)
    if value <= 0:
        raise InputError(field, raw, "must be above 0", ["20"])
    return value


def _check_known(name: str, ledger: Ledger) -> None:
    """The plan must reach the outcome that is limited."""
    known = ledger.middle.known
    if source_of(name) in known:
        return
    if name == "wall_clock_days":
        raise InputError("--max", name, "needs the number of devices", ["--device-count 64"])
    have = [other for other in BUDGETS.values() if source_of(other) in known]
    raise InputError("--max", name, "cannot be known for this plan", have)
