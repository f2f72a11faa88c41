"""How well the device will be used: the share of its peak a whole run reaches."""

from __future__ import annotations

from math import exp, hypot, log, prod
from typing import Literal

import numpy as np

from joulecast.arrays import Array, Numbers
from joulecast.compute import attention_share
from joulecast.data.library import Library
from joulecast.data.records import Device, Figure
from joulecast.errors import InputError, brief
from joulecast.outcome import follow
from joulecast.performance import expected_utilisation, size_factor
from joulecast.resolve import finetune, own_runs
from joulecast.resolve.ledger import Ledger, Size, scaled
from joulecast.resolve.shares import NEAREST_PEAK, age_of, ceiling_of, layers_of, tuned_share
from joulecast.terms import Field
from joulecast.uncertainty import T90, T95, Z80, Z95, nominal

#: Ways to give a utilisation as it is, whatever the precision.
AS_IT_IS = ("utilisation", "mfu", "hfu", "mfu_fp8", "tokens_per_second_per_device")

#: Kinds of model that most published runs are of; the rest have a wider range.
DECODERS = ("dense", "moe")

#: Kinds whose attention the rule of 6 FLOP per parameter leaves out -> positions attended to,
#: over those a causal mask allows.
ATTENTION_LEFT_OUT = {"dense": 1.0, "moe": 1.0, "encoder": 2.0}

#: Kinds of model -> the field they are taken to be of, where none is said; others are language.
FIELD_OF: dict[str, Field] = {
    "vision": "images",
    "diffusion": "images",
    "speech": "other",
    "other": "other",
}

#: Kinds of model whose optimiser steps were measured -> what their time per layer goes by.
STEPS_OF = {"dense": "dense", "moe": "moe", "diffusion": "diffusion"}

#: Size of model from which size hardly matters, taken where the size is not known.
LARGE_MODEL_PARAMS = 1e11

#: Length that most published runs were trained at, taken where the length was not said.
USUAL_SEQ_LEN = 4096

#: A utilisation that every run reaches: its devices never wait.
ALWAYS_BUSY = 1e-12


def resolve(ledger: Ledger, device: Device, size: Size) -> None:
    """The default for this device and kind of model, or what the given MFU needs."""
    library = ledger.library
    steady = any(ledger.given(name) for name in AS_IT_IS if name != "utilisation")
    if ledger.given("utilisation") or steady:
        ledger.settle("precision_speedup", 1.0, "utilisation was given as it is")
        if steady and not ledger.given("utilisation"):
            _goodput(ledger)
        _check_consistent(ledger)
        if not ledger.plan.only_given and not ledger.given("device_power_w"):
            _settle_waiting(ledger, device, size)
        return
    if _hours_alone(ledger):
        return
    if ledger.tuning is not None:
        ledger.device, ledger.size = device, size
        finetune.settle(ledger, device, size)
        _goodput(ledger)
        _speedup(ledger, device)
        _warn_of_software(ledger, device)
        return
    by_steps = ledger.has("global_batch_tokens")
    if by_steps:
        by_steps = _steps(ledger, size)
    elif not ledger.given("device_hours"):
        _warn_of_small_steps(ledger, device, size)
    figure = default(ledger, device, size, by_steps)
    # Partly the device's own, for the most part the job's.
    unknown = f"assumption.utilisation.{device.id}"
    role = "utilisation"
    if ledger.given("goodput"):
        typical = library.default("goodput").value
        note = f"default utilisation {figure.value:.3g} over a typical goodput of {typical:g}"
        figure = scaled(figure, 1 / typical, note, ceiling_of(library, device).value)
        role = "mfu"
    role = "large_step_" * by_steps + role
    ledger.factors = factors_of(ledger, device, size, figure.value)
    ledger.assume(role, figure, unknown, common=_in_common(library, device, size, figure))
    _speedup(ledger, device)


