"""What someone intends to train: Plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator

from joulecast.data.prices import with_currency
from joulecast.data.reading import (
    depth_of_prediction,
    document_length,
    number,
    quantity,
    rate,
    sequence_length,
    span,
)
from joulecast.errors import InputError, JoulecastError, UnknownNameError, brief, nearest
from joulecast.terms import INPUTS, PROJECT_SHARES, USED, Arch, input_term

Precision = Literal["fp32", "tf32", "bf16", "fp16", "fp8", "fp4"]
Recompute = Literal["none", "selective", "full"]
GridBasis = Literal["life-cycle", "direct"]
HydroEvaporation = Literal["include", "exclude"]
EmbodiedMode = Literal["amortised", "purchase"]
StorageMedium = Literal["hdd", "ssd"]

#: Published kinds of project, each with a factor of its own in defaults.toml.
PROJECTS = ("lab", "frontier", "unknown")

#: In place of the share of a part of a project: what published cases come to.
PUBLISHED = "published"

CHOICES: dict[str, tuple[str, ...]] = {
    "arch": Arch.__args__,  # type: ignore[attr-defined]
    "precision": Precision.__args__,  # type: ignore[attr-defined]
    "recompute": Recompute.__args__,  # type: ignore[attr-defined]
    "grid_basis": GridBasis.__args__,  # type: ignore[attr-defined]
    "hydro_evaporation": HydroEvaporation.__args__,  # type: ignore[attr-defined]
    "embodied_mode": EmbodiedMode.__args__,  # type: ignore[attr-defined]
    "storage_medium": StorageMedium.__args__,  # type: ignore[attr-defined]
}

ALIASES: dict[str, dict[str, str]] = {
    "arch": {
        "dense-decoder": "dense",
        "decoder": "dense",
        "encoder-decoder": "enc-dec",
        "seq2seq": "enc-dec",
        "rnn": "recurrent",
        "lstm": "recurrent",
        "gru": "recurrent",
    },
    "precision": {
        "bfloat16": "bf16",
        "float16": "fp16",
        "half": "fp16",
        "float32": "fp32",
        "single": "fp32",
        "float8": "fp8",
        "mxfp8": "fp8",
        "nvfp4": "fp4",
        "mxfp4": "fp4",
    },
    "embodied_mode": {"amortized": "amortised", "purchased": "purchase"},
    "storage_medium": {"disk": "hdd", "hard disk": "hdd", "flash": "ssd", "nvme": "ssd"},
    "grid_basis": {"lifecycle": "life-cycle", "life cycle": "life-cycle", "lca": "life-cycle"},
}

#: Ways to say the same thing: a flag for one replaces a plan file's word for another.
GROUPS = (
    ("tokens", "unique_tokens", "samples", "phases"),
    ("flop", "hardware_flop"),
    ("model", "params"),
    ("device", "fleet"),
)

#: Quantities that have a field of their own in a plan.
FIELDS_OF_QUANTITIES = {
    "params": "params",
    "active_params": "active_params",
    "trainable_params": "trainable_params",
    "tokens": "tokens",
    "training_flop": "flop",
    "executed_flop": "hardware_flop",
    "device_count": "device_count",
    "project_factor": "project_factor",
}


def _count(
    field: str, minimum: float = 0.0, whole: bool = False, unit: str = ""
) -> BeforeValidator:
    """Reads a count of at least `minimum`, as people write it."""

    def read(raw: object) -> float | None:
        if raw is None:
            return None
        value = quantity(field, raw, unit) if unit else number(field, raw)
        if value < minimum or value <= 0:
            limit = f"must be at least {brief(minimum)}" if minimum else "must be above 0"
            raise InputError(field, raw, limit)
        if whole and value != int(value):
            raise InputError(field, raw, "must be a whole number")
        if value > LARGEST_COUNT:
            raise InputError(field, raw, "is larger than anything that exists; check its unit")
        return value

    return BeforeValidator(read)


#: FLOP of a run, the largest count there is, stay far below.
LARGEST_COUNT = 1e36


def _word(field: str) -> BeforeValidator:
    """Reads one of a few words, or an alias of one."""

    def read(raw: object) -> str | None:
        if raw is None:
            return None
        text = str(raw).strip().casefold()
        text = ALIASES.get(field, {}).get(text, text)
        if text not in CHOICES[field]:
            choices = nearest(text, CHOICES[field]) or CHOICES[field]
            raise UnknownNameError(field, raw, "is not a known choice", choices)
        return text

    return BeforeValidator(read)


def _text(field: str) -> BeforeValidator:
    """Reads a name that must not be empty."""

    def read(raw: object) -> str | None:
        if raw is None:
            return None
        if not isinstance(raw, str) or not raw.strip():
            raise InputError(field, raw, "must be a name")
        return raw.strip()

    return BeforeValidator(read)


def _lengths(raw: object) -> int | str | None:
    return None if raw is None else sequence_length("seq_len", raw)


def _document(raw: object) -> int | None:
    return None if raw is None else document_length("document_len", raw)


def _depth(raw: object) -> int | None:
    return None if raw is None else depth_of_prediction("mtp_depth", raw)


def _ratio(raw: object) -> object:
    """Checks a project factor, which may be a preset or a range; keeps it as it was written."""
    if not isinstance(raw, str):
        if raw is not None:
            span(INPUTS["project_factor"], raw)
        return raw
    text = raw.strip().casefold()
    if text[:1].isalpha() and text not in PROJECTS:
        choices = [*(nearest(text, PROJECTS) or PROJECTS), "1.5..2.5"]
        raise UnknownNameError("project_factor", raw, "is not a kind of project", choices)
    if text not in PROJECTS:
        span(INPUTS["project_factor"], raw)
    return text


def is_published(name: str, raw: object) -> bool:
    """Whether a part of the project is to be what published cases come to.

    Raises UnknownNameError for another word in its place.
    """
    if name not in PROJECT_SHARES or not isinstance(raw, str) or not raw.strip()[:1].isalpha():
        return False
    if raw.strip().casefold() != PUBLISHED:
        why = "is neither a share of the run nor a word known here"
        raise UnknownNameError(name, raw, why, [PUBLISHED, "0.3", "0.1..0.5"])
    return True


def _share(raw: object) -> float | None:
    """Reads the share of a run that one entry of a fleet does."""
    if raw is None:
        return None
    value = quantity("fleet.share", raw, "")
    if not 0 < value <= 1:
        raise InputError("fleet.share", raw, "must be above 0 and at most 1", ["0.5"])
    return value


class _Part(BaseModel):
    """Base of plans and their parts: no unknown keys, no change after reading, kind errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    def _read(self, values: Mapping[str, Any]) -> None:
        try:
            super().__init__(**values)
        except ValidationError as broken:
            raise _plain_error(broken, type(self)) from None


