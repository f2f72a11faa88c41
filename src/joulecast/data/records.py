"""What a record in hardware_specs must look like: strict, frozen, every number sourced.

An unknown key, a missing source or a range out of order is an error that names
the file and the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from joulecast.errors import SpecsError, nearest, plainly
from joulecast.terms import Arch

Basis = Literal["published", "measured", "derived", "assumed", "given"]
Read = Literal["primary", "secondary", "recalled"]
DeviceClass = Literal["pre-ampere", "ampere", "hopper", "blackwell", "tpu", "cdna", "other"]
PRECISIONS = ("fp64", "fp32", "tf32", "fp16", "bf16", "fp8", "fp4", "int8")


class Record(BaseModel):
    """Base of all records: no unknown keys, no change after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=False, defer_build=True, allow_inf_nan=False
    )

    #: What a message calls the record where no field is to blame.
    word: ClassVar[str] = ""

    @classmethod
    def levels(cls) -> tuple[Iterable[str], ...]:
        """Names a key may have at each level of a record, for the hint of a misspelt one."""
        return cls.model_fields, Figure.model_fields


class Source(Record):
    """Where a number comes from: all that a bibliography needs, and how we know it."""

    key: str
    kind: Literal["article", "report", "dataset", "web", "datasheet", "standard", "judgement"]
    authors: str
    title: str
    year: int = Field(ge=1950, le=2100)
    url: str = ""
    doi: str = ""
    publisher: str = ""
    journal: str = ""
    accessed: str = Field(default="", pattern=r"^(\d{4}-\d{2}(-\d{2})?)?$")
    locator: str = ""
    licence: str = ""
    read: Read
    checked: str = Field(default="", pattern=r"^(\d{4}-\d{2}-\d{2})?$")
    checked_against: str = ""
    unconfirmed: str = ""
    note: str = ""

    @property
    def entry(self) -> str:
        """How far authors, title, year and address were compared with what others print."""
        if self.checked:
            return "partly checked" if self.unconfirmed else "checked"
        return "unchecked" if self.unconfirmed else "unstated"

    @property
    def names(self) -> tuple[str, ...]:
        """Authors one by one; an organisation whose name holds "and" stands in braces."""
        return tuple(name.strip("{}") for name in re.split(r" and (?![^{]*\})", self.authors))

    @property
    def short_authors(self) -> str:
        """Two names at most: "Kaplan et al."."""
        names = [name.split(",")[0].strip() for name in self.names]
        few = len(names) <= 2 and names[-1] != "others"
        return " and ".join(names) if few else f"{names[0]} et al."

    @property
    def label(self) -> str:
        """Authors and year, as a text refers to it: "Kaplan et al. 2020"."""
        return f"{self.short_authors} {self.year}"

    @model_validator(mode="after")
    def _can_be_found(self) -> Source:
        if self.kind != "judgement" and not (self.url or self.doi or self.publisher):
            raise ValueError("a source needs a url, a doi or a publisher")
        return self

    @model_validator(mode="after")
    def _check_is_told_in_full(self) -> Source:
        if bool(self.checked) != bool(self.checked_against):
            raise ValueError("an entry that was checked needs both checked and checked_against")
        return self


class Figure(Record):
    """A number, how far it may be off (5 % and 95 % points), and why we believe it."""

    value: float
    low: float | None = None
    high: float | None = None
    basis: Basis
    source: str
    note: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Figure:
        if (self.low is None) != (self.high is None):
            raise ValueError("a range needs both low and high")
        if self.low is not None and self.high is not None:
            if not self.low <= self.value <= self.high:
                raise ValueError(
                    f"low, value, high out of order: {self.low:g}, {self.value:g}, {self.high:g}"
                )
            if self.low == self.high:
                raise ValueError("low and high are equal; leave both out for an exact number")
        return self

    @property
    def points(self) -> tuple[float, float, float]:
        """Value, low and high; all three the same where it is exact."""
        if self.low is None or self.high is None:
            return self.value, self.value, self.value
        return self.value, self.low, self.high


F = TypeVar("F", bound=Figure)


def positive(figure: F) -> F:
    """Refuse what is not above 0."""
    if figure.value <= 0 or (figure.low is not None and figure.low <= 0):
        raise ValueError("must be above 0")
    return figure


