"""How well the device will be used: the share of its peak a whole run reaches."""

from __future__ import annotations

from math import exp, hypot, log
from typing import Literal

import numpy as np

from joulecast.arrays import Array, Numbers
from joulecast.compute import attention_share
from joulecast.data.library import Library
from joulecast.data.records import Device, Figure
from joulecast.errors import InputError, brief
from joulecast.performance import expected_utilisation
from joulecast.resolve.ledger import Ledger, Size, scaled

#: Ways to give a utilisation as it is, whatever the precision.
AS_IT_IS = ("utilisation", "mfu", "hfu", "mfu_fp8", "tokens_per_second_per_device")

#: Kinds of model that most published runs are of; the rest have a wider range.
DECODERS = ("dense", "moe")

#: Kinds whose attention the rule of 6 FLOP per parameter leaves out -> positions attended to,
#: over those a causal mask allows.
ATTENTION_LEFT_OUT = {"dense": 1.0, "moe": 1.0, "encoder": 2.0}

#: Classes of device no published run with device-hours was on.
WITHOUT_RUNS = ("blackwell", "other")

#: Size of model from which size no longer matters, taken where the size is not known.
LARGE_MODEL_PARAMS = 1e10

#: Length that most published runs were trained at, taken where the length was not said.
USUAL_SEQ_LEN = 4096

MIDYEAR = 0.5
MIDMONTH = 0.5


def resolve(ledger: Ledger, device: Device, size: Size) -> None:
    """The default for the class of device and kind of model, or what the given MFU needs."""
    library = ledger.library
    steady = any(ledger.given(name) for name in AS_IT_IS if name != "utilisation")
    if ledger.given("utilisation") or steady:
        ledger.settle("precision_speedup", 1.0, "utilisation was given as it is")
        if steady and not ledger.given("utilisation"):
            ledger.assume("goodput", library.default("goodput"), "assumption.goodput")
        _check_consistent(ledger)
        return
    if _hours_alone(ledger):
        return
    figure = default(ledger, device, size)
    # Partly the class's own, for the most part the job's (uncertainty.SHARED_PART).
    unknown = f"assumption.utilisation.{device.device_class}"
    if ledger.given("goodput"):
        typical = library.default("goodput").value
        note = f"default utilisation {figure.value:.3g} over a typical goodput of {typical:g}"
        most = ceiling_of(library, device).value
        ledger.assume("mfu", scaled(figure, 1 / typical, note, most), unknown)
    else:
        ledger.assume("utilisation", figure, unknown)
    _speedup(ledger)


def _hours_alone(ledger: Ledger) -> bool:
    """Whether hours are said and no FLOP are, so that nothing would rest on a utilisation."""
    hours = ledger.has("device_hours") or ledger.has("wall_clock_days", "device_count")
    sized = any(ledger.has(name) for name in ("params", "active_params", "forward_flop_per_token"))
    counted = any(ledger.has(name) for name in ("training_flop", "executed_flop"))
    return hours and not counted and not (sized and ledger.has("tokens"))


def _speedup(ledger: Ledger) -> None:
    """What the precision gains over 16 bit; phases of several precisions add their times."""
    plan, library = ledger.plan, ledger.library
    tokens: dict[str, float] = {}
    for phase in plan.phases:
        precision = phase.precision or plan.precision or "bf16"
        tokens[precision] = tokens.get(precision, 0.0) + phase.tokens
    tokens = tokens or {plan.precision or "bf16": 1.0}
    fast = [name for name in tokens if name in ("fp8", "fp4")]
    if not fast:
        own = ledger.resolved.get("precision")  # of the device, where nothing was said
        said = plan.precision or (own if own == "fp32" else "16 bit")
        ledger.settle("precision_speedup", 1.0, f"trained at {said}", "assumed")
        return
    figures = {name: library.default(f"precision_speedup.{name}") for name in fast}
    first = figures[fast[0]]
    if len(tokens) == 1:
        ledger.assume("precision_speedup", first, f"rule.speedup.{fast[0]}")
        return
    total = sum(tokens.values())

    def mixed(level: Literal["low", "value", "high"]) -> float:
        """Harmonic mean over phases: their times add."""
        gains = {name: getattr(figures[name], level) if name in figures else 1.0 for name in tokens}
        return total / sum(count / gains[name] for name, count in tokens.items())

    shares = ", ".join(f"{count / total:.0%} {name}" for name, count in tokens.items())
    figure = first.replace(
        value=mixed("value"),
        low=mixed("low"),
        high=mixed("high"),
        note=f"phases: {shares}; {first.note}",
    )
    ledger.assume("precision_speedup", figure, f"rule.speedup.{'+'.join(fast)}")