class Phase(_Part):
    """A stretch of a run with tokens, a sequence length or a precision of its own."""

    def __init__(self, **values: Any) -> None:
        self._read(values)

    tokens: Annotated[float, _count("phase.tokens", 1)]
    seq_len: Annotated[int | str | None, BeforeValidator(_lengths)] = None
    precision: Annotated[Precision | None, _word("precision")] = None


def _use(name: str) -> BeforeValidator:
    """Checks a quantity of the use, which may be a range, and keeps it as it was written."""

    def read(raw: object) -> object:
        if raw is not None:
            (rate if name.endswith("_per_year") else span)(USED[name], raw)
        return raw

    return BeforeValidator(read)


class Use(_Part):
    """How a language model will be used once it is trained; all of it may be left out.

    `tokens` are those generated and `requests` those answered, each with its period
    (``"1T/year"``, ``"2M/day"``); one of the two is the demand, which is never assumed.
    """

    def __init__(self, **values: Any) -> None:
        self._read(values)

    tokens: Annotated[Any, _use("use_tokens_per_year")] = None
    requests: Annotated[Any, _use("use_requests_per_year")] = None
    output_tokens: Annotated[Any, _use("use_output_tokens")] = None
    prompt_tokens: Annotated[Any, _use("use_prompt_tokens")] = None
    batch: Annotated[Any, _use("use_batch")] = None
    device: Annotated[str | None, _text("use.device")] = None
    device_count: Annotated[float | None, _count("use.device_count", 1, whole=True)] = None
    precision: Annotated[Precision | None, _word("precision")] = None
    years: Annotated[Any, _use("use_years")] = None
    energy_factor: Annotated[Any, _use("use_energy_factor")] = None
    site_factor: Annotated[Any, _use("use_site_factor")] = None


class FleetEntry(_Part):
    """Devices of one type at one place: they do a share of the run, or are reserved for hours."""

    def __init__(self, **values: Any) -> None:
        self._read(values)

    device: Annotated[str, _text("fleet.device")]
    device_count: Annotated[float | None, _count("fleet.device_count", 1, whole=True)] = None
    share: Annotated[float | None, BeforeValidator(_share)] = None
    hours: Annotated[float | None, _count("fleet.hours", unit="h")] = None
    region: Annotated[str | None, _text("fleet.region")] = None
    provider: Annotated[str | None, _text("fleet.provider")] = None


