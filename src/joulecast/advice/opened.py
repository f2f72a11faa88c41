"""A plan whose changes are looked for, a change of it, and what both come to.

A change is said in the options of the command line, and its plan is made by the same function that
reads them: what is advised is what `estimate` with these options answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from joulecast import estimation, together, uncertainty, units
from joulecast.answers.advice import LIFETIME
from joulecast.arrays import Array, Numbers
from joulecast.data.library import Library
from joulecast.data.records import Device
from joulecast.outcome import Outcome
from joulecast.plan import Plan, merged, with_use
from joulecast.resolve import Ledger, Settled, resolve
from joulecast.terms import TERMS
from joulecast.whatif import comparing

#: What is known of the emissions of use over its years, in the chain.
OF_USE = "emissions_over_years"

#: Numbers nearer than this are the same.
SAME = 1e-12

NOTHING: Mapping[str, str] = MappingProxyType({})


class Candidate(NamedTuple):
    """A change somebody could make.

    `flags`, `sets` and `use` are the options that make it, by the name of a field, of a quantity
    (``--set``) and of a field of the use; `detail` what it holds or rests on, `caveat` what it may
    cost in quality, `sources` the keys of both.
    """

    kind: str
    change: str
    flags: Mapping[str, str] = NOTHING
    sets: Mapping[str, str] = NOTHING
    use: Mapping[str, str] = NOTHING
    detail: str = ""
    caveat: str = ""
    sources: tuple[str, ...] = ()
    extrapolated: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """Words for the command line that make the change."""
        words: list[str] = []
        for prefix, those in (("", self.flags), ("use-", self.use)):
            for name, value in those.items():
                words += [f"--{prefix}{name.replace('_', '-')}", value]
        for name, value in self.sets.items():
            words += ["--set", f"{name}={value}"]
        return tuple(words)

    def applied(self, plan: Plan) -> Plan:
        """The plan with the change, as the command line makes it of the same options."""
        base = {name: value for name, value in vars(plan).items() if name != "use"}
        changed = merged(base, self.sets, self.flags)
        return with_use(changed.replace(use=plan.use), self.use)


def said(value: float) -> str:
    """A count as people write it, to the digit: 3.1B, 4.35T."""
    for size, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        short = f"{value / size:.4g}"
        if 1 <= value / size < 1e4 and abs(float(short) * size / value - 1) < SAME:
            return f"{short}{suffix}"
    return f"{value:.15g}"


class NotOpenError(Exception):
    """A kind of change is not open to a plan; says why."""


@dataclass(frozen=True)
class Opened:
    """A settled plan, the outcome to lower, and what must stay."""

    plan: Plan
    library: Library
    on: str
    kept: frozenset[str] = frozenset()

    @cached_property
    def settled(self) -> Settled:
        """Every number of the plan; raises JoulecastError where it cannot be used."""
        return resolve(self.plan, self.library)

    @property
    def ledgers(self) -> list[Ledger]:
        """The ledger of each part of the run."""
        return self.settled.ledgers

    @property
    def ledger(self) -> Ledger:
        """The ledger of the run; of a fleet the first whose hours follow from the work."""
        return next((one for one in self.ledgers if _by_work(one)), self.ledgers[0])

    @property
    def several(self) -> bool:
        """Whether the run has several parts."""
        return len(self.ledgers) > 1

    @property
    def devices(self) -> list[Device]:
        """What the parts run on, where they are settled for a device."""
        return [ledger.device for ledger in self.ledgers if ledger.device is not None]

    @cached_property
    def known(self) -> Mapping[str, Any]:
        """The plan as it was understood; None for what the entries of a fleet differ in."""
        return together.common(self.ledgers)

    @cached_property
    def outcome(self) -> Outcome:
        """What the plan comes to, every number at its median, with its use."""
        use = self.settled.use
        middle = self.settled.middle
        return middle if use is None else middle.used(uncertainty.nominal(use.data))

    @property
    def runs(self) -> int:
        """How many runs of the plan the outcome is of."""
        return self.settled.runs

    @property
    def screened_on(self) -> str:
        """The outcome by which many candidates are sorted, before a few are drawn."""
        return "total_kgco2e" if self.on == LIFETIME else self.on

    @property
    def by_work(self) -> bool:
        """Whether the device-hours follow from the work there is to do."""
        return _by_work(self.ledger)

    def behind(self, name: str) -> bool:
        """Whether the outcome rests on a quantity."""
        return any(name in those for those in self.settled.middle.behind(self.screened_on))

    def given(self, names: Sequence[str]) -> str | None:
        """The first of these that the user gave."""
        return next((name for name in names if self.ledger.given(name)), None)

    def after(self, candidate: Candidate) -> Opened:
        """The plan after a change."""
        return Opened(candidate.applied(self.plan), self.library, self.on, self.kept)

    @property
    def screen(self) -> float:
        """The nominal outcome that many candidates are sorted by, in its unit."""
        return _number(self.settled.middle.result(self.screened_on))

    @property
    def lifetime(self) -> float | None:
        """Nominal emissions of training and use [kg]; None where one of them is not known."""
        found = _lifetime(self.outcome)
        return None if found is None else _number(found)

    @property
    def value(self) -> float:
        """The nominal outcome in its unit: what `estimate` says."""
        if self.on == LIFETIME:
            assert self.lifetime is not None
            return self.lifetime
        return self.screen


def drawn(plans: Sequence[Opened]) -> Array:
    """The outcome [plan, draw] in its unit, from common causes."""
    on, settled = plans[0].on, [one.settled for one in plans]
    if on != LIFETIME:
        return comparing.draws_of(settled, on)
    draws = np.empty((len(plans), uncertainty.DRAWS))
    for row, outcome in zip(draws, estimation.drawn(settled, use=True), strict=True):
        row[:] = _lifetime(outcome)
    return draws


def _lifetime(outcome: Outcome) -> Numbers | None:
    """Emissions of all runs and of the use over its years [kg]; None where one is not known."""
    training = outcome.result("total_kgco2e")
    if training is None or outcome.use is None or OF_USE not in outcome.use.known:
        return None
    return training + outcome.use.known[OF_USE] / units.factor(TERMS[LIFETIME].unit)


def _by_work(ledger: Ledger) -> bool:
    return "training_flop" in ledger.middle.made_from.get("device_hours", ())


def _number(found: Numbers | None) -> float:
    assert found is not None  # what is screened on is known
    return float(found)
