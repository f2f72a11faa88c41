"""A forecast: quantities with their ranges, and the ledger they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from joulecast.answers.base import Noun, door, made_with
from joulecast.answers.quantity import Quantity
from joulecast.answers.shape import five, shows, table
from joulecast.data.records import Read, Source
from joulecast.notices import Notice
from joulecast.plan import Plan, as_said
from joulecast.terms import EMBODIED_PARTS, PARTS, PROJECT_PARTS, RESULTS
from joulecast.uncertainty import Basis, Datum

if TYPE_CHECKING:  # which a start need not load
    from joulecast.answers.driving import Bar
    from joulecast.answers.resolved import Resolved, ResolvedUse


def _quantities(names: Sequence[str] | Mapping[str, str]) -> dict[str, Any]:
    return dict.fromkeys(names, Quantity | None)


Parts = table(
    "Parts",
    "Where the emissions come from; null where only a later stage was given.",
    _quantities(PARTS),
)
EmbodiedParts = table(
    "EmbodiedParts",
    "What the making is of; building is 0 unless it was asked for.",
    _quantities(EMBODIED_PARTS),
)
ProjectParts = table(
    "ProjectParts",
    "What is around the run; null where no share was given for it.",
    _quantities(PROJECT_PARTS),
)
#: Key of the JSON -> the shape of the parts under it, and the quantity that each is.
_PARTS = {
    "parts_kgco2e": (Parts, PARTS),
    "embodied_parts_kgco2e": (EmbodiedParts, EMBODIED_PARTS),
    "project_parts_kgco2e": (ProjectParts, PROJECT_PARTS),
}
Results = table(
    "Results",
    "Every result; null where it cannot be known.",
    _quantities(RESULTS) | {name: shape for name, (shape, _) in _PARTS.items()},
)


def results_of(quantities: Mapping[str, Quantity | None]) -> dict[str, Any]:
    """Results and their parts, under the names that the JSON has for them."""
    return {name: quantities[name] for name in RESULTS} | {
        name: {key: quantities[of] for key, of in parts.items()}
        for name, (_, parts) in _PARTS.items()
    }


#: Key `results` of what has quantities.
RESULTS_OF = Results, lambda noun: results_of(noun.quantities)


@shows(
    "name", "unknown", "value", "low", "high", "unit", "basis", "source", "read", "given", "flag",
    "note",
)  # fmt: skip
class Assumption(NamedTuple):
    """A number the answer rests on.

    `low` and `high` say how far it may be off, `source` and `note` why, `flag` how to replace it;
    `whose` names the devices of a fleet it holds for, where it does not hold for all.
    """

    name: str
    unknown: str
    value: float
    low: float | None
    high: float | None
    unit: str
    basis: Basis
    source: str
    read: Read
    given: bool
    flag: str
    note: str = ""
    meaning: str = ""
    whose: str = ""


@shows(
    "device", "device_name", "device_count", "share", "hours", "region", "results",
    exact=("hours",),
    results=RESULTS_OF,
)  # fmt: skip
class FleetPart(NamedTuple):
    """One type of device of a fleet, at one place; `hours` are of one device.

    `share` is of the run; an entry has a share or hours.  `plan` and `assumptions` are those of the
    entry, forecast as a run of its own.
    """

    device: str
    device_name: str
    device_count: int | None
    share: float | None
    hours: float | None
    region: str | None
    region_name: str | None
    quantities: Mapping[str, Quantity | None]
    plan: Annotated[Mapping[str, Any], Resolved]
    assumptions: tuple[Assumption, ...]

    @property
    def label(self) -> str:
        """Number, device and place, as people say them."""
        place = "" if self.region_name is None else f", {self.region_name}"
        return f"{self.devices}{place}"

    @property
    def devices(self) -> str:
        """Number and device."""
        count = "" if self.device_count is None else f"{self.device_count:,} x "
        return f"{count}{self.device_name}"


@shows("name", "given", "implied", "ratio")
class CrossCheck(NamedTuple):
    """A given number beside the one the other inputs imply."""

    name: str
    given: float
    implied: float
    unit: str

    @property
    def ratio(self) -> float:
        """Given over implied."""
        return self.given / self.implied


class Driver(NamedTuple):
    """An input's share of the log-variance of the total."""

    name: str
    share: float


