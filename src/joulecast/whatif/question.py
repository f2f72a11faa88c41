"""A plan with one quantity open, and how the outcomes that are limited move with it.

Between the sizes at which a default jumps or bends, an outcome is a power of what is solved for, or
at least rises with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from joulecast import uncertainty
from joulecast.arrays import Array, Numbers
from joulecast.data.library import Library
from joulecast.data.reading import number
from joulecast.errors import InputError, JoulecastError, UnknownNameError, brief, nearest
from joulecast.outcome import follow
from joulecast.plan import FIELDS_OF_QUANTITIES, Plan, varied
from joulecast.resolve import Ledger, Settled, hardware, resolve
from joulecast.terms import INPUTS, TERMS
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

#: Tokens are counted up to here.
MOST_TOKENS = INPUTS["tokens"].upper


#: For each question, yes or no.
Mask = NDArray[np.bool_]


class Found(NamedTuple):
    """Answers [question]: x (NaN: none), which budget binds (-1: none), whether a jump holds x."""

    x: Array
    binding: NDArray[np.intp]
    jump: Mask

    @classmethod
    def nothing(cls, questions: int) -> Found:
        """No answer yet to any question."""
        none = np.full(questions, -1, dtype=np.intp)
        return cls(np.full(questions, np.nan), none, np.zeros(questions, dtype=np.bool_))

    def take(self, fits: Mask, x: Array, binds: Array, held: Mask) -> None:
        """Answer the open questions that x fits; a jump holds x where `held`, else what binds."""
        new = np.isnan(self.x) & fits
        self.x[new] = x[new]
        self.binding[new] = np.where(held, -1, binds)[new]
        self.jump[new] = held[new]


class Question:
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

    def settled(self, x: float) -> Settled:
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
            self.settled(upper)
        except JoulecastError as error:
            self.end = f"beyond it {error.field} {error.why}"
        else:
            return upper
        self.settled(lower)  # where this fails as well, x is not to blame
        while upper > lower * (1 + 1e-6):
            middle = sqrt(lower * upper)
            try:
                self.settled(middle)
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
        low, high = self.settled(lo), self.settled(hi)
        for name in results:
            _check_known(name, high)
        pairs = zip(low.ledgers, high.ledgers, strict=True)
        moving = [self._moving(*pair, lo, hi) for pair in pairs]
        numbers = self._numbers(high)
        scores = {} if self.level is None else uncertainty.scores_of(high.lives)

        def at(x: Array) -> list[dict[str, Numbers]]:
            return [
                drawn | self._moved(ledger, names or (), drawn, scores, x / hi)
                for ledger, names, drawn in zip(high.ledgers, moving, numbers, strict=True)
            ]

        def draws(name: str) -> Callable[[Array], Array]:
            def outcome(x: Array) -> Array:
                if None not in moving:
                    whole = np.asarray(high.middle.again(at(x), name))
                else:  # a default moves with x in a way of its own: each is settled anew
                    many = [self.settled(float(one)) for one in x]
                    found = [follow(self._numbers(one), one.runs).result(name) for one in many]
                    whole = np.stack([np.atleast_1d(np.asarray(one)) for one in found])
                whole = np.atleast_2d(whole)
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
        self,
        high: Ledger,
        moving: Sequence[str],
        drawn: Mapping[str, Numbers],
        scores: Mapping[str, Array],
        share: Array,
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
        # Nothing follows a size that is not known.
        assert high.size is not None and high.size.active_params is not None
        resized = hardware.resized(high, high.size.active_params * share)
        for name in others:
            z = scores.get(data[name].unknown, np.zeros(1))
            numbers[name] = uncertainty.pick_each(TERMS[name], resized[name][..., None], z)
        return numbers

    def _numbers(self, settled: Settled) -> list[dict[str, Numbers]]:
        """Numbers of each part: at their medians, or drawn where a confidence is asked for."""
        if self.level is None:
            return [uncertainty.nominal(live) for live in settled.lives]
        return uncertainty.paired(settled.lives)

    def largest(self, stretches: Sequence[Sequence[Stretch]], limits: Array) -> Found:
        """The largest x within all limits [budget, question]; from the top stretch down."""
        found = Found.nothing(limits.shape[1])
        for row in reversed(stretches):
            each = np.stack([one.largest(limit) for one, limit in zip(row, limits, strict=True)])
            x = each.min(axis=0)
            found.take(~np.isnan(x), x, each.argmin(axis=0), held=x >= row[0].hi)
        if self.goal.whole:
            found.x[:] = np.floor(found.x * (1 + 1e-12))
        return found

    def least(self, stretches: Sequence[Sequence[Stretch]], limits: Array) -> Found:
        """The least x within all limits [budget, question]; from the bottom stretch up."""
        found = Found.nothing(limits.shape[1])
        for row in stretches:
            each = np.stack([one.least(limit) for one, limit in zip(row, limits, strict=True)])
            x = np.ceil(each.max(axis=0) * (1 - ROUNDING))
            for one, limit in zip(row, limits, strict=True):
                if one.ends[1] > one.ends[0]:  # more devices cost more: too many is too much
                    x[~(x <= one.largest(limit) * (1 + ROUNDING))] = np.nan
            found.take(x <= row[0].hi, x, each.argmax(axis=0), held=x <= row[0].lo)
        return found


def goal_named(name: str) -> Goal:
    """What can be solved for by a name as people say it; raises UnknownNameError for another."""
    key = name.strip().removeprefix("--").replace("-", "_")
    key = GOAL_ALIASES.get(key, key)
    if key not in GOALS:
        near = nearest(key, GOALS) or list(ASKED_FOR)
        raise UnknownNameError("--for", name, "cannot be solved for", near)
    return GOALS[key]


def check_ways(plan: Plan, goal: Goal, ratio: object) -> None:
    """Questions a plan cannot be asked."""
    if goal.name == "device_count" and plan.embodied_mode == "purchase":
        why = "charges every device whole, so that fewer are always better"
        raise InputError("embodied_mode", "purchase", why, ["amortised"])
    if goal.name == "device_count" and plan.fleet:
        why = "are counted by each entry of the fleet"
        raise InputError("--for", "devices", why, ["--for tokens", "one plan per entry"])
    amounts = ("tokens", "unique_tokens", "samples", "phases")
    told = [name for name in amounts if getattr(plan, name)]
    told += ["tokens"] if "tokens" in plan.given else []
    if goal.name == "params":
        if plan.model is not None:
            why = "fixes the parameters; leave it out"
            raise InputError("model", plan.model, why, ["--for tokens"])
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
        why = "the phases of the plan fix the tokens"
        raise InputError("--for", "tokens", why, ["--for params"])


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


def above_zero(field: str, raw: object) -> float:
    """Read a number above 0; raises InputError for another."""
    value = number(field, raw)
    if value <= 0:
        raise InputError(field, raw, "must be above 0", ["20"])
    return value


def _check_known(name: str, settled: Settled) -> None:
    """The plan must reach the outcome that is limited."""
    middle = settled.middle
    if middle.base(name) is not None:
        return
    have = [other for other in BUDGETS.values() if middle.base(other) is not None]
    if name == "wall_clock_days" and len(settled.parts) > 1:
        why = "of a fleet are not known: its entries need not run at the same time"
        raise InputError("--max", name, why, have)
    if name == "wall_clock_days":
        raise InputError("--max", name, "needs the number of devices", ["--device-count 64"])
    raise InputError("--max", name, "cannot be known for this plan", have)