def _not_negative(figure: Figure) -> Figure:
    if figure.value < 0 or (figure.low is not None and figure.low < 0):
        raise ValueError("must not be negative")
    if figure.low == 0:
        raise ValueError("a range must start above 0")
    return figure


def share(figure: F) -> F:
    """Refuse what does not lie in 0..1."""
    for number in (figure.value, figure.low, figure.high):
        if number is not None and not 0 < number <= 1:
            raise ValueError(f"is a share and must lie in 0..1, not {number:g}")
    return figure


Positive = Annotated[Figure, AfterValidator(positive)]
NotNegative = Annotated[Figure, AfterValidator(_not_negative)]
Share = Annotated[Figure, AfterValidator(share)]

#: Fields of a device that are figures; a bare number takes the file's own source and basis.
_DEVICE_FIGURES = (
    "memory_gb",
    "memory_bandwidth_gb_per_s",
    "interconnect_gb_per_s",
    "tdp_w",
    "device_power_w",
    "host_power_w",
    "matmul_share",
    "embodied_kgco2e",
    "host_embodied_kgco2e",
    "die_mm2",
)


def cover_figures(data: Any, names: tuple[str, ...]) -> Any:
    """Give the figures among `names` the file's own source and basis where they have none."""
    if not isinstance(data, Mapping):
        return data
    cover = {"source": data.get("source"), "basis": data.get("basis") or "published"}
    filled = dict(data)
    for name in names:
        raw = filled.get(name)
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            filled[name] = {"value": raw, **cover}
        elif isinstance(raw, Mapping):
            filled[name] = {**cover, **raw}
    return filled


