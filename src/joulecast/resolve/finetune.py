"""How well a fine-tune uses its device: large passes, what a pass costs, and the job around it."""

from __future__ import annotations

from math import exp, hypot, log

import numpy as np

from joulecast.arrays import Array, Numbers
from joulecast.data.records import Device, Figure
from joulecast.errors import brief
from joulecast.resolve.ledger import Ledger, Size
from joulecast.resolve.shares import NEAREST_PEAK, ceiling_of, layer_levels, tuned_share

#: Tokens of a pass where nobody says: the default fine_tune.pass_tokens.
USUAL_PASS_TOKENS = 8192.0

#: Method -> passes of a token through the weights that are trained or frozen: the forward pass, the
#: gradient of activations, that of weights.
PASSES = {"full": 3.0, "head": 1.0}

#: Methods in which the model generates what it learns from.
ROLLOUTS = ("grpo", "ppo")

#: Bytes of a weight as a frozen base holds it.
BYTES = {"nf4": 0.5, "int8": 1.0, "fp8": 1.0, "bf16": 2.0, "fp16": 2.0, "fp32": 4.0}

#: Forms of device that reach another through the host's bus.
ON_A_BUS = ("desktop", "laptop", "PCIe")


def passes_of(method: str) -> float:
    """Passes through the base: three train it, two cross it frozen, one stops at a new head."""
    return PASSES.get(method, 2.0)


def bytes_of_base(precision: str) -> float:
    """Bytes of a weight of the base [B]."""
    return BYTES[precision]


def has_slow_links(device: Device) -> bool:
    """Whether several of these devices exchange weights over the host's bus."""
    return device.kind == "gpu" and device.form_factor in ON_A_BUS


def settle(ledger: Ledger, device: Device, size: Size) -> None:
    """Enter what the steady state of a fine-tune is expected to be, as nothing was said of it."""
    tuning, library = ledger.tuning, ledger.library
    assert tuning is not None
    value, low, high = (float(level) for level in levels(ledger, device))
    reached = library.default("fine_tune.of_tuned")
    note = (
        f"{tuning.method}, {_words(ledger)}: published fine-tunes reach {reached.value:.3g} of "
        "what a tuned training can use in large passes"
    )
    figure = reached.replace(value=value, low=low, high=high, note=note)
    by_passes = size.active_params is not None and ledger.has("tokens")
    role = "large_step_mfu" if by_passes else "mfu"
    ledger.assume(role, figure, f"assumption.fine_tune.{device.id}")
    if not by_passes:
        return
    assert size.active_params is not None
    _pass_tokens(ledger)
    overhead = overhead_levels(ledger, device, size, size.active_params)
    least, most = float(overhead[1]), float(overhead[2])
    cost = library.default("fine_tune.layer_pass_s")
    ledger.assume(
        "pass_overhead_s",
        cost.replace(
            value=float(overhead[0]), low=least, high=most, note=_cost_words(ledger, size)
        ),
        "assumption.pass_overhead",
    )


def _words(ledger: Ledger) -> str:
    framework = ledger.plan.framework
    return f"{framework} software" if framework else "software not said (--framework)"


def levels(ledger: Ledger, device: Device) -> Array:
    """Value, low and high of the MFU of large passes [level]."""
    library, tuning = ledger.library, ledger.tuning
    assert tuning is not None and ledger.size_arch is not None
    share, least, most = tuned_share(library, device).points
    value = share * library.default("fine_tune.of_tuned").value
    widths = [library.default("fine_tune.spread").points]
    if tuning.frozen:
        value *= library.default("fine_tune.method.lora").value
    if tuning.quantised:
        value *= library.default("fine_tune.method.qlora").value
    if tuning.method in ROLLOUTS:
        value *= library.default(f"fine_tune.method.{tuning.method}").value
        widths.append(library.default(f"fine_tune.spread_of.{tuning.method}").points)
    elif tuning.method in ("dpo", "prefix", "head"):
        widths.append(library.default("fine_tune.spread_of.analogy").points)
    kind = {"moe": "moe", "dense": "dense", "encoder": "encoder"}.get(ledger.size_arch, "other")
    figure = library.default(f"fine_tune.kind.{kind}")
    value *= figure.value
    if figure.low is not None:
        widths.append((1.0, figure.low / figure.value, (figure.high or 1.0) / figure.value))
    if device.form_factor in ("desktop", "laptop"):
        value *= library.default("fine_tune.desk").value
    word = ledger.plan.framework or "unknown"
    framework = library.default(f"fine_tune.framework.{word}")
    value *= framework.value
    widths.append(tuple(end / framework.value for end in framework.points))  # type: ignore[arg-type]
    down = hypot(*(log(low / mid) for mid, low, _ in widths), log(least / share))
    up = hypot(*(log(high / mid) for mid, _, high in widths), log(most / share))
    ceiling = ceiling_of(library, device)
    highest = min(max(most, ceiling.points[2]), NEAREST_PEAK)
    value = min(value, highest)
    return np.array([value, value * exp(-down), min(value * exp(up), highest)])


