"""The use of a language model once it is trained: from a plan's [use] to energy and emissions.

Nothing here enters the footprint of training.  The place, its PUE and its grid are those of the
run; so are the sizes of the model and, for the break-even, the emissions of training, draw by draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil, exp, hypot, log
from typing import Any, NamedTuple

import numpy as np

from joulecast import uncertainty, units
from joulecast.answers.quantity import Quantity, quantity_of
from joulecast.arrays import Array, Numbers
from joulecast.chain import Run, use_chain
from joulecast.data.library import Library
from joulecast.data.reading import rate, span
from joulecast.data.records import Device, Figure
from joulecast.errors import InputError, brief
from joulecast.notices import Notice
from joulecast.plan import Use
from joulecast.resolve import Ledger
from joulecast.resolve.hardware import DEFAULT_DEVICE
from joulecast.terms import USED
from joulecast.uncertainty import Z95, Datum, midpoint

#: Kinds of model that generate token by token, as those measured do.
GENERATING = ("dense", "moe", "ssm")

#: What was measured: active parameters and their rest, requests in flight, devices.
MEASURED = {"params": (8e9, 4.8e11), "use_batch": (7.0, 4096.0), "use_device_count": (1.0, 8.0)}

#: Numbers of the run that the use rests on.
OF_THE_RUN = ("params", "active_params", "pue", "grid_gco2e_per_kwh")

#: Outcomes of the run that the use is set against.
AGAINST = ("total_kgco2e", "training_flop")

#: Result -> quantity of the chain and the unit it is shown in.
RESULTS: dict[str, tuple[str, str]] = {
    "device_energy_per_output_token_j": ("device_energy_per_token", "J"),
    "energy_per_output_token_j": ("energy_per_token", "J"),
    "energy_per_prompt_token_j": ("energy_per_prompt_token", "J"),
    "energy_per_request_wh": ("energy_per_request", "Wh"),
    "emissions_per_output_token_mgco2e": ("emissions_per_token", "mgCO2e"),
    "emissions_per_request_gco2e": ("emissions_per_request", "gCO2e"),
    "requests_per_year": ("use_requests_per_year", "1/y"),
    "energy_per_year_kwh": ("energy_per_year", "kWh"),
    "operational_per_year_kgco2e": ("emissions_per_year", "kgCO2e"),
    "energy_over_years_kwh": ("energy_over_years", "kWh"),
    "operational_over_years_kgco2e": ("emissions_over_years", "kgCO2e"),
    "break_even_days": ("break_even", "d"),
    "serving_ratio": ("serving_ratio", ""),
}

PARTS = ("weights", "cache", "arithmetic", "waiting")

#: Outcomes whose range is explained: the first that is known.
DRIVEN = ("operational_per_year_kgco2e", "emissions_per_request_gco2e", "energy_per_request_wh")

#: Sizes for which the effect on use and training is shown, over the model's own.
SIZES = (0.5, 1.0, 2.0)


class Served(NamedTuple):
    """The use, settled and computed.

    `data` are the numbers of the use, `run_data` those shared with the run; `runs` how many runs
    the emissions of training are of.
    """

    plan: Mapping[str, Any]
    data: Mapping[str, Datum]
    run_data: Mapping[str, Datum]
    runs: int
    counted: bool
    middle: Run
    drawn: Run
    notices: tuple[Notice, ...]

    def results(self) -> dict[str, Quantity | None]:
        """Every result; None where it rests on something not given."""
        return {
            name: self._quantity(source, unit) if source in self.middle.known else None
            for name, (source, unit) in RESULTS.items()
        }

    def parts(self) -> dict[str, Quantity]:
        """Energy of the devices per generated token, by what it is for."""
        return {part: self._quantity(f"{part}_energy_per_token", "J") for part in PARTS}

    def _quantity(self, source: str, unit: str) -> Quantity:
        return quantity_of(self.middle.known[source], self.drawn.known[source], unit)

    def by_size(self) -> tuple[dict[str, float | None], ...]:
        """Use and training of a smaller and a larger model, on the same tokens, at the medians."""
        return tuple(self._sized(factor) for factor in SIZES)

    def _sized(self, factor: float) -> dict[str, float | None]:
        given = {name: self.middle.known[name] for name in (*self.data, *self.run_data)}
        for name in ("params", "active_params", *AGAINST):
            if name in self.middle.known:
                given[name] = self.middle.known[name] * factor
        if self.counted:
            weights = given["params"] * given["use_bytes_per_param"]
            memory = self.plan["device_memory_gb"] * units.factor("GB")
            given["use_device_count"] = np.ceil(weights / memory)
        found = use_chain(given).known
        shown = {
            "params": ("params", ""),
            "devices": ("use_device_count", ""),
            "energy_per_output_token_j": RESULTS["energy_per_output_token_j"],
            "training_total_kgco2e": ("total_kgco2e", "kgCO2e"),
            "operational_per_year_kgco2e": RESULTS["operational_per_year_kgco2e"],
            "break_even_days": RESULTS["break_even_days"],
        }
        return {
            name: float(found[source]) / units.factor(unit) if source in found else None
            for name, (source, unit) in shown.items()
        }

    def one_at_a_time(self) -> tuple[str, list[str], Array]:
        """The outcome to explain, its inputs with a range, and it with each of them moved."""
        outcome = next(name for name in DRIVEN if RESULTS[name][0] in self.middle.known)
        source = RESULTS[outcome][0]
        behind = self.middle.behind(source)
        data = {**self.run_data, **self.data}
        live = {name: datum for name, datum in data.items() if name in behind}
        moved, numbers = uncertainty.one_at_a_time(live)
        return outcome, moved, np.asarray(use_chain(numbers).known[source])


class Training(NamedTuple):
    """The run that the use is set against: its outcomes, nominal and drawn, and how it was drawn.

    `sample` draws other numbers from the same causes.
    """

    middle: Mapping[str, Numbers]
    drawn: Mapping[str, Numbers]
    sample: Callable[[Mapping[str, Datum]], Mapping[str, Numbers]] = uncertainty.sample


def serve(ledger: Ledger, library: Library, training: Training) -> Served | None:
    """What a plan says of the use, computed; None where it says nothing.

    The place and, where none is said, the device that serve are those of `ledger`.  Raises
    JoulecastError where the energy of a token cannot be told.
    """
    use = ledger.plan.use
    if use is None:
        return None
    _check(ledger, use)
    device = library.device(use.device or ledger.resolved["device"] or DEFAULT_DEVICE).device
    data, notices, plan = _settle(ledger, use, device, library)
    run_data = {name: ledger.data[name] for name in OF_THE_RUN if name in ledger.data}
    runs = ledger.resolved["runs"]
    numbers = {**run_data, **data}
    middle = use_chain({**_times(training.middle, runs), **uncertainty.nominal(numbers)})
    sampled = use_chain({**_times(training.drawn, runs), **training.sample(numbers)})
    counted = use.device_count is None
    return Served(plan, data, run_data, runs, counted, middle, sampled, tuple(notices))


def _times(known: Mapping[str, Numbers], runs: int) -> dict[str, Numbers]:
    return {name: known[name] * runs for name in AGAINST if name in known}


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
    enter("use_bytes_per_param", weight.model_copy(update={"note": why}), precision)
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
    for name in ("tdp_w", "memory_bandwidth_gb_per_s"):
        if getattr(device, name) is None:
            why = f"has no {name} in its record, which the energy of a token rests on"
            raise InputError("use.device", device.id, why, ["h100-sxm", "a100-sxm-80"])
    assert device.tdp_w is not None and device.memory_bandwidth_gb_per_s is not None
    note = device.name
    exact = {"low": None, "high": None, "note": note}
    return (
        device.tdp_w.model_copy(update=exact),
        device.memory_bandwidth_gb_per_s.model_copy(update=exact),
        peak.model_copy(update={**exact, "value": peak.value * 1e12}),
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
        value=use.device_count or fewest,
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
    update = {"value": level, "low": level / factor, "high": level * factor, "note": note}
    return spread.model_copy(update=update)
