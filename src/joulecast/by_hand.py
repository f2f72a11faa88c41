"""The answer as a strip of factors that anyone can key into a calculator, top to bottom."""

from __future__ import annotations

from collections.abc import Sequence

from joulecast import units
from joulecast.answers.footprint import HandLine, Operator
from joulecast.chain import Run
from joulecast.errors import brief
from joulecast.terms import TERMS

#: A factor of the default utilisation and what it is.
Factor = tuple[str, float]


def strip_of(run: Run, runs: int = 1, factors: Sequence[Factor] = ()) -> tuple[HandLine, ...]:
    """Write a nominal run as factors from its first known quantity to its headline.

    Each factor has five significant figures; keyed in order they give the headline.  `factors`
    are those of the utilisation that was assumed.
    """
    strip = _Strip(run, factors)
    strip.flop()
    strip.hours()
    strip.energy()
    strip.emissions()
    if runs > 1 and strip.lines and strip.lines[-1].result is not None:
        last = strip.lines[-1]
        strip.key("x", runs, "runs")
        strip.subtotal((last.result or 0.0) * runs, last.result_unit)
    return tuple(strip.lines)


class _Strip:
    """The strip being keyed."""

    def __init__(self, run: Run, factors: Sequence[Factor]) -> None:
        self.run = run
        self.factors = factors
        self.lines: list[HandLine] = []

    def value(self, name: str) -> float:
        """A nominal number in the unit of its term."""
        term = TERMS.get(name)
        return float(self.run.known[name]) / units.factor(term.unit if term else "")

    def known(self, *names: str) -> bool:
        return all(name in self.run.known for name in names)

    def key(self, operator: Operator, factor: float, meaning: str) -> None:
        """Press one key; the first has no operator."""
        self.lines.append(HandLine(operator if self.lines else "", factor, meaning))

    def subtotal(self, value: float, unit: str | None) -> None:
        """Name what stands on the display."""
        if self.lines:
            last = self.lines[-1]
            self.lines[-1] = HandLine(last.operator, last.factor, last.meaning, value, unit)

    def made(self, name: str) -> bool:
        return name in self.run.made_by

    def flop(self) -> None:
        """FLOP per parameter x params x tokens, if the energy, or the hours alone, rest on it."""
        end = "energy_kwh" if "energy_kwh" in self.run.known else "device_hours"
        if "training_flop" not in self.run.behind(end):
            return
        if "device_energy_kwh" in self.run.known and not self.made("device_energy_kwh"):
            return
        inputs = self.run.made_from.get("training_flop", ())
        if not inputs:
            self.key("", self.value("training_flop"), "FLOP, given")
            return
        if "executed_flop" in inputs:
            self.key("", self.value("executed_flop"), "FLOP executed, recomputation included")
            self.key("/", self.value("recompute_factor"), "executed over training FLOP")
        elif "model_passes" in inputs:
            self._passes("forward_flop_per_token" in inputs)
        elif "forward_flop_per_token" in inputs:
            self.key("", self.value("forward_flop_per_token"), "FLOP per token, forward pass")
            if "trainable_params" in inputs:
                trained = self.value("trainable_params") / self.value("active_params")
                self.key("x", 2 + trained, "passes: 2 + share of the weights trained")
            else:
                self.key("x", 3, "passes, forward 1 and backward 2")
            self._tokens()
        else:
            self.key("", self.value("flop_per_param_token"), "FLOP per parameter and token")
            size = self.value("active_params")
            if "trainable_params" in inputs:
                size = (2 * size + self.value("trainable_params")) / 3
                self.key("x", size, "parameters: (2 x all + trained) / 3")
            else:
                active = not self.made("active_params")
                self.key("x", size, "active parameters" if active else "parameters")
            self._tokens()
        self.subtotal(self.value("training_flop"), "FLOP")

    def _passes(self, counted: bool) -> None:
        """FLOP of a fine-tune: passes through the base, and adapters trained beside it."""
        passes, added = self.value("model_passes"), self.value("adapter_params")
        beside = f" + 3 x {brief(added)} trained beside them" if added else ""
        if counted:
            forward = self.value("forward_flop_per_token")
            attention = self.value("attention_flop_per_token")
            what = f"FLOP per token: {passes:g} passes x {brief(forward)}"
            what += f" + {brief(attention)} of attention once more" if attention else ""
            what += f" + 6 x {brief(added)} trained" if added else ""
            self.key("", passes * forward + attention + 6 * added, what)
        else:
            size = self.value("active_params")
            self.key("", self.value("flop_per_param_token") / 3, "FLOP per parameter and pass")
            what = f"parameters: {passes:g} passes x {brief(size)}{beside}"
            self.key("x", passes * size + 3 * added, what)
        self._tokens()

    def _tokens(self) -> None:
        """Tokens, or what they follow from: samples and padding, prompts and answers."""
        inputs = self.run.made_from.get("tokens", ())
        if "padding_factor" in inputs:
            self.key("x", self.value("real_tokens"), "tokens of the samples")
            if self.value("padding_factor") != 1:
                self.key("x", self.value("padding_factor"), "tokens computed, padding among them")
        elif "prompts" in inputs:
            self.key("x", self.value("prompts"), "prompts")
            self.key("x", self.value("answers_per_prompt"), "answers to each")
            prompt, answer = self.value("prompt_tokens"), self.value("answer_tokens")
            what = f"tokens: prompt {brief(prompt)} + answer {brief(answer)}"
            self.key("x", prompt + answer, what)
            if self.value("iterations") != 1:
                self.key("x", self.value("iterations"), "times each is trained on")
        else:
            self.key("x", self.value("tokens"), "tokens")

    def hours(self) -> None:
        """Over throughput, or days x devices, or as given."""
        if not self.known("device_hours") or not self._hours_matter():
            return
        if self.lines:
            self.key("/", self.value("peak_flops"), "FLOP/s, dense peak of one device")
            if "mfu" in self.run.made_from.get("utilisation", ()):
                self._utilisation("mfu", "MFU, steady state")
                self.key("/", self.value("goodput"), "goodput")
            else:
                self._utilisation("utilisation", "utilisation of the whole run")
            if self.value("precision_speedup") != 1:
                self.key("/", self.value("precision_speedup"), "speed-up of the precision")
            self.key("/", units.hour / units.second, "seconds per hour")
            self._around()
        elif self.made("device_hours"):
            self.key("", self.value("wall_clock_days"), "days")
            self.key("x", units.day / units.hour, "hours per day")
            self.key("x", self.value("device_count"), "devices")
        else:
            self.key("", self.value("device_hours"), "device-hours, given")
            return
        self.subtotal(self.value("device_hours"), "device-hours")

    def _around(self) -> None:
        """Generation and the start of the job, where they are in the hours."""
        if "steps_hours" in self.run.made_by:
            share = self.value("generation_share")
            what = f"1 - {brief(share)}, the share of the time that generates answers"
            self.key("/", 1 - share, what)
        if "working_hours" in self.run.made_by:
            count, each = self.value("device_count"), self.value("startup_s")
            start = count * each * units.second / units.hour
            self.key("+", start, f"hours to start: {_devices(count)} x {brief(each)} s")

    def _utilisation(self, name: str, meaning: str) -> None:
        """One number, or the factors it was assumed from."""
        large_step = f"large_step_{name}"
        if large_step in self.run.made_from.get(name, ()):
            large, reached = self.value(large_step), self.value(name)
            waiting = 1 / reached - 1 / large
            steps = "passes" if "pass_tokens" in self.run.made_from[name] else "steps"
            how = f"1 / (1 / {large:.5g} + {waiting:.5g} for what {steps} cost)"
            self.key("/", reached, f"{meaning}: {how}")
        elif self.factors and not self.made(name):
            for words, factor in self.factors:
                self.key("/", factor, words)
            self.subtotal(self.value(name), f"{meaning}, the factors since FLOP/s")
        else:
            self.key("/", self.value(name), meaning)

    def _hours_matter(self) -> bool:
        whole = ("energy_kwh", "it_energy_kwh", "device_energy_kwh")
        return all(self.made(name) for name in whole) or "energy_kwh" not in self.run.known

    def energy(self) -> None:
        """Times power, network and PUE, or as given."""
        if not self.known("energy_kwh") or "energy_kwh" in self._unused():
            return
        if not self.made("energy_kwh"):
            self.key("", self.value("energy_kwh"), "kWh, given")
            return
        if not self.made("it_energy_kwh"):
            self.key("", self.value("it_energy_kwh"), "kWh of IT equipment, given")
        else:
            self._devices_and_hosts()
            share = self.value("network_share")
            if share:
                self.key("x", 1 + share, "with network and storage")
        if self.value("pue") != 1:
            self.key("x", self.value("pue"), "PUE")
        self.subtotal(self.value("energy_kwh"), "kWh")

    def _devices_and_hosts(self) -> None:
        """By power, hosts with the devices where both follow from it; else hosts apart."""
        by_power = self.made("device_energy_kwh")
        together = by_power and self.made("host_energy_kwh")
        if by_power:
            device = self.value("device_power_w")
            host = self.value("host_power_w") if together else 0.0
            what = f"W, device {device:.5g} + host {host:.5g}" if host else "W, mean of a device"
            self.key("x", device + host, what)
            self.key("/", units.kilowatt / units.watt, "W per kW")
        else:
            self.key("", self.value("device_energy_kwh"), "kWh of the devices")
        if not together and self.value("host_energy_kwh"):
            self.key("+", self.value("host_energy_kwh"), "kWh of the hosts")

    def _unused(self) -> set[str]:
        """Quantities that nothing rests on because a later stage was given."""
        given = "operational_kgco2e" in self.run.known and not self.made("operational_kgco2e")
        return {"energy_kwh"} if given else set()

    def emissions(self) -> None:
        """Times grid intensity, plus the making of the hardware."""
        if not self.known("total_kgco2e"):
            return
        unit, size = mass_unit(self.value("total_kgco2e"))
        label = f"{unit}CO2e"
        per_kg = 1 / (size / units.kilogram)
        if not self.made("total_kgco2e"):
            self.lines.clear()
            self.key("", self.value("total_kgco2e") * per_kg, f"{label}, given")
            self.subtotal(self.value("total_kgco2e") * per_kg, label)
            return
        if self.made("operational_kgco2e"):
            self._intensity()
            if size > units.gram:
                self.key("/", size / units.gram, f"g per {unit}")
            elif size < units.gram:
                self.key("x", units.gram / size, f"{unit} per g")
        else:
            self.lines.clear()
            self.key("", self.value("operational_kgco2e") * per_kg, f"{label}, given")
        making_known = self.known("embodied_kgco2e")
        name = f"{label} operational" if making_known else label
        self.subtotal(self.value("operational_kgco2e") * per_kg, name)
        if making_known:
            self.key(
                "+", self.value("embodied_kgco2e") * per_kg, f"{label} embodied{self._making()}"
            )
            self.subtotal(self.value("total_kgco2e") * per_kg, label)

    def _intensity(self) -> None:
        """Grams per kWh: of the grid, or of grid and site mixed."""
        grid = self.value("grid_gco2e_per_kwh")
        if not self.known("electricity_mix"):
            self.key("x", grid, "g/kWh")
            return
        size = units.gram / units.kilowatt_hour
        share, site = self.value("onsite_share"), self.value("onsite_gco2e_per_kwh")
        what = (
            f"g/kWh: grid {brief(grid)} x {brief(1 - share)} + site {brief(site)} x {brief(share)}"
        )
        self.key("x", float(self.run.known["electricity_mix"]) / size, what)

    def _making(self) -> str:
        if not self.made("embodied_kgco2e"):
            return ", given"
        made = self.value("device_embodied_kgco2e") + self.value("host_embodied_kgco2e")
        made *= 1 + self.value("network_embodied_share")
        made *= 1 + self.value("building_embodied_share")
        if not self.made("devices_charged"):
            return f": {brief(self.value('devices_charged'))} devices x {brief(made)} kg"
        hours = units.year / units.hour * self.value("lifetime_years")
        hours *= self.value("fleet_utilisation")
        return f": {brief(self.value('device_hours'))} h x {brief(made)} kg / {brief(hours)} h"


def _devices(count: float) -> str:
    """So many devices."""
    return f"{count:,.0f} device{'s' * (count != 1)}"


def mass_unit(kgco2e: float) -> tuple[str, float]:
    """The unit in which a mass reads best, with its size in base units."""
    size = abs(kgco2e)
    if size >= 1000:
        return "t", units.tonne
    if size >= 1 or size == 0:
        return "kg", units.kilogram
    if size >= 1e-3:
        return "g", units.gram
    return "mg", units.milligram
