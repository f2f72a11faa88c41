"""How many tokens are computed: as said, or of samples, padded, generated or by phase."""

from __future__ import annotations

from joulecast.errors import InputError, brief
from joulecast.plan import Plan
from joulecast.resolve.config import Counted
from joulecast.resolve.finetune import ROLLOUTS
from joulecast.resolve.ledger import Ledger
from joulecast.uncertainty import Datum

#: Quantities of rollouts, beside the prompts.
OF_EACH_PROMPT = ("answers_per_prompt", "prompt_tokens", "answer_tokens", "iterations")


def resolve(ledger: Ledger, counted: Counted | None = None) -> None:
    """Enter tokens as they were said; raises InputError where two ways contradict."""
    _check_said(ledger)
    if _rolls_out(ledger):
        _prompts(ledger)
        return
    if ledger.plan.sample_tokens is not None and ledger.plan.samples is not None:
        _samples(ledger)
        return
    plan = ledger.plan
    said: dict[str, tuple[float, str]] = {}
    if plan.unique_tokens is not None:
        epochs = plan.epochs if plan.epochs is not None else 1.0
        why = f"{plan.unique_tokens:.5g} unique x {epochs:g} epochs"
        said["unique_tokens x epochs"] = (plan.unique_tokens * epochs, why)
    if plan.samples is not None:
        length = _length_of(plan, counted)
        why = f"{plan.samples:.5g} samples x {length} tokens"
        epochs = 1.0
        if plan.epochs is not None and plan.unique_tokens is None:
            epochs = plan.epochs
            why += f" x {epochs:g} epochs"
        said["samples x seq_len"] = (plan.samples * length * epochs, why)
    if plan.phases:
        why = f"sum of {len(plan.phases)} phases"
        said["the phases"] = (sum(phase.tokens for phase in plan.phases), why)
    for name, (tokens, why) in said.items():
        if ledger.has("tokens"):
            have = ledger.data["tokens"].value
            if abs(tokens / have - 1) > 0.01:
                raise InputError(
                    "tokens",
                    brief(have),
                    f"contradicts {name} = {brief(tokens)}",
                    ["giving one of the two"],
                )
            continue
        ledger.data["tokens"] = _given("tokens", tokens, why)


def _length_of(plan: Plan, counted: Counted | None) -> int:
    """Tokens of a sample by which FLOP are told: of a fixed length, or as the sequence is long."""
    if counted is not None and counted.per_sample is not None:
        return counted.per_sample
    if plan.seq_len is None:
        assert plan.samples is not None
        hints = ["--sample-tokens 200", "--seq-len 2048"]
        raise InputError("samples", brief(plan.samples), "need their length", hints)
    lengths = [int(part) for part in str(plan.seq_len).split(":")]
    by_decoder = counted is not None and counted.unit == "decoder_token"
    return lengths[-1] if by_decoder else sum(lengths)


def _given(name: str, value: float, why: str) -> Datum:
    return Datum(name, value, unknown=f"given.{name}", basis="given", given=True, note=why)


def _check_said(ledger: Ledger) -> None:
    """Say what nothing rests on, and refuse what contradicts itself."""
    plan = ledger.plan
    if plan.sample_tokens is not None and plan.samples is None:
        ledger.warn("given_unused", "sample_tokens was given, but not how many samples (--samples)")
    whole = plan.sample_tokens is None or plan.samples is None
    if plan.packing is not None and whole and not ledger.has("real_tokens"):
        word = "packing" if plan.packing else "padding"
        ledger.warn(
            "given_unused",
            f"{word} was said, but samples are taken as long as the sequence: say how long they "
            "are (--samples, --sample-tokens)",
        )
    rolls = ledger.tuning is not None and ledger.tuning.method in ROLLOUTS
    for name in ("prompts", *OF_EACH_PROMPT):
        if ledger.given(name) and not rolls:
            value = brief(ledger.data[name].value)
            why = "is of rollouts, which a run of this method has none of"
            raise InputError(name, value, why, ["--method grpo", "--method ppo"])