def default(ledger: Ledger, device: Device, size: Size) -> Figure:
    """Whole-run utilisation to expect of this kind and size of model on this device, this year."""
    library = ledger.library
    group = _group(size)
    ceiling = ceiling_of(library, device)
    base = library.default("utilisation.of_ceiling")
    kind = library.default(f"utilisation.kind.{group}")
    age = age_of(device, ledger.resolved["year"])
    params = size.active_params or LARGE_MODEL_PARAMS
    note = (
        f"published runs reach {base.value:.3g} of the best matrix product "
        f"({ceiling.value:.3g} of peak); device {age:.1f} years old"
    )
    if params < LARGE_MODEL_PARAMS:
        note += f", {brief(params)} parameters"
    if group == "other":
        note += f", {size.arch} x {kind.value:.3g}"
    share = float(_attention_left_out(ledger, size, params))
    if share:
        note += (
            f"; over {1 + share:.3g} for attention at {_length(size):,} tokens, which 6 N D leaves "
            "out"
        )
    if device.device_class in WITHOUT_RUNS:
        ledger.warn(
            "utilisation_by_analogy",
            f"no published run on {device.device_class} devices: utilisation as on others "
            "(--set mfu=)",
        )
    basis = base.basis
    smallest = library.default("utilisation_extrapolated.smallest_params").value
    if params < smallest:
        ledger.warn(
            "utilisation_extrapolated",
            f"{brief(float(f'{params:.2g}'))} parameters are fewer than in any run the utilisation "
            f"was fitted on ({brief(smallest)}): measure it if you can (--set device_hours=)",
        )
        basis, note = "assumed", f"{note}; extrapolated, its low end widened"
    value, low, high = _levels(ledger, device, size, params).tolist()
    return base.replace(value=value, low=low, high=high, basis=basis, note=note)


def resized(ledger: Ledger, device: Device, size: Size, params: Array) -> dict[str, Array]:
    """What `resolve` assumes at other sizes of the model: value, low and high [level, size]."""
    levels = _levels(ledger, device, size, params)
    if not ledger.given("goodput"):
        return {"utilisation": levels}
    typical = ledger.library.default("goodput").value
    return {"mfu": np.minimum(levels / typical, ceiling_of(ledger.library, device).value)}


def _levels(ledger: Ledger, device: Device, size: Size, params: Numbers) -> Array:
    """Value, low and high of the default for models of so many active parameters [level, ...].

    The range is wider where the ceiling was not measured, and downwards below the smallest model
    that the default was fitted on; it never reaches above the ceiling.
    """
    library = ledger.library
    group = _group(size)
    ceiling, least, most = ceiling_of(library, device).points
    expected = expected_utilisation(
        ceiling,
        library.default("utilisation.of_ceiling").value,
        library.default(f"utilisation.kind.{group}").value,
        age_of(device, ledger.resolved["year"]),
        library.default("utilisation.age_slope").value,
        params,
        library.default("utilisation.size_slope").value,
    )
    value = expected / (1 + _attention_left_out(ledger, size, params))
    _, low, high = library.default(f"utilisation.spread.{group}").points
    down = hypot(log(low), log(least / ceiling))
    up = hypot(log(high), log(most / ceiling))
    smallest = library.default("utilisation_extrapolated.smallest_params").value
    exponent = library.default("utilisation_extrapolated.low_exponent").value
    widened = np.minimum(params / smallest, 1.0) ** exponent
    return np.array([value, value * exp(-down) * widened, np.minimum(value * exp(up), most)])


def _group(size: Size) -> str:
    return "decoder" if size.arch in DECODERS else "other"


def ceiling_of(library: Library, device: Device) -> Figure:
    """Best matrix product as a share of peak: of the device, or of its class."""
    return device.matmul_share or library.default(f"matmul_share.{device.device_class}")


def age_of(device: Device, year: int) -> float:
    """Years from the release of a device to the middle of a year; never below 0."""
    released = device.release_date.year + (device.release_date.month - MIDMONTH) / 12
    return max(0.0, year + MIDYEAR - released)


def _attention_left_out(ledger: Ledger, size: Size, params: Numbers) -> Numbers:
    """FLOP of attention over 6 N D, where FLOP come from 6 N D."""
    by_rule = ledger.has("flop_per_param_token", "tokens") and not any(
        ledger.has(name) for name in ("forward_flop_per_token", "training_flop", "executed_flop")
    )
    positions = ATTENTION_LEFT_OUT.get(size.arch, 0.0)
    if not by_rule or not positions or size.active_params is None:
        return 0.0
    per_token = ledger.library.default("attention_share").value
    return positions * attention_share(params, _length(size), per_token)


def _length(size: Size) -> int:
    return int(size.seq_len or USUAL_SEQ_LEN)


def _check_consistent(ledger: Ledger) -> None:
    """Check that mfu x goodput is the utilisation, where all three are given."""
    names = ("utilisation", "mfu", "goodput")
    if not all(ledger.given(name) for name in names):
        return
    whole, mfu, goodput = (ledger.data[name].value for name in names)
    if abs(mfu * goodput / whole - 1) > 0.01:
        raise InputError(
            "utilisation",
            f"{whole:g}",
            f"contradicts mfu x goodput = {mfu * goodput:.4g}",
            ["giving two of the three"],
        )
