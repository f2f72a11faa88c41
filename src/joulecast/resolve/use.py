"""The use of a language model once it is trained: from a plan's [use] to a ledger of its own.

Nothing here enters the footprint of training.  The place, its PUE and its grid are those of the
run, and so are the sizes of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, exp, hypot, log
from typing import Any, NamedTuple

from joulecast import units
from joulecast.data.library import Library
from joulecast.data.reading import rate, span
from joulecast.data.records import Device, Figure
from joulecast.errors import InputError, brief
from joulecast.notices import Notice
from joulecast.plan import FleetEntry, Plan, Use
from joulecast.resolve.hardware import DEFAULT_DEVICE
from joulecast.resolve.ledger import Ledger
from joulecast.resolve.parts import Part, settled_alone
from joulecast.scales import midpoint
from joulecast.terms import USED
from joulecast.uncertainty import Z95, Datum

#: Kinds of model that generate token by token, as those measured do.
GENERATING = ("dense", "moe", "ssm")

#: What was measured: active parameters and their rest, requests in flight, devices.
MEASURED = {"params": (8e9, 4.8e11), "use_batch": (7.0, 4096.0), "use_device_count": (1.0, 8.0)}

#: Numbers of the run that the use rests on.
OF_THE_RUN = ("params", "active_params", "pue", "grid_gco2e_per_kwh")


class UseLedger(NamedTuple):
    """The use, settled: its own numbers, those it shares with the run, and what to say of them.

    `fitted` says that the devices are the fewest that hold the model, which its size changes.
    """

    plan: Mapping[str, Any]
    own: Mapping[str, Datum]
    of_the_run: Mapping[str, Datum]
    fitted: bool
    notices: tuple[Notice, ...]

    @property
    def data(self) -> dict[str, Datum]:
        """All its numbers."""
        return {**self.of_the_run, **self.own}


def resolve_use(plan: Plan, parts: Sequence[Part], library: Library) -> UseLedger | None:
    """Settle what a plan says of the use; None where it says nothing.

    The place and, where none is said, the device that serve are those of the run.  Raises
    JoulecastError where the energy of a token cannot be told.
    """
    use = plan.use
    if use is None:
        return None
    ledger = parts[0].ledger if len(parts) == 1 else _serving(plan, use, parts, library)
    _check(ledger, use)
    device = library.device(use.device or ledger.resolved["device"] or DEFAULT_DEVICE).device
    own, notices, resolved = _settle(ledger, use, device, library)
    of_the_run = {name: ledger.data[name] for name in OF_THE_RUN if name in ledger.data}
    return UseLedger(resolved, own, of_the_run, use.device_count is None, tuple(notices))


def _serving(plan: Plan, use: Use, parts: Sequence[Part], library: Library) -> Ledger:
    """A ledger of the place and device that serve: said, or those that all entries have."""
    said = [part.said for part in parts if part.said is not None]
    devices = {part.ledger.resolved["device"] for part in parts}
    if use.device is None and len(devices) > 1:
        why = "is missing: the entries of the fleet have several"
        raise InputError("use.device", None, why, sorted(filter(None, devices)))
    places = {(one.region or plan.region, one.provider or plan.provider) for one in said}
    region, provider = places.pop() if len(places) == 1 else (plan.region, plan.provider)
    if places and region is None:
        why = "the entries of the fleet are at several places: say where the model is served"
        raise InputError("use", None, why, ["region under [place]"])
    device = use.device or said[0].device
    trained = any(part.share is not None for part in parts)
    # A count is asked for by hours and by what is bought; nothing of the use rests on it.
    one = FleetEntry(device=device, device_count=1, region=region, provider=provider, hours=1.0)
    return settled_alone(plan, one, 1.0 if trained else None, library)


def _check(ledger: Ledger, use: Use) -> None:
    """The use of something that generates tokens, of a known size."""
    if use.tokens is not None and use.requests is not None:
        raise InputError("use.tokens", use.tokens, "and use.requests are two demands", ["either"])
    if ledger.plan.only_given:
        why = "rests on a fit, which only_given leaves no room for"
        raise InputError("use", None, why, ["leaving one of the two out"])
    arch = ledger.resolved["arch"]
    if arch not in GENERATING:
        why = f"is for models that generate token by token, not for arch {arch}"
        raise InputError("use", None, why, ["leaving it out"])
    if not ledger.has("params"):
        raise InputError("use", None, "needs the size of the model", ["--params 7B"])


def _settle(
    ledger: Ledger, use: Use, device: Device, library: Library
) -> tuple[dict[str, Datum], list[Notice], dict[str, Any]]:
    """Every number of the use: as given, of the device, fitted or assumed."""
    data: dict[str, Datum] = {}

    def enter(name: str, figure: Figure, unknown: str) -> None:
        data[name] = Datum(
            name,
            figure.value,
            figure.low,
            figure.high,
            unknown,
            figure.basis,
            figure.source,
            figure.note,
        )

    precision = use.precision or "bf16"
    given = {
        "use_tokens_per_year": use.tokens,
        "use_requests_per_year": use.requests,
        "use_output_tokens": use.output_tokens,
        "use_prompt_tokens": use.prompt_tokens,
        "use_batch": use.batch,
        "use_years": use.years,
        "use_energy_factor": use.energy_factor,
        "use_site_factor": use.site_factor,
    }
    for name, raw in given.items():
        if raw is not None:
            data[name] = _given(name, raw)
        elif library.has_default(name):
            enter(name, library.default(name), f"assumption.{name}")
    weight = library.default(f"use_bytes_per_param.{precision}")
    why = f"served at {precision}" + ("" if use.precision else ", as nothing else was said")
    enter("use_bytes_per_param", weight.replace(note=why), precision)
    power, bandwidth, peak, memory = _of_device(device)
    enter("use_rated_power_w", power, f"{device.id}.rated_power")
    enter("use_bandwidth_gb_per_s", bandwidth, f"{device.id}.bandwidth")
    enter("use_peak_flops", peak, f"{device.id}.peak")
    enter("use_device_count", *_devices(ledger, use, weight.value, memory, device))
    for name in ("use_memory_factor", "use_compute_factor", "use_waiting_time_s"):
        enter(name, library.default(name), f"rule.{name}")
    enter("use_cache_bytes", library.default("use_cache_bytes"), "rule.use_cache_bytes")
    notices = []
    if use.energy_factor is None:
        kind = "moe" if ledger.resolved["arch"] == "moe" else "dense"
        measured = library.has_default(f"use_generation.{device.device_class}")
        enter(
            "use_energy_factor",
            _energy_factor(library, kind, device, measured),
            f"rule.use.{kind}.{device.device_class}",
        )
        if not measured:
            message = (
                f"the energy of a token was measured on H100 and B200, not on {device.name}: "
                "range widened (--use-energy-factor)"
            )
            notices.append(Notice("use_by_analogy", message))
    values = {"params": ledger.data["params"].value, **{n: d.value for n, d in data.items()}}
    outside = [
        f"{name} {brief(values[name])} outside {brief(low)} to {brief(high)}"
        for name, (low, high) in MEASURED.items()
        if not low <= values[name] <= high
    ]
    if outside:
        notices.append(Notice("use_extrapolated", f"not measured: {', '.join(outside)}"))
    plan = {
        "device": device.id,
        "device_count": int(data["use_device_count"].value),
        "precision": precision,
        "device_memory_gb": memory,
        "region": ledger.resolved["region"],
        "year": ledger.resolved["year"],
    }
    return data, notices, plan


def _given(name: str, raw: object) -> Datum:
    term = USED[name]
    low, value, high = (rate if name.endswith("_per_year") else span)(term, raw)
    if value is None:
        assert low is not None and high is not None
        value = midpoint(term.scale, low, high)
    return Datum(name, value, low, high, unknown=f"given.{name}", basis="given", given=True)


def _of_device(device: Device) -> tuple[Figure, Figure, Figure, float]:
    """Rated power, bandwidth, 16-bit peak [FLOP/s] and memory [GB] of a device."""
    peak = device.peak("bf16")
    assert peak is not None  # the schema asks for one of bf16, fp16 and fp32
    for name in ("tdp_w", "memory_bandwidth_gb_per_s", "memory_gb"):
        if getattr(device, name) is None:
            why = f"has no {name} in its record, which the energy of a token rests on"
            raise InputError("use.device", device.id, why, ["h100-sxm", "a100-sxm-80"])
    assert device.tdp_w is not None and device.memory_bandwidth_gb_per_s is not None
    assert device.memory_gb is not None
    note = device.name
    exact = {"low": None, "high": None, "note": note}
    return (
        device.tdp_w.replace(**exact),
        device.memory_bandwidth_gb_per_s.replace(**exact),
        peak.replace(**exact, value=peak.value * 1e12),
        device.memory_gb.value,
    )


def _devices(
    ledger: Ledger, use: Use, bytes_per_param: float, memory: float, device: Device
) -> tuple[Figure, str]:
    """Devices that hold the model: as given, or the fewest its weights fit."""
    weights = ledger.data["params"].value * bytes_per_param * units.factor("B/GB")
    fewest = ceil(weights / memory)
    if use.device_count is not None and use.device_count < fewest:
        why = f"cannot hold weights of {brief(round(weights))} GB at {memory:g} GB each"
        raise InputError("use.device_count", brief(use.device_count), why, [str(fewest)])
    said = use.device_count is not None
    figure = Figure(
        value=float(use.device_count or fewest),
        basis="given" if said else "derived",
        source="joulecast-judgement",
        note=f"weights of {weights:.3g} GB, {memory:g} GB in a {device.name}; cache not counted",
    )
    return figure, "given.use_device_count" if said else "use_device_count"


def _energy_factor(library: Library, kind: str, device: Device, measured: bool) -> Figure:
    """Level of the generation of device, and how far models lie from what is modelled."""
    spread = library.default(f"use_spread.{kind}")
    assert spread.high is not None
    level, sigma = 1.0, log(spread.high) / Z95
    if measured:
        level = library.default(f"use_generation.{device.device_class}").value
        note = f"{device.device_class} {level:.3g} times H100; {spread.note}"
    else:
        sigma = hypot(sigma, library.default("use_unmeasured_device").value)
        note = f"{device.name} not measured, as an H100; {spread.note}"
    factor = exp(Z95 * sigma)
    return spread.replace(value=level, low=level / factor, high=level * factor, note=note)
