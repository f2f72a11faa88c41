"""Fits defaults for power to the meters of published runs.

Meters see devices alone or machines with their hosts, and the two are kept apart: a share of the
rated power comes from the devices alone, or from the machine less the host's default; the host of a
TPU chip comes from the machine less the chip's own mean.

Families weigh one, and each figure is pulled by one more family towards what is assumed before any
meter is read: with so few meters none may settle a default alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from joulecast.scales import scaled, unscaled
from joulecast.uncertainty import Z95

if TYPE_CHECKING:
    from joulecast.data.library import Library
    from joulecast.validating.runs import ReportedRun

#: Groups whose share of the rated power is fitted, as (class, size).
SHARES = (("hopper", "large"), ("pre-ampere", "small"))

#: Generations whose host is fitted, beside the whole class.
GENERATIONS = ("tpu-v2", "tpu-v3", "tpu-v4")


class Meter(NamedTuple):
    """A metered run: whose, of what group, and what it tells on the scale that is fitted.

    `told` is the logit of the devices' share of their rated power, or the logarithm of the host's
    power over the chip's.
    """

    run: str
    family: str
    group: str
    told: float


@dataclass(frozen=True)
class PowerFit:
    """Shares of rated power by class and size; hosts of TPU chips over the chips' own power."""

    shares: Mapping[str, tuple[float, float, float]]
    hosts: Mapping[str, float]
    host_spread: float

    def figures(self, notes: Mapping[str, str]) -> dict[str, Any]:
        """The defaults as hardware_specs/calibration.toml holds them."""
        power: dict[str, Any] = {}
        for name, (low, value, high) in self.shares.items():
            device_class, size = name.split(".")
            note = notes.get(f"device_power_share.{name}", "")
            power.setdefault(device_class, {})[size] = entry(note, value, low, high)
        factor = math.exp(Z95 * self.host_spread)
        hosts = {
            name: entry(
                notes.get(f"host_power_share.{name}", ""), value, value / factor, value * factor
            )
            for name, value in self.hosts.items()
        }
        return {"device_power_share": power, "host_power_share": hosts}


def entry(note: str, value: float, *ends: float) -> dict[str, Any]:
    """A fitted figure as hardware_specs/calibration.toml holds it, with its ends if it has any."""
    ranged = dict(zip(("low", "high"), ends, strict=False))
    made = {"basis": "derived", "source": "joulecast-runs", "note": note}
    return {"value": value, **ranged, **made}


def fit_power(runs: Iterable[ReportedRun], library: Library) -> PowerFit:
    """Fit to the runs with a meter; others are passed over.  Deterministic."""
    meters = meters_of(runs, library)
    shares = {}
    for device_class, size in SHARES:
        name = f"{device_class}.{size}"
        before = library.default(f"power_before_meters.{name}")
        start = np.array([before.low, before.value, before.high], dtype=float)
        told = _by_family(meter for meter in meters if meter.group == name)
        low, value, high = scaled("logit", start)
        moved = (value + math.fsum(told)) / (1 + len(told)) - value
        ends = unscaled("logit", np.array([low, value, high]) + moved)
        shares[name] = (float(ends[0]), float(ends[1]), float(ends[2]))
    hosts = [meter for meter in meters if meter.group in GENERATIONS]
    fitted = {"tpu": math.exp(_host(hosts, ""))}
    fitted |= {name: math.exp(_host(hosts, name)) for name in GENERATIONS}
    return PowerFit(shares, fitted, _spread(hosts))


def meters_of(runs: Iterable[ReportedRun], library: Library) -> list[Meter]:
    """What the meters of runs tell; one beyond what the devices can draw tells nothing."""
    limit = library.default("small_model_params").value
    found = []
    for run in runs:
        power, before = run.reported.power_w, run.before
        if not set(run.tests) & set("EP") or power is None or before.device is None:
            continue
        device = library.device(before.device).device
        active = before.active_params or before.params
        if device.device_class == "tpu" and power.scope == "system":
            assert device.device_power_w is not None
            host = power.value / device.device_power_w.value - 1
            if host > 0:
                found.append(Meter(run.id, run.family, device.family, math.log(host)))
        elif device.tdp_w is not None and active is not None:
            around = device.host_power_w or library.default("host_power_w")
            alone = power.value - (around.value if power.scope == "system" else 0.0)
            share = alone / device.tdp_w.value
            size = "large" if active.value >= limit else "small"
            if 0 < share < 1:
                told = math.log(share / (1 - share))
                found.append(Meter(run.id, run.family, f"{device.device_class}.{size}", told))
    return found


def _by_family(meters: Iterable[Meter]) -> list[float]:
    """Means of the families."""
    told: dict[str, list[float]] = {}
    for meter in meters:
        told.setdefault(meter.family, []).append(meter.told)
    return [math.fsum(each) / len(each) for each in told.values()]


def _host(meters: list[Meter], generation: str) -> float:
    """Ln of a host's power over its chip's: the class's, or the generation's pulled towards it."""
    everywhere = _by_family(meters)
    level = math.fsum(everywhere) / len(everywhere)
    own = _by_family(meter for meter in meters if meter.group == generation)
    return (level + math.fsum(own)) / (1 + len(own))


def _spread(meters: list[Meter]) -> float:
    """Root mean square of families forecast by the others."""
    squares = []
    for family in dict.fromkeys(meter.family for meter in meters):
        others = [meter for meter in meters if meter.family != family]
        mine = [meter for meter in meters if meter.family == family]
        errors = [(meter.told - _host(others, meter.group)) ** 2 for meter in mine]
        squares.append(math.fsum(errors) / len(errors))
    return math.sqrt(math.fsum(squares) / len(squares))
