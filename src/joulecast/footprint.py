"""The answer: quantities with their ranges, and the ledger they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from joulecast import uncertainty, units
from joulecast._version import __version__
from joulecast.arrays import Numbers
from joulecast.by_hand import HandLine
from joulecast.data.records import Source
from joulecast.errors import UnitError
from joulecast.notices import Notice
from joulecast.plan import Plan, as_said
from joulecast.terms import EMBODIED_PARTS, PARTS, PROJECT_PARTS, RESULTS
from joulecast.uncertainty import Datum

if TYPE_CHECKING:
    from joulecast.use.used import UsePhase
    from joulecast.whatif.sensitivity import Bar

SCHEMA_VERSION = 1


class Quantity(NamedTuple):
    """A result: its nominal value (every input at its median) and levels of its prediction range.

    P10 to P90 is the 80 % prediction range.
    """

    value: float
    p5: float
    p10: float
    p50: float
    p90: float
    p95: float
    unit: str

    def to(self, unit: str) -> Quantity:
        """The same quantity in another unit, such as ``t`` or ``MWh``.

        Raises UnitError for a unit of something else.
        """
        have, want = units.read_unit(self.unit), units.read_unit(unit)
        if have.dimension != want.dimension:
            raise UnitError("unit", unit, f"does not measure what {self.unit or 'a count'} does")
        ratio = have.factor / want.factor
        suffix = "CO2e" if "CO2e" in self.unit and "CO2e" not in unit else ""
        return Quantity(
            self.value * ratio,
            self.p5 * ratio,
            self.p10 * ratio,
            self.p50 * ratio,
            self.p90 * ratio,
            self.p95 * ratio,
            unit + suffix,
        )

    def to_dict(self) -> dict[str, float | str]:
        """Keys value, p5, p10, p50, p90, p95, unit; ten significant figures."""
        return {
            "value": ten(self.value),
            "p5": ten(self.p5),
            "p10": ten(self.p10),
            "p50": ten(self.p50),
            "p90": ten(self.p90),
            "p95": ten(self.p95),
            "unit": self.unit,
        }


def quantity_of(value: Numbers, draws: Numbers, unit: str) -> Quantity:
    """A result with its levels; value and draws are in base units."""
    size = units.factor(unit)
    points = np.full(len(uncertainty.LEVELS), value)
    if np.ndim(draws):
        points = uncertainty.quantiles(np.asarray(draws))
    p5, p10, p50, p90, p95 = (float(point) / size for point in points)
    return Quantity(float(value) / size, p5, p10, p50, p90, p95, unit)


class Assumption(NamedTuple):
    """A number the answer rests on, how far it may be off, why, and how to replace it.

    `whose` names the devices of a fleet it holds for, where it does not hold for all.
    """

    name: str
    unknown: str
    value: float
    low: float | None
    high: float | None
    unit: str
    basis: str
    source: str
    read: str
    given: bool
    flag: str
    note: str = ""
    meaning: str = ""
    whose: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Keys as in the JSON contract."""
        return {
            "name": self.name,
            "unknown": self.unknown,
            "value": ten(self.value),
            "low": None if self.low is None else ten(self.low),
            "high": None if self.high is None else ten(self.high),
            "unit": self.unit,
            "basis": self.basis,
            "source": self.source,
            "read": self.read,
            "given": self.given,
            "flag": self.flag,
            "note": self.note,
        }


class FleetPart(NamedTuple):
    """What one type of device at one place did, and what it comes to.

    `share` is of the run, `hours` are of one device; an entry has one of the two.  `plan` and
    `assumptions` are those of the entry, forecast as a run of its own.
    """

    device: str
    device_name: str
    device_count: int | None
    share: float | None
    hours: float | None
    region: str | None
    region_name: str | None
    quantities: Mapping[str, Quantity | None]
    plan: Mapping[str, Any]
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

    def to_dict(self) -> dict[str, Any]:
        """Keys as in the JSON contract."""
        return {
            "device": self.device,
            "device_name": self.device_name,
            "device_count": self.device_count,
            "share": None if self.share is None else ten(self.share),
            "hours": self.hours,
            "region": self.region,
            "results": results_dict(self.quantities),
        }


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

    def to_dict(self) -> dict[str, Any]:
        """Keys name, given, implied, ratio."""
        return {
            "name": self.name,
            "given": ten(self.given),
            "implied": ten(self.implied),
            "ratio": ten(self.ratio),
        }


