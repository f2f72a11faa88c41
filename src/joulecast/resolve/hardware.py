"""On what it runs: device, utilisation, power, and the making of it."""

from __future__ import annotations

from math import ceil, exp, inf, isnan, log

import numpy as np

from joulecast.arrays import Array, Numbers
from joulecast.data.denominators import too_high
from joulecast.data.library import DeviceMatch, Library
from joulecast.data.records import Device, Figure
from joulecast.errors import InputError, brief
from joulecast.plan import CHOICES
from joulecast.resolve import denominators, finetune, own_runs, tuning, utilisation
from joulecast.resolve import shares as known_shares
from joulecast.resolve.ledger import Ledger, Size, scaled

DEFAULT_DEVICE = "h100-sxm"

#: Kinds of device that stand in servers, whose mass is known within a factor.
IN_SERVERS = ("gpu", "tpu", "npu")


def resolve(ledger: Ledger, size: Size) -> Device | None:
    """Enter the device's figures; returns it where the answer needs one."""
    plan = ledger.plan
    from_flop = (
        ledger.has("training_flop")
        or ledger.has("executed_flop")
        or ledger.has("flop_per_param_token", "tokens")
        or ledger.has("forward_flop_per_token", "tokens")
    )
    from_hours = ledger.has("device_hours") or ledger.has("wall_clock_days", "device_count")
    ledger.resolved |= {
        "device": None,
        "device_name": None,
        "device_count": _count(ledger),
        "precision": plan.precision or "bf16",
        "global_batch_tokens": plan.global_batch_tokens,
        "cooling": plan.cooling,
        "field": utilisation.field_of(ledger, size),
    }
    if plan.device is None and (plan.only_given or not (from_flop or from_hours)):
        ledger.settle("host_power_w", 0.0, "nothing added that was not given")
        ledger.settle("network_share", 0.0, "nothing added that was not given")
        return None
    match = ledger.library.device(plan.device or DEFAULT_DEVICE)
    device = match.device
    _check_status(ledger, match)
    if plan.device is None:
        ledger.warn("device_assumed", f"no device given: {device.name} assumed (--device)")
    announced = " (announced)" if device.status == "announced" else ""
    ledger.resolved |= {"device": device.id, "device_name": f"{device.name}{announced}"}
    ledger.device, ledger.size = device, size
    ledger.at_a_desk = device.at_a_desk
    _peak(ledger, match)
    utilisation.resolve(ledger, device, size)
    _power(ledger, device, size)
    _embodied(ledger, device)
    return device


def _check_status(ledger: Ledger, match: DeviceMatch) -> None:
    """Say what is only announced or shares its name; refuse what will never be sold."""
    device = match.device
    if device.status == "cancelled":
        raise InputError("device", ledger.plan.device, f"was never sold: {device.missing}")
    if device.status == "announced":
        ledger.warn(
            "device_announced", f"{device.name} is announced, not sold: its figures may change"
        )
    for other in match.namesakes:
        name = ledger.library.device(other).device.name
        ledger.warn(
            "device_namesake",
            f"{ledger.plan.device!r} taken as {device.name}; {name} goes by it too "
            f"(--device {other})",
        )


#: Numbers whose defaults follow the size of the model.
OF_SIZE = (
    "utilisation", "mfu", "large_step_utilisation", "large_step_mfu", "full_power_utilisation",
    "layers", "device_power_w", "device_power_full_w", "pass_overhead_s", "adapter_params",
)  # fmt: skip


def resized(ledger: Ledger, active_params: Array) -> dict[str, Array]:
    """Value, low and high of the numbers of OF_SIZE, had the model other sizes [level, size]."""
    device, size = ledger.device, ledger.size
    if device is None or size is None:
        return {}
    found = utilisation.resized(ledger, device, size, active_params)
    found |= tuning.resized(ledger, active_params)
    found["layers"] = known_shares.layer_levels(ledger.library, active_params)
    found["full_power_utilisation"] = np.array(
        [utilisation.values(ledger, device, active_params)] * 3
    )
    rated = device.device_power_w is None and device.tdp_w is not None
    if rated and not _waits_told(ledger):
        levels = _power_levels(ledger.library, device, active_params)
        levels = own_runs.power_levels(ledger.library, device, levels)
        found |= {"device_power_w": levels, "device_power_full_w": levels}
    assumed = {name for name in OF_SIZE if ledger.has(name) and not ledger.given(name)}
    return {name: levels for name, levels in found.items() if name in assumed}