def _pass_tokens(ledger: Ledger) -> None:
    """Tokens of a pass: usual ones, fewer where a step of the batch given holds fewer."""
    usual = ledger.library.default("fine_tune.pass_tokens")
    each = _length_of_sample(ledger)
    if each is not None:
        samples = ledger.library.default("fine_tune.pass_samples")
        value, low, high = (each * end for end in samples.points)
        if value < usual.value:
            note = f"{samples.value:g} samples of {brief(each)} tokens, filled up; {samples.note}"
            usual = samples.replace(value=value, low=low, high=high, note=note)
    if ledger.has("global_batch_tokens", "device_count"):
        batch = ledger.data["global_batch_tokens"].value / ledger.data["device_count"].value
        if batch < usual.points[2]:
            value = min(usual.value, batch)
            usual = usual.replace(
                value=value,
                low=min(usual.points[1], value),
                high=max(batch, value),
                note=f"at most the {brief(batch)} of a device in a step; {usual.note}",
            )
    ledger.assume("pass_tokens", usual, "assumption.pass_tokens")


def _length_of_sample(ledger: Ledger) -> float | None:
    """Tokens of a sample with its padding, where samples are not packed."""
    padding, each = ledger.value("padding_factor"), ledger.plan.sample_tokens
    return None if padding in (None, 1.0) or each is None else each * padding


def overhead_levels(ledger: Ledger, device: Device, size: Size, active_params: Numbers) -> Array:
    """Value, low and high of the time of a pass beside its arithmetic [s], at other sizes too.

    Launching each layer, unpacking 4-bit weights through the memory, gathering weights that are
    spread over devices without fast links.
    """
    library, tuning = ledger.library, ledger.tuning
    assert tuning is not None
    word = ledger.plan.framework or "unknown"
    layer = library.default(f"fine_tune.layer_pass_of.{word}")
    cost = library.default("fine_tune.layer_pass_s")
    layers = layer_levels(library, active_params)[0]
    if np.ndim(active_params) == 0 and ledger.given("layers"):
        layers = ledger.data["layers"].value
    elif np.ndim(active_params) == 0 and ledger.architecture is not None:
        layers = ledger.architecture.attention_layers or layers
    params = active_params * ((size.params or 1.0) / (size.active_params or size.params or 1.0))
    spent = layers * cost.value * layer.value
    if tuning.quantised:
        bandwidth = device.memory_bandwidth_gb_per_s
        per_second = (bandwidth.value if bandwidth is not None else 2000.0) * 1e9
        spent = spent + params * library.default("fine_tune.unpacked_bytes").value / per_second
    count = ledger.data.get("device_count")
    if count is not None and count.value > 1 and has_slow_links(device):
        per_byte = library.default("fine_tune.slow_link_s_per_byte").value
        spent = spent + params * bytes_of_base(tuning.base_precision) * per_byte
    down = hypot(log(cost.points[1] / cost.value), log(layer.points[1] / layer.value))
    up = hypot(log(cost.points[2] / cost.value), log(layer.points[2] / layer.value))
    return np.array([spent, spent * exp(-down), spent * exp(up)])


def _cost_words(ledger: Ledger, size: Size) -> str:
    tuning = ledger.tuning
    assert tuning is not None
    parts = ["launching layers"]
    if tuning.quantised:
        parts.append("unpacking 4-bit weights")
    count = ledger.data.get("device_count")
    if count is not None and count.value > 1 and ledger.device is not None:
        parts += ["gathering weights over the bus"] * has_slow_links(ledger.device)
    return f"{', '.join(parts)}; {brief(size.active_params or 0)} parameters a token"


def around(ledger: Ledger) -> None:
    """Enter what stands around the steps of a fine-tune: generation, evaluation, its start."""
    tuning, library = ledger.tuning, ledger.library
    assert tuning is not None
    if tuning.method in ROLLOUTS:
        share = library.default("fine_tune.generation_share")
        ledger.assume("generation_share", share, "assumption.generation_share")
    if ledger.has("device_count"):
        ledger.assume("startup_s", library.default("fine_tune.startup_s"), "assumption.startup")


def goodput(ledger: Ledger) -> Figure:
    """Share of the time after the start in which a fine-tune makes progress."""
    return ledger.library.default("fine_tune.goodput")


def resized(ledger: Ledger, device: Device, size: Size, params: Array) -> dict[str, Array]:
    """What `settle` assumes at other sizes of the model: value, low and high [level, size]."""
    large = np.multiply.outer(levels(ledger, device), np.ones_like(params))
    return {
        "large_step_mfu": large,
        "mfu": large,
        "pass_overhead_s": overhead_levels(ledger, device, size, params),
    }
