"""What someone intends to train: Plan, and its TOML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator

from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest
from joulecast.reading import number
from joulecast.terms import INPUTS, input_term

Arch = Literal[
    "dense",
    "moe",
    "encoder",
    "enc-dec",
    "vision",
    "diffusion",
    "speech",
    "recurrent",
    "ssm",
    "other",
]
Precision = Literal["fp32", "tf32", "bf16", "fp16", "fp8", "fp4"]
Recompute = Literal["none", "selective", "full"]
GridBasis = Literal["life-cycle", "direct"]

ARCH_ALIASES: dict[str, str] = {
    "dense-decoder": "dense",
    "decoder": "dense",
    "encoder-decoder": "enc-dec",
    "seq2seq": "enc-dec",
    "rnn": "recurrent",
    "lstm": "recurrent",
    "gru": "recurrent",
}

CHOICES: dict[str, tuple[str, ...]] = {
    "arch": Arch.__args__,  # type: ignore[attr-defined]
    "precision": Precision.__args__,  # type: ignore[attr-defined]
    "recompute": Recompute.__args__,  # type: ignore[attr-defined]
    "grid_basis": GridBasis.__args__,  # type: ignore[attr-defined]
}

ALIASES: dict[str, dict[str, str]] = {
    "arch": ARCH_ALIASES,
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
    "grid_basis": {"lifecycle": "life-cycle", "lca": "life-cycle"},
}


def _count(field: str, minimum: float = 0.0, whole: bool = False) -> BeforeValidator:
    """Reads a count above `minimum`, as people write it."""

    def read(raw: object) -> float | None:
        if raw is None:
            return None
        value = number(field, raw)
        if value < minimum or value <= 0:
            limit = f"must be at least {minimum:g}" if minimum else "must be above 0"
            raise InputError(field, raw, limit)
        if whole and value != int(value):
            raise InputError(field, raw, "must be a whole number")
        return value

    return BeforeValidator(read)


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


class Plan(BaseModel):
    """A training run somebody plans: what is trained, on what, where, and what is known already.

    Counts may be numbers or text as people write them (``70e9`` or ``"70B"``).  `given` holds
    known quantities by name (docs/glossary.md): a number, text with a unit, (low, high) or
    (low, median, high).  Raises JoulecastError on anything that cannot be used.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    model: Annotated[str | None, _text("model")] = None
    params: Annotated[float | None, _count("params", 1)] = None
    active_params: Annotated[float | None, _count("active_params", 1)] = None
    arch: Annotated[Arch | None, _word("arch")] = None
    tokens: Annotated[float | None, _count("tokens", 1)] = None
    unique_tokens: Annotated[float | None, _count("unique_tokens", 1)] = None
    epochs: Annotated[float | None, _count("epochs")] = None
    seq_len: Annotated[float | None, _count("seq_len", 1, whole=True)] = None
    flop: Annotated[float | None, _count("flop")] = None
    precision: Annotated[Precision | None, _word("precision")] = None
    recompute: Annotated[Recompute | None, _word("recompute")] = None
    device: Annotated[str | None, _text("device")] = None
    device_count: Annotated[float | None, _count("device_count", 1, whole=True)] = None
    region: Annotated[str | None, _text("region")] = None
    provider: Annotated[str | None, _text("provider")] = None
    year: Annotated[float | None, _count("year", 1, whole=True)] = None
    grid_basis: Annotated[GridBasis | None, _word("grid_basis")] = None
    national_average: bool = False
    only_given: bool = False
    given: Mapping[str, Any] = {}

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as broken:
            raise _plain_error(broken, type(self)) from None

    @field_validator("given", mode="before")
    @classmethod
    def _known_quantities(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            raise InputError("given", raw, "must map names of quantities to values")
        return {input_term(str(name)).name: value for name, value in raw.items()}


def _plain_error(broken: ValidationError, kind: type[BaseModel]) -> JoulecastError:
    """The first complaint, in our own words."""
    first = broken.errors()[0]
    inner = first.get("ctx", {}).get("error")
    if isinstance(inner, JoulecastError):
        return inner
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        names = [*kind.model_fields, *INPUTS]
        hint = nearest(field, names)
        if field in INPUTS:
            return UnknownNameError(field, None, "belongs in given", [f"given={{{field!r}: ...}}"])
        return UnknownNameError(field, None, "is not part of a plan", hint)
    return InputError(field, first.get("input"), first["msg"].lower())


Reader = Callable[[object], object]
