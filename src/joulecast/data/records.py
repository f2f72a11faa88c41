"""What a record in hardware_specs must look like: frozen, every number sourced.

Fields, their types and the rules they keep stand here once.  Our own records were validated when
the package was built, so they are only read (`Record.made_of`); a user's are validated by pydantic
from the same classes (`data/validation.py`).
"""

# No postponed annotations here: the types of the fields are what records are read by.
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Self,
    dataclass_transform,
    get_args,
    get_origin,
)

from joulecast.errors import SpecsError, nearest
from joulecast.terms import Arch

COOLINGS = ("air", "liquid")
Basis = Literal["published", "measured", "derived", "assumed", "given"]
Read = Literal["primary", "secondary", "recalled"]
DeviceClass = Literal["pre-ampere", "ampere", "hopper", "blackwell", "tpu", "cdna", "other"]
PRECISIONS = ("fp64", "fp32", "tf32", "fp16", "bf16", "fp8", "fp4", "int8")


class Rule:
    """What a field keeps beyond its type: limits (ge, gt, le, pattern), or a function's check.

    The function raises ValueError.
    """

    def __init__(self, check: Callable[[Any], None] | None = None, **limits: float | str) -> None:
        self.check = check
        self.limits = limits


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """Base of all records: a field for each annotation of the class, no change once it is made.

    Not a dataclass: making one costs a millisecond and more at every start, this 30 microseconds.
    The values lie in the instance's own dictionary, in the order of the fields.
    """

    #: Field -> type, and the fields that have no default.
    fields: ClassVar[Mapping[str, Any]] = {}
    required: ClassVar[frozenset[str]] = frozenset()
    _blank: ClassVar[Mapping[str, Any]] = {}

    #: What a message calls the record where no field is to blame.
    word: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        cls.fields = {**cls.fields, **cls.__annotations__}
        cls.required = frozenset(name for name in cls.fields if not hasattr(cls, name))
        cls._blank = {name: getattr(cls, name, None) for name in cls.fields}

    def __init__(self, /, **values: Any) -> None:
        vars(self).update(self._blank, **values)
        if len(vars(self)) > len(self._blank) or not self.required <= values.keys():
            wrong = sorted((values.keys() - self.fields) | (self.required - values.keys()))
            raise TypeError(f"{type(self).__name__}: unknown or missing: {', '.join(wrong)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} does not change: {name}; see replace")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    # Not a method: to mypy the class itself could be no key of a cache.
    __hash__: ClassVar[Any] = lambda self: hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.items())})"

    def items(self) -> Iterable[tuple[str, Any]]:
        """Fields and their values."""
        return vars(self).items()

    def replace(self, **changes: Any) -> Self:
        """A copy with other values in some fields."""
        return type(self)(**{**vars(self), **changes})

    @classmethod
    def made_of(cls, data: Mapping[str, Any]) -> Self:
        """A record of plain data that was validated before."""
        values = cls.covered(data)
        for name, read, _ in _fields(cls):
            if values.get(name) is not None:
                values[name] = read(values[name])
        return cls(**values)

    @classmethod
    def covered(
        cls, data: Mapping[str, Any], by: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Plain data whose figures take the source and basis of `by` where they have none.

        A bare number becomes a table of its own; `by` is the record itself unless it is part of
        another.
        """
        by = data if by is None else by
        said = {"source": by.get("source"), "basis": by.get("basis") or "published"}

        def whole(raw: Any) -> Any:
            number = isinstance(raw, int | float) and not isinstance(raw, bool)
            raw = {"value": raw} if number else raw
            return {**said, **raw} if isinstance(raw, Mapping) else raw

        filled = dict(data)
        for name, _, several in _fields(cls):
            raw = data.get(name)
            if several and isinstance(raw, Mapping):
                filled[name] = {key: whole(part) for key, part in raw.items()}
            elif name in data and several is False:
                filled[name] = whole(raw)
        return filled

    def check(self) -> None:
        """Raise ValueError where fields contradict each other."""

    @classmethod
    def levels(cls) -> tuple[Iterable[str], ...]:
        """Names a key may have at each level of a record, for the hint of a misspelt one."""
        return cls.fields, Figure.fields


def plain(value: Any) -> Any:
    """What JSON holds of a record; fields that are not known are left out."""
    if isinstance(value, Record):
        return {name: plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value


class Source(Record):
    """Where a number comes from: all that a bibliography needs, and how we know it."""

    key: str
    kind: Literal["article", "report", "dataset", "web", "datasheet", "standard", "judgement"]
    authors: str
    title: str
    year: Annotated[int, Rule(ge=1950, le=2100)]
    url: str = ""
    doi: str = ""
    publisher: str = ""
    journal: str = ""
    accessed: Annotated[str, Rule(pattern=r"^(\d{4}-\d{2}(-\d{2})?)?$")] = ""
    locator: str = ""
    licence: str = ""
    read: Read
    checked: Annotated[str, Rule(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
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
        if "}" not in self.authors or " and " not in self.authors:  # spares most the pattern
            return tuple(name.strip("{}") for name in self.authors.split(" and "))
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

    def check(self) -> None:
        """It can be found, and a check of its entry is told in full."""
        if self.kind != "judgement" and not (self.url or self.doi or self.publisher):
            raise ValueError("a source needs a url, a doi or a publisher")
        if bool(self.checked) != bool(self.checked_against):
            raise ValueError("an entry that was checked needs both checked and checked_against")


class Figure(Record):
    """A number, how far it may be off (5 % and 95 % points), and why we believe it."""

    value: float
    low: float | None = None
    high: float | None = None
    basis: Basis
    source: str
    note: str = ""

    def check(self) -> None:
        """A range has two ends, in order, with the value between them."""
        if (self.low is None) != (self.high is None):
            raise ValueError("a range needs both low and high")
        if self.low is not None and self.high is not None:
            if not self.low <= self.value <= self.high:
                raise ValueError(
                    f"low, value, high out of order: {self.low:g}, {self.value:g}, {self.high:g}"
                )
            if self.low == self.high:
                raise ValueError("low and high are equal; leave both out for an exact number")

    @property
    def points(self) -> tuple[float, float, float]:
        """Value, low and high; all three the same where it is exact."""
        if self.low is None or self.high is None:
            return self.value, self.value, self.value
        return self.value, self.low, self.high


def positive(figure: Figure) -> None:
    """Refuse what is not above 0."""
    if figure.value <= 0 or (figure.low is not None and figure.low <= 0):
        raise ValueError("must be above 0")


def _not_negative(figure: Figure) -> None:
    if figure.value < 0 or (figure.low is not None and figure.low < 0):
        raise ValueError("must not be negative")
    if figure.low == 0:
        raise ValueError("a range must start above 0")


def share(figure: Figure) -> None:
    """Refuse what does not lie in 0..1."""
    for number in (figure.value, figure.low, figure.high):
        if number is not None and not 0 < number <= 1:
            raise ValueError(f"is a share and must lie in 0..1, not {number:g}")


def _known_precisions(peaks: Mapping[str, Figure]) -> None:
    for name in peaks:
        if name not in PRECISIONS:
            choices = nearest(name, PRECISIONS) or PRECISIONS
            raise SpecsError(name, None, "is not a known precision", choices)


def _known_cooling(hosts: Mapping[str, Figure]) -> None:
    for name in hosts:
        if name not in COOLINGS:
            raise SpecsError(name, None, "is not a known kind of host", list(COOLINGS))


Positive = Annotated[Figure, Rule(positive)]
NotNegative = Annotated[Figure, Rule(_not_negative)]
Share = Annotated[Figure, Rule(share)]
AtLeast1 = Annotated[int, Rule(ge=1)]


class Device(Record):
    """An accelerator as frameworks count it: what "one device" is stands in `one_device`.

    `missing` says what of it nobody published: it is known by name, and what an answer needs of
    that must be given.  `generation` is the first device of its generation, whose release its age
    counts from, and `software_since` an older one whose software it could use from its first day.
    `tuned_share` is the share of the 16-bit peak that a tuned training can use, on the scale of
    `matmul_share`; `precision_speedup` what precisions gain over 16 bit.  `other_peak_tflops` are
    rates, by a name, that published utilisations were divided by instead of `peak_tflops`, whose
    notes say what they are; `framework_devices` how many devices frameworks may count in one.
    `metered` says that its power at work was metered, though its record has none.  `host_power_w`
    is of hosts whose cooling nobody stated; `host_cooling` says that all are cooled one way.
    """

    id: Annotated[str, Rule(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    name: str
    vendor: str
    family: str
    device_class: DeviceClass
    kind: Literal["gpu", "tpu", "npu", "cpu", "soc"]
    form_factor: str
    one_device: str
    framework_devices: tuple[int, ...] = ()
    status: Literal["shipping", "announced", "cancelled"] = "shipping"
    missing: str = ""
    release_date: date | None = None
    generation: str | None = None
    software_since: str | None = None
    aliases: tuple[str, ...] = ()
    family_default: bool = False
    process_nm: float | None = None
    source: str
    basis: Basis = "published"
    peak_tflops: Annotated[Mapping[str, Positive], Rule(_known_precisions)] = {}
    sparse_peak_tflops: Annotated[Mapping[str, Positive], Rule(_known_precisions)] = {}
    other_peak_tflops: Mapping[str, Positive] = {}
    memory_gb: Positive | None = None
    memory_bandwidth_gb_per_s: Positive | None = None
    interconnect_gb_per_s: Positive | None = None
    tdp_w: Positive | None = None
    metered: bool = False
    device_power_w: Positive | None = None
    host_power_w: NotNegative | None = None
    host_power_by_cooling: Annotated[Mapping[str, Positive], Rule(_known_cooling)] = {}
    host_cooling: Literal["air", "liquid"] | None = None
    matmul_share: Share | None = None
    tuned_share: Share | None = None
    precision_speedup: Annotated[Mapping[str, Positive], Rule(_known_precisions)] = {}
    die_mm2: Positive | None = None
    embodied_kgco2e: Positive | None = None
    embodied_scope: Literal["device", "system"] = "device"
    host_embodied_kgco2e: NotNegative | None = None
    devices_per_host: AtLeast1 | None = None
    operator: str | None = None
    note: str = ""

    def check(self) -> None:
        """Peaks, power and what its making covers are plausible together."""
        if not {"bf16", "fp16", "fp32"} & set(self.peak_tflops) and not self.missing:
            raise ValueError("needs a dense bf16, fp16 or fp32 peak, or missing to say why not")
        if self.release_date is None and not self.missing:
            raise ValueError("needs release_date, or missing to say that nobody printed one")
        for name, sparse in self.sparse_peak_tflops.items():
            dense = self.peak_tflops.get(name)
            if dense is not None and dense.value >= sparse.value:
                raise ValueError(
                    f"dense {name} peak {dense.value:g} is not below the sparse "
                    f"{sparse.value:g}: is it a sparse figure?"
                )
        if any(count < 2 for count in self.framework_devices):
            raise ValueError("framework_devices must be whole numbers from 2")
        unsaid = [name for name, other in self.other_peak_tflops.items() if not other.note]
        if unsaid:
            raise ValueError(f"other_peak_tflops.{unsaid[0]} needs a note that says what it is")
        if self.tdp_w is not None and not 10 <= self.tdp_w.value <= 50_000:
            raise ValueError(f"tdp_w {self.tdp_w.value:g} is not a plausible device power")
        if self.tdp_w is None and self.device_power_w is None and not self.missing:
            raise ValueError("needs tdp_w or device_power_w, or missing to say why not")
        if self.embodied_scope == "system" and self.host_embodied_kgco2e is not None:
            raise ValueError("embodied_scope is system, so host_embodied_kgco2e counts it twice")

    @property
    def at_a_desk(self) -> bool:
        """Whether it is a computer of its own, outside any data centre."""
        return self.kind in ("cpu", "soc") and self.form_factor in ("desktop", "laptop", "SoC")

    def peak(self, precision: str) -> Figure | None:
        """Dense peak [TFLOP/s] to measure utilisation against.

        16-bit for every precision of 16 bits and below; 32-bit only when asked for, or of an old
        device that has no other.  None where nobody published it.
        """
        if precision in ("fp32", "tf32", "fp64"):
            return self.peak_tflops.get(precision)
        order = ("fp16", "bf16", "fp32") if precision == "fp16" else ("bf16", "fp16", "fp32")
        if "16-bit peak" in self.missing:
            return None
        return next((self.peak_tflops[name] for name in order if name in self.peak_tflops), None)


class Model(Record):
    """A known model: what of it was public, never how its training run went.

    `mtp_params` are the weights of one module that predicts a further token in training,
    `mtp_active_params` those on a token's way there, the shared head included.
    """

    id: Annotated[str, Rule(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]
    name: str
    developer: str
    arch: Arch
    release_year: Annotated[int, Rule(ge=2012, le=2100)]
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

    def check(self) -> None:
        """Counts of parameters agree with each other and with the kind of model."""
        if self.arch == "moe" and self.active_params is None:
            raise ValueError("a mixture of experts needs active_params")
        if self.active_params is not None and self.active_params.value > self.params.value:
            raise ValueError("active_params above params")
        if (self.mtp_params is None) != (self.mtp_active_params is None):
            raise ValueError("mtp_params and mtp_active_params go together")


class Instance(Record):
    """A cloud instance type and the devices in it, or a slice whose number says how many.

    A slice has `per_device` instead of `devices`: of what its number counts, so many are one.
    """

    id: str
    device: str
    devices: AtLeast1 | None = None
    per_device: AtLeast1 | None = None
    provider: str
    source: str
    note: str = ""

    def check(self) -> None:
        """There is one way to count."""
        wanted, other = "devices", "per_device"
        if self.id.endswith("-*"):
            wanted, other = other, wanted
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise ValueError(f"needs {wanted} and no {other}")


def figures_of(record: Record | Mapping[str, Any]) -> dict[str, Figure]:
    """Every figure of a record, by the path of its field."""
    found: dict[str, Figure] = {}
    for name, value in record.items():
        if isinstance(value, Figure):
            found[name] = value
        elif isinstance(value, Record | Mapping):
            found |= {f"{name}.{path}": figure for path, figure in figures_of(value).items()}
    return found


@cache
def _fields(kind: type[Record]) -> list[tuple[str, Callable[[Any], Any], bool | None]]:
    """Fields that plain data do not hold as they are, what makes them, whether figures by name."""
    found = []
    for name, annotation in kind.fields.items():
        if read := _reader(annotation):
            field = type_of(annotation)
            *_, inner = get_args(field) or [field]
            figures = isinstance(one := type_of(inner), type) and issubclass(one, Figure)
            found.append((name, read, inner is not field if figures else None))
    return found


def _reader(annotation: Any) -> Callable[[Any], Any] | None:
    field = type_of(annotation)
    if isinstance(field, type):
        if field in (int, float):
            return field
        if field is date:
            return date.fromisoformat
        return field.made_of if issubclass(field, Record) else None
    if get_origin(field) is tuple:
        one = _reader(get_args(field)[0])
        return tuple if one is None else lambda raw: tuple(map(one, raw))
    if get_origin(field) is Mapping:
        part = _reader(get_args(field)[1])
        return part and (lambda raw: {key: part(value) for key, value in raw.items()})
    return None


def type_of(annotation: Any) -> Any:
    """Type of a field without its rules, and without the None that may stand for it."""
    if isinstance(annotation, type):
        return annotation
    wrapped = get_origin(annotation) not in (Literal, tuple, Mapping, None)
    return type_of(get_args(annotation)[0]) if wrapped else annotation