def bends(library: Library) -> tuple[float, ...]:
    """Sizes at which numbers of OF_SIZE bend; between them they are smooth."""
    large = library.default("small_model_params").value
    fitted = library.default("utilisation_extrapolated.smallest_params").value
    return fitted, large / 10, large


def check(ledger: Ledger, device: Device | None, size: Size) -> None:
    """Say what does not fit together."""
    if device is None:
        return
    _check_ceiling(ledger, device)
    denominators.check(ledger, device)
    year = ledger.resolved["year"]
    if device.release_date is not None and device.release_date.year > year:
        ledger.warn(
            "device_too_new",
            f"{device.name} was released in {device.release_date:%B %Y}, after {year}",
        )
    count = _count(ledger)
    if size.params is not None and count is not None and device.memory_gb is not None:
        memory = device.memory_gb.value * 1e9
        trained = size.trained_params or size.params
        frozen, weight = size.params - trained, _bytes_of_frozen(ledger)
        if ledger.has("adapter_params"):
            frozen = size.params
        state = ledger.library.default("state_bytes_per_param.trained").value
        need = ceil((trained * state + frozen * weight) / memory)
        if count < need:
            ledger.warn(
                "memory_too_small",
                f"weights, gradients and optimiser states of {size.params:.3g} parameters "
                f"({state:g} bytes each trained) need at least {need} devices "
                f"of {device.memory_gb.value:g} GB, {count} given",
            )


def _bytes_of_frozen(ledger: Ledger) -> float:
    """Bytes of a weight that is not trained, as the base holds it."""
    if ledger.tuning is not None:
        return finetune.bytes_of_base(ledger.tuning.base_precision)
    return ledger.library.default("state_bytes_per_param.frozen").value


def _count(ledger: Ledger) -> int | None:
    datum = ledger.data.get("device_count")
    return None if datum is None else int(datum.value)


def _peak(ledger: Ledger, match: DeviceMatch) -> None:
    """Dense peak; spanning the family where its name alone was typed and peaks differ."""
    device = match.device
    for asked in (ledger.plan.precision, *(phase.precision for phase in ledger.plan.phases)):
        if asked is not None and not _trains_at(device, asked):
            have = [name for name in CHOICES["precision"] if _trains_at(device, name)]
            why = f"{device.name} has no peak at this precision"
            if asked in device.peak_tflops:
                why = f"no training at this precision on {device.name} is known"
            raise InputError("precision", asked, why, have)
    own = [name for name in ("bf16", "fp16", "fp32") if name in device.peak_tflops]
    none_of_16 = not own or "16-bit peak" in device.missing
    precision = ledger.plan.precision or ("bf16" if none_of_16 else own[0])
    ledger.resolved["precision"] = precision
    figure = device.peak(precision)
    if figure is None:
        _ask_for_peak(ledger, device)
        return
    figure = figure.replace(note=f"dense, {device.name}")
    others = [ledger.library.device(name).device for name in match.variants]
    peaks = [peak.value for other in others if (peak := other.peak(precision))]
    if others:
        changes = ", ".join(
            f"{other.id} ({peak.value / figure.value - 1:+.0%} peak, {_rating(other)})"
            if (peak := other.peak(precision))
            else f"{other.id} (peak not published)"
            for other in others
        )
        ledger.warn(
            "device_variant", f"{ledger.plan.device!r} taken as {device.id}; others: {changes}"
        )
    low, high = min([figure.value, *peaks]), max([figure.value, *peaks])
    if high > (1 + ledger.library.default("variant_peak_gap").value) * low:
        figure = figure.replace(low=low, high=high)
    ledger.assume("peak_flops", scaled(figure, 1e12), f"{device.id}.peak", essential=True)
    fp8 = device.peak_tflops.get("fp8")
    if ledger.has("mfu_fp8"):
        if fp8 is None:
            raise InputError("mfu_fp8", None, f"{device.name} has no FP8 peak", ["--set mfu="])
        ledger.assume("peak_flops_fp8", scaled(fp8, 1e12), f"{device.id}.peak_fp8", essential=True)
    entered = ledger.data["peak_flops"]
    for name, sparse in device.sparse_peak_tflops.items():
        if entered.given and abs(entered.value / (sparse.value * 1e12) - 1) < 0.01:
            ledger.warn(
                "sparse_peak",
                f"{entered.value:.5g} FLOP/s is the sparse {name} figure of {device.name}; "
                f"its dense 16-bit peak is {figure.value * 1e12:.5g}",
            )


