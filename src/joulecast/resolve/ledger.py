"""The ledger being filled: every number of an answer, and what there is to say about it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple, cast

from joulecast import compute
from joulecast.chain import OF_ROLLOUTS, Run
from joulecast.data.instances import Reservation
from joulecast.data.library import Library
from joulecast.data.reading import span
from joulecast.data.records import Device, Figure
from joulecast.errors import InputError, brief
from joulecast.notices import CODES, Notice
from joulecast.plan import Plan
from joulecast.scales import midpoint
from joulecast.terms import INPUTS, PARTS, RESULTS, Term
from joulecast.uncertainty import Basis, Datum

if TYPE_CHECKING:
    from joulecast.answers.resolved import Resolved
    from joulecast.architectures import Architecture
    from joulecast.architectures.adapters import Adapter


class Size(NamedTuple):
    """What hardware needs to know of the model."""

    arch: str
    params: float | None
    active_params: float | None
    trained_params: float | None
    seq_len: int | str | None


class Tuning(NamedTuple):
    """How a model that exists is trained further.

    `frozen` where its own weights are not trained, `quantised` where they are held in 4 bits;
    `named` unless it is told from the weights that are trained alone.
    """

    method: str
    frozen: bool
    quantised: bool
    base_precision: str
    named: bool = True

    @property
    def under_adapters(self) -> bool:
        """Whether gradients cross the whole of a frozen base: products without weights have all."""
        return self.frozen and self.method != "head"


#: Quantities that follow from others before the ledger is whole -> what they follow from.
FOLLOWS = {
    "tokens": (
        (compute.tokens_with_padding, ("real_tokens", "padding_factor")),
        (compute.tokens_of_rollouts, OF_ROLLOUTS),
    )
}


class Ledger:
    """Data by role, warnings, and the plan as it was understood."""

    def __init__(self, plan: Plan, library: Library) -> None:
        self.plan = plan
        self.library = library
        self.data: dict[str, Datum] = {}
        self.notices: list[Notice] = []
        #: Filled step by step; whole once all are settled.
        self.resolved: Resolved = cast("Resolved", {})
        #: What --device stands for where it names a cloud instance.
        self.reserved: Reservation | None = None
        #: What the hardware was settled for; None until it is, or where no device is needed.
        self.device: Device | None = None
        self.size: Size | None = None
        #: The kind of model, known before its size is whole.
        self.size_arch: str | None = None
        #: The fine-tune that the plan is; None for a training from nothing.
        self.tuning: Tuning | None = None
        #: The adapter named in place of a model, and the base as it was counted.
        self.adapter: Adapter | None = None
        self.architecture: Architecture | None = None
        #: Whether it runs on somebody's own computer rather than in a data centre.
        self.at_a_desk = False
        #: Whether its entries are those of other rows, however busy devices are: of a table.
        self.alike = False
        #: The utilisation assumed as a product: what each factor is, and the factor.
        self.factors: list[tuple[str, float]] = []
        #: The chain on every number at its median, once all are settled.
        self.middle = Run({})

    @property
    def place_follows_device(self) -> bool:
        """Whether what a place gives (its data centre, its PUE) depends on the device too."""
        only_there = self.device is not None and self.device.operator is not None
        return only_there or self.reserved is not None or self.at_a_desk

    def give(self, name: str, raw: object) -> None:
        """Enter a number the user gave."""
        datum = as_given(INPUTS[name], raw)
        if name == "device_count" and (datum.low is not None or datum.value != int(datum.value)):
            hint = brief(max(1.0, round(datum.value)))
            raise InputError(name, raw, "must be a whole number", [hint])
        self.data[name] = datum

    def assume(
        self, name: str, figure: Figure, unknown: str, essential: bool = False, common: float = 0.0
    ) -> None:
        """Enter a number the user did not give, unless only given ones are wanted.

        `essential` marks what follows from a name the user did give, such as a device's peak;
        `common` is as in a Datum.
        """
        if name in self.data or (self.plan.only_given and not essential):
            return
        self.data[name] = as_assumed(name, figure, unknown)._replace(common=common)

    def settle(self, name: str, value: float, why: str, basis: Basis = "derived") -> None:
        """Enter an exact number that follows from what was said."""
        if name not in self.data:
            self.data[name] = Datum(
                name, value, unknown=name, basis=basis, source="joulecast-judgement", note=why
            )

    def warn(self, code: str, message: str, first: bool = False) -> None:
        """Enter a warning of the closed table; `first` of all where the answer hangs on it."""
        assert code in CODES, code
        self.notices.insert(0 if first else len(self.notices), Notice(code, message))

    def has(self, *names: str) -> bool:
        """Whether all these numbers are in the ledger, or follow from those that are."""
        return all(name in self.data or self._follows(name) for name in names)

    def _follows(self, name: str) -> bool:
        return any(self.has(*those) for _, those in FOLLOWS.get(name, ()))

    def value(self, name: str) -> float | None:
        """A number in the ledger, or tokens that follow from it; None where it is unknown."""
        if name in self.data:
            return float(self.data[name].value)
        for formula, those in FOLLOWS.get(name, ()):
            if self.has(*those):
                return float(formula(*(self.data[one].value for one in those)))
        return None

    def given(self, name: str) -> bool:
        """Whether the user gave this number."""
        return name in self.data and self.data[name].given

    def without(self, names: Collection[str]) -> Ledger:
        """A copy in which these numbers are open again, unless they were given."""
        other = Ledger(self.plan, self.library)
        other.data = {
            name: datum for name, datum in self.data.items() if datum.given or name not in names
        }
        other.resolved, other.reserved = self.resolved, self.reserved
        return other

    @property
    def live(self) -> dict[str, Datum]:
        """The data that the answer rests on, in the order of the chain.

        A given result is its own input: nothing was computed from it, yet it is part of the answer.
        """
        used = self.middle.used
        return {
            name: datum
            for name, datum in self.ordered().items()
            if name in used or (datum.given and (name in RESULTS or name in PARTS.values()))
        }

    def ordered(self) -> dict[str, Datum]:
        """The data in the order of the chain."""
        return {name: self.data[name] for name in INPUTS if name in self.data}


def as_given(term: Term, raw: object) -> Datum:
    """A number the user gave; of a range alone, its middle on the scale of the quantity."""
    low, value, high = span(term, raw)
    if value is None:
        assert low is not None and high is not None
        value = midpoint(term.scale, low, high)
    return Datum(term.name, value, low, high, unknown=f"given.{term.name}", given=True)


def as_assumed(name: str, figure: Figure, unknown: str) -> Datum:
    """A figure of the tables in the role of a quantity of the chain."""
    return Datum(
        name,
        figure.value,
        figure.low,
        figure.high,
        unknown=unknown,
        basis=figure.basis,
        source=figure.source,
        note=figure.note,
    )


def scaled(figure: Figure, factor: float, note: str = "", upper: float | None = None) -> Figure:
    """A figure times a factor, its range held below `upper`."""
    value = figure.value * factor
    low = None if figure.low is None else figure.low * factor
    high = None if figure.high is None else figure.high * factor
    if upper is not None and high is not None:
        value, high = min(value, upper), min(high, upper)
    return figure.replace(value=value, low=low, high=high, note=note or figure.note)


def spread(value: float, sigma: float, basis: Basis, source: str, note: str = "") -> Figure:
    """A figure whose logarithm has standard deviation `sigma`; zero is exact."""
    from math import exp

    from joulecast.uncertainty import Z95

    factor = exp(Z95 * sigma)
    return Figure(
        value=value,
        low=value / factor if value else None,
        high=value * factor if value else None,
        basis=basis,
        source=source,
        note=note,
    )