@shows("key", "text")
class Citation(NamedTuple):
    """A source that was used.

    `text` is short enough to print; `of_formula` marks what a formula rests on and no number does.
    """

    key: str
    text: str
    read: Read
    source: Source
    of_formula: bool = False


#: What is pressed before a number; nothing before the first.
Operator = Literal["", "x", "/", "+"]


@shows("operator", "factor", "meaning", "result", "result_unit", rounded=five)
class HandLine(NamedTuple):
    """One key press of the By-hand block.

    An operator, a number, what it is, and the subtotal where it has a name.
    """

    operator: Operator
    factor: float
    meaning: str
    result: float | None = None
    result_unit: str | None = None


#: Result of the use -> quantity of the chain and the unit it is shown in.
USE_RESULTS: dict[str, tuple[str, str]] = {
    "device_energy_per_output_token_j": ("device_energy_per_token", "J"),
    "energy_per_output_token_j": ("energy_per_token", "J"),
    "energy_per_prompt_token_j": ("energy_per_prompt_token", "J"),
    "energy_per_request_wh": ("energy_per_request", "Wh"),
    "emissions_per_output_token_mgco2e": ("emissions_per_token", "mgCO2e"),
    "emissions_per_request_gco2e": ("emissions_per_request", "gCO2e"),
    "requests_per_year": ("use_requests_per_year", "1/y"),
    "energy_per_year_kwh": ("energy_per_year", "kWh"),
    "operational_per_year_kgco2e": ("emissions_per_year", "kgCO2e"),
    "energy_over_years_kwh": ("energy_over_years", "kWh"),
    "operational_over_years_kgco2e": ("emissions_over_years", "kgCO2e"),
    "break_even_days": ("break_even", "d"),
    "serving_ratio": ("serving_ratio", ""),
}

#: What joules of a token are for.
USE_PARTS = ("weights", "cache", "arithmetic", "waiting")

#: What is shown of a size -> quantity of the chain and its unit.
USE_SIZED: dict[str, tuple[str, str]] = {
    "params": ("params", ""),
    "devices": ("use_device_count", ""),
    "energy_per_output_token_j": USE_RESULTS["energy_per_output_token_j"],
    "training_total_kgco2e": ("total_kgco2e", "kgCO2e"),
    "operational_per_year_kgco2e": USE_RESULTS["operational_per_year_kgco2e"],
    "break_even_days": USE_RESULTS["break_even_days"],
}

#: Results of it that rest on no grid, demand or emissions of training.
_ALWAYS = tuple(USE_RESULTS)[:4]

UseResults = table(
    "UseResults",
    "What a token, a request and a year of use take; null where it rests on what was not given.",
    {name: Quantity if name in _ALWAYS else Quantity | None for name in USE_RESULTS},
)
UseParts = table(
    "UseParts",
    "Joules of the devices per generated token, by what they are for.",
    dict.fromkeys(USE_PARTS, Quantity),
)
UseSize = table(
    "UseSize",
    "The same use, and training on the same tokens, of a model of another size.",
    {name: float if i < 3 else float | None for i, name in enumerate(USE_SIZED)},
)


@shows(
    "plan", "results", "parts_j_per_output_token=parts", "by_size", "assumptions", "driven",
    "drivers",
    exact=("plan",),
)  # fmt: skip
class UsePhase(NamedTuple):
    """The use of the model once it is trained; no figure of `results` holds any of it.

    Energy and emissions of use; what rests on a demand is None where none was given.  `parts` are
    joules of the devices per generated token; `by_size` the same figures for smaller and larger
    models, every input at its median; `driven` names the result `drivers` are of.
    """

    plan: Annotated[Mapping[str, Any], ResolvedUse]
    results: Annotated[Mapping[str, Quantity | None], UseResults]
    parts: Annotated[Mapping[str, Quantity], UseParts]
    by_size: tuple[Annotated[Mapping[str, float | None], UseSize], ...]
    assumptions: tuple[Assumption, ...]
    driven: str
    drivers: tuple[Driver, ...]