def _rolls_out(ledger: Ledger) -> bool:
    tuning, plan = ledger.tuning, ledger.plan
    if tuning is None or tuning.method not in ROLLOUTS:
        return False
    return (plan.samples is not None or ledger.has("prompts")) and not ledger.has("tokens")


def _prompts(ledger: Ledger) -> None:
    """Enter prompts and what is generated to each; samples are prompts."""
    plan, library, tuning = ledger.plan, ledger.library, ledger.tuning
    assert tuning is not None
    if plan.sample_tokens is not None:
        hints = ["--set prompt_tokens=256 --set answer_tokens=1024"]
        why = "is not of rollouts: a prompt and the answers to it have lengths of their own"
        raise InputError("sample_tokens", brief(plan.sample_tokens), why, hints)
    if not ledger.has("prompts"):
        assert plan.samples is not None
        epochs = plan.epochs or 1.0
        why = f"{plan.samples:.5g} prompts" + (f" x {epochs:g} epochs" if epochs != 1 else "")
        ledger.data["prompts"] = _given("prompts", plan.samples * epochs, why)
    for name in OF_EACH_PROMPT:
        own = f"fine_tune.{name}.{tuning.method}"
        figure = library.default(own if library.has_default(own) else f"fine_tune.{name}")
        if figure.low is None:
            if not ledger.has(name):
                ledger.data[name] = Datum(
                    name, figure.value, unknown=f"assumption.{name}", basis=figure.basis,
                    source=figure.source, note=figure.note,
                )  # fmt: skip
        else:
            ledger.assume(name, figure, f"assumption.{name}", essential=True)


def _samples(ledger: Ledger) -> None:
    """Enter the real tokens of samples, and what fills their batches."""
    plan, library = ledger.plan, ledger.library
    assert plan.samples is not None and plan.sample_tokens is not None
    each, length = plan.sample_tokens, plan.seq_len
    most = None if length is None else sum(int(part) for part in str(length).split(":"))
    if most is not None and each > most:
        why = f"is above the sequence length of {most}, to which longer samples are cut"
        raise InputError("sample_tokens", brief(each), why, [f"--seq-len {brief(each)}"])
    epochs = plan.epochs or 1.0
    why = f"{plan.samples:.5g} samples x {each:.5g} tokens"
    why += f" x {epochs:g} epochs" if epochs != 1 else ""
    real = plan.samples * each * epochs
    if ledger.has("tokens"):
        have = ledger.value("tokens") or 0.0
        if have < real * 0.99:
            hints = ["giving one of the two"]
            raise InputError("tokens", brief(have), f"contradicts {why} = {brief(real)}", hints)
        return
    ledger.data["real_tokens"] = _given("real_tokens", real, why)
    if ledger.given("padding_factor"):
        factor = ledger.data["padding_factor"].value
        if plan.packing and factor != 1:
            why = "contradicts packing, which leaves nothing to fill"
            raise InputError("padding_factor", brief(factor), why, ["giving one of the two"])
        return
    if plan.packing:
        ledger.settle("padding_factor", 1.0, "samples are packed end to end", "given")
        return
    figure = library.default("padding_factor.to_longest")
    if most is not None:
        full = most / each
        value, low, high = (min(end, full) for end in figure.points)
        note = f"{figure.note}; never above {full:.3g}, all filled to {most} tokens"
        figure = figure.replace(value=value, low=low, high=high, note=note)
        if low == high:
            figure = figure.replace(low=None, high=None)
    ledger.assume("padding_factor", figure, "assumption.padding", essential=True)
    if plan.packing is None:
        ledger.warn(
            "padding_assumed",
            "nobody said whether samples are packed: padded to the longest of a batch, "
            f"{figure.value:.2g} times the real tokens (--packing, --padding, "
            "--set padding_factor=)",
        )
