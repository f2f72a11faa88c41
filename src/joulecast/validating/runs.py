"""What a record of a published training run must look like.

Two halves are kept apart: what was known `before` the run, which a forecast may use, and what was
`reported` after it, which a forecast is compared with.  `tests` says what the second half is good
for; energies made from a rated or an assumed power never test power.
"""

# No postponed annotations here: the types of the fields are what records are read by.
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from joulecast.data.records import (
    AtLeast1,
    Figure,
    Positive,
    Record,
    Rule,
    figures_of,
    positive,
    share,
)
from joulecast.terms import Arch, Field

#: Letter -> what a run with this letter among its `tests` may be used for.
TESTS: dict[str, str] = {
    "H": "device-hours against FLOP",
    "W": "device-hours against FLOP to an order of magnitude: sizes or data derived, never fitted",
    "E": "energy from metered power, FLOP known",
    "P": "metered power; the FLOP cannot be used",
    "C": "emissions from metered energy",
    "c": "energy or emissions made from a rated or assumed power: arithmetic, never power",
    "M": "emissions of a whole family of models",
    "X": "energy or emissions made in a way nobody stated",
}
Test = Literal["H", "W", "E", "P", "C", "c", "M", "X"]
Boundary = Literal["run", "project", "family"]
Bound = Literal["floor", "ceiling"]

#: Kinds of model whose FLOP do not follow from parameters and tokens.
UNCOUNTED = ("vision", "diffusion", "speech", "other")


class Count(Figure):
    """A figure that may be known from one side alone: at most a ceiling, at least a floor."""

    bound: Bound | None = None


class Reported(Count):
    """A published figure: who made it, and to what unit it was rounded.

    `by` is who made it: the authors, somebody else, or joulecast from what they published.
    """

    by: Literal["authors", "third-party", "joulecast"] = "authors"
    rounding: Annotated[float, Rule(gt=0)] | None = None

    @property
    def last_digit(self) -> float:
        """Unit of the last digit that was published, in the unit of the figure.

        >>> Reported(value=85_700, basis="measured", source="patterson-2021").last_digit
        100.0
        """
        if self.rounding is not None:
            return self.rounding
        exponent = Decimal(repr(self.value)).normalize().as_tuple().exponent
        return float(f"1e{exponent}")

    def check(self) -> None:
        """As a figure; what was not published says how it was made."""
        super().check()
        if self.basis in ("derived", "assumed") and not self.note:
            raise ValueError(f"is {self.basis}, so note must say how")


def _at_least_one(figure: Figure) -> None:
    if figure.value < 1:
        raise ValueError("is never below 1")


Amount = Annotated[Reported, Rule(positive)]


class Power(Reported):
    """Mean power of one device, alone or with its share of the system around it."""

    scope: Literal["device", "system"]


class Energy(Reported):
    """Energy with what the meter or the product covers."""

    scope: Literal["device", "system"]
    includes_pue: bool
    boundary: Boundary = "run"


class Emissions(Reported):
    """Operational emissions with how they were accounted for."""

    accounting: Literal["location", "market", "unstated"]
    includes_pue: bool | None = None
    boundary: Boundary = "run"


class Shape(Record):
    """Sizes of a transformer; layers of an encoder-decoder are those of both together."""

    source: str
    layers: AtLeast1 | None = None
    width: AtLeast1 | None = None
    heads: AtLeast1 | None = None
    vocab: AtLeast1 | None = None


class Before(Record):
    """What was known before the run.

    `tokens` are those processed; `flop` is model FLOP as reported, `executed_flop` counts
    recomputation too.  `model` is the record of the same model among the known ones.  `inferred`
    says how what is not a figure was concluded where it was not stated.
    """

    arch: Arch
    field: Field | None = None
    year: Annotated[int, Rule(ge=2012, le=2100)]
    params: Positive | None = None
    active_params: Positive | None = None
    tokens: Annotated[Count, Rule(positive)] | None = None
    flop: Annotated[Count, Rule(positive)] | None = None
    executed_flop: Positive | None = None
    seq_len: Positive | None = None
    model: str | None = None
    shape: Shape | None = None
    device: str | None = None
    device_count: AtLeast1 | None = None
    precision: Literal["fp32", "fp16", "bf16", "fp8"] | None = None
    place: str | None = None
    inferred: Mapping[str, str] = {}

    @property
    def needs_flop(self) -> bool:
        """Whether counts alone cannot give the FLOP, so that the reported figure is the input."""
        counts = self.params is not None and self.tokens is not None
        return not counts or self.arch in UNCOUNTED


