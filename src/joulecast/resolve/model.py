"""What is trained: parameters, tokens and the FLOP they need."""

from __future__ import annotations

from joulecast.data.records import Figure, Model
from joulecast.errors import InputError, brief
from joulecast.resolve import config, tuning
from joulecast.resolve import tokens as of_data
from joulecast.resolve.ledger import Ledger, Size
from joulecast.terms import STAGES

#: Kind of model -> rule for FLOP per parameter and token.
RULES = {
    "dense": "decoder",
    "moe": "decoder",
    "encoder": "decoder",
    "recurrent": "decoder",
    "ssm": "decoder",
    "enc-dec": "enc-dec",
    "vision": "vision",
}

#: Stages after the FLOP rule from which an answer can start.
LATER = (
    *(stage for stage in STAGES if stage != "mfu"),
    "water_onsite_l",
    "water_offsite_l",
    "water_l",
)


def resolve(ledger: Ledger) -> Size:
    """Enter params, tokens and the FLOP rule."""
    plan = ledger.plan
    config_path = config.named(plan)
    counted = None if config_path is None else config.take(ledger, config_path)
    known = None
    if plan.model is not None and counted is None:
        known = ledger.library.model(plan.model)
        _take_known(ledger, known)
    _check_counted_alone(ledger, counted is not None, known)
    of_data.resolve(ledger, counted)
    arch = plan.arch or (counted.kind if counted else _arch(ledger, known))
    _check_sizes(ledger, arch)
    _flop_rule(ledger, arch)
    ledger.tuning = tuning.of_sizes(ledger)
    tuning.resolve(ledger)
    params, active = _value(ledger, "params"), _value(ledger, "active_params")
    trainable = _value(ledger, "trainable_params") or _value(ledger, "adapter_params") or None
    tuned = ledger.tuning
    seq_len = counted.seq_len if counted else plan.seq_len
    if seq_len is None and known is not None and known.seq_len is not None:
        seq_len = int(known.seq_len.value)
    ledger.resolved |= {
        "model": known.id if known else config_path,
        "arch": arch,
        "params": params if params is not None else active,
        "active_params": active if active is not None else params,
        "trainable_params": trainable,
        "tokens": _value(ledger, "tokens"),
        "unique_tokens": plan.unique_tokens,
        "epochs": plan.epochs,
        "samples": plan.samples,
        "seq_len": seq_len,
        "document_len": plan.document_len,
        "mtp_depth": plan.mtp_depth or 0,
        "real_tokens": _value(ledger, "real_tokens"),
        "padding_factor": _value(ledger, "padding_factor"),
        "method": tuned.method if tuned is not None and tuned.named else None,
        "base_precision": None if tuned is None else tuned.base_precision,
        "framework": plan.framework,
        "recompute": plan.recompute or "none",
        "phases": [phase.said() for phase in plan.phases],
    }
    whole = params if params is not None else active
    ledger.size_arch = arch
    return Size(arch, whole, active or params, trainable or whole, seq_len)


def _take_known(ledger: Ledger, known: Model) -> None:
    """Public figures of a known model, where the plan does not say otherwise."""
    figures = {"params": known.params, "active_params": known.active_params, "tokens": known.tokens}
    # Those of the base are no tokens of a fine-tune.
    tuned = ledger.tuning is not None
    said_tokens = tuned or ledger.plan.unique_tokens or ledger.plan.samples or ledger.plan.phases
    if not any(ledger.has(name) for name in ("params", "active_params")):
        for name in ("params", "active_params"):
            figure = figures[name]
            if figure is not None:
                figure = _with_modules(_named(figure, known), name, known, ledger.plan.mtp_depth)
                ledger.assume(name, figure, f"{known.id}.{name}", essential=True)
    if known.tokens is not None and not said_tokens:
        ledger.assume("tokens", _named(known.tokens, known), f"{known.id}.tokens", essential=True)
    if known.training_flop is not None and not tuned and not ledger.has("tokens"):
        figure = _named(known.training_flop, known)
        ledger.assume("training_flop", figure, f"{known.id}.training_flop", essential=True)


def _named(figure: Figure, known: Model) -> Figure:
    return figure.replace(note=f"{known.name}; {figure.note}".rstrip("; "))


def _with_modules(figure: Figure, name: str, known: Model, depth: int | None) -> Figure:
    """Weights of a known model, those of the modules that predict further tokens among them."""
    added = {"params": known.mtp_params, "active_params": known.mtp_active_params}[name]
    if not depth or added is None:
        return figure
    note = f"{figure.note}; {depth} x {added.value:.5g} that predict further tokens"
    return figure.replace(value=figure.value + depth * added.value, note=note)