def _ask_for_peak(ledger: Ledger, device: Device) -> None:
    """A device whose maker prints no rate is known by name, and its rate is never guessed."""
    hours = ledger.has("device_hours") or ledger.has("wall_clock_days", "device_count")
    if ledger.given("peak_flops") or hours:
        return
    known = [f"{device.memory_gb.value:g} GB"] if device.memory_gb else []
    known += [f"{device.tdp_w.value:g} W"] if device.tdp_w else []
    of = f" (known of it: {', '.join(known)})" if known else ""
    why = f"{device.name}: {device.missing or 'no 16-bit peak is published'}{of}"
    hints = ["--set peak_flops=400e12", "--set device_hours=", "another device"]
    raise InputError("device", ledger.plan.device, why, hints)


def _trains_at(device: Device, precision: str) -> bool:
    """Whether a device can train at a precision; at int8 only where somebody has."""
    known = precision != "int8" or "int8" in device.precision_speedup
    return known and precision in device.peak_tflops


def _rating(device: Device) -> str:
    watts = f", {device.tdp_w.value:g} W" if device.tdp_w else ""
    memory = f"{device.memory_gb.value:g} GB" if device.memory_gb else "memory not published"
    return f"{memory}{watts}"


def _check_ceiling(ledger: Ledger, device: Device) -> None:
    """No matrix product on the device is faster than its best measured share of peak."""
    if ledger.given("peak_flops"):
        return
    run = ledger.middle
    best = known_shares.ceiling_of(ledger.library, device)
    # A ceiling nobody measured is taken at the high end of its range: an error must be sure.
    ceiling = best.value if device.matmul_share else best.high or best.value
    for name in utilisation.AS_IT_IS:
        if not ledger.given(name):
            continue
        datum = ledger.data[name]
        share = datum.value
        if name == "tokens_per_second_per_device":
            share = float(run.known.get("mfu", 0.0))
        if share > ceiling:
            meant = "" if share == datum.value else f"is an mfu of {brief(share)}, but "
            why = _another_peak(device, name, share, ceiling)
            raise InputError(
                name,
                brief(datum.value),
                f"{meant}{device.name} reaches {ceiling:g} of its dense peak in its best matrix "
                "product; a higher figure counts sparsity, recomputation or multiply-adds twice"
                f"{why}",
                ["--set mfu=0.35"],
            )
    reached = {name: float(run.known.get(name, 0.0)) for name in ("mfu", "achieved_utilisation")}
    name = max(reached, key=lambda name: reached[name])
    high = ledger.library.default("high_utilisation").value
    if reached[name] > high:
        given = [(one, ledger.data[one].value) for one in utilisation.AS_IT_IS if ledger.given(one)]
        whys = [_another_peak(device, one, share, high) for one, share in given if share > high]
        why = next(iter(whys), "")
        ledger.warn(
            "high_utilisation",
            f"the run comes to {name.replace('_', ' ')} {brief(reached[name])}; the best published "
            f"whole runs lie near 0.55{why}",
        )


def _another_peak(device: Device, name: str, share: float, most: float) -> str:
    """What a share so high may have been divided by, as the end of a message."""
    if name == "tokens_per_second_per_device":
        return ""
    eight = device.peak_tflops.get("fp8")
    peak = eight.value if name == "mfu_fp8" and eight is not None else None
    why = too_high(device, share, most, peak)
    return f"; {why}" if why else ""


def _power(ledger: Ledger, device: Device, size: Size) -> None:
    library = ledger.library
    count = _count(ledger)
    # Steps that leave a device waiting are counted as such: what works is as busy as large ones.
    by_steps = _waits_told(ledger)
    active = inf if by_steps else size.active_params or inf
    power = device.device_power_w or _rated_power(library, device, active)
    if power is None:
        _without_power(ledger, device)
        return
    power = own_runs.power(library, device, power)
    waits = by_steps or ledger.has("full_power_utilisation")
    if waits and not ledger.given("device_power_w") and not ledger.plan.only_given:
        ledger.assume("device_power_full_w", power, f"{device.id}.power")
        idle = library.default("idle_power_share")
        ledger.assume("idle_power_share", idle, "assumption.idle_power_share")
    else:
        ledger.assume("device_power_w", power, f"{device.id}.power")
    host = _host_power(library, device, ledger.plan.cooling)
    if host.value == 0 and host.low is None:
        ledger.settle("host_power_w", 0.0, host.note or "counted in the device's power")
    ledger.assume("host_power_w", host, f"{device.id}.host_power")
    alone = 1 if device.at_a_desk else None
    fits = (count or alone or inf) <= library.default("devices_in_a_node").value
    case = "node" if fits else "cluster"
    network = library.default(f"network_share.{case}")
    ledger.assume("network_share", network, f"assumption.network.{case}")
    if ledger.plan.only_given:
        ledger.settle("host_power_w", 0.0, "nothing added that was not given")
        ledger.settle("network_share", 0.0, "nothing added that was not given")


