"""From parameters and tokens to tonnes: the one file that composes the formulas.

Read it top to bottom.  A step that was given is taken as given; a step with an
unknown input stays unknown, and so does all that rests on it.  Numbers may be
floats, draws or whole sweeps: NumPy broadcasts them, and nothing here knows the
difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from joulecast import carbon, compute, energy, performance, storage, units, use_phase, water
from joulecast.arrays import Numbers
from joulecast.terms import PROJECT_PARTS, PROJECT_SHARES

#: What a step makes, its formula, and the quantities that it takes.
Step = tuple[str, Callable[..., Numbers], tuple[str, ...]]


class Run:
    """Quantities known so far, in base units, and how each was made.

    `made_by` holds the formula behind each result, `made_from` the quantities it took.
    """

    def __init__(self, known: Mapping[str, Numbers]) -> None:
        self.known = dict(known)
        self.made_by: dict[str, Callable[..., Numbers]] = {}
        self.made_from: dict[str, tuple[str, ...]] = {}

    def step(self, result: str, formula: Callable[..., Numbers], *inputs: str) -> None:
        """Make `result` from `inputs` unless it was given or an input is unknown."""
        known = self.known
        if result in known:
            return
        try:
            values = [known[name] for name in inputs]
        except KeyError:
            return
        known[result] = formula(*values)
        self.made_by[result] = formula
        self.made_from[result] = inputs

    @property
    def used(self) -> set[str]:
        """Quantities that another rests on."""
        return {name for inputs in self.made_from.values() for name in inputs}

    def behind(self, result: str) -> set[str]:
        """All quantities that `result` rests on, however far back."""
        found: set[str] = set()
        open_ = [result]
        while open_:
            for name in self.made_from.get(open_.pop(), ()):
                if name not in found:
                    found.add(name)
                    open_.append(name)
        return found

    def steps_to(self, results: Iterable[str]) -> list[Step]:
        """The steps that lead to `results`, in order."""
        needed = {*results}
        for name in reversed(self.made_by):
            if name in needed:
                needed.update(self.made_from[name])
        return [
            (name, formula, self.made_from[name])
            for name, formula in self.made_by.items()
            if name in needed
        ]

    def made(self, *results: str) -> bool:
        """Whether all of these were made here, none of them given."""
        return all(result in self.made_by for result in results)


#: What is generated on the site: how much of the energy, and how clean.
ONSITE = ("onsite_share", "onsite_gco2e_per_kwh")


#: What an optimiser step holds, beside the utilisation of large ones.
OF_STEPS = (
    "precision_speedup", "layers", "layer_overhead_s", "training_flop", "tokens",
    "global_batch_tokens", "device_count", "peak_flops",
)  # fmt: skip


#: What tokens follow from, where the model generates the samples.
OF_ROLLOUTS = ("prompts", "answers_per_prompt", "prompt_tokens", "answer_tokens", "iterations")

#: What a pass on a device holds, beside the utilisation of large ones.
OF_PASSES = (
    "precision_speedup", "pass_overhead_s", "training_flop", "tokens", "pass_tokens", "peak_flops",
)  # fmt: skip


def chain(given: Mapping[str, Numbers]) -> Run:  # noqa: PLR0915 the steps in order, in one piece
    """Follow the whole chain from what is given; all numbers in base units.

    Returns the run: every quantity that could be known, and the formula behind each.
    """
    run = Run(given)
    step = run.step

    # Data: tokens that are computed, of samples or of what the model generates.
    step("tokens", compute.tokens_with_padding, "real_tokens", "padding_factor")
    step("tokens", compute.tokens_of_rollouts, *OF_ROLLOUTS)

    # Compute: how much arithmetic.
    step("active_params", compute.active_params, "params")
    step("training_flop", compute.training_flop_of_executed, "executed_flop", "recompute_factor")
    passes = ("model_passes", "adapter_params", "tokens")
    step(
        "training_flop",
        compute.training_flop_of_passes_counted,
        "forward_flop_per_token",
        "attention_flop_per_token",
        *passes,
    )
    step(
        "training_flop",
        compute.training_flop_of_passes,
        "flop_per_param_token",
        "active_params",
        *passes,
    )
    step(
        "training_flop",
        compute.training_flop_counted_partly_frozen,
        "forward_flop_per_token",
        "active_params",
        "trainable_params",
        "tokens",
    )
    step("training_flop", compute.training_flop_counted, "forward_flop_per_token", "tokens")
    step(
        "training_flop",
        compute.training_flop_partly_frozen,
        "flop_per_param_token",
        "active_params",
        "trainable_params",
        "tokens",
    )
    step("training_flop", compute.training_flop, "flop_per_param_token", "active_params", "tokens")
    step("executed_flop", compute.executed_flop, "training_flop", "recompute_factor")

    # Performance: how long.
    step(
        "mfu",
        performance.mfu_from_throughput,
        "tokens_per_second_per_device",
        "training_flop",
        "tokens",
        "peak_flops",
    )
    step("mfu", performance.mfu_from_hfu, "hfu", "training_flop", "executed_flop")
    step("mfu", performance.mfu_on_peak, "mfu_fp8", "peak_flops_fp8", "peak_flops")
    step("mfu", performance.utilisation_of_passes, "large_step_mfu", *OF_PASSES)
    for name in ("mfu", "utilisation"):
        step(name, performance.utilisation_of_steps, f"large_step_{name}", *OF_STEPS)
    step("utilisation", performance.utilisation, "mfu", "goodput")
    step(
        "device_hours",
        performance.device_time_from_wall_clock,
        "wall_clock_days",
        "device_count",
    )
    _hours(run)
    step("wall_clock_days", performance.wall_clock, "device_hours", "device_count")
    step(
        "achieved_utilisation",
        performance.whole_run_utilisation,
        "training_flop",
        "device_hours",
        "peak_flops",
    )

    # The same arithmetic as a rule counts it: without recomputation, by model or by hardware.
    step("eu_training_compute_flop", compute.eu_training_compute, "training_flop")
    step(
        "eu_training_compute_flop",
        compute.eu_training_compute_of_hardware,
        "device_hours",
        "peak_flops",
        "utilisation",
        "precision_speedup",
    )

    # Energy: what is drawn.
    for full in ("full_power_utilisation", "large_step_utilisation", "large_step_mfu"):
        of_run = "mfu" if full == "large_step_mfu" else "utilisation"
        step("busy_share", performance.busy_share, of_run, full)
    if "pass_overhead_s" in run.known:
        gaps = ("device_power_full_w", "busy_share", "idle_power_share")
        step("device_power_w", energy.device_power_of_passes, *gaps)
    waiting = ("host_power_w", "busy_share", "idle_power_share")
    step("device_power_w", energy.device_power_waiting, "device_power_full_w", *waiting)
    step("device_energy_kwh", energy.energy_of, "device_hours", "device_power_w")
    step("host_energy_kwh", energy.energy_of, "device_hours", "host_power_w")
    step("it_energy_kwh", energy.it_energy, "device_energy_kwh", "host_energy_kwh", "network_share")
    step("energy_kwh", energy.facility_energy, "it_energy_kwh", "pue")

    # Carbon: what is emitted, use and making.
    step("electricity_mix", carbon.electricity_mix, "grid_gco2e_per_kwh", *ONSITE)
    intensity = "electricity_mix" if "electricity_mix" in run.known else "grid_gco2e_per_kwh"
    step("operational_kgco2e", carbon.operational, "energy_kwh", intensity)
    step(
        "devices_charged",
        carbon.devices_charged,
        "device_hours",
        "lifetime_years",
        "fleet_utilisation",
    )
    step(
        "embodied_kgco2e",
        carbon.embodied,
        "devices_charged",
        "device_embodied_kgco2e",
        "host_embodied_kgco2e",
        "network_embodied_share",
        "building_embodied_share",
    )
    step("total_kgco2e", carbon.total, "operational_kgco2e", "embodied_kgco2e")
    step("total_kgco2e", carbon.use_alone, "operational_kgco2e")

    # The parts of it, where the whole was made from them.
    if run.made("energy_kwh", "operational_kgco2e"):
        step("it_kgco2e", carbon.operational, "it_energy_kwh", intensity)
        step("cooling_kgco2e", carbon.cooling_part, "operational_kgco2e", "it_kgco2e")
    if run.made("it_energy_kwh", "energy_kwh", "operational_kgco2e"):
        step("device_kgco2e", carbon.operational, "device_energy_kwh", intensity)
        step("host_kgco2e", carbon.operational, "host_energy_kwh", intensity)
        step("network_kgco2e", carbon.network_part, "it_kgco2e", "device_kgco2e", "host_kgco2e")
    if run.made("embodied_kgco2e"):
        for part in ("device", "host"):
            step(
                f"{part}_making_kgco2e",
                carbon.making,
                "devices_charged",
                f"{part}_embodied_kgco2e",
            )
        hardware = ("device_making_kgco2e", "host_making_kgco2e")
        step("network_making_kgco2e", carbon.making_on_top, *hardware, "network_embodied_share")
        step(
            "building_making_kgco2e",
            carbon.making_of_building,
            *hardware,
            "network_making_kgco2e",
            "building_embodied_share",
        )

    _project(run)
    _beside(run)
    _data(run, intensity)

    # Water: what evaporates.
    step("water_onsite_l", water.water_of, "it_energy_kwh", "wue_l_per_kwh")
    step("water_offsite_l", water.water_of, "energy_kwh", "water_factor_l_per_kwh")
    step("water_l", water.total_water, "water_onsite_l", "water_offsite_l")
    return run


def repeat(run: Run, given: Mapping[str, Numbers], results: Iterable[str]) -> dict[str, Numbers]:
    """Repeat the steps of a run that lead to `results`, with other numbers in base units."""
    wanted = set(results)
    known = dict(given)
    for name, formula, inputs in run.steps_to(wanted):
        known[name] = formula(*(known[source] for source in inputs))
    return {name: known[name] for name in wanted}


def use_chain(given: Mapping[str, Numbers]) -> Run:
    """Follow the use of a language model; all numbers in base units.

    `given` holds the quantities of [use], the model's sizes, the PUE and grid of the place and,
    where the break-even is wanted, the emissions of training.
    """
    run = Run({"year": units.year, **given})
    step = run.step
    power, memory = "use_rated_power_w", "use_memory_factor"

    # One token: what the devices draw, part by part.
    step("active_params", compute.active_params, "params")
    step(
        "weight_bytes",
        use_phase.weight_bytes,
        "params",
        "active_params",
        "use_bytes_per_param",
        "use_batch",
    )
    step("context", use_phase.mean_context, "use_prompt_tokens", "use_output_tokens")
    step("cache_bytes", use_phase.cache_bytes, "active_params", "context", "use_cache_bytes")
    modelled: dict[str, tuple[Callable[..., Numbers], tuple[str, ...]]] = {
        "weights": (
            use_phase.weights_energy,
            (power, memory, "weight_bytes", "use_bandwidth_gb_per_s", "use_batch"),
        ),
        "cache": (
            use_phase.cache_energy,
            (power, memory, "cache_bytes", "use_bandwidth_gb_per_s"),
        ),
        "arithmetic": (
            use_phase.arithmetic_energy,
            (power, "use_compute_factor", "active_params", "use_peak_flops"),
        ),
        "waiting": (
            use_phase.waiting_energy,
            (power, "use_waiting_time_s", "use_device_count"),
        ),
    }
    for part, (formula, inputs) in modelled.items():
        step(f"modelled_{part}", formula, *inputs)
        step(
            f"{part}_energy_per_token",
            use_phase.part_as_measured,
            f"modelled_{part}",
            "use_energy_factor",
        )
    step(
        "device_energy_per_token",
        use_phase.output_token_energy,
        *(f"{part}_energy_per_token" for part in modelled),
    )

    # With hosts, idle reserve and cooling; a request; its emissions.
    site = ("use_site_factor", "pue")
    step("energy_per_token", use_phase.site_energy, "device_energy_per_token", *site)
    step("energy_per_prompt_token", use_phase.site_energy, "arithmetic_energy_per_token", *site)
    step(
        "energy_per_request",
        use_phase.request_energy,
        "energy_per_token",
        "use_output_tokens",
        "energy_per_prompt_token",
        "use_prompt_tokens",
    )
    for unit in ("token", "request"):
        step(
            f"emissions_per_{unit}", carbon.operational, f"energy_per_{unit}", "grid_gco2e_per_kwh"
        )

    # All requests: in a year, over the years, and until training is made up for.
    rate = "use_requests_per_year"
    step(rate, use_phase.requests_of_tokens, "use_tokens_per_year", "use_output_tokens")
    for name, time in (("per_year", "year"), ("over_years", "use_years")):
        step(f"energy_{name}", use_phase.demand_over, rate, "energy_per_request", time)
        step(f"emissions_{name}", use_phase.demand_over, rate, "emissions_per_request", time)
    step("break_even", use_phase.break_even_time, "total_kgco2e", rate, "emissions_per_request")
    step(
        "serving_ratio",
        use_phase.serving_ratio,
        "emissions_per_token",
        "active_params",
        "total_kgco2e",
        "training_flop",
    )
    return run


def _hours(run: Run) -> None:
    """Make the hours of the work: what is trained, then generated, then the start of the job."""
    if "device_hours" in run.known:
        return
    working = "working_hours" if "startup_s" in run.known else "device_hours"
    training = "steps_hours" if "generation_share" in run.known else working
    step = run.step
    step(
        training,
        performance.device_time,
        "training_flop",
        "peak_flops",
        "utilisation",
        "precision_speedup",
    )
    step(working, performance.device_time_with_generation, training, "generation_share")
    step(
        "device_hours",
        performance.device_time_with_startup,
        working,
        "device_count",
        "startup_s",
    )


def _project(run: Run) -> None:
    """Make the project around the run: of a factor, or of its parts."""
    shares = [name for name in PROJECT_SHARES if name in run.known]
    if shares:
        run.step("project_factor", carbon.project_factor, *shares)
    for share in shares:
        part = PROJECT_PARTS[PROJECT_SHARES[share]]
        run.step(part, carbon.project_part, "total_kgco2e", share)
    run.step("project_kgco2e", carbon.project, "total_kgco2e", "project_factor")


def _beside(run: Run) -> None:
    """Make what stands beside the emissions: electricity by contract, costs, hardware retired."""
    step = run.step
    step("market_mix", carbon.electricity_mix, "market_gco2e_per_kwh", *ONSITE)
    contract = "market_mix" if "market_mix" in run.known else "market_gco2e_per_kwh"
    step("market_kgco2e", carbon.operational, "energy_kwh", contract)
    step("device_cost", carbon.cost, "device_hours", "price_per_device_hour")
    step("electricity_cost", carbon.cost, "energy_kwh", "price_per_kwh")
    step("ewaste_kg", carbon.ewaste, "devices_charged", "hardware_mass_kg")


def _data(run: Run, intensity: str) -> None:
    """Make what stands beside the run for its data: kept at its site, moved between sites."""
    step = run.step
    kept = ("storage_tb", "storage_copies")
    step(
        "storage_energy_kwh",
        storage.storage_energy,
        *kept,
        "storage_w_per_tb",
        "storage_months",
        "pue",
    )
    step("storage_operational", carbon.operational, "storage_energy_kwh", intensity)
    step(
        "storage_making",
        storage.drive_making,
        *kept,
        "storage_embodied_kgco2e_per_tb",
        "storage_months",
        "lifetime_years",
    )
    step("storage_kgco2e", carbon.total, "storage_operational", "storage_making")
    step("storage_kgco2e", carbon.use_alone, "storage_operational")
    step("transfer_energy_kwh", storage.transfer_energy, "transfer_tb", "transfer_kwh_per_gb")
    step("transfer_kgco2e", carbon.operational, "transfer_energy_kwh", "grid_gco2e_per_kwh")
