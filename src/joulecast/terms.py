"""The words of joulecast: one name, one unit, one scale and one meaning for each quantity.

The command line (``--set``), the JSON, the Python interface, the assumptions in
an answer and docs/glossary.md all read this table, so a word cannot come to
mean two things.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from joulecast.errors import UnknownNameError, nearest

Scale = Literal["log", "logit", "log_excess", "linear"]

#: Kinds of model.
Arch = Literal[
    "dense",
    "moe",
    "encoder",
    "enc-dec",
    "vision",
    "diffusion",
    "speech",
    "recurrent",
    "ssm",
    "other",
]


#: Nothing anybody trains comes near this; beyond it a number is a slip of the unit.
LIMIT = 1e24


class Term(NamedTuple):
    """A quantity of the chain.

    `scale` is where a range is drawn evenly: log for positive quantities, logit
    for shares, log_excess (log of x - 1) for PUE, linear where a limit of the
    range may be reached (a goodput of 1, a network share of 0).  `lower` and
    `upper` are physical limits; draws are held inside them.
    """

    name: str
    unit: str
    scale: Scale
    meaning: str
    lower: float = 0.0
    upper: float = LIMIT
    flag: str = ""
    zero: bool = False

    @property
    def override(self) -> str:
        """What to type to replace the value."""
        return self.flag or f"--set {self.name}="


#: Parts of a project around its final run -> what they are.
PROJECT_MEANINGS: dict[str, str] = {
    "search": "searches for hyper-parameters",
    "ablations": "ablations and smaller models trained on the way",
    "failed_runs": "early, failed and restarted runs, and the search for what was wrong",
    "evaluation": "evaluation of models and checkpoints",
    "data_preparation": "filtering and making of the training data",
    "post_training": "post-training: supervised, preferences, reinforcement learning",
}


def _terms(*terms: Term) -> dict[str, Term]:
    return {term.name: term for term in terms}


#: Everything that can be given.  Order is the order of the chain.
INPUTS: dict[str, Term] = _terms(
    Term("params", "", "log", "all weights of the model", 1.0, 1e18, "--params"),
    Term("active_params", "", "log", "weights used per token", 1.0, 1e18, "--active-params"),
    Term(
        "trainable_params",
        "",
        "log",
        "weights that are trained, the others being frozen",
        1.0,
        1e18,
        "--trainable-params",
    ),
    Term(
        "tokens",
        "",
        "log",
        "training tokens processed, repeats counted; image tokens for vision models",
        1.0,
        1e21,
        "--tokens",
    ),
    Term(
        "flop_per_param_token",
        "FLOP",
        "log",
        "training FLOP per active parameter and token: forward and backward pass",
        0.1,
        100.0,
    ),
    Term(
        "forward_flop_per_token",
        "FLOP",
        "log",
        "forward FLOP per token, counted from the architecture",
        1.0,
        1e18,
    ),
    Term(
        "training_flop",
        "FLOP",
        "log",
        "model FLOP of the run: forward and backward, no recomputation",
        1.0,
        1e36,
        "--flop",
    ),
    Term(
        "recompute_factor",
        "",
        "log",
        "executed over training FLOP: 1 without activation recomputation",
        lower=1.0,
        upper=2.0,
        flag="--recompute",
    ),
    Term(
        "executed_flop",
        "FLOP",
        "log",
        "training FLOP plus activation recomputation",
        1.0,
        1e36,
        "--hardware-flop",
    ),
    Term(
        "peak_flops",
        "FLOP/s",
        "log",
        "dense peak of one device, 16-bit unless 32-bit was asked for; never sparse",
        1e6,
        1e21,
    ),
    Term("peak_flops_fp8", "FLOP/s", "log", "dense FP8 peak of one device", 1e6, 1e21),
    Term(
        "precision_speedup",
        "",
        "log",
        "throughput of the training precision over 16-bit on the same device",
        0.01,
        100.0,
        "--precision",
    ),
    Term(
        "tokens_per_second_per_device",
        "1/s",
        "log",
        "training tokens per second of one device in steady state",
        1e-6,
        1e12,
    ),
    Term(
        "hfu",
        "",
        "logit",
        "steady-state executed FLOP per second over peak_flops (recomputation counted)",
        upper=1.0,
    ),
    Term(
        "mfu_fp8",
        "",
        "logit",
        "steady-state training FLOP per second over the FP8 peak",
        upper=1.0,
    ),
    Term(
        "mfu",
        "",
        "logit",
        "steady-state training FLOP per second over peak_flops",
        upper=1.0,
    ),
    Term(
        "goodput",
        "",
        "linear",
        "share of the reserved time that makes progress",
        lower=0.01,
        upper=1.0,
    ),
    Term(
        "utilisation",
        "",
        "logit",
        "whole run: training_flop / (device_hours x peak_flops)",
        upper=1.0,
    ),
    Term("device_count", "", "log", "devices reserved at once", 1.0, 1e9, "--device-count"),
    Term("device_hours", "h", "log", "devices x hours reserved", 1e-9, 1e15),
    Term("wall_clock_days", "d", "log", "elapsed time", 1e-9, 1e6),
    Term(
        "device_power_w",
        "W",
        "log",
        "mean power of one device over the reserved hours",
        1e-6,
        1e7,
    ),
    Term(
        "host_power_w",
        "W",
        "log",
        "one device's share of the power of host, NICs and in-node switches",
        zero=True,
    ),
    Term(
        "network_share",
        "",
        "linear",
        "scale-out network and storage as a share of device + host",
        upper=1.0,
        zero=True,
    ),
    Term("device_energy_kwh", "kWh", "log", "device_hours x device_power_w"),
    Term("host_energy_kwh", "kWh", "log", "device_hours x host_power_w", zero=True),
    Term("it_energy_kwh", "kWh", "log", "(device + host energy) x (1 + network_share)"),
    Term("pue", "", "log_excess", "facility energy over IT energy", lower=1.0, upper=10.0),
    Term("energy_kwh", "kWh", "log", "it_energy_kwh x pue"),
    Term(
        "grid_gco2e_per_kwh",
        "gCO2e/kWh",
        "log",
        "carbon intensity of the electricity, location-based",
        zero=True,
    ),
    Term(
        "operational_kgco2e",
        "kgCO2e",
        "log",
        "energy_kwh x grid_gco2e_per_kwh; offsets are never subtracted",
        zero=True,
    ),
    Term(
        "onsite_share",
        "",
        "linear",
        "share of energy_kwh that is generated on the site",
        upper=1.0,
        zero=True,
    ),
    Term(
        "onsite_gco2e_per_kwh",
        "gCO2e/kWh",
        "log",
        "carbon intensity of what is generated on the site, such as by a gas turbine",
        zero=True,
    ),
    Term("lifetime_years", "y", "log", "service life over which making is written off"),
    Term(
        "fleet_utilisation",
        "",
        "linear",
        "share of the service life in which a device is reserved by anybody",
        lower=0.01,
        upper=1.0,
    ),
    Term(
        "devices_charged",
        "",
        "log",
        "devices whose whole making the run bears: hours over hours of a life, or all bought",
        zero=True,
        flag="--embodied-mode",
    ),
    Term(
        "device_embodied_kgco2e",
        "kgCO2e",
        "log",
        "emissions of making one device",
        zero=True,
    ),
    Term(
        "host_embodied_kgco2e",
        "kgCO2e",
        "log",
        "emissions of making one device's share of its host",
        zero=True,
    ),
    Term(
        "network_embodied_share",
        "",
        "linear",
        "making of network and storage as a share of devices + hosts",
        upper=1.0,
        zero=True,
    ),
    Term(
        "building_embodied_share",
        "",
        "log",
        "making of the data-centre building over that of the hardware in it; 0 unless asked for",
        upper=10.0,
        flag="--include-building",
        zero=True,
    ),
    Term(
        "embodied_kgco2e",
        "kgCO2e",
        "log",
        "share of making devices, hosts, network and storage, by time reserved over lifetime",
        zero=True,
    ),
    Term(
        "wue_l_per_kwh",
        "L/kWh",
        "log",
        "on-site water per kWh of IT energy",
        zero=True,
    ),
    Term(
        "water_factor_l_per_kwh",
        "L/kWh",
        "log",
        "water consumed by power plants per kWh of electricity",
        zero=True,
    ),
    Term(
        "hardware_mass_kg",
        "kg",
        "log",
        "mass of one device with its share of the host",
        zero=True,
    ),
    Term(
        "market_gco2e_per_kwh",
        "gCO2e/kWh",
        "log",
        "carbon intensity of the electricity bought, by contract: market-based",
        zero=True,
    ),
    Term("offsets_kgco2e", "kgCO2e", "log", "offsets bought; never subtracted", zero=True),
    Term(
        "price_per_device_hour",
        "1/h",
        "log",
        "price of an hour of one device, in a currency of your own",
        zero=True,
    ),
    Term("price_per_kwh", "1/kWh", "log", "price of electricity at the meter", zero=True),
    Term("storage_tb", "TB", "log", "data and checkpoints kept, each byte counted once", upper=1e9),
    Term("storage_months", "mo", "log", "for how long they are kept", upper=1e4),
    Term(
        "storage_copies",
        "",
        "log",
        "bytes on drives for each byte kept: replicas, or the overhead of erasure coding",
        1.0,
        100.0,
    ),
    Term(
        "storage_w_per_tb",
        "W/TB",
        "log",
        "power of drives per TB that they hold",
        flag="--storage-medium",
    ),
    Term(
        "storage_embodied_kgco2e_per_tb",
        "kgCO2e/TB",
        "log",
        "emissions of making drives and their servers, per TB that they hold",
        zero=True,
        flag="--storage-medium",
    ),
    Term(
        "transfer_tb",
        "TB",
        "log",
        "data moved between sites, counted each time they are",
        upper=1e9,
    ),
    Term(
        "transfer_kwh_per_gb",
        "kWh/GB",
        "log",
        "energy of the network between sites per data moved: a share of its average",
        zero=True,
    ),
    Term("total_kgco2e", "kgCO2e", "log", "operational + embodied", zero=True),
    *(
        Term(
            f"project_{part}",
            "",
            "log",
            f"{meaning}, over the final run; shown beside it",
            upper=1e6,
            zero=True,
        )
        for part, meaning in PROJECT_MEANINGS.items()
    ),
    Term(
        "project_factor",
        "",
        "log",
        "whole project over the final run: searches, failed runs, evaluation; shown beside it",
        1.0,
        1e6,
        "--project-factor",
    ),
    Term("water_onsite_l", "L", "log", "wue_l_per_kwh x it_energy_kwh", zero=True),
    Term("water_offsite_l", "L", "log", "water_factor_l_per_kwh x energy_kwh", zero=True),
    Term("water_l", "L", "log", "on-site + off-site water", zero=True),
)

#: What only comes out.
OUTPUTS: dict[str, Term] = _terms(
    Term(
        "eu_training_compute_flop",
        "FLOP",
        "log",
        "training compute of one run as the EU's guidelines count it: without recomputation",
    ),
    Term("device_kgco2e", "kgCO2e", "log", "operational emissions of the devices"),
    Term("host_kgco2e", "kgCO2e", "log", "operational emissions of the hosts"),
    Term("network_kgco2e", "kgCO2e", "log", "operational emissions of network and storage"),
    Term("cooling_kgco2e", "kgCO2e", "log", "operational emissions of what PUE adds"),
    Term("device_making_kgco2e", "kgCO2e", "log", "share of making the devices"),
    Term("host_making_kgco2e", "kgCO2e", "log", "share of making their hosts"),
    Term("network_making_kgco2e", "kgCO2e", "log", "share of making network and storage"),
    Term("building_making_kgco2e", "kgCO2e", "log", "share of making the data-centre building"),
    Term("project_kgco2e", "kgCO2e", "log", "total_kgco2e x project_factor: not part of the run"),
    Term(
        "market_kgco2e",
        "kgCO2e",
        "log",
        "operational emissions by contract (market-based), beside the location-based ones",
    ),
    Term("device_cost", "", "log", "device_hours x price_per_device_hour"),
    Term("electricity_cost", "", "log", "energy_kwh x price_per_kwh"),
    Term("ewaste_kg", "kg", "log", "hardware retired for the run: devices_charged x their mass"),
    Term("storage_energy_kwh", "kWh", "log", "energy to keep data, beside that of the run"),
    Term("storage_kgco2e", "kgCO2e", "log", "emissions of keeping data: power and drives"),
    Term("transfer_energy_kwh", "kWh", "log", "transfer_tb x transfer_kwh_per_gb"),
    Term("transfer_kgco2e", "kgCO2e", "log", "emissions of moving data between sites"),
    *(
        Term(f"project_{part}_kgco2e", "kgCO2e", "log", f"emissions of {meaning}")
        for part, meaning in PROJECT_MEANINGS.items()
    ),
    Term("serving_kgco2e", "kgCO2e", "log", "emissions of serving demand_tokens"),
    Term("lifetime_kgco2e", "kgCO2e", "log", "total_kgco2e + serving_kgco2e"),
)

#: What is asked about a model beside the run: `optimum` takes these.
ASKED: dict[str, Term] = _terms(
    Term(
        "loss",
        "",
        "log",
        "cross-entropy of the next token, in nats, on text like the training text",
        upper=100.0,
        flag="--loss",
    ),
    Term(
        "demand_tokens",
        "",
        "log",
        "tokens the model generates in use, over its life",
        1.0,
        1e21,
        "--demand",
    ),
    Term(
        "serving_ratio",
        "",
        "log",
        "emissions of a FLOP of serving over those of a FLOP of training",
        1e-3,
        1e4,
        "--serving-ratio",
    ),
)

#: What is said or assumed of the use of a language model, in a plan's [use]; flags --use-....
USED: dict[str, Term] = _terms(
    Term(
        "use_tokens_per_year",
        "1/y",
        "log",
        "tokens generated in use in a year",
        1e-3,
        1e21,
        "--use-tokens",
    ),
    Term(
        "use_requests_per_year",
        "1/y",
        "log",
        "requests answered in a year",
        1e-3,
        1e18,
        "--use-requests",
    ),
    Term("use_output_tokens", "", "log", "tokens of one answer", 1.0, 1e9, "--use-output-tokens"),
    Term("use_prompt_tokens", "", "log", "tokens of one prompt", 1.0, 1e9, "--use-prompt-tokens"),
    Term("use_years", "y", "log", "years of use to add up", 1e-3, 1e3, "--use-years"),
    Term("use_batch", "", "log", "requests in flight at once", 1.0, 1e6, "--use-batch"),
    Term(
        "use_device_count",
        "",
        "log",
        "devices that hold the model together",
        1.0,
        1e6,
        "--use-device-count",
    ),
    Term(
        "use_bytes_per_param",
        "B",
        "log",
        "bytes of one weight as it is served",
        0.05,
        8.0,
        "--use-precision",
    ),
    Term("use_rated_power_w", "W", "log", "rated power of one device", 1e-3, 1e7, "--use-device"),
    Term(
        "use_bandwidth_gb_per_s",
        "GB/s",
        "log",
        "bandwidth of the memory of one device",
        1e-6,
        1e9,
        "--use-device",
    ),
    Term(
        "use_peak_flops",
        "FLOP/s",
        "log",
        "dense 16-bit peak of one device that serves",
        1e6,
        1e21,
        "--use-device",
    ),
    Term(
        "use_memory_factor",
        "",
        "log",
        "share of rated power over share of bandwidth reached",
        1e-3,
        1e3,
        "--specs",
    ),
    Term(
        "use_compute_factor",
        "",
        "log",
        "share of rated power over share of peak reached, in use",
        1e-3,
        1e3,
        "--specs",
    ),
    Term(
        "use_waiting_time_s",
        "s",
        "log",
        "time each device waits per generated token",
        1e-12,
        1e3,
        "--specs",
    ),
    Term(
        "use_cache_bytes",
        "B",
        "log",
        "keys and values of a token at 1e9 active parameters",
        1.0,
        1e9,
        "--specs",
    ),
    Term(
        "use_energy_factor",
        "",
        "log",
        "measured energy of a token over the modelled one",
        1e-3,
        1e3,
        "--use-energy-factor",
    ),
    Term(
        "use_site_factor",
        "",
        "log_excess",
        "serving devices with hosts and idle reserve over the busy devices",
        1.0,
        100.0,
        "--use-site-factor",
    ),
)

TERMS: dict[str, Term] = INPUTS | OUTPUTS | ASKED | USED

#: `results` of the JSON, in order; `parts_kgco2e` follows them.
RESULTS: tuple[str, ...] = (
    "training_flop",
    "executed_flop",
    "eu_training_compute_flop",
    "utilisation",
    "device_hours",
    "wall_clock_days",
    "device_energy_kwh",
    "host_energy_kwh",
    "it_energy_kwh",
    "energy_kwh",
    "operational_kgco2e",
    "embodied_kgco2e",
    "total_kgco2e",
    "project_kgco2e",
    "water_onsite_l",
    "water_offsite_l",
    "water_l",
    "market_kgco2e",
    "offsets_kgco2e",
    "device_cost",
    "electricity_cost",
    "ewaste_kg",
    "storage_energy_kwh",
    "storage_kgco2e",
    "transfer_energy_kwh",
    "transfer_kgco2e",
)

#: Key in `parts_kgco2e` -> the quantity it shows.
PARTS: dict[str, str] = {
    "device": "device_kgco2e",
    "host": "host_kgco2e",
    "network": "network_kgco2e",
    "cooling": "cooling_kgco2e",
    "embodied": "embodied_kgco2e",
}

#: Key in `embodied_parts_kgco2e` -> the quantity it shows; they sum to `embodied_kgco2e`.
EMBODIED_PARTS: dict[str, str] = {
    "device": "device_making_kgco2e",
    "host": "host_making_kgco2e",
    "network": "network_making_kgco2e",
    "building": "building_making_kgco2e",
}

#: Key in `project_parts_kgco2e` -> the quantity it shows; they sum to what the project adds.
PROJECT_PARTS: dict[str, str] = {part: f"project_{part}_kgco2e" for part in PROJECT_MEANINGS}

#: Shares of the run that say what is around it -> the part of the project they are.
PROJECT_SHARES: dict[str, str] = {f"project_{part}": part for part in PROJECT_MEANINGS}


def input_term(name: str) -> Term:
    """Look up a quantity that can be given; an unknown name gets the nearest ones."""
    try:
        return INPUTS[name]
    except KeyError:
        why = "is an outcome and cannot be given" if name in OUTPUTS else "is not a known quantity"
        raise UnknownNameError("--set", name, why, nearest(name, INPUTS)) from None