def _goodput(ledger: Ledger) -> None:
    """Enter the share of the time that makes progress, of a fine-tune what is around it too."""
    if ledger.tuning is None:
        ledger.assume("goodput", ledger.library.default("goodput"), "assumption.goodput")
        return
    ledger.assume("goodput", finetune.goodput(ledger), "assumption.fine_tune.goodput")
    finetune.around(ledger)


def _warn_of_software(ledger: Ledger, device: Device) -> None:
    """Say how sure the speed of a fine-tune is, and who decides it."""
    datum = ledger.data.get("large_step_mfu") or ledger.data.get("mfu")
    if datum is None or datum.exact:
        return
    value, low, high = datum.levels
    least, most = ((value / end) ** (Z80 / Z95) for end in (high, low))
    about = "software decides much: say which (--framework tuned, ordinary), or one measured step"
    ledger.warn(
        "utilisation_of_fine_tunes",
        f"speeds of other people's fine-tunes: 80 % range of device-hours {least:.2g} to "
        f"{most:.2g} of the value; {about} (--set tokens_per_second_per_device=)",
        first=True,
    )


def _hours_alone(ledger: Ledger) -> bool:
    """Whether hours are said and no FLOP are, so that nothing would rest on a utilisation."""
    hours = ledger.has("device_hours") or ledger.has("wall_clock_days", "device_count")
    sized = any(ledger.has(name) for name in ("params", "active_params", "forward_flop_per_token"))
    counted = any(ledger.has(name) for name in ("training_flop", "executed_flop"))
    return hours and not counted and not (sized and ledger.has("tokens"))


def _speedup(ledger: Ledger, device: Device) -> None:
    """What the precision gains over 16 bit; phases of several precisions add their times."""
    plan, library = ledger.plan, ledger.library
    tokens: dict[str, float] = {}
    for phase in plan.phases:
        precision = phase.precision or plan.precision or "bf16"
        tokens[precision] = tokens.get(precision, 0.0) + phase.tokens
    tokens = tokens or {plan.precision or "bf16": 1.0}
    fast = [name for name in tokens if name in ("fp8", "fp4", "int8")]
    if not fast:
        own = ledger.resolved.get("precision")  # of the device, where nothing was said
        said = plan.precision or (own if own == "fp32" else "16 bit")
        ledger.settle("precision_speedup", 1.0, f"trained at {said}", "assumed")
        return
    own_gains = device.precision_speedup
    figures = {
        name: own_gains.get(name) or library.default(f"precision_speedup.{name}") for name in fast
    }
    first = figures[fast[0]]
    # A gain measured on the device is its own; the rule is one ignorance for all.
    whose = device.id if any(name in own_gains for name in fast) else "rule"
    unknown = f"{whose}.speedup.{'+'.join(fast)}"
    if len(tokens) == 1:
        ledger.assume("precision_speedup", first, unknown)
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
    ledger.assume("precision_speedup", figure, unknown)