@shows(
    "schema_version", "asked", "plan", "results", "fleet", "assumptions", "cross_checks",
    "drivers", "warnings", "by_hand", "provenance", "use_phase",
    exact=("asked", "plan"),
    optional=("fleet", "use_phase"),
    asked=(dict[str, Any], lambda footprint: as_said(footprint.asked)),
    results=RESULTS_OF,
    provenance=made_with(),
)  # fmt: skip
class Footprint(Noun):
    """A forecast.  Quantities that cannot be known are None.

    `asked` is the plan as it was put, `plan` what was understood; `inputs` are the numbers it rests
    on by role, of the run or of each entry of its fleet.

    >>> from joulecast import Plan, estimate
    >>> fp = estimate(Plan(given={"device_hours": 3.5, "device_power_w": 200}, only_given=True))
    >>> fp.energy.value
    0.7
    """

    asked: Plan
    plan: Annotated[Mapping[str, Any], Resolved]
    quantities: Mapping[str, Quantity | None]
    assumptions: tuple[Assumption, ...]
    cross_checks: tuple[CrossCheck, ...]
    drivers: tuple[Driver, ...]
    warnings: tuple[Notice, ...]
    by_hand: tuple[HandLine, ...]
    citations: tuple[Citation, ...]
    data_digest: str
    use_phase: UsePhase | None = None
    fleet: tuple[FleetPart, ...] = ()
    inputs: tuple[Mapping[str, Datum], ...] = ()

    @property
    def total(self) -> Quantity | None:
        """Operational and embodied emissions [kgCO2e]."""
        return self.quantities["total_kgco2e"]

    @property
    def operational(self) -> Quantity | None:
        """Emissions of the electricity, location-based [kgCO2e]."""
        return self.quantities["operational_kgco2e"]

    @property
    def embodied(self) -> Quantity | None:
        """Share of making the hardware [kgCO2e]."""
        return self.quantities["embodied_kgco2e"]

    @property
    def energy(self) -> Quantity | None:
        """Energy of the facility [kWh]."""
        return self.quantities["energy_kwh"]

    @property
    def device_hours(self) -> Quantity | None:
        """Devices x hours reserved [h]."""
        return self.quantities["device_hours"]

    @property
    def training_flop(self) -> Quantity | None:
        """Model FLOP of the run."""
        return self.quantities["training_flop"]

    @property
    def water(self) -> Quantity | None:
        """On-site and off-site water [L]."""
        return self.quantities["water_l"]

    @property
    def inputs_by_name(self) -> dict[str, Assumption]:
        """Assumptions by name, without those of which entries of a fleet have several."""
        names = [entry.name for entry in self.assumptions]
        return {entry.name: entry for entry in self.assumptions if names.count(entry.name) == 1}

    @property
    def headline(self) -> Quantity | None:
        """What the answer is: emissions, or energy where no grid is known."""
        return self.total or self.energy

    @property
    def entries(self) -> tuple[Footprint, ...]:
        """Each entry of a fleet as an answer of its own; the answer itself where there is one."""
        if len(self.fleet) < 2:
            return (self,)
        return tuple(
            self.replace(
                plan=part.plan, quantities=part.quantities, assumptions=part.assumptions,
                fleet=(part,), inputs=(live,),
            )
            for part, live in zip(self.fleet, self.inputs, strict=True)
        )  # fmt: skip

    def whose(self, driver: str) -> tuple[str, str]:
        """Input behind a driver, and the devices of a fleet it holds for: "" where for all."""
        name, _, unknown = driver.removesuffix(")").partition(" (")
        held = {(one.name, one.unknown): one.whose for one in self.assumptions}
        return name, held.get((name, unknown), "")

    def tornado(self) -> tuple[Bar, ...]:
        """What each input does to the headline, and what the range becomes once it is known."""
        bars: tuple[Bar, ...] = door().tornado(self)
        return bars

    def rows(self) -> list[dict[str, Any]]:
        """A row for each result that is known."""
        return [
            {"result": name, **quantity._asdict()}
            for name in RESULTS
            if (quantity := self.quantities[name]) is not None
        ]
