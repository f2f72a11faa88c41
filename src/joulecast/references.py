"""Which sources each formula of the chains, of training and of use, rests on.

Definitions (docs/glossary.md) and what follows from another formula rest on none of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

#: Formula -> keys of its sources, as its docstring names them.
FORMULA_SOURCES: dict[str, tuple[str, ...]] = {
    "compute.active_params": (),
    "compute.training_flop": ("kaplan-2020", "hoffmann-2022"),
    "compute.training_flop_counted": ("joulecast-counts",),
    "compute.training_flop_counted_partly_frozen": ("hu-2021", "joulecast-counts"),
    "compute.training_flop_partly_frozen": ("hu-2021",),
    "compute.training_flop_of_passes": ("hu-2021",),
    "compute.training_flop_of_passes_counted": ("hu-2021", "joulecast-counts"),
    "compute.tokens_with_padding": (),
    "compute.tokens_of_rollouts": ("shao-2024",),
    "compute.training_flop_of_executed": ("korthikanti-2022",),
    "compute.executed_flop": ("korthikanti-2022",),
    "compute.eu_training_compute": ("ec-gpai-guidelines-2025",),
    "compute.eu_training_compute_of_hardware": ("ec-gpai-guidelines-2025",),
    "performance.mfu_from_throughput": ("chowdhery-2022",),
    "performance.mfu_from_hfu": ("chowdhery-2022",),
    "performance.mfu_on_peak": ("chowdhery-2022",),
    "performance.utilisation": (),
    "performance.utilisation_of_steps": ("joulecast-tuned-fit",),
    "performance.utilisation_of_passes": ("joulecast-finetune-fit",),
    "performance.device_time_with_generation": (),
    "performance.device_time_with_startup": (),
    "performance.busy_share": (),
    "performance.device_time": ("sevilla-2022",),
    "performance.device_time_from_wall_clock": (),
    "performance.wall_clock": (),
    "performance.whole_run_utilisation": (),
    "energy.energy_of": (),
    "energy.device_power_of_passes": (),
    "energy.device_power_waiting": ("joulecast-tuned-fit",),
    "energy.it_energy": (),
    "energy.facility_energy": ("iso-30134-2-2016",),
    "carbon.operational": ("ghg-scope-2-2015",),
    "carbon.electricity_mix": ("ghg-scope-2-2015",),
    "carbon.devices_charged": ("iso-21031-2024",),
    "carbon.embodied": ("iso-21031-2024",),
    "carbon.ewaste": (),
    "carbon.cost": (),
    "carbon.making": ("iso-21031-2024",),
    "carbon.making_on_top": (),
    "carbon.making_of_building": ("schneider-2025",),
    "carbon.total": ("iso-21031-2024",),
    "carbon.use_alone": (),
    "carbon.project": (),
    "carbon.project_factor": (),
    "carbon.project_part": (),
    "storage.storage_energy": ("cloud-carbon-footprint-2021",),
    "storage.drive_making": ("iso-21031-2024",),
    "storage.transfer_energy": ("aslan-2018", "mytton-2024"),
    "carbon.network_part": (),
    "carbon.cooling_part": (),
    "use_phase.weight_bytes": ("pope-2022",),
    "use_phase.cache_bytes": (),
    "use_phase.mean_context": (),
    "use_phase.weights_energy": ("pope-2022",),
    "use_phase.cache_energy": ("pope-2022",),
    "use_phase.arithmetic_energy": ("kaplan-2020",),
    "use_phase.waiting_energy": (),
    "use_phase.output_token_energy": (),
    "use_phase.part_as_measured": (),
    "use_phase.site_energy": ("elsworth-2025",),
    "use_phase.request_energy": ("pope-2022",),
    "use_phase.requests_of_tokens": (),
    "use_phase.demand_over": (),
    "use_phase.break_even_time": (),
    "use_phase.serving_ratio": ("sardana-2023",),
    "water.water_of": ("li-2023-water",),
    "water.total_water": ("li-2023-water",),
}


def name_of(formula: Callable[..., Any]) -> str:
    """A formula as the table names it.

    >>> from joulecast import energy
    >>> name_of(energy.it_energy)
    'energy.it_energy'
    """
    return f"{formula.__module__.rpartition('.')[2]}.{formula.__name__}"


def sources_of(formulas: Iterable[Callable[..., Any]]) -> tuple[str, ...]:
    """Keys of the sources of some formulas, each once."""
    keys = (key for formula in formulas for key in FORMULA_SOURCES[name_of(formula)])
    return tuple(dict.fromkeys(keys))
