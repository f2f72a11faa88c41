"""A plan settled: a ledger for each part of the run and, where the model is used, one for that."""

from __future__ import annotations

from functools import cached_property

from joulecast.data.library import Library
from joulecast.errors import InputError
from joulecast.notices import Notice
from joulecast.outcome import Outcome
from joulecast.plan import Plan
from joulecast.resolve.ledger import Ledger
from joulecast.resolve.parts import Part, parts_of
from joulecast.resolve.use import UseLedger, resolve_use
from joulecast.uncertainty import Datum


def resolve(plan: Plan, library: Library, alike: bool = False) -> Settled:
    """Settle every number, name and source of a plan.

    `alike` as in a ledger: plans that differ in how busy devices are have the same entries.

    Raises JoulecastError where the plan contradicts itself or says too little.
    """
    return Settled(plan, library, parts_of(plan, library, alike))


class Settled:
    """All that is known and assumed of a plan, before anything is drawn."""

    def __init__(self, plan: Plan, library: Library, parts: tuple[Part, ...]) -> None:
        self.plan, self.library, self.parts = plan, library, parts

    @cached_property
    def ledgers(self) -> list[Ledger]:
        """The ledger of each part."""
        return [part.ledger for part in self.parts]

    @cached_property
    def lives(self) -> list[dict[str, Datum]]:
        """For each part the data that the answer rests on."""
        return [ledger.live for ledger in self.ledgers]

    @cached_property
    def use(self) -> UseLedger | None:
        """The ledger of the use; None where the plan says nothing of it.

        Raises JoulecastError where the energy of a token cannot be told.
        """
        return resolve_use(self.plan, self.parts, self.library)

    @property
    def runs(self) -> int:
        """How many runs of the plan there are."""
        return int(self.ledgers[0].resolved["runs"])

    @cached_property
    def middle(self) -> Outcome:
        """The outcome with every number at its median, without the use."""
        return Outcome([ledger.middle for ledger in self.ledgers], self.runs)

    @property
    def only(self) -> Ledger:
        """The ledger of a plan of one part; raises InputError for a fleet of several."""
        if len(self.parts) > 1:
            why = "is of several parts, and here one is asked for"
            raise InputError("fleet", None, why, ["one plan per entry"])
        return self.ledgers[0]

    @property
    def notices(self) -> list[Notice]:
        """Every warning once; with the device where it is not about all parts."""
        devices: dict[Notice, list[str | None]] = {}
        for ledger in self.ledgers:
            for notice in dict.fromkeys(ledger.notices):
                devices.setdefault(notice, []).append(ledger.resolved["device_name"])
        return [
            notice
            if len(whose) == len(self.parts)
            else Notice(
                notice.code, f"{', '.join(map(str, dict.fromkeys(whose)))}: {notice.message}"
            )
            for notice, whose in devices.items()
        ]