def default(ledger: Ledger, device: Device, size: Size, large_steps: bool = False) -> Figure:
    """Whole-run utilisation to expect of this kind and size of model on this device, this year.

    With `large_steps` what it would be, were optimiser steps large: size then does not count.
    """
    library = ledger.library
    share = tuned_share(library, device)
    base = library.default("utilisation.of_tuned")
    params = _params(size)
    age = age_of(library, device, ledger.resolved["year"])
    note = (
        f"published runs reach {base.value:.3g} of what a tuned training can use "
        f"({share.value:.3g} of peak); software {age:.1f} years old"
    )
    if not large_steps and size.active_params is not None:
        kept = float(_size(library, device, params))
        note += f", {brief(params)} parameters x {kept:.3g}"
    group, field = _group(size), field_of(ledger, size)
    step = library.default(f"utilisation.kind.{group}").value
    step *= library.default(f"utilisation.field.{field}").value
    if step != 1:
        note += f", {size.arch} ({field}) x {step:.3g}"
    left_out = float(_attention_left_out(ledger, size, params))
    if left_out:
        note += (
            f"; over {1 + left_out:.3g} for attention at {_length(size):,} tokens, which 6 N D "
            "leaves out"
        )
    levels = _levels(ledger, device, size, params, large_steps).tolist()
    own = own_runs.utilisation(library, device, group)
    if own is not None:
        said = f"utilisation x {own.factor.value:.3g} of the default: {own.factor.note}"
        ledger.warn("own_runs", said if own.on_device else f"{said}; none was on {device.name}")
        base = base.replace(basis=own.factor.basis, source=own.factor.source)
        note += f"; x {own.factor.value:.3g}: {own.factor.note}"
    if own is None or not own.on_device:
        _warn_of_few_runs(ledger, device, *levels)
    if field == "other":
        ledger.warn(
            "field_without_runs",
            "no published run of this field has both hours and FLOP: range widened to a factor of "
            "3 (--set mfu=; --field where it is another)",
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
    value, low, high = levels
    return base.replace(value=value, low=low, high=high, basis=basis, note=note)


def _warn_of_few_runs(
    ledger: Ledger, device: Device, value: float, low: float, high: float
) -> None:
    """Say where no published run is on a device or its generation, or few are on its class."""
    library = ledger.library
    few = f"utilisation.few_families.{device.device_class}"
    known = library.has_default(f"utilisation.families_on.{device.generation or device.id}")
    said = [] if known else [f"no published training on {device.name} with hours and FLOP"]
    if library.has_default(few) and (known or device.device_class != "other"):
        said.append(library.default(few).note)
    if said:
        least, most = ((value / end) ** (T90 / T95) for end in (high, low))
        ledger.warn(
            "utilisation_by_analogy",
            f"{'; '.join(said)}: 80 % range of device-hours {least:.2g} to {most:.2g} of the value "
            "(--set mfu=)",
            first=True,
        )


def factors_of(ledger: Ledger, device: Device, size: Size, value: float) -> list[tuple[str, float]]:
    """The default utilisation as a product, each factor in words; none where it was cut off."""
    library, params = ledger.library, _params(size)
    group, field = _group(size), field_of(ledger, size)
    age = age_of(library, device, ledger.resolved["year"])
    slope = library.default("utilisation.age_slope").value
    factors = [
        ("share of it that a tuned training can use", tuned_share(library, device).value),
        ("of that over a whole run", library.default("utilisation.of_tuned").value),
        (f"software {age:.1f} years old", float(expected_utilisation(1, 1, 1, age, slope, 1))),
        (f"kind of model: {group}", library.default(f"utilisation.kind.{group}").value),
        (f"field: {field}", library.default(f"utilisation.field.{field}").value),
    ]
    if not ledger.has("layer_overhead_s") and size.active_params is not None:
        kept = float(_size(library, device, params))
        factors.append((f"kept by {brief(params)} parameters on this device", kept))
    own = own_runs.utilisation(library, device, group)
    if own is not None:
        factors.append(("as past runs of your own reached", own.factor.value))
    left_out = float(_attention_left_out(ledger, size, params))
    if left_out:
        factors.append(("for attention that 6 N D leaves out", 1 / (1 + left_out)))
    if ledger.given("goodput"):
        factors.append(("for a typical goodput", 1 / library.default("goodput").value))
    product = prod(factor for _, factor in factors)
    whole = abs(product / value - 1) < 1e-9
    return [(words, factor) for words, factor in factors if factor != 1] if whole else []


def resized(ledger: Ledger, device: Device, size: Size, params: Array) -> dict[str, Array]:
    """What `resolve` assumes at other sizes of the model: value, low and high [level, size]."""
    if ledger.tuning is not None:
        return finetune.resized(ledger, device, size, params)
    by_steps = ledger.has("layer_overhead_s")
    levels = _levels(ledger, device, size, params, by_steps)
    steps = "large_step_" * by_steps
    if not ledger.given("goodput"):
        return {f"{steps}utilisation": levels}
    typical = ledger.library.default("goodput").value
    most = ceiling_of(ledger.library, device).value
    return {f"{steps}mfu": np.minimum(levels / typical, most)}


def _settle_waiting(ledger: Ledger, device: Device, size: Size) -> None:
    """Enter the default where the utilisation given lies below it: devices then draw less."""
    (run,) = follow([nominal(ledger.ordered())]).parts
    reached, value = run.known.get("utilisation"), default_value(ledger, device, size)
    if reached is None:
        return
    if float(reached) < value:
        why = "the default for this run: whoever keeps devices less busy draws less"
        ledger.settle("full_power_utilisation", value, why)
    elif ledger.alike:
        ledger.settle("full_power_utilisation", ALWAYS_BUSY, "reached in every draw")


def values(ledger: Ledger, device: Device, params: Numbers) -> Numbers:
    """The default at other sizes of the model."""
    assert ledger.size is not None
    if ledger.tuning is not None:
        return default_value(ledger, device, ledger.size) * np.ones_like(params)
    value: Numbers = _levels(ledger, device, ledger.size, params)[0]
    return value


def _params(size: Size) -> float:
    return size.active_params or LARGE_MODEL_PARAMS


def _levels(
    ledger: Ledger, device: Device, size: Size, params: Numbers, large_steps: bool = False
) -> Array:
    """Value, low and high of the default for models of so many active parameters [level, ...].

    The range is wider where the share of peak was not measured, the runs on this class of device
    or of this field are few, and downwards below the smallest model that the default was fitted
    on; it never reaches above the ceiling.
    """
    library = ledger.library
    group, field = _group(size), field_of(ledger, size)
    share, least, most = tuned_share(library, device).points
    kind = library.default(f"utilisation.kind.{group}").value
    value = expected_utilisation(
        share,
        library.default("utilisation.of_tuned").value,
        kind * library.default(f"utilisation.field.{field}").value,
        age_of(library, device, ledger.resolved["year"]),
        library.default("utilisation.age_slope").value,
        1.0 if large_steps else _size(library, device, params),
    ) / (1 + _attention_left_out(ledger, size, params))
    widths = [library.default(f"utilisation.spread.{group}").points]
    own = own_runs.utilisation(library, device, group)
    if own is not None:
        value = value * own.factor.value
        factor, lowest, largest = own.factor.points
        widths = [(1.0, lowest / factor, largest / factor)]
        if own.on_device:  # what its share of peak may be off shows in the runs
            least = most = share
    few = f"utilisation.few_families.{device.device_class}"
    if library.has_default(few) and (own is None or not own.on_device):
        widths.append(library.default(few).points)
    down = hypot(*(log(low) for _, low, _ in widths), log(least / share))
    up = hypot(*(log(high) for _, _, high in widths), log(most / share))
    if field == "other":
        _, low, high = library.default("utilisation.spread.no_field").points
        down, up = max(down, -log(low)), max(up, log(high))
    smallest = library.default("utilisation_extrapolated.smallest_params").value
    exponent = library.default("utilisation_extrapolated.low_exponent").value
    widened = np.minimum(params / smallest, 1.0) ** exponent
    highest = min(max(most, ceiling_of(library, device).points[2]), NEAREST_PEAK)
    return np.array([value, value * exp(-down) * widened, np.minimum(value * exp(up), highest)])


def _in_common(library: Library, device: Device, size: Size, figure: Figure) -> float:
    """Share of the variance of ln(utilisation) that is the job's, whatever the device.

    The device's own part is what may be off in its share of peak and in its software; past runs of
    one's own on it narrow that as they narrow the rest.
    """
    tuned = device.tuned_share
    if tuned is not None:
        ceiling = "watts" if tuned.basis == "assumed" else "pairs"
    else:
        ceiling = "measured" if device.matmul_share is not None else "class"
    few = library.has_default(f"utilisation.few_families.{device.device_class}")
    own = hypot(
        library.default(f"utilisation.own.{ceiling}").value,
        library.default(f"utilisation.own.software{'_few' * few}").value,
    )
    _, low, high = figure.points
    past = own_runs.utilisation(library, device, _group(size))
    if past is not None and past.on_device:
        _, low, high = library.default(f"utilisation.spread.{_group(size)}").points
    whole = log(high / low) / (2 * T95)
    return max(0.0, 1 - (own / whole) ** 2)


def _size(library: Library, device: Device, params: Numbers) -> Numbers:
    """What a model of this size keeps on this device; all of it where its peak is not known."""
    peak = device.peak("bf16")
    if peak is None:
        return 1.0
    half = library.default("utilisation.size.half_params").value
    exponent = library.default("utilisation.size.exponent").value
    return size_factor(params, peak.value * 1e12, half, exponent)


def field_of(ledger: Ledger, size: Size) -> Field:
    """Field of a model: as said, or by its kind."""
    return ledger.plan.field or FIELD_OF.get(size.arch, "language")


def _steps(ledger: Ledger, size: Size) -> bool:
    """Enter what an optimiser step costs beside its arithmetic; whether the law holds here."""
    library = ledger.library
    if not ledger.has("device_count"):
        batch = brief(ledger.data["global_batch_tokens"].value)
        why = "needs the number of devices that share it"
        raise InputError("global_batch_tokens", batch, why, ["--device-count 64"])
    if size.active_params is None or not ledger.has("tokens"):
        ledger.warn(
            "step_law_off",
            "what a step of this batch costs is known where size and tokens are: the batch changes "
            "nothing here",
        )
        return False
    if size.arch not in STEPS_OF:
        ledger.warn(
            "step_law_by_analogy",
            f"steps of {size.arch} models were not measured: as of dense decoders "
            "(--set layer_overhead_s=)",
        )
    kind = STEPS_OF.get(size.arch, "dense")
    overhead = library.default(f"layer_overhead_s.{kind}")
    ledger.assume("layer_overhead_s", overhead, f"assumption.step_overhead.{kind}")
    ledger.assume("layers", layers_of(library, size.active_params), "assumption.layers")
    return True


def _warn_of_small_steps(ledger: Ledger, device: Device, size: Size) -> None:
    """Say at which batch so many devices stop scaling, where no batch was given.

    A run keeps 80 % of its utilisation where a step takes 4 u_0 L t_0 at the peak.
    """
    library = ledger.library
    count, active = ledger.data.get("device_count"), size.active_params
    if count is None or active is None or size.arch not in DECODERS:
        return
    peak = device.peak("bf16")
    if peak is None:
        return
    kept = default_value(ledger, device, size) / float(_size(library, device, active))
    overhead = library.default(f"layer_overhead_s.{STEPS_OF[size.arch]}").value
    step_time = 4 * kept * layers_of(library, active).value * overhead
    per_device = step_time * peak.value * 1e12 / (6 * active)
    needed = per_device * count.value
    if needed > library.default("large_global_batch_tokens").value:
        ledger.warn(
            "small_steps",
            f"{count.value:,.0f} {device.name} keep 80 % of their speed on this model only with "
            f"{float(f'{per_device:.2g}'):,.0f} tokens a device in each step, "
            f"{float(f'{needed / 1e6:.2g}'):g} million in all; with fewer the hours are more than "
            "these (--global-batch 4M)",
        )


def default_value(ledger: Ledger, device: Device, size: Size) -> float:
    """The default utilisation alone; of a fine-tune that of large passes."""
    if ledger.tuning is not None:
        kept = finetune.goodput(ledger).value
        return float(finetune.levels(ledger, device)[0]) * kept
    return float(_levels(ledger, device, size, _params(size))[0])


def _group(size: Size) -> str:
    return "decoder" if size.arch in DECODERS else "other"


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