class Driver(NamedTuple):
    """An input's share of the variance of ln(total)."""

    name: str
    share: float


class Citation(NamedTuple):
    """A source the answer used, short enough to print, and its record.

    `of_formula` marks what a formula rests on and no number does.
    """

    key: str
    text: str
    read: str
    source: Source
    of_formula: bool = False


@dataclass(frozen=True, slots=True)
class Footprint:
    """A forecast.  Quantities that cannot be known are None.

    `asked` is the plan as it was put, `plan` what was understood; `inputs` are the numbers it rests
    on by role, of the run or of each entry of its fleet.

    >>> from joulecast import Plan, estimate
    >>> fp = estimate(Plan(given={"device_hours": 3.5, "device_power_w": 200}, only_given=True))
    >>> fp.energy.value
    0.7
    """

    asked: Plan
    plan: Mapping[str, Any]
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
    inputs: tuple[Mapping[str, Datum], ...] = field(default=(), repr=False)

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
            replace(
                self, plan=part.plan, quantities=part.quantities, assumptions=part.assumptions,
                fleet=(part,), inputs=(live,),
            )
            for part, live in zip(self.fleet, self.inputs, strict=True)
        )  # fmt: skip

    def whose(self, driver: str) -> tuple[str, str]:
        """Input behind a driver, and the devices of a fleet it holds for: "" where for all."""
        name, _, unknown = driver.removesuffix(")").partition(" (")
        held = {(one.name, one.unknown): one.whose for one in self.assumptions}
        return name, held.get((name, unknown), "")

    def explain(self) -> str:
        """The answer in words and figures, as the command line prints it."""
        from joulecast.report.forecast import text

        return text(self)

    def tornado(self) -> tuple[Bar, ...]:
        """What each input does to the headline, and what the range becomes once it is known."""
        from joulecast.whatif.sensitivity import tornado

        return tornado(self)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the contract."""
        fleet = {"fleet": [part.to_dict() for part in self.fleet]} if self.fleet else {}
        return {
            "schema_version": SCHEMA_VERSION,
            "asked": as_said(self.asked),
            "plan": dict(self.plan),
            "results": results_dict(self.quantities),
            **fleet,
            "assumptions": [entry.to_dict() for entry in self.assumptions],
            "cross_checks": [check.to_dict() for check in self.cross_checks],
            "drivers": [{"name": d.name, "share": ten(d.share)} for d in self.drivers],
            "warnings": [{"code": n.code, "message": n.message} for n in self.warnings],
            "by_hand": [line.to_dict() for line in self.by_hand],
            "provenance": {"joulecast": __version__, "data": self.data_digest},
            **({} if self.use_phase is None else {"use_phase": self.use_phase.to_dict()}),
        }

    def to_json(self) -> str:
        """The JSON text of the contract: the same input gives the same bytes."""
        import json

        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def results_dict(quantities: Mapping[str, Quantity | None]) -> dict[str, Any]:
    """Results and their parts as in the JSON contract."""
    results: dict[str, Any] = {name: _dict(quantities[name]) for name in RESULTS}
    tables = {
        "parts_kgco2e": PARTS,
        "embodied_parts_kgco2e": EMBODIED_PARTS,
        "project_parts_kgco2e": PROJECT_PARTS,
    }
    for table, parts in tables.items():
        results[table] = {key: _dict(quantities[name]) for key, name in parts.items()}
    return results


def _dict(quantity: Quantity | None) -> dict[str, float | str] | None:
    return None if quantity is None else quantity.to_dict()


def ten(value: float) -> float:
    """Ten significant figures: enough for any use, the same on every machine."""
    return float(f"{value:.10g}")
