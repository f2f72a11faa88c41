"""A model read from its config: exact counts in place of the rule of thumb."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from joulecast.data.records import Figure
from joulecast.plan import Plan
from joulecast.resolve.ledger import Ledger

if TYPE_CHECKING:
    from joulecast.architectures import Architecture, ModelCount

#: Unit that FLOP are counted by -> kind of model.
KINDS_BY_UNIT = {"image_token": "vision", "sample": "diffusion", "decoder_token": "speech"}


class Counted(NamedTuple):
    """What the plan needs of a counted model."""

    kind: str
    seq_len: int | str | None
    #: What FLOP are counted by, and how many of them a sample of a fixed length holds.
    unit: str = "token"
    per_sample: int | None = None


def is_config(text: str) -> bool:
    """Whether a plan's model is a config rather than the name of a known model."""
    return text.endswith(".json") or text.startswith("hf:") or Path(text).is_dir()


def take(ledger: Ledger, source: str) -> Counted:
    """Enter the parameters and FLOP per token of a config.

    Phases with lengths of their own weigh by their tokens.
    """
    from joulecast.architectures import read_architecture

    plan = ledger.plan
    architecture = read_architecture(_local(source))

    def counted(seq_len: int | str | None, of: Architecture = architecture) -> ModelCount:
        return of.count(
            _lengths(seq_len), mtp_depth=plan.mtp_depth or 0, document_len=plan.document_len
        )

    count = counted(plan.seq_len)
    forward = count.forward_flop_per_token
    said = f"{', '.join(str(length) for length in count.seq_len)} tokens"
    warnings = count.warnings
    if any(phase.seq_len is not None for phase in plan.phases):
        counts = [(phase.tokens, counted(phase.seq_len or plan.seq_len)) for phase in plan.phases]
        tokens = sum(share for share, _ in counts)
        forward = sum(share * each.forward_flop_per_token for share, each in counts) / tokens
        said = "the lengths of the phases"
        warnings = tuple(dict.fromkeys(notice for _, each in counts for notice in each.warnings))
    if plan.document_len is not None:
        said += f" in documents of {plan.document_len}"
    note = f"counted from {source}"
    ledger.architecture = architecture
    _enter(ledger, "params", count.params_total, note)
    if count.params_active < count.params_total:
        _enter(ledger, "active_params", count.params_active, note)
    flop_note = f"{note} at {said}, causal attention, per {count.flop_unit}"
    _enter(ledger, "forward_flop_per_token", forward, flop_note)
    if ledger.tuning is not None and ledger.tuning.under_adapters:
        bare = architecture.without_weights()
        lengths = [(phase.tokens, phase.seq_len or plan.seq_len) for phase in plan.phases]
        lengths = lengths or [(1.0, plan.seq_len)]
        flop = sum(share * counted(at, bare).forward_flop_per_token for share, at in lengths)
        flop /= sum(share for share, _ in lengths)
        _enter(ledger, "attention_flop_per_token", flop, f"{note}, products without weights")
    if ledger.has("global_batch_tokens") and architecture.attention_layers:
        _enter(ledger, "layers", architecture.attention_layers, note)
    for notice in warnings:
        ledger.warn(notice.code, notice.message)
    shown = ":".join(str(length) for length in count.seq_len)
    length = int(shown) if shown.isdigit() else shown
    per_sample = None
    if count.flop_unit == "sample":
        per_sample = 1
    elif architecture.layout.fixed:
        per_sample = count.seq_len[-1]
    return Counted(_kind(architecture, count), length, count.flop_unit, per_sample)


def _enter(ledger: Ledger, name: str, value: float, note: str) -> None:
    figure = Figure(value=float(value), basis="derived", source="joulecast-counts", note=note)
    ledger.assume(name, figure, f"config.{name}", essential=True)


def _local(source: str) -> str | Path:
    return source if source.startswith("hf:") else Path(source)


def _lengths(seq_len: int | str | None) -> int | tuple[int, int] | None:
    """A plan's sequence length as the counts take it."""
    if seq_len is None or isinstance(seq_len, int):
        return seq_len
    encoder, _, decoder = seq_len.partition(":")
    return int(encoder), int(decoder)


def _kind(architecture: Architecture, count: ModelCount) -> str:
    """The kind of model, for the utilisation to expect."""
    from joulecast.architectures.families import BUILDERS, SAME_AS

    if count.flop_unit in KINDS_BY_UNIT:
        return KINDS_BY_UNIT[count.flop_unit]
    if len(count.seq_len) == 2:
        return "enc-dec"
    if any("expert" in part for part in count.breakdown):
        return "moe"
    name = SAME_AS.get(architecture.model_type, architecture.model_type)
    room = BUILDERS[name].__module__.rpartition(".")[2]
    return {"encoder": "encoder", "ssm": "ssm", "recurrent": "recurrent"}.get(room, "dense")


def named(plan: Plan) -> str | None:
    """The config of a plan, if its model is one."""
    return plan.model if plan.model is not None and is_config(plan.model) else None
