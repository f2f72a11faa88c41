"""The methods paragraph: how a forecast was made, in words that a paper can print as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from joulecast._version import __version__
from joulecast.answers.footprint import Footprint
from joulecast.citing.markup import PLAIN, Plain
from joulecast.citing.phrases import Phrases, listed
from joulecast.report.forecast import KINDS
from joulecast.report.words import readable
from joulecast.terms import PROJECT_PARTS

LEFT_OUT = (
    "Failed and exploratory runs, data preparation, evaluation and the use of the model are not "
    "included in it; certificates and offsets are not subtracted."
)


def paragraph(footprint: Footprint, markup: Plain = PLAIN) -> str:
    """Inputs, hours, power, PUE, grid, making, the range with its meaning, use, boundary."""
    return f"{account(footprint, markup)} {boundary(footprint)}"


def paragraphs(footprints: Sequence[Footprint], markup: Plain) -> list[str]:
    """A paragraph to each run; a boundary they have in common stands once, in one of its own."""
    bounds = dict.fromkeys(boundary(one) for one in footprints)
    if len(footprints) == 1 or len(bounds) > 1:
        return [paragraph(one, markup) for one in footprints]
    shared = boundary(footprints[0])
    said = [account(one, markup) for one in footprints]
    return [*said, f"For all runs: {shared[0].lower()}{shared[1:]}"]


def account(footprint: Footprint, markup: Plain = PLAIN) -> str:
    """The paragraph without its boundary, which several runs may have in common."""
    return _Sentences(footprint, markup).account()


def boundary(footprint: Footprint) -> str:
    """What is inside and what is not."""
    if footprint.plan.get("only_given"):
        return f"Nothing was added to the inputs named here. {LEFT_OUT}"
    inside = ["accelerators, hosts, network and storage, and the data centre's overhead"]
    if footprint.embodied is not None:
        building = " and of the building" if footprint.plan.get("include_building") else ""
        inside.append(f"the making of that equipment{building}")
    return f"The boundary of the total is the training run: {', and '.join(inside)}. {LEFT_OUT}"


def name_of(footprint: Footprint) -> str:
    """The run in a few words, for the row of a table or the title of a file."""
    plan = footprint.plan
    if plan.get("model"):
        path = Path(plan["model"])
        return path.resolve().parent.name if path.name == "config.json" else path.name
    if plan.get("params"):
        size = PLAIN.number(plan["params"])
        return f"{KINDS[plan['arch']].partition(' ')[2]} of {size} parameters"
    return "training run"


#: Method of fine-tuning, in words.
TUNED = {
    "lora": "low-rank adaptation (LoRA) of frozen weights",
    "qlora": "low-rank adaptation of frozen weights of 4 bits (QLoRA)",
    "prefix": "tuning of a prefix",
    "head": "training of a new head",
    "dpo": "direct preference optimisation (DPO)",
    "grpo": "group relative policy optimisation (GRPO)",
    "ppo": "proximal policy optimisation (PPO)",
}

#: Inputs that a range may mostly come from, in words.
WORDS = {
    "utilisation": "utilisation",
    "mfu": "model FLOP utilisation",
    "large_step_utilisation": "utilisation at large steps",
    "large_step_mfu": "model FLOP utilisation at large steps",
    "padding_factor": "padding of the samples",
    "pass_tokens": "tokens of a pass on a device",
    "pass_overhead_s": "time of a pass beside its arithmetic",
    "model_passes": "passes through the weights",
    "adapter_params": "weights of the adapters",
    "generation_share": "share of the time that generates answers",
    "startup_s": "start of the job",
    "answer_tokens": "length of the answers",
    "prompt_tokens": "length of the prompts",
    "layer_overhead_s": "time that a layer adds to a step",
    "layers": "number of layers",
    "goodput": "goodput",
    "grid_gco2e_per_kwh": "grid intensity",
    "pue": "PUE",
    "device_power_w": "power of the devices",
    "device_power_full_w": "power of the devices",
    "host_power_w": "power of the hosts",
    "flop_per_param_token": "FLOP per parameter and token",
    "network_share": "share of network and storage",
    "peak_flops": "peak of the device",
    "precision_speedup": "speed-up of the precision",
    "lifetime_years": "service life of the hardware",
    "device_embodied_kgco2e": "making of the devices",
    "host_embodied_kgco2e": "making of the hosts",
    "project_factor": "project factor",
}


class _Sentences(Phrases):
    """The sentences of a paragraph, each from what the answer really holds."""

    def account(self) -> str:
        entries = [_Sentences(entry, self.markup).entry() for entry in self.footprint.entries]
        before = (self.subject(), self.tuned() or self.compute(), self.fleet())
        after = (self.together(), self.outcome(), self.use())
        return " ".join(sentence for sentence in (*before, *entries, *after) if sentence)

    def entry(self) -> str:
        """Hours, energy and emissions on one type of device."""
        said = [self.hours(), self.energy(), self.operation(), self.making()]
        return " ".join(sentence for sentence in said if sentence)

    # The sentences, in the order of the chain.

    def subject(self) -> str:
        plan, m = self.footprint.plan, self.markup
        many = plan.get("runs", 1) > 1
        one = "a fine-tune" if plan.get("method") else "a training run"
        what = f"{plan['runs']:,} identical training runs" if many else one
        if plan.get("model"):
            what = f"{what} of {m.text(plan['model'])}"
        if plan.get("params"):
            size = f"{m.number(plan['params'])} parameters{self.origin('params')}"
            if plan.get("active_params") not in (None, plan["params"]):
                size += f", {m.number(plan['active_params'])} of them active"
                size += self.origin("active_params")
            what += f", {KINDS[plan['arch']]} of {size},"
        if plan.get("tokens"):
            what += f" on {m.number(plan['tokens'])} tokens{self.origin('tokens')}"
            if plan.get("real_tokens"):
                what += f" ({m.number(plan['real_tokens'])} of them real, the others padding)"
        version = f"version {__version__}, data {self.footprint.data_digest}"
        return (
            f"The carbon footprint of {what.rstrip(',')} was estimated with "
            f"joulecast{m.cite_own()} ({version})."
        )

    def compute(self) -> str:
        flop, m = self.footprint.training_flop, self.markup
        if flop is None:
            return ""
        amount = f"{m.number(flop.value)} FLOP"
        if self.has("training_flop"):
            return f"It takes {amount}{self.origin('training_flop')}."
        if self.has("executed_flop"):
            return (
                f"It executes {self.value('executed_flop', 'FLOP')} including recomputed "
                f"activations, of which {amount} are the model's own."
            )
        if self.has("forward_flop_per_token"):
            per_token = self.value("forward_flop_per_token", "FLOP per token")
            return (
                f"Counted from the architecture, a forward pass takes {per_token}; with the "
                f"backward pass, the run takes {amount}."
            )
        if not self.has("flop_per_param_token"):
            return f"It takes {amount}."
        kind = "active parameter" if self.footprint.plan.get("arch") == "moe" else "parameter"
        per = self.value("flop_per_param_token", f"FLOP per {kind} and token")
        frozen = ""
        if self.has("trainable_params"):
            trained = self.value("trainable_params", "parameters")
            frozen = f", of which {trained} are trained and the others frozen"
        return f"At {per}{frozen}, it takes {amount}."

    def tuned(self) -> str:
        """FLOP of a fine-tune: passes through the base, weights added to it; else nothing."""
        flop = self.footprint.training_flop
        if flop is None or not self.has("model_passes"):
            return ""
        method = TUNED.get(self.footprint.plan.get("method") or "", "a fine-tune")
        added = ""
        if self.held["adapter_params"].value:
            trained = self.value("adapter_params", "weights")
            added = f", with {trained} added and trained"
        passes = self.value("model_passes", "passes")
        amount = self.markup.number(flop.value)
        return f"In {method}{added}, a token makes {passes} through the base: {amount} FLOP in all."

    def hours(self) -> str:
        hours, m, plan = self.footprint.device_hours, self.markup, self.footprint.plan
        if hours is None:
            return ""
        count, device = plan.get("device_count"), plan.get("device_name") or ""
        devices = f"{count:,} {m.times} {m.text(device)}" if count and device else m.text(device)
        if not device:
            devices = f"{count:,} devices" if count else ""
        of_devices = f" of {devices}" if devices else ""
        amount = f"{m.number(hours.value)} device-hours"
        days = self.footprint.quantities["wall_clock_days"]
        long = f", or {m.number(days.value)} days" if days is not None and count else ""
        if self.has("device_hours"):
            return f"It reserves {amount}{self.origin('device_hours')}{of_devices}{long}."
        if self.has("wall_clock_days"):
            return f"It reserves {devices} for {self.value('wall_clock_days', 'days')}: {amount}."
        peak = self.exact_peak()
        if self.has("layer_overhead_s"):
            rate = self.rate_of_steps()
        elif self.has("pass_overhead_s"):
            rate = self.rate_of_passes()
        elif self.has("mfu") or ("goodput" in self.held and not self.has("utilisation")):
            rate = self.rate_given()
        else:
            rate = f"a utilisation of {self.value('utilisation', 'over the whole run')}"
        if self.has("precision_speedup") and self.held["precision_speedup"].value != 1:
            rate += f" and a speed-up of {self.value('precision_speedup')} from {plan['precision']}"
        whole = all(part.share == 1 for part in self.footprint.fleet)
        part = "it" if whole else "this part"
        return f"On {devices}{peak}, at {rate}, {part} reserves {amount}{long}{self.around()}."

    def around(self) -> str:
        """What the hours hold beside training."""
        said = []
        if self.has("generation_share"):
            share = self.markup.percent(self.held["generation_share"].value)
            said.append(f"{share} of the time to generate answers")
        if self.has("startup_s"):
            said.append(f"{self.value('startup_s', 's')} to start the job")
        return f", among them {listed(said)}" if said else ""

    def fleet(self) -> str:
        """Who does what share, where a run has several types of device."""
        fleet = self.footprint.fleet
        if len(fleet) < 2:
            return ""
        m, parts = self.markup, []
        for part in fleet:
            count = f"{part.device_count:,} {m.times} " if part.device_count else ""
            place = f" in {m.text(part.region_name)}" if part.region_name else ""
            devices = f"{count}{m.text(part.device_name)}{place}"
            total = part.quantities["total_kgco2e"]
            amount = f" ({self.result(total)})" if total is not None else ""
            if part.share is None:
                parts.append(f"{devices}, reserved for {m.exactly(part.hours or 0)} hours{amount}")
            else:
                parts.append(f"{m.percent(part.share)} of it on {devices}{amount}")
        return f"It runs on a fleet: {'; '.join(parts)}. Each is forecast as a run of its own."

    def together(self) -> str:
        """Sums over a fleet."""
        if len(self.footprint.fleet) < 2:
            return ""
        hours, energy = self.footprint.device_hours, self.footprint.energy
        emits = self.footprint.operational
        said = []
        if hours is not None:
            said.append(f"reserves {self.markup.number(hours.value)} device-hours")
        if energy is not None:
            said.append(f"uses {self.result(energy)}")
        if emits is not None:
            said.append(f"emits {self.result(emits)} in operation")
        return f"Together, the fleet {listed(said)}." if said else ""

    def exact_peak(self) -> str:
        if not self.has("peak_flops"):
            return ""
        peak = self.markup.exactly(self.held["peak_flops"].value / 1e12)
        return f", with a dense peak of {peak} TFLOP/s each{self.origin('peak_flops')}"

    def rate_of_steps(self) -> str:
        """Utilisation of large steps, and what steps of this batch bring it to."""
        name = next(n for n in ("large_step_utilisation", "large_step_mfu") if self.has(n))
        word = "model FLOP utilisation" if name.endswith("mfu") else "utilisation"
        reached = self.footprint.quantities["utilisation"]
        over = f"{self.value('layers', 'layers')} at {self.value('layer_overhead_s', 's')} a layer"
        rate = f"a {word} of {self.value(name)} at large steps"
        if self.has("goodput"):
            rate += f" and a goodput of {self.value('goodput')}"
        rate += (
            f", which steps of {self.value('global_batch_tokens', 'tokens')} over {over} bring to"
        )
        return f"{rate} {self.markup.number(reached.value) if reached else '?'} over the whole run"

    def rate_of_passes(self) -> str:
        """Utilisation of large passes, and what the passes of this job bring it to."""
        reached = self.footprint.quantities["utilisation"]
        return (
            f"a model FLOP utilisation of {self.value('large_step_mfu')} in large passes and a "
            f"goodput of {self.value('goodput')}, which passes of "
            f"{self.value('pass_tokens', 'tokens')} with {self.value('pass_overhead_s', 's')} "
            f"beside their arithmetic bring to "
            f"{self.markup.number(reached.value) if reached else '?'} over the whole run"
        )

    def rate_given(self) -> str:
        """Steady-state rate and goodput, however the rate was given."""
        if self.has("tokens_per_second_per_device"):
            rate = self.value("tokens_per_second_per_device", "tokens per second and device")
        else:
            name = next(name for name in ("hfu", "mfu_fp8", "mfu") if name in self.held)
            word = {
                "hfu": "hardware FLOP utilisation",
                "mfu_fp8": "model FLOP utilisation on the FP8 peak",
                "mfu": "model FLOP utilisation",
            }[name]
            rate = f"a {word} of {self.value(name)}"
        if self.has("goodput"):
            rate += f" and a goodput of {self.value('goodput')}"
        return rate

    def energy(self) -> str:
        energy = self.footprint.energy
        if energy is None:
            return ""
        if self.has("energy_kwh"):
            return f"The facility uses {self.result(energy)}{self.origin('energy_kwh')}."
        draws = []
        if self.has("device_power_w"):
            draws.append(f"a device draws {self.value('device_power_w', 'W on average')}")
        if self.has("device_power_full_w"):
            full = self.value("device_power_full_w", "W")
            draws.append(f"a device draws {full} while it works and less while it waits")
        if self.counts("host_power_w"):
            draws.append(f"its share of the host {self.value('host_power_w', 'W')}")
        if self.counts("network_share"):
            share = self.share("network_share", "")
            draws.append(f"network and storage outside the hosts add {share}")
        if self.has("it_energy_kwh"):
            draws = [f"the equipment uses {self.value('it_energy_kwh', 'kWh')}"]
        elif self.has("device_energy_kwh"):
            draws.insert(0, f"the devices use {self.value('device_energy_kwh', 'kWh')}")
        first = listed(draws)
        amount = self.result(energy)
        end = f"the facility uses {amount}"
        if self.has("pue") and self.held["pue"].value != 1:
            end = f"with a power usage effectiveness (PUE) of {self.value('pue')}, {end}"
        sentence = f"{first}; {end}" if first else end
        return f"{sentence[0].upper()}{sentence[1:]}."

    def operation(self) -> str:
        operational = self.footprint.operational
        if operational is None:
            return ""
        amount = self.result(operational)
        if self.has("operational_kgco2e") or not self.has("grid_gco2e_per_kwh"):
            return f"Its operation emits {amount}{self.origin('operational_kgco2e')}."
        m, plan, grid = self.markup, self.footprint.plan, self.held["grid_gco2e_per_kwh"]
        words = m.unit("gCO2e/kWh")
        if not grid.given:
            place = plan.get("region_name") or "the mean of the world"
            basis = "" if plan["grid_basis"] in grid.note else f", {plan['grid_basis']} basis"
            note = f" ({m.text(grid.note)}{basis})" if grid.note or basis else ""
            words += f" for {m.text(place)}, {plan['year']}{note}"
        intensity = self.value("grid_gco2e_per_kwh", words)
        return f"At a location-based grid intensity of {intensity}, operation emits {amount}."

    def making(self) -> str:
        embodied = self.footprint.embodied
        if self.footprint.operational is None and embodied is None:
            return ""
        if embodied is None:
            return "The making of the hardware is not counted."
        amount = self.result(embodied)
        if self.has("embodied_kgco2e"):
            return f"Making the hardware adds {amount}{self.origin('embodied_kgco2e')}."
        if not self.has("device_embodied_kgco2e", "lifetime_years"):
            whole = self.footprint.plan.get("embodied_mode") == "purchase"
            how = ", charged whole," if whole else ""
            return f"Making the hardware{how} adds {amount}."
        kilograms = self.markup.unit("kgCO2e")
        parts = [self.value("device_embodied_kgco2e", f"{kilograms} for a device")]
        if self.counts("host_embodied_kgco2e"):
            words = f"{kilograms} for its share of the host"
            parts.append(self.value("host_embodied_kgco2e", words))
        if self.counts("network_embodied_share"):
            parts.append(self.share("network_embodied_share", "on top for network and storage"))
        if self.counts("building_embodied_share"):
            parts.append(self.share("building_embodied_share", "on top for the building"))
        life = self.value("lifetime_years", "years")
        return (
            f"Making the hardware, at {listed(parts)}, adds {amount} as its share of a service "
            f"life of {life}."
        )

    def outcome(self) -> str:
        m, headline = self.markup, self.footprint.headline
        if headline is None:
            return ""
        shown, unit = readable(headline)
        amount = m.strong(f"{m.number(shown.value)} {m.unit(unit)}")
        verb = "emits" if self.footprint.total is not None else "uses"
        many = self.footprint.plan.get("runs", 1) > 1
        subject = "In all, the runs " + verb.rstrip("s") if many else f"In all, the run {verb}"
        if headline.p10 == headline.p90:
            return f"{subject} {amount}; all inputs were given exactly, so no range is stated."
        low, high = m.number(shown.p10), m.number(shown.p90)
        sentence = (
            f"{subject} {amount}, with an {m.percent(0.8)} prediction range of {low} to {high} "
            f"{m.unit(unit)}: every uncertain input was given a range of its own, and of the "
            "outcomes they lead to one in ten lies below the lower figure and one in ten above "
            "the upper."
        )
        return sentence + self.driver() + self.project() + self.market()

    def driver(self) -> str:
        """The input that the range mostly comes from."""
        if not self.footprint.drivers:
            return ""
        first, m = self.footprint.drivers[0], self.markup
        name, whose = self.footprint.whose(first.name)
        of = f" of {m.text(whose)}" if whose else ""
        return (
            f" Its largest part, {m.percent(first.share)} of the variance of the logarithm, comes "
            f"from the {m.text(WORDS.get(name, name))}{of}."
        )

    def project(self) -> str:
        project = self.footprint.quantities["project_kgco2e"]
        if project is None:
            return ""
        parts = [
            key.replace("_", " ")
            for key, name in PROJECT_PARTS.items()
            if self.footprint.quantities[name] is not None
        ]
        with_it = f"{listed(parts)} around it, as shares of the run,"
        if not parts:
            factor = self.value("project_factor")
            with_it = f"a project factor of {factor} for runs before and beside it,"
        return (
            f" With {with_it} which this total does not hold, the whole project comes to "
            f"{self.result(project)}."
        )

    def market(self) -> str:
        """Emissions by contract, which stand beside those by location."""
        contract = self.footprint.quantities["market_kgco2e"]
        if contract is None:
            return ""
        words = f"{self.markup.unit('gCO2e/kWh')} by contract"
        return (
            f" Market-based, at {self.value('market_gco2e_per_kwh', words)}, operation would count "
            f"{self.result(contract)}; the total is the location-based one."
        )

    def use(self) -> str:
        """What the use takes, beside the total."""
        use, m = self.footprint.use_phase, self.markup
        if use is None:
            return ""
        found, plan = use.results, use.plan
        token, request = found["energy_per_output_token_j"], found["energy_per_request_wh"]
        assert token is not None and request is not None
        devices = f"{plan['device_count']:,} {m.times} "
        devices += m.text(self.held["use_rated_power_w"].note)
        emits = found["emissions_per_request_gco2e"]
        emitting = f" and emits {self.ranged(emits)}" if emits else ""
        said = [
            f"The use of the trained model is forecast apart: with weights at {plan['precision']} "
            f"on {devices}, {self.value('use_batch', 'requests at once')}, "
            f"{self.value('use_prompt_tokens', 'tokens of prompt')} and "
            f"{self.value('use_output_tokens', 'tokens of answer')}, the devices fetch weights and "
            f"caches, compute and wait{self.origin('use_memory_factor')}; with hosts and idle "
            f"reserve, at {self.value('use_site_factor', 'times the energy of the devices')}, "
            f"and the PUE, a generated token takes {self.ranged(token)}, and a request takes "
            f"{self.ranged(request)}{emitting}."
        ]
        return " ".join([*said, *self.year_of_use(), "Nothing of this is in the total."])

    def year_of_use(self) -> list[str]:
        use = self.footprint.use_phase
        assert use is not None
        energy = use.results["energy_per_year_kwh"]
        emits = use.results["operational_per_year_kgco2e"]
        if energy is None:
            return ["No demand was given."]
        tokens = self.has("use_tokens_per_year")
        counted = "tokens" if tokens else "requests"
        demand = self.value(f"use_{counted}_per_year", f"{counted} a year")
        emitting = f" and emits {self.ranged(emits)}" if emits else ""
        said = f"At {demand}, a year of use takes {self.ranged(energy)}{emitting}"
        even = use.results["break_even_days"]
        after = f", as much as training after {self.ranged(even)}" if even else ""
        return [f"{said}{after}."]
