"""What a fine-tune trains: its method, its base, the weights it adds and the passes it makes."""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from joulecast.arrays import Array
from joulecast.data.records import Figure
from joulecast.errors import InputError, UnknownNameError, brief
from joulecast.plan import Plan
from joulecast.resolve.finetune import ROLLOUTS, passes_of
from joulecast.resolve.ledger import Ledger, Tuning
from joulecast.resolve.shares import layer_levels, layers_of
from joulecast.uncertainty import Basis

if TYPE_CHECKING:
    from joulecast.architectures.adapters import Adapter

#: Methods that put adapters beside a frozen base, whatever else is said.
ADAPTERS = ("lora", "qlora")

#: Methods that train all weights unless adapters are said.
PREFERENCES = ("dpo", *ROLLOUTS)

#: Precisions of weights that cannot be trained themselves.
QUANTISED = ("nf4", "int8", "fp8")

#: Target module -> its inputs and outputs over the width of the model, of decoders with grouped
#: keys and values and a gated network; others have their names from older models.
SIDES = {
    "q_proj": 2.0, "k_proj": 1.25, "v_proj": 1.25, "o_proj": 2.0,
    "gate_proj": 4.5, "up_proj": 4.5, "down_proj": 4.5,
    "query_key_value": 4.0, "qkv_proj": 4.0, "c_attn": 4.0, "dense": 2.0,
    "fc1": 5.0, "fc2": 5.0, "dense_h_to_4h": 5.0, "dense_4h_to_h": 5.0, "c_fc": 5.0, "c_proj": 5.0,
}  # fmt: skip

#: What "all-linear" means for a model whose config is not known.
ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

ADAPTER_FILE = "adapter_config.json"


class Opened(NamedTuple):
    """A plan whose model is the base, and the adapter that was named in its place."""

    plan: Plan
    adapter: Adapter | None


def opened(plan: Plan) -> Opened:
    """The plan with its base as model, where an adapter stands there or `base` names it.

    Raises InputError where model and base are two different ones.
    """
    if not isinstance(plan.model, str | None):
        return Opened(plan, None)
    path = _adapter_path(plan.model)
    if path is None:
        if plan.base is None or plan.base == plan.model:
            return Opened(plan if plan.base is None else plan.replace(model=plan.base), None)
        if plan.model is None:
            return Opened(plan.replace(model=plan.base), None)
        why = f"and the model {plan.model} are two: the model is the base"
        raise InputError("base", plan.base, why, ["leaving one out"])
    from joulecast.architectures.adapters import read_adapter

    adapter = read_adapter(path)
    base = plan.base or adapter.base
    sized = plan.params is not None or "params" in plan.given
    if base is None and not sized:
        why = "does not name the model it was made for"
        raise InputError("model", plan.model, why, ["--base llama-3.1-8b", "--params 8B"])
    try:
        return Opened(plan.replace(model=base, base=None), adapter)
    except InputError:
        raise InputError("base", base, "is no known model", ["--base config.json"]) from None


def _adapter_path(model: str | None) -> Path | None:
    """The adapter's file, if a plan's model is one."""
    if model is None or model.startswith("hf:"):
        return None
    path = Path(model)
    if path.is_dir():
        path /= ADAPTER_FILE
    return path if path.name.endswith(ADAPTER_FILE) and path.is_file() else None


def of_plan(plan: Plan, adapter: Adapter | None = None) -> Tuning | None:
    """The fine-tune that a plan says, or None for a training of all weights from nothing.

    Raises InputError where what is said of it contradicts itself.
    """
    method, precision = plan.method, plan.base_precision
    adapted = adapter is not None or plan.lora_rank is not None or plan.lora_targets is not None
    if method is None:
        if not adapted and precision is None:
            return None
        method = "qlora" if precision == "nf4" else "lora"
    if adapted and method in ("full", "head", "prefix"):
        field = "lora_rank" if plan.lora_rank is not None else "lora_targets"
        said = plan.lora_rank if plan.lora_rank is not None else plan.lora_targets
        shown = plan.model if said is None else said if isinstance(said, str) else brief(said)
        why = f"belongs to adapters, and the method is {method}"
        raise InputError("model" if said is None else field, shown, why, ["--method lora"])
    if method == "qlora" and precision not in (None, "nf4"):
        why = "contradicts qlora, whose base has 4 bits"
        raise InputError("base_precision", precision, why, ["--method lora", "nf4"])
    frozen = method not in ("full", *PREFERENCES) or adapted or precision in QUANTISED
    if method == "full" and precision in QUANTISED:
        why = "weights of so few bits are not trained themselves"
        raise InputError("base_precision", precision, why, ["--method qlora", "--method lora"])
    quantised = method == "qlora" or precision == "nf4"
    return Tuning(method, frozen, quantised, precision or ("nf4" if quantised else "bf16"))


def of_sizes(ledger: Ledger) -> Tuning | None:
    """The fine-tune that sizes tell where none was said: some weights are trained, not all."""
    if ledger.tuning is not None:
        return ledger.tuning
    trained = ledger.value("trainable_params")
    every = ledger.value("active_params") or ledger.value("params")
    if trained is None or (every is not None and trained >= every):
        return None
    return Tuning("lora", True, False, "bf16", named=False)


