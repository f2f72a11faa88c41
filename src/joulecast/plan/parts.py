"""The words of a plan, how its fields are read, and the parts that it may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from joulecast.data.reading import (
    depth_of_prediction,
    document_length,
    number,
    quantity,
    rate,
    sequence_length,
    span,
)
from joulecast.errors import InputError, UnknownNameError, brief, nearest
from joulecast.plan.fields import Reader, Said, said
from joulecast.terms import INPUTS, PROJECT_SHARES, USED, Arch, Field

Precision = Literal["fp32", "tf32", "bf16", "fp16", "fp8", "fp4", "int8"]
Recompute = Literal["none", "selective", "full"]
GridBasis = Literal["life-cycle", "direct"]
HydroEvaporation = Literal["include", "exclude"]
EmbodiedMode = Literal["amortised", "purchase"]
StorageMedium = Literal["hdd", "ssd"]
Cooling = Literal["air", "evaporative", "dry", "liquid", "closed"]
Method = Literal["full", "lora", "qlora", "prefix", "head", "dpo", "grpo", "ppo"]
BasePrecision = Literal["nf4", "int8", "fp8", "bf16", "fp16", "fp32"]
Framework = Literal["tuned", "ordinary"]

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
    "cooling": Cooling.__args__,  # type: ignore[attr-defined]
    "field": Field.__args__,  # type: ignore[attr-defined]
    "method": Method.__args__,  # type: ignore[attr-defined]
    "base_precision": BasePrecision.__args__,  # type: ignore[attr-defined]
    "framework": Framework.__args__,  # type: ignore[attr-defined]
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
    "cooling": {
        "immersion": "liquid",
        "direct liquid": "liquid",
        "dlc": "liquid",
        "water": "liquid",
        "adiabatic": "evaporative",
        "closed loop": "closed",
        "closed-loop": "closed",
    },
    "field": {"text": "language", "code": "language", "vision": "images", "image": "images"},
    "method": {
        "sft": "full",
        "fine-tune": "full",
        "finetune": "full",
        "full fine-tuning": "full",
        "adapter": "lora",
        "adapters": "lora",
        "dora": "lora",
        "q-lora": "qlora",
        "prefix-tuning": "prefix",
        "prompt": "prefix",
        "classifier": "head",
        "linear probe": "head",
        "rlhf": "ppo",
        "rlvr": "grpo",
    },
    "base_precision": {
        "4bit": "nf4",
        "4-bit": "nf4",
        "int4": "nf4",
        "fp4": "nf4",
        "gptq": "nf4",
        "awq": "nf4",
        "8bit": "int8",
        "8-bit": "int8",
        "bfloat16": "bf16",
        "float16": "fp16",
        "float32": "fp32",
    },
    "framework": {
        "unsloth": "tuned",
        "megatron": "tuned",
        "megatron-bridge": "tuned",
        "nemo": "tuned",
        "torchtune": "tuned",
        "surogate": "tuned",
        "transformers": "ordinary",
        "hf trainer": "ordinary",
        "trl": "ordinary",
        "peft": "ordinary",
        "axolotl": "ordinary",
        "llama-factory": "ordinary",
        "litgpt": "ordinary",
        "deepspeed": "ordinary",
    },
    "storage_medium": {"disk": "hdd", "hard disk": "hdd", "flash": "ssd", "nvme": "ssd"},
    "grid_basis": {"lifecycle": "life-cycle", "life cycle": "life-cycle", "lca": "life-cycle"},
}

#: FLOP of a run, the largest count there is, stay far below.
LARGEST_COUNT = 1e36


def count(field: str, minimum: float = 0.0, whole: bool = False, unit: str = "") -> Reader:
    """Read a count of at least `minimum`, as people write it."""

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

    return read


def word(field: str) -> Reader:
    """Read one of a few words, or an alias of one."""

    def read(raw: object) -> str | None:
        if raw is None:
            return None
        text = str(raw).strip().casefold()
        text = ALIASES.get(field, {}).get(text, text)
        if text not in CHOICES[field]:
            choices = nearest(text, CHOICES[field]) or CHOICES[field]
            raise UnknownNameError(field, raw, "is not a known choice", choices)
        return text

    return read


def text(field: str) -> Reader:
    """Read a name that must not be empty."""

    def read(raw: object) -> str | None:
        if raw is None:
            return None
        if not isinstance(raw, str) or not raw.strip():
            raise InputError(field, raw, "must be a name")
        return raw.strip()

    return read


def lengths(raw: object) -> int | str | None:
    """Read the length of a sequence, or of two."""
    return None if raw is None else sequence_length("seq_len", raw)


def document(raw: object) -> int | None:
    """Read the length of a document."""
    return None if raw is None else document_length("document_len", raw)


def depth(raw: object) -> int | None:
    """Read the depth of multi-token prediction."""
    return None if raw is None else depth_of_prediction("mtp_depth", raw)


def ratio(raw: object) -> object:
    """Check a project factor, which may be a preset or a range, and keep it as it was written."""
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
    """Read the share of a run that one entry of a fleet does."""
    if raw is None:
        return None
    value = quantity("fleet.share", raw, "")
    if not 0 < value <= 1:
        raise InputError("fleet.share", raw, "must be above 0 and at most 1", ["0.5"])
    return value


def kept(name: str) -> Reader:
    """Check a quantity of the use, which may be a range, and keep it as it was written."""

    def read(raw: object) -> object:
        if raw is not None:
            (rate if name.endswith("_per_year") else span)(USED[name], raw)
        return raw

    return read


class Phase(Said):
    """A stretch of a run with tokens, a sequence length or a precision of its own."""

    section = "[[phase]]"

    tokens: float = said(count("phase.tokens", 1), "tokens processed in it", required=True)
    seq_len: int | str | None = said(lengths, "sequence length", "tokens")
    precision: Precision | None = said(word("precision"), "numbers of its matrix products")


class Use(Said):
    """How a language model will be used once it is trained; all of it may be left out.

    `tokens` are those generated and `requests` those answered, each with its period
    (``"1T/year"``, ``"2M/day"``); one of the two is the demand, which is never assumed.
    """

    section = "[use]"

    tokens: Any = said(kept("use_tokens_per_year"), "tokens generated", "with a period")
    requests: Any = said(kept("use_requests_per_year"), "requests answered", "with a period")
    output_tokens: Any = said(kept("use_output_tokens"), "tokens of one answer")
    prompt_tokens: Any = said(kept("use_prompt_tokens"), "tokens of one prompt")
    batch: Any = said(kept("use_batch"), "requests in flight at once")
    device: str | None = said(text("use.device"), "device that serves; that of training")
    device_count: float | None = said(
        count("use.device_count", 1, whole=True), "devices that hold the model; the fewest that can"
    )
    precision: Precision | None = said(word("precision"), "of the weights served; bf16")
    years: Any = said(kept("use_years"), "how long it is used", "y")
    energy_factor: Any = said(kept("use_energy_factor"), "measured over modelled energy of a token")
    site_factor: Any = said(
        kept("use_site_factor"), "busy devices with hosts and reserve over them alone"
    )


class FleetEntry(Said):
    """Devices of one type at one place: they do a share of the run, or are reserved for hours."""

    section = "[[fleet]]"

    device: str = said(text("fleet.device"), "accelerator or cloud instance", required=True)
    device_count: float | None = said(
        count("fleet.device_count", 1, whole=True), "devices reserved at once"
    )
    share: float | None = said(_share, "share of the run that they do", "0..1")
    hours: float | None = said(count("fleet.hours", unit="h"), "hours reserved, of one device", "h")
    region: str | None = said(text("fleet.region"), "place; that of the plan")
    provider: str | None = said(text("fleet.provider"), "whose data centre; that of the plan")


def one(kind: type[Said]) -> Reader:
    """Read a part of a plan: one already, a table of its fields, or none."""

    def read(raw: Any) -> Said | None:
        if raw is None or isinstance(raw, kind):
            return raw
        name = kind.section.strip("[]")
        if not isinstance(raw, Mapping):
            raise InputError(name, raw, f"must map what is said of the {name} to values")
        return kind(**raw)

    return read


def many(field: str, kind: type[Said], what: str) -> Reader:
    """Read parts of a plan: a list of them, or of tables of their fields."""

    def read(raw: Any) -> tuple[Said, ...]:
        if isinstance(raw, Mapping | str) or not hasattr(raw, "__iter__"):
            raise InputError(field, raw, f"must be a list of {what}")
        parts = tuple(raw)
        if not all(isinstance(part, kind | Mapping) for part in parts):
            raise InputError(field, raw, f"must be a list of {what}")
        return tuple(part if isinstance(part, kind) else kind(**part) for part in parts)

    return read