class Plan(_Part):
    """A training run somebody plans: what is trained, on what, where, and what is known already.

    Counts may be numbers or text as people write them (``70e9`` or ``"70B"``).  `given` holds
    known quantities by name (docs/glossary.md): a number, text with a unit, (low, high) or
    (low, median, high).  Raises JoulecastError on anything that cannot be used.
    """

    # Written out so that type checkers let people pass text for numbers.
    def __init__(self, **values: Any) -> None:
        self._read(with_currency(values))

    model: Annotated[str | None, _text("model")] = None
    params: Annotated[float | None, _count("params", 1)] = None
    active_params: Annotated[float | None, _count("active_params", 1)] = None
    trainable_params: Annotated[float | None, _count("trainable_params", 1)] = None
    arch: Annotated[Arch | None, _word("arch")] = None
    mtp_depth: Annotated[int | None, BeforeValidator(_depth)] = None
    tokens: Annotated[float | None, _count("tokens", 1)] = None
    unique_tokens: Annotated[float | None, _count("unique_tokens", 1)] = None
    epochs: Annotated[float | None, _count("epochs")] = None
    samples: Annotated[float | None, _count("samples", 1)] = None
    seq_len: Annotated[int | str | None, BeforeValidator(_lengths)] = None
    document_len: Annotated[int | None, BeforeValidator(_document)] = None
    flop: Annotated[float | None, _count("flop", unit="FLOP")] = None
    hardware_flop: Annotated[float | None, _count("hardware_flop", unit="FLOP")] = None
    precision: Annotated[Precision | None, _word("precision")] = None
    recompute: Annotated[Recompute | None, _word("recompute")] = None
    device: Annotated[str | None, _text("device")] = None
    device_count: Annotated[float | None, _count("device_count", 1, whole=True)] = None
    region: Annotated[str | None, _text("region")] = None
    provider: Annotated[str | None, _text("provider")] = None
    year: Annotated[float | None, _count("year", 1, whole=True)] = None
    grid_basis: Annotated[GridBasis | None, _word("grid_basis")] = None
    national_average: bool = False
    hydro_evaporation: Annotated[HydroEvaporation | None, _word("hydro_evaporation")] = None
    include_building: bool = False
    embodied_mode: Annotated[EmbodiedMode | None, _word("embodied_mode")] = None
    storage_medium: Annotated[StorageMedium | None, _word("storage_medium")] = None
    currency: Annotated[str | None, _text("currency")] = None
    runs: Annotated[float | None, _count("runs", 1, whole=True)] = None
    project_factor: Annotated[Any, BeforeValidator(_ratio)] = None
    only_given: bool = False
    given: Mapping[str, Any] = {}
    phases: tuple[Phase, ...] = ()
    use: Use | None = None

    @field_validator("use", mode="before")
    @classmethod
    def _use_of_it(cls, raw: Any) -> Any:
        if raw is None or isinstance(raw, Use):
            return raw
        if not isinstance(raw, Mapping):
            raise InputError("use", raw, "must map what is said of the use to values")
        return Use(**raw)

    fleet: tuple[FleetEntry, ...] = ()

    @field_validator("given", mode="before")
    @classmethod
    def _known_quantities(cls, raw: Any) -> Any:
        """Names must exist and values must read, whatever the plan is used for."""
        if not isinstance(raw, Mapping):
            raise InputError("given", raw, "must map names of quantities to values")
        for name, value in raw.items():
            if not is_published(str(name), value):
                span(input_term(str(name)), value)
        return dict(raw)

    @field_validator("phases", mode="before")
    @classmethod
    def _phases(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping | str) or not hasattr(raw, "__iter__"):
            raise InputError("phases", raw, "must be a list of phases")
        return tuple(part if isinstance(part, Phase) else Phase(**part) for part in raw)

    @field_validator("fleet", mode="before")
    @classmethod
    def _fleet(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping | str) or not hasattr(raw, "__iter__"):
            raise InputError("fleet", raw, "must be a list of entries")
        return tuple(part if isinstance(part, FleetEntry) else FleetEntry(**part) for part in raw)

    @staticmethod
    def read(path: str | Path) -> Plan:
        """Read a plan file (TOML); raises PlanFileError naming the line that is wrong."""
        from joulecast.planfile import read

        return Plan(**read(Path(path)))

    def save(self, path: str | Path) -> None:
        """Write what was asked as a plan file; never over a file that is there."""
        from joulecast.planfile import save

        save(self, Path(path))


def with_use(plan: Plan, said: Mapping[str, Any], asked: bool = False) -> Plan:
    """The plan with what was said of the use over its own; `asked` for it where nothing was."""
    own = {} if plan.use is None else plan.use.model_dump(exclude_none=True)
    newer = {name: value for name, value in said.items() if value is not None}
    if not newer and not asked:
        return plan
    if "tokens" in newer or "requests" in newer:
        own = {name: value for name, value in own.items() if name not in ("tokens", "requests")}
    return plan.model_copy(update={"use": Use(**own | newer)})