class After(Record):
    """What was reported after the run; blank is not published."""

    device_hours: Amount | None = None
    wall_clock_days: Amount | None = None
    mfu: Annotated[Reported, Rule(share)] | None = None
    tokens_per_second_per_device: Amount | None = None
    power_w: Annotated[Power, Rule(positive)] | None = None
    pue: Annotated[Reported, Rule(_at_least_one)] | None = None
    grid_gco2e_per_kwh: Amount | None = None
    energy_kwh: Annotated[Energy, Rule(positive)] | None = None
    operational_kgco2e: Annotated[Emissions, Rule(positive)] | None = None
    embodied_kgco2e: Amount | None = None
    water_l: Amount | None = None


class ReportedRun(Record):
    """A published training run: inputs, outcome as reported, and what it may test.

    Runs of one `family` share team, cluster and code: they count once, and are left out together.
    `added` is the month since which the record is here; the first ones have none.
    """

    word = "run"

    id: Annotated[str, Rule(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]
    name: str
    developer: str
    family: str
    source: str
    other_sources: tuple[str, ...] = ()
    tests: tuple[Test, ...] = ()
    added: Annotated[str, Rule(pattern=r"^(\d{4}-\d{2})?$")] = ""
    note: str = ""
    before: Before
    reported: After = After()

    @classmethod
    def covered(
        cls, data: Mapping[str, Any], by: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The file's source covers the figures of both halves."""
        filled = dict(data)
        for name, half in (("before", Before), ("reported", After)):
            if not isinstance(data.get(name, {}), Mapping):
                raise ValueError(f"{name} must be a table")
            if name in data:
                cover = {**data[name], "source": data.get("source")}
                filled[name] = half.covered(data[name], cover)
        return filled

    @classmethod
    def levels(cls) -> tuple[Iterable[str], ...]:
        """Names a key may have at each level of a record."""
        inner = (*Before.fields, *After.fields)
        return cls.fields, inner, {**Emissions.fields, **Energy.fields, **Shape.fields}

    def check(self) -> None:
        """It holds what it is to test."""
        before, after = self.before, self.reported
        energy, power = after.energy_kwh, after.power_w
        tests = set(self.tests)
        if len(tests) < len(self.tests):
            raise ValueError("tests: a letter stands twice")
        if tests & set("HW"):
            if before.device is None or after.device_hours is None:
                raise ValueError("tests hours, so it needs device and device_hours")
            if before.needs_flop and before.flop is None:
                raise ValueError("tests hours, so it needs params and tokens, or flop")
        if tests & set("EP") and energy is None:
            raise ValueError("tests energy, so it needs energy_kwh")
        if tests & set("CM") and after.operational_kgco2e is None:
            raise ValueError("tests emissions, so it needs operational_kgco2e")
        if tests & set("EPC") and power is not None and power.basis == "assumed":
            raise ValueError("energy from an assumed power tests no power: only c")
        if before.arch == "moe" and before.params is not None and before.active_params is None:
            raise ValueError("a mixture of experts needs active_params")

    @property
    def one_sided(self) -> int:
        """1 where a forecast of the hours may well lie above what is published, -1 below.

        Above where the FLOP are at most, or the hours at least, what is said; utilisation is then
        at most what they give.
        """
        counts = self.before.flop if self.before.needs_flop else self.before.tokens
        flop, hours = (figure and figure.bound for figure in (counts, self.reported.device_hours))
        return (flop == "ceiling" or hours == "floor") - (flop == "floor" or hours == "ceiling")

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of all sources the record names, its main one first."""
        shape = [self.before.shape.source] if self.before.shape else []
        figures = [figure.source for figure in figures_of(self).values()]
        return tuple(dict.fromkeys([self.source, *self.other_sources, *figures, *shape]))
