"""What else the run could take: another device, another precision."""

from __future__ import annotations

from joulecast.advice.opened import Candidate, NotOpenError, Opened
from joulecast.answers.advice import LIFETIME
from joulecast.data.records import Device
from joulecast.errors import JoulecastError
from joulecast.laws.law import constants_of, laws_of
from joulecast.resolve.hardware import never_measured
from joulecast.resolve.utilisation import AS_IT_IS

#: Devices that are drawn.
DEVICES = 3

#: Figures that belong to a device: given for one, they say nothing of another.
OF_ONE_DEVICE = (
    "peak_flops",
    "device_power_w",
    "host_power_w",
    "device_embodied_kgco2e",
    "host_embodied_kgco2e",
    "tokens_per_second_per_device",
    "mfu_fp8",
)

#: Precisions of 32 bits, and those of 16.
WIDE = ("fp32", "tf32")
HALF = ("bf16", "fp16")


def by_work(now: Opened) -> None:
    """Refuse a change of speed where the hours do not follow from the work: it changes nothing."""
    if now.by_work and now.ledger.device is not None:
        return
    hours = now.given(("wall_clock_days", "device_hours"))
    if hours is not None:
        why = f"{hours} were given, and stay whatever the speed: give --params and --tokens instead"
        raise NotOpenError(why)
    if now.by_work:
        raise NotOpenError("no device is named: --device h100-sxm")
    raise NotOpenError("the work to do is not known: give --params and --tokens, or --flop")


def devices(now: Opened) -> list[Candidate]:
    """The best devices that clouds rent out, on the same work and as many of them."""
    by_work(now)
    own = now.given(OF_ONE_DEVICE)
    if own is not None:
        raise NotOpenError(f"{own} was given, which is known of this device alone")
    instead = _instead_of_a_fleet(now) if now.several else _told_by_an_instance(now)
    count = instead.get("device_count", now.known["device_count"])
    found: list[tuple[float, Candidate]] = []
    for key in now.library.device_ids:
        device = now.library.device(key).device
        if not _may_take(now, device):
            continue
        flags = {"device": key, **instead}
        held = "the same work" if count is None else f"{int(count):,} devices held"
        held += " in place of the fleet" if now.several else ""
        if now.on == LIFETIME and now.plan.use is not None and now.plan.use.device is None:
            held += ", and used for serving too"
        unsure = ", ".join(never_measured(device))
        name = f"{device.name} ({unsure})" if unsure else device.name
        change = Candidate("device", name, flags, detail=held, caveat=_had(now, device))
        try:
            there = now.after(change)
            if not any(n.code == "memory_too_small" for n in there.ledger.notices):
                found.append((there.screen, change))
        except JoulecastError:
            continue
    if not found:
        raise NotOpenError("no other device that is rented out would do")
    return [change for _, change in sorted(found, key=lambda pair: pair[0])[:DEVICES]]


def _told_by_an_instance(now: Opened) -> dict[str, str]:
    """What the name of an instance said beside the device: how many there are, and whose."""
    if now.ledger.reserved is None:
        return {}
    known = now.ledger.resolved
    flags = {}
    if now.plan.device_count is None:
        flags["device_count"] = str(known["device_count"])
    if now.plan.provider is None and known["provider"] is not None:
        flags["provider"] = known["provider"]
    return flags


def _instead_of_a_fleet(now: Opened) -> dict[str, str]:
    """What one device in place of a fleet's needs said: how many there are, and where."""
    fleet = now.plan.fleet
    if any(entry.hours is not None for entry in fleet):
        raise NotOpenError("entries of the fleet are reserved for hours, whatever their device")
    plan = now.plan
    said = [(one.region or plan.region, one.provider or plan.provider) for one in fleet]
    (region, provider), *others = dict.fromkeys(said)
    if others:
        raise NotOpenError("the entries of the fleet are at several places, one device at one")
    counts = [ledger.resolved["device_count"] for ledger in now.ledgers]
    total = sum(count for count in counts if count)
    flags = {} if None in counts else {"device_count": str(total)}
    place = {"region": region, "provider": provider}
    unsaid = {name: it for name, it in place.items() if it and getattr(plan, name) is None}
    return flags | unsaid