def as_said(plan: Plan) -> dict[str, Any]:
    """What was asked, and nothing else, in words that JSON has: Plan(**it) gives the same answer.

    Quantities are numbers in their own units, a range [low, high] or [low, median, high].
    """
    said = plan.model_dump(exclude_defaults=True)
    if "given" in said:
        said["given"] = {name: _numbers(name, raw) for name, raw in said["given"].items()}
    if said.get("project_factor", PROJECTS[0]) not in PROJECTS:
        said["project_factor"] = _numbers("project_factor", said["project_factor"])
    if "phases" in said:
        said["phases"] = [dict(phase) for phase in said["phases"]]
    return said


def _numbers(name: str, raw: object) -> float | list[float] | str:
    """A quantity as somebody wrote it, in numbers; a word for one as it is."""
    if isinstance(raw, str) and raw.strip().casefold() in (*PROJECTS, PUBLISHED):
        return raw.strip().casefold()
    low, value, high = span(input_term(name), raw)
    known = [number for number in (low, value, high) if number is not None]
    return known[0] if len(known) == 1 else known


def merged(base: Mapping[str, Any], sets: Mapping[str, Any], flags: Mapping[str, Any]) -> Plan:
    """A plan from a plan file, ``--set`` and flags; the later wins over the earlier."""
    values = {name: value for name, value in base.items() if value is not None}
    given = dict(values.pop("given", {}))
    said = {name: value for name, value in flags.items() if value not in (None, False)}
    newer = {*said, *(FIELDS_OF_QUANTITIES.get(name, name) for name in sets)}
    for group in GROUPS:
        if newer.intersection(group):
            for name in group:
                values.pop(name, None)
    if "params" in newer:
        for name in ("active_params", "trainable_params", "arch", "mtp_depth"):
            values.pop(name, None)
    for name in newer:
        values.pop(name, None)
    given |= sets
    return Plan(**values | said, given=given)


def varied(plan: Plan, values: Mapping[str, Any]) -> Plan:
    """The plan with other values for some of its fields and quantities, by name.

    A new value takes the place of every other way the plan said the same thing.
    """
    fields = {name: value for name, value in dict(plan).items() if value is not None}
    given = dict(fields.pop("given"))
    new = {FIELDS_OF_QUANTITIES.get(name, name) for name in values}
    for group in GROUPS[:2]:
        if new.intersection(group):
            fields = {name: value for name, value in fields.items() if name not in group}
    if "model" in new:
        for name in {"params", "active_params", "trainable_params", "arch"} - new:
            fields.pop(name, None)
    for name, value in values.items():
        field = FIELDS_OF_QUANTITIES.get(name, name)
        fields.pop(field, None)
        given.pop(name, None)
        if field in Plan.model_fields and not (name in INPUTS and _is_range(value)):
            fields[field] = value
        else:
            given[name] = value
    return Plan(**fields, given=given)


def _is_range(value: object) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, str) and ".." in value)


#: Parts of a plan that are models of their own -> their section in a plan file.
SECTIONS_OF: dict[type[BaseModel], str] = {
    Phase: "[[phase]]",
    FleetEntry: "[[fleet]]",
    Use: "[use]",
}


def _unknown_key(field: str, kind: type[BaseModel]) -> UnknownNameError:
    """What to say of a key that a plan, or a part of one, does not have."""
    if kind in SECTIONS_OF:
        section, near = SECTIONS_OF[kind], nearest(field, kind.model_fields)
        name = f"{section.strip('[]')}.{field}"
        return UnknownNameError(name, None, f"is not a key of {section}", near)
    if field in INPUTS:
        return UnknownNameError(field, None, "belongs in given", [f"given={{{field!r}: ...}}"])
    hint = nearest(field, [*kind.model_fields, *INPUTS])
    return UnknownNameError(field, None, "is not part of a plan", hint)


def _plain_error(broken: ValidationError, kind: type[BaseModel]) -> JoulecastError:
    """The first complaint, in our own words."""
    first = broken.errors()[0]
    inner = first.get("ctx", {}).get("error")
    if isinstance(inner, JoulecastError):
        return inner
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown_key(field, kind)
    if kind in SECTIONS_OF:
        field = f"{SECTIONS_OF[kind].strip('[]')}.{field}"
    if first["type"] == "missing":
        return InputError(field, None, "is missing")
    if first["type"].startswith("bool"):
        return InputError(field, first.get("input"), "must be true or false")
    return InputError(field, first.get("input"), first["msg"].lower())
