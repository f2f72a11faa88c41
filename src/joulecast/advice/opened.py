"""A plan whose changes are looked for, a change of it, and what both come to.

A change is said in the options of the command line, and its plan is made by the same function that
reads them: what is advised is what `estimate` with these options answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from joulecast import uncertainty, units
from joulecast.answers.advice import LIFETIME
from joulecast.arrays import Array
from joulecast.chain import chain, use_chain
from joulecast.data.library import Library
from joulecast.estimation import live_data, size_of, source_of
from joulecast.plan import Plan, merged, with_use
from joulecast.resolve import Ledger, resolve
from joulecast.terms import TERMS
from joulecast.use.serving import Served, Training, serve
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
        base = {name: value for name, value in dict(plan).items() if name != "use"}
        changed = merged(base, self.sets, self.flags)
        return with_use(changed.model_copy(update={"use": plan.use}), self.use)


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
    def ledger(self) -> Ledger:
        """Every number of the plan; raises JoulecastError where it cannot be used."""
        return resolve(self.plan, self.library)

    @cached_property
    def served(self) -> Served | None:
        """The use of the model, where the plan has one."""
        if self.plan.use is None:
            return None
        drawn = chain(uncertainty.sample(live_data(self.ledger))).known
        return serve(self.ledger, self.library, Training(self.ledger.middle.known, drawn))

    @property
    def runs(self) -> int:
        """How many runs of the plan the outcome is of."""
        return int(self.ledger.resolved["runs"])

    @property
    def screened_on(self) -> str:
        """The outcome by which many candidates are sorted, before a few are drawn."""
        return "total_kgco2e" if self.on == LIFETIME else self.on

    @property
    def by_work(self) -> bool:
        """Whether the device-hours follow from the work there is to do."""
        return "training_flop" in self.ledger.middle.made_from.get("device_hours", ())

    def behind(self, name: str) -> bool:
        """Whether the outcome rests on a quantity."""
        return name in self.ledger.middle.behind(source_of(self.screened_on))

    def given(self, names: Sequence[str]) -> str | None:
        """The first of these that the user gave."""
        return next((name for name in names if self.ledger.given(name)), None)

    def after(self, candidate: Candidate) -> Opened:
        """The plan after a change."""
        return Opened(candidate.applied(self.plan), self.library, self.on, self.kept)

    @property
    def screen(self) -> float:
        """The nominal outcome that many candidates are sorted by."""
        name = self.screened_on
        return float(self.ledger.middle.known[source_of(name)]) / size_of(name, self.runs)

    @property
    def lifetime(self) -> float | None:
        """Nominal emissions of training and use [kg]; None where one of them is not known."""
        if self.served is None or OF_USE not in self.served.middle.known:
            return None
        if "total_kgco2e" not in self.ledger.middle.known:
            return None
        return self.screen_of("total_kgco2e") + float(self.served.middle.known[OF_USE])

    def screen_of(self, name: str) -> float:
        """A nominal result in its unit."""
        return float(self.ledger.middle.known[source_of(name)]) / size_of(name, self.runs)

    @property
    def value(self) -> float:
        """The nominal outcome in its unit: what `estimate` says."""
        if self.on == LIFETIME:
            assert self.lifetime is not None
            return self.lifetime
        return self.screen


def drawn(plans: Sequence[Opened]) -> Array:
    """The outcome [plan, draw] in its unit, from common causes."""
    on = plans[0].on
    if on != LIFETIME:
        return comparing.draws_of([[one.ledger] for one in plans], on)
    numbers = uncertainty.paired([_data(one) for one in plans])
    draws = np.empty((len(plans), uncertainty.scores().shape[1]))
    for row, one, those in zip(draws, plans, numbers, strict=True):
        assert one.served is not None
        of_run = {name: those[name] for name in live_data(one.ledger)}
        of_use = {name: those[name] for name in (*one.served.run_data, *one.served.data)}
        training = chain(of_run).known["total_kgco2e"] / size_of("total_kgco2e", one.runs)
        row[:] = training + use_chain(of_use).known[OF_USE] / units.factor(TERMS[LIFETIME].unit)
    return draws


def _data(one: Opened) -> dict[str, uncertainty.Datum]:
    """Every number that training and use rest on."""
    assert one.served is not None
    return {**live_data(one.ledger), **one.served.run_data, **one.served.data}