def _waits_told(ledger: Ledger) -> bool:
    """Whether the time in which devices wait is told from their work."""
    return ledger.has("layer_overhead_s") or ledger.has("pass_overhead_s")


def _without_power(ledger: Ledger, device: Device) -> None:
    """A device whose power nobody published: hours are told, energy only where power is given."""
    if not ledger.given("device_power_w") and not ledger.has("device_energy_kwh"):
        ledger.warn(
            "power_unknown",
            f"no power of {device.name} is published: no energy and no emissions of use follow "
            "(--set device_power_w=)",
        )
    host = _host_power(ledger.library, device, ledger.plan.cooling)
    ledger.assume("host_power_w", host, f"{device.id}.host_power")
    ledger.assume(
        "network_share",
        ledger.library.default("network_share.cluster"),
        "assumption.network.cluster",
    )


def never_measured(device: Device) -> tuple[str, ...]:
    """What of a device a comparison rests on and nobody measured, in words."""
    own = device.device_power_w
    metered = device.metered if own is None else own.basis != "assumed"
    found = [] if metered else ["power never metered"]
    return (*found, *["share of peak assumed"] * known_shares.share_is_assumed(device))


#: Ways to cool a data centre -> how its hosts are cooled.
HOSTS_OF = {
    "air": "air",
    "evaporative": "air",
    "dry": "air",
    "liquid": "liquid",
    "closed": "liquid",
}


def _host_power(library: Library, device: Device, cooling: str | None) -> Figure:
    """Of the record, by cooling; of a TPU as a share of the chip's mean; else one for all."""
    if device.host_power_w is not None:
        return _cooled(library, device, device.host_power_w, cooling)
    if device.device_class != "tpu" or device.device_power_w is None:
        return _cooled(library, device, library.default("host_power_w"), cooling)
    name = f"host_power_share.{device.family}"
    share = library.default(name if library.has_default(name) else "host_power_share.tpu")
    note = f"{share.value:.3g} of the chip's mean; {share.note}"
    return scaled(share, device.device_power_w.value, note)


def _cooled(library: Library, device: Device, host: Figure, cooling: str | None) -> Figure:
    """A host's power as it is cooled: measured so, or less its fans where liquid does the work."""
    if cooling is None or device.host_cooling is not None or device.at_a_desk or not host.value:
        return host
    way = HOSTS_OF[cooling]
    known = device.host_power_by_cooling.get(way)
    if known is not None or way == "air":
        return known or host
    factor = library.default("host_power_factor.liquid")
    note = f"{host.value:g} W x {factor.value:.3g}: {factor.note}; {host.note}"
    return scaled(host, factor.value, note).replace(basis="assumed")


def _rated_power(library: Library, device: Device, active_params: float) -> Figure | None:
    """Power of a device that nobody measured: a share of its rating; None without a rating."""
    if device.tdp_w is None:
        return None
    small, large = shares_of_rating(library, device)
    weight = float(_largeness(library, active_params))
    nearer = large if weight >= 0.5 else small
    note = nearer.note
    if 0 < weight < 1:
        limit = library.default("small_model_params").value
        note = (
            f"{brief(active_params)} parameters: between {small.value:g} at {brief(limit / 10)} "
            f"and {large.value:g} at {brief(limit)}"
        )
    rating = f"{device.tdp_w.value:g} W"
    if device.tdp_w.low is not None:
        rating += f" ({device.tdp_w.low:g} to {device.tdp_w.high:g})"
    value, low, high = _power_levels(library, device, active_params).tolist()
    exact = low == high
    return nearer.replace(
        value=value,
        low=None if exact else low,
        high=None if exact else high,
        note=f"{value / device.tdp_w.value:.3g} of TDP {rating}; {note}",
    )


def _power_levels(library: Library, device: Device, active_params: Numbers) -> Array:
    """Value, low and high of a share of a rating, for so many parameters a token [level, ...].

    The logs of the ranges of the two add in quadrature, each side by itself.
    """
    assert device.tdp_w is not None
    weight = _largeness(library, active_params)
    small, large = (np.array(figure.points) for figure in shares_of_rating(library, device))
    share, least, most = np.multiply.outer(small, 1 - weight) + np.multiply.outer(large, weight)
    rating, low, high = device.tdp_w.points
    down = np.hypot(np.log(least / share), log(low / rating))
    up = np.hypot(np.log(most / share), log(high / rating))
    value = share * rating
    return np.array([value, value * np.exp(-down), value * np.exp(up)])