class Device(Record):
    """An accelerator as frameworks count it: what "one device" is stands in `one_device`."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    name: str
    vendor: str
    family: str
    device_class: DeviceClass
    kind: Literal["gpu", "tpu", "npu", "cpu", "soc"]
    form_factor: str
    one_device: str
    release_date: date
    aliases: tuple[str, ...] = ()
    family_default: bool = False
    process_nm: float | None = None
    source: str
    basis: Basis = "published"
    peak_tflops: Mapping[str, Positive]
    sparse_peak_tflops: Mapping[str, Positive] = {}
    memory_gb: Positive
    memory_bandwidth_gb_per_s: Positive | None = None
    interconnect_gb_per_s: Positive | None = None
    tdp_w: Positive | None = None
    device_power_w: Positive | None = None
    host_power_w: NotNegative | None = None
    matmul_share: Share | None = None
    die_mm2: Positive | None = None
    embodied_kgco2e: Positive | None = None
    embodied_scope: Literal["device", "system"] = "device"
    host_embodied_kgco2e: NotNegative | None = None
    devices_per_host: int | None = Field(default=None, ge=1)
    operator: str | None = None
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _file_source_covers_bare_numbers(cls, data: Any) -> Any:
        filled = cover_figures(data, _DEVICE_FIGURES)
        for name in ("peak_tflops", "sparse_peak_tflops"):
            if isinstance(filled, dict) and isinstance(filled.get(name), Mapping):
                keys = tuple(filled[name])
                whole = {**filled[name], "source": data.get("source"), "basis": data.get("basis")}
                covered = cover_figures(whole, keys)
                filled[name] = {key: covered[key] for key in keys}
        return filled

    @field_validator("peak_tflops", "sparse_peak_tflops")
    @classmethod
    def _known_precisions(cls, peaks: Mapping[str, Figure]) -> Mapping[str, Figure]:
        for name in peaks:
            if name not in PRECISIONS:
                choices = nearest(name, PRECISIONS) or PRECISIONS
                raise SpecsError(name, None, "is not a known precision", choices)
        return peaks

    @model_validator(mode="after")
    def _plausible(self) -> Device:
        if not {"bf16", "fp16", "fp32"} & set(self.peak_tflops):
            raise ValueError("needs a dense bf16, fp16 or fp32 peak")
        for name, sparse in self.sparse_peak_tflops.items():
            dense = self.peak_tflops.get(name)
            if dense is not None and dense.value >= sparse.value:
                raise ValueError(
                    f"dense {name} peak {dense.value:g} is not below the sparse "
                    f"{sparse.value:g}: is it a sparse figure?"
                )
        if self.tdp_w is not None and not 10 <= self.tdp_w.value <= 50_000:
            raise ValueError(f"tdp_w {self.tdp_w.value:g} is not a plausible device power")
        if self.tdp_w is None and self.device_power_w is None:
            raise ValueError("needs tdp_w or device_power_w")
        if self.embodied_scope == "system" and self.host_embodied_kgco2e is not None:
            raise ValueError("embodied_scope is system, so host_embodied_kgco2e counts it twice")
        return self

    @property
    def at_a_desk(self) -> bool:
        """Whether it is a computer of its own, outside any data centre."""
        return self.kind in ("cpu", "soc") and self.form_factor in ("desktop", "laptop", "SoC")

    def peak(self, precision: str) -> Figure | None:
        """Dense peak [TFLOP/s] to measure utilisation against.

        16-bit for every precision of 16 bits and below; 32-bit only when asked for.
        """
        if precision in ("fp32", "tf32", "fp64"):
            return self.peak_tflops.get(precision)
        order = ("fp16", "bf16", "fp32") if precision == "fp16" else ("bf16", "fp16", "fp32")
        return next((self.peak_tflops[name] for name in order if name in self.peak_tflops), None)


_FIGURES_OF_MODELS = (
    "params",
    "active_params",
    "tokens",
    "seq_len",
    "training_flop",
    "mtp_params",
    "mtp_active_params",
)


class Model(Record):
    """A known model: what of it was public, never how its training run went.

    `mtp_params` are the weights of one module that predicts a further token in training,
    `mtp_active_params` those on a token's way there, the shared head included.
    """

    id: str = Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")
    name: str
    developer: str
    arch: Arch
    release_year: int = Field(ge=2012, le=2100)
    aliases: tuple[str, ...] = ()
    source: str
    basis: Basis = "published"
    params: Positive
    active_params: Positive | None = None
    tokens: Positive | None = None
    seq_len: Positive | None = None
    training_flop: Positive | None = None
    mtp_params: Positive | None = None
    mtp_active_params: Positive | None = None
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _file_source_covers_bare_numbers(cls, data: Any) -> Any:
        return cover_figures(data, _FIGURES_OF_MODELS)

    @model_validator(mode="after")
    def _plausible(self) -> Model:
        if self.arch == "moe" and self.active_params is None:
            raise ValueError("a mixture of experts needs active_params")
        if self.active_params is not None and self.active_params.value > self.params.value:
            raise ValueError("active_params above params")
        if (self.mtp_params is None) != (self.mtp_active_params is None):
            raise ValueError("mtp_params and mtp_active_params go together")
        return self


class Instance(Record):
    """A cloud instance type and the devices in it, or a slice whose number says how many.

    A slice has `per_device` instead of `devices`: of what its number counts, so many are one.
    """

    id: str
    device: str
    devices: int | None = Field(default=None, ge=1)
    per_device: int | None = Field(default=None, ge=1)
    provider: str
    source: str
    note: str = ""

    @model_validator(mode="after")
    def _one_way_to_count(self) -> Instance:
        wanted, other = "devices", "per_device"
        if self.id.endswith("-*"):
            wanted, other = other, wanted
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise ValueError(f"needs {wanted} and no {other}")
        return self


R = TypeVar("R", bound=Record)


def validated(kind: type[R], data: Mapping[str, Any], where: str) -> R:
    """Read one record, or raise SpecsError naming the file and the field."""
    try:
        return kind.model_validate(data)
    except ValidationError as broken:
        path, value, why, choices = plainly(broken.errors(), kind.levels())
        path = path or kind.word or kind.__name__.lower()
        raise SpecsError(f"{where}: {path}", value, why, choices) from None


def figures_of(record: Record) -> dict[str, Figure]:
    """Every figure of a record, by the path of its field."""
    found: dict[str, Figure] = {}
    for name, value in record:
        if isinstance(value, Figure):
            found[name] = value
        elif isinstance(value, Record):
            found |= {f"{name}.{path}": figure for path, figure in figures_of(value).items()}
        elif isinstance(value, Mapping):
            inner = ((key, item) for key, item in value.items() if isinstance(item, Figure))
            found |= {f"{name}.{key}": figure for key, figure in inner}
    return found