def resolve(ledger: Ledger) -> None:
    """Enter the weights that are added, the passes and, of a new head, its weights."""
    tuning, library = ledger.tuning, ledger.library
    if tuning is None or not tuning.named:
        return
    extra = 0.0
    figure = None
    if tuning.method in PREFERENCES:
        figure = library.default(f"fine_tune.extra_passes.{tuning.method}")
        extra = figure.value
    if tuning.frozen:
        _added(ledger)
    elif ledger.has("trainable_params"):
        why = f"contradicts method {tuning.method}, which trains all weights"
        said = brief(ledger.data["trainable_params"].value)
        raise InputError("trainable_params", said, why, ["--method lora"])
    if tuning.method == "full":
        return
    own = passes_of(tuning.method) if tuning.frozen else 3.0
    words = {3.0: "3 train the weights", 2.0: "2 cross the frozen base", 1.0: "1 to a new head"}
    note = f"{tuning.method}: {words[own]}"
    if figure is None:
        ledger.settle("model_passes", own, note)
    else:
        note += f", {extra:g} more: {figure.note}"
        ends = [None if end is None else own + end for end in (figure.low, figure.high)]
        passes = figure.replace(value=own + extra, low=ends[0], high=ends[1], note=note)
        unknown = f"assumption.passes.{tuning.method}"
        ledger.assume("model_passes", passes, unknown, essential=True)
    if ledger.has("forward_flop_per_token"):
        why = "no base is frozen under adapters"
        if tuning.under_adapters:
            why = "not told apart in the forward pass that was given"
        ledger.settle("attention_flop_per_token", 0.0, why)
    if not tuning.frozen:
        ledger.settle("adapter_params", 0.0, "no weights are added")


def _added(ledger: Ledger) -> None:
    """Weights added and trained: as said, counted from the base's config, or by a rule."""
    datum = ledger.data.pop("trainable_params", None)
    if datum is not None:
        ledger.data["adapter_params"] = datum._replace(
            name="adapter_params", unknown="given.adapter_params"
        )
        return
    if ledger.has("adapter_params"):
        return
    figure = _counted(ledger) or _by_rule(ledger)
    if figure is not None:
        ledger.assume("adapter_params", figure, "assumption.adapter_params", essential=True)


def _counted(ledger: Ledger) -> Figure | None:
    """Weights counted from the base's config; None where there is none."""
    architecture, plan, tuning = ledger.architecture, ledger.plan, ledger.tuning
    assert tuning is not None
    if architecture is None:
        return None
    from joulecast.architectures import adapters

    if tuning.method == "head":
        value = adapters.head_params(architecture)
        note = "a linear head of two classes on the base's last layer"
        return Figure(value=float(value), basis="derived", source="joulecast-counts", note=note)
    if tuning.method == "prefix":
        return None
    adapter = ledger.adapter
    rank = ledger.library.default("fine_tune.lora_rank").value
    if adapter is None:
        adapter = adapters.Adapter.of(int(plan.lora_rank or rank), plan.lora_targets)
    found = adapters.trained_params(architecture, adapter)
    assumed = "" if plan.lora_rank or ledger.adapter else ", rank assumed (--lora-rank)"
    note = f"counted from the base's config: {', '.join(found.notes) or 'adapters'}{assumed}"
    basis: Basis = "assumed" if assumed else "derived"
    return Figure(value=float(found.total), basis=basis, source="joulecast-counts", note=note)


def resized(ledger: Ledger, active_params: Array) -> dict[str, Array]:
    """Adapters by the rule at other sizes of the base: value, low and high [level, size].

    They grow with layers and width, so with the square root of their product and the size.
    """
    datum = ledger.data.get("adapter_params")
    size = ledger.value("active_params") or ledger.value("params")
    if datum is None or datum.given or size is None or ledger.architecture is not None:
        return {}
    layers = layer_levels(ledger.library, active_params)[0]
    now = float(layer_levels(ledger.library, size)[0])
    return {"adapter_params": np.multiply.outer(
        np.array(datum.levels), np.sqrt(layers * active_params / (now * size))
    )}  # fmt: skip


def _by_rule(ledger: Ledger) -> Figure | None:
    """Weights of adapters by the size of a model whose config is not known."""
    plan, library, tuning = ledger.plan, ledger.library, ledger.tuning
    assert tuning is not None
    size = ledger.data.get("active_params") or ledger.data.get("params")
    if size is None:
        return None
    layers = layers_of(library, size.value).value
    width = sqrt(size.value / (12 * layers))
    rule = library.default("fine_tune.rule_of_targets")
    if tuning.method == "head":
        labels = library.default("fine_tune.labels").value
        return rule.replace(
            value=width * labels, low=None, high=None, note=f"a head of {labels:g} classes"
        )
    if tuning.method == "prefix":
        tokens = library.default("fine_tune.prefix_tokens")
        value, low, high = (2 * layers * width * end for end in tokens.points)
        return tokens.replace(value=value, low=low, high=high)
    rank = library.default("fine_tune.lora_rank")
    said = plan.lora_rank
    names = _targets(plan.lora_targets)
    sides = sum(SIDES.get(name, 3.0) for name in names)
    value = (said or rank.value) * layers * width * sides
    low, high = value * rule.points[1], value * rule.points[2]
    how = f"rank {said:g}" if said else f"rank {rank.value:g} assumed (--lora-rank)"
    if not said:
        low, high = low * rank.points[1] / rank.value, high * rank.points[2] / rank.value
    targets = "all linear layers" if plan.lora_targets is None else ", ".join(names)
    note = f"{how} on {targets}, by the size of the base: a config.json is counted exactly"
    return rule.replace(value=value, low=low, high=high, note=note)


def _targets(said: str | None) -> tuple[str, ...]:
    """Names of the modules that get adapters."""
    if said is None or said.strip() in ("all-linear", "all_linear", "all"):
        return ALL_LINEAR
    names = tuple(name.strip() for name in said.split(",") if name.strip())
    if not names:
        raise UnknownNameError("lora_targets", said, "names no module", ["all-linear", "q_proj"])
    return names