#: Forms of GPU that stand in servers.
SERVER_FORMS = ("SXM", "OAM", "PCIe", "superchip")

#: Release after which later servers draw the same share.
LATEST_OF_SHARE = 2022.7


def shares_of_rating(library: Library, device: Device) -> tuple[Figure, Figure]:
    """Share of the rating drawn by small models and by large ones."""
    shares = f"device_power_share.{device.device_class}"
    large = library.default(f"{shares}.large")
    if device.kind == "gpu" and device.form_factor in SERVER_FORMS and large.basis == "assumed":
        large = _share_by_release(library, known_shares.released(device))
    return library.default(f"{shares}.small"), large


def _share_by_release(library: Library, year: float) -> Figure:
    """Share of its rating that an unmetered server GPU draws: newer ones draw more of it."""
    level = library.default("device_power_share.by_release.in_2020")
    slope = library.default("device_power_share.by_release.logit_per_year").value
    year = LATEST_OF_SHARE if isnan(year) else year
    later = slope * (min(year, LATEST_OF_SHARE) - 2020)
    value, low, high = (1 / (1 + (1 / end - 1) * exp(-later)) for end in level.points)
    note = f"released {year:.1f}; {level.note}"
    return level.replace(value=value, low=low, high=high, note=note)


def _largeness(library: Library, active_params: Numbers) -> Numbers:
    """Weight of the figure of large models, 0 to 1.

    It grows over the decade below `small_model_params`, with the logarithm of the parameters a
    token uses, so that no answer jumps where the size is varied.
    """
    limit = library.default("small_model_params").value
    return np.minimum(np.maximum(np.log10(active_params / (limit / 10)), 0.0), 1.0)


def _embodied(ledger: Ledger, device: Device) -> None:
    library = ledger.library
    made = device.embodied_kgco2e or library.default("device_embodied_kgco2e")
    ledger.assume("device_embodied_kgco2e", made, f"{device.id}.embodied")
    if device.embodied_scope == "system" and not ledger.plan.only_given:
        ledger.settle("host_embodied_kgco2e", 0.0, "the device's figure covers its host")
    host = device.host_embodied_kgco2e or library.default("host_embodied_kgco2e")
    ledger.assume("host_embodied_kgco2e", host, "assumption.host_embodied")
    for name in ("lifetime_years", "network_embodied_share"):
        ledger.assume(name, library.default(name), f"assumption.{name}")
    if device.kind in IN_SERVERS:
        ledger.assume("hardware_mass_kg", library.default("hardware_mass_kg"), "assumption.mass")


def charged(ledger: Ledger) -> None:
    """Enter how the making is charged: by the time reserved, or all that was bought."""
    if ledger.plan.embodied_mode != "purchase":
        utilisation_of_fleet = ledger.library.default("fleet_utilisation")
        unknown = "assumption.fleet_utilisation"
        ledger.assume("fleet_utilisation", utilisation_of_fleet, unknown, essential=True)
        return
    count = _count(ledger)
    if count is None:
        why = "needs the number of devices bought"
        raise InputError("embodied_mode", "purchase", why, ["--device-count 64"])
    for name in ("lifetime_years", "fleet_utilisation", "devices_charged"):
        if ledger.given(name):
            why = "cannot be combined with embodied_mode purchase, which charges every device whole"
            raise InputError(name, brief(ledger.data[name].value), why, ["leaving one out"])
    runs = int(ledger.plan.runs or 1)
    share = f", over {runs} runs" if runs > 1 else ""
    ledger.settle("devices_charged", count / runs, f"all {count} bought for it{share}", "given")


def building(ledger: Ledger) -> None:
    """Enter the data-centre building where it was asked for; it is left out otherwise."""
    if ledger.plan.include_building:
        share = ledger.library.default("building_embodied_share")
        ledger.assume("building_embodied_share", share, "assumption.building", essential=True)
    ledger.settle("building_embodied_share", 0.0, "the building is left out", "assumed")


def power_at_work(library: Library, device: Device, cooling: str | None) -> tuple[float, float]:
    """Watts of a device that is kept busy by a large model, and of its share of the host."""
    power = device.device_power_w or _rated_power(library, device, inf)
    assert power is not None  # of devices with a rating alone
    return power.value, _host_power(library, device, cooling).value