def _check_counted_alone(ledger: Ledger, counted: bool, known: Model | None) -> None:
    """What is said of documents and further tokens must reach the count."""
    plan = ledger.plan
    if counted:
        return
    if plan.document_len is not None:
        ledger.warn(
            "given_unused",
            "document_len was given, but only FLOP counted from a config depend on it",
        )
    knows = known is not None and known.mtp_active_params is not None
    if plan.mtp_depth and (not knows or plan.params or plan.active_params):
        raise InputError(
            "mtp_depth",
            plan.mtp_depth,
            "is counted from a config, or for a known model with such modules",
            ["path/to/config.json", "deepseek-v3"],
        )
    if known is not None and known.mtp_active_params is not None and not plan.mtp_depth:
        size = known.active_params or known.params
        ledger.warn(
            "multi_token_prediction",
            "the modules that predict further tokens are left out, as in published counts; one "
            f"adds {known.mtp_active_params.value / size.value:.1%} to training FLOP "
            "(--mtp-depth 1)",
        )


def _arch(ledger: Ledger, known: Model | None) -> str:
    """The kind of model that is known or can be told from its sizes."""
    if known is not None:
        return known.arch
    params, active = _value(ledger, "params"), _value(ledger, "active_params")
    if params is not None and active is not None and active < 0.9 * params:
        ledger.warn(
            "moe_unsaid",
            f"active params are {active / params:.0%} of all: a mixture of experts (--arch)",
        )
        return "moe"
    return "dense"


def _check_sizes(ledger: Ledger, arch: str) -> None:
    """Sizes that cannot be, and ratios that look like a slip."""
    params, active = _value(ledger, "params"), _value(ledger, "active_params")
    trainable = _value(ledger, "trainable_params")
    if params is not None and active is not None and active > params:
        raise InputError(
            "active_params",
            brief(active),
            f"cannot be above params ({brief(params)})",
            [f"--params {brief(active)}"],
        )
    size = active if active is not None else params
    if trainable is not None and size is not None and trainable > size:
        raise InputError(
            "trainable_params",
            brief(trainable),
            f"cannot be above the parameters a token uses ({brief(size)})",
            ["leaving it out"],
        )
    counted = ledger.has("forward_flop_per_token")
    if arch == "moe" and active is None and params and not counted and not _later_stage(ledger):
        raise InputError(
            "active_params",
            None,
            "a mixture of experts needs the parameters a token uses",
            ["--active-params 13B"],
        )
    tokens = _value(ledger, "tokens")
    said = any(ledger.given(name) for name in ("params", "active_params", "tokens"))
    if tokens is None or size is None or ledger.tuning is not None or not said:
        return
    ratio = tokens / size
    if not 1 <= ratio <= 2000:
        ledger.warn(
            "tokens_per_param",
            f"{ratio:.3g} tokens per active parameter; published runs lie between 1 and 2,000: "
            "check the units of --params and --tokens",
        )


def _flop_rule(ledger: Ledger, arch: str) -> None:
    """FLOP per parameter and token, and recomputation."""
    plan, library = ledger.plan, ledger.library
    sized = ledger.has("params") or ledger.has("active_params")
    if ledger.has("tokens") and sized and not ledger.has("forward_flop_per_token"):
        if arch in RULES:
            rule = RULES[arch]
            figure = library.default(f"flop_per_param_token.{rule}")
            # The rule of thumb is what params x tokens ask for, so it holds with --only-given too.
            ledger.assume("flop_per_param_token", figure, f"rule.flop.{rule}", essential=True)
        elif not ledger.has("flop_per_param_token") and not _later_stage(ledger):
            raise InputError(
                "arch", arch, "has no rule for FLOP from counts", ["--flop FLOP", "--arch vision"]
            )
    if (
        ledger.given("executed_flop")
        and plan.recompute is None
        and not ledger.given("recompute_factor")
        and not ledger.has("training_flop")
    ):
        raise InputError(
            "hardware_flop" if plan.hardware_flop is not None else "executed_flop",
            brief(ledger.data["executed_flop"].value),
            "counts recomputation, so say how much there was",
            [f"--recompute {word}" for word in ("full", "selective", "none")],
        )
    recompute = plan.recompute or "none"
    figure = library.default(f"recompute_factor.{recompute}")
    if plan.recompute is not None:
        figure = figure.replace(note=f"{recompute} recomputation")
    ledger.assume("recompute_factor", figure, f"rule.recompute.{recompute}", essential=True)


def _later_stage(ledger: Ledger) -> bool:
    """Whether the answer can start after the FLOP rule."""
    return any(ledger.has(name) for name in LATER)


def _value(ledger: Ledger, name: str) -> float | None:
    return ledger.value(name)