def _may_take(now: Opened, device: Device) -> bool:
    """Whether a device is another one, out in the year of the run, and known to be rented."""
    mine = {one.id for one in now.devices}
    date, year = device.release_date, now.ledger.resolved["year"]
    released = date is not None and date.year <= year and device.status == "shipping"
    return released and {device.id} != mine and bool(_renting(now, device))


def _renting(now: Opened, device: Device) -> frozenset[str]:
    """Providers that rent a device out: that of the plan alone where it rents out any."""
    rented = now.library.rented
    offered = rented.get(device.id, frozenset())
    provider = now.known["provider"]
    return offered & {provider} if provider in frozenset().union(*rented.values()) else offered


def _had(now: Opened, device: Device) -> str:
    """Who rents a device out, and what moving to it asks for."""
    who = ", ".join(sorted(_renting(now, device)))
    said = [f"{device.name} is rented by {who}, not in all regions"]
    if any(device.vendor != one.vendor for one in now.devices):
        said.append("code may have to be ported")
    links = [one.interconnect_gb_per_s for one in now.devices]
    mine, its = max((one.value for one in links if one), default=0.0), device.interconnect_gb_per_s
    if its and its.value < mine:
        said.append(
            f"its links are slower ({its.value:g} against {mine:g} GB/s), which may "
            "cost utilisation that is not taken off"
        )
    return "; ".join(said)


def precisions(now: Opened) -> list[Candidate]:
    """32 bits to 16, and 16 to 8, where the device gains by it."""
    by_work(now)
    said = now.given((*AS_IT_IS, "precision_speedup"))
    if said is not None:
        raise NotOpenError(f"{said} was given, and holds whatever the precision")
    if any(phase.precision is not None for phase in now.plan.phases):
        raise NotOpenError("phases have precisions of their own")
    own = now.known["precision"]
    if own is None:
        raise NotOpenError("the entries of the fleet have several precisions")
    if own in WIDE:
        return [_half(own, _peak_of_all(now, HALF, "16-bit peak"))]
    if own not in HALF:
        raise NotOpenError(f"{own} already; what is narrower is too new to advise")
    _peak_of_all(now, ("fp8",), "FP8")
    return [_eight(now, own)]


def _peak_of_all(now: Opened, names: tuple[str, ...], what: str) -> str:
    """The first of these precisions in which every device has a peak."""
    for device in now.devices:
        if not any(name in device.peak_tflops for name in names):
            raise NotOpenError(f"{device.name} has no {what}")
    shared = (n for n in names if all(n in device.peak_tflops for device in now.devices))
    found = next(shared, None)
    if found is None:
        raise NotOpenError(f"the devices of the fleet have no {what} in common")
    return found


def _half(own: str, half: str) -> Candidate:
    return Candidate(
        "precision",
        f"{half} in place of {own}",
        {"precision": half},
        detail="as much of the peak, which is higher",
        caveat="with master weights at 32 bits, 16 bits reached the same accuracy",
        sources=("micikevicius-2018",),
    )


def _eight(now: Opened, own: str) -> Candidate:
    """FP8, with what it was seen to cost in loss, and what regaining that would take."""
    own_gains = [device.precision_speedup.get("fp8") for device in now.devices]
    gain = own_gains[0] or now.library.default("precision_speedup.fp8")
    loss = now.library.default("advice.fp8_loss")
    left = now.library.default("advice.fp8_params_share")
    caveat = (
        f"mind the quality: a careful recipe kept the loss within {loss.value:.2%} of BF16; small "
        f"models acted as if they had {left.value:.2g} of their parameters"
    )
    more = _tokens_to_regain(now, left.value)
    if more is not None:
        caveat += f", which some {more:.0%} more tokens would regain by the law"
    return Candidate(
        "precision",
        f"fp8 in place of {own}",
        {"precision": "fp8"},
        detail=f"{gain.value:g} times as fast ({gain.low:g} to {gain.high:g}), {gain.basis}",
        caveat=caveat,
        sources=(loss.source, left.source),
    )


def _tokens_to_regain(now: Opened, share: float) -> float | None:
    """Tokens to add so that a share of the parameters reaches the loss of all; None if never."""
    params, tokens = (now.known[name] for name in ("active_params", "tokens"))
    if params is None or tokens is None or now.known["arch"] != "dense":
        return None
    law = constants_of(laws_of(now.library).main)
    more = law.tokens_for(share * params, float(law.gap(params, tokens)))
    return None if more is None else more / tokens - 1
