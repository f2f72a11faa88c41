"""The words of joulecast: one name, one unit, one scale and one meaning for each quantity.

The command line (``--set``), the JSON, the Python interface, the assumptions in
an answer and docs/glossary.md all read this table, so a word cannot come to
mean two things.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from joulecast.errors import UnknownNameError, nearest

Scale = Literal["log", "logit", "log_excess", "linear"]

#: Kinds of model.
Arch = Literal[
    "dense", "moe", "encoder", "enc-dec", "vision", "diffusion", "speech", "recurrent", "ssm",
    "other",
]  # fmt: skip

#: Fields that published runs are told apart by.
Field = Literal["language", "images", "biology", "other"]

#: Nothing anybody trains comes near this; beyond it a number is a slip of the unit.
LIMIT = 1e24


class Term(NamedTuple):
    """A quantity of the chain.

    `scale` is where a range is drawn evenly: log for positive quantities, logit
    for shares, log_excess (log of x - 1) for PUE, linear where a limit of the
    range may be reached (a goodput of 1, a network share of 0).  `lower` and
    `upper` are physical limits; draws are held inside them.  `zero` says that 0
    is a value too, `flag` how it is given where that is not with ``--set``.
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


_SCALES: dict[str, Scale] = {scale: scale for scale in get_args(Scale)}


def _term(entry: str) -> Term:
    """Read ``name [unit] scale lower..upper zero --flag: meaning``.

    All but name, scale and meaning are left out where they do not apply.
    """
    said, meaning = entry.split(":", 1)
    name, *words = said.split()
    unit = words.pop(0)[1:-1] if words[0].startswith("[") else ""
    scale = _SCALES[words.pop(0)]
    limits = words.pop(0) if words and ".." in words[0] else ".."
    zero = words[:1] == ["zero"]
    (flag,) = words[zero:] or ("",)
    lower, upper = limits.split("..")
    ends = float(lower or 0.0), float(upper or LIMIT)
    return Term(name, unit, scale, meaning.strip(), *ends, flag, zero)


def _terms(table: str) -> dict[str, Term]:
    """Terms by name; each begins a line, and what does not fit there is indented below it."""
    terms = map(_term, table.strip().replace("\n    ", " ").splitlines())
    return {term.name: term for term in terms}


#: Everything that can be given.  Order is the order of the chain.
INPUTS: dict[str, Term] = {
    **_terms("""
params log 1..1e18 --params: all weights of the model
active_params log 1..1e18 --active-params: weights used per token
trainable_params log 1..1e18 --trainable-params: weights that are trained, the others being frozen
adapter_params log zero --lora-rank: weights that are added to a frozen base and trained
prompts log 1..1e15 --samples: prompts that answers are generated to, repeats counted
answers_per_prompt log 1..1e6: answers that are generated to each prompt
prompt_tokens log 1..1e9: tokens of a prompt
answer_tokens log 1..1e9: tokens of a generated answer
iterations log 1..1e6: times that each generated answer is trained on
real_tokens log 1..1e21 --sample-tokens: tokens of the samples, repeats counted, padding left out
padding_factor log 1..1e6 --packing: tokens computed over real tokens: 1 where samples are packed
tokens log 1..1e21 --tokens:
    training tokens processed, repeats counted; image tokens for vision models
flop_per_param_token [FLOP] log 0.1..100:
    training FLOP per active parameter and token: forward and backward pass
forward_flop_per_token [FLOP] log 1..1e18: forward FLOP per token, counted from the architecture
attention_flop_per_token [FLOP] log zero:
    forward FLOP per token of products without weights: adapters take their gradients too
model_passes log 1..100 --method:
    passes of a token through the weights, 2 FLOP each of a weight: 3 train, 2 cross a frozen base
training_flop [FLOP] log 1..1e36 --flop:
    model FLOP of the run: forward and backward, no recomputation
recompute_factor log 1..2 --recompute:
    executed over training FLOP: 1 without activation recomputation
executed_flop [FLOP] log 1..1e36 --hardware-flop: training FLOP plus activation recomputation
peak_flops [FLOP/s] log 1e6..1e21:
    dense peak of one device, 16-bit unless 32-bit was asked for; never sparse
peak_flops_fp8 [FLOP/s] log 1e6..1e21: dense FP8 peak of one device
precision_speedup log 0.01..100 --precision:
    throughput of the training precision over 16-bit on the same device
tokens_per_second_per_device [1/s] log 1e-6..1e12:
    training tokens per second of one device in steady state
hfu logit ..1: steady-state executed FLOP per second over peak_flops (recomputation counted)
global_batch_tokens log 1..1e15 --global-batch: tokens of one optimiser step over all devices
layers log 1..1e5: layers that an optimiser step passes through
layer_overhead_s [s] log 1e-9..1e3:
    time that each layer adds to an optimiser step, whatever the work in it
pass_tokens log 1..1e12:
    tokens of one forward and backward pass on a device: samples of a micro-batch x length
pass_overhead_s [s] log zero:
    time of a pass beside its arithmetic: launching layers, unpacking 4-bit weights, slow links
large_step_mfu logit ..1: mfu, were steps so large that their overhead did not count
large_step_utilisation logit ..1:
    utilisation, were steps so large that their overhead did not count
mfu_fp8 logit ..1: steady-state training FLOP per second over the FP8 peak
mfu logit ..1: steady-state training FLOP per second over peak_flops
goodput linear 0.01..1: share of the reserved time that makes progress
utilisation logit ..1: whole run: training_flop / (device_hours x peak_flops)
device_count log 1..1e9 --device-count: devices reserved at once
generation_share linear ..0.99 zero:
    share of the time in which answers are generated, not trained on
startup_s [s] log zero: time to start a job, load its weights and save them, devices reserved
device_hours [h] log 1e-9..1e15: devices x hours reserved
wall_clock_days [d] log 1e-9..1e6: elapsed time
full_power_utilisation logit ..1: utilisation at which devices draw what busy devices do
device_power_full_w [W] log 1e-6..1e7: mean power of one device that is kept busy
idle_power_share linear ..1: power of a node that waits, over that of a busy one
device_power_w [W] log 1e-6..1e7: mean power of one device over the reserved hours
host_power_w [W] log zero: one device's share of the power of host, NICs and in-node switches
network_share linear ..1 zero: scale-out network and storage as a share of device + host
device_energy_kwh [kWh] log: device_hours x device_power_w
host_energy_kwh [kWh] log zero: device_hours x host_power_w
it_energy_kwh [kWh] log: (device + host energy) x (1 + network_share)
pue log_excess 1..10: facility energy over IT energy
energy_kwh [kWh] log: it_energy_kwh x pue
grid_gco2e_per_kwh [gCO2e/kWh] log zero: carbon intensity of the electricity, location-based
operational_kgco2e [kgCO2e] log zero: energy_kwh x grid_gco2e_per_kwh; offsets are never subtracted
onsite_share linear ..1 zero: share of energy_kwh that is generated on the site
onsite_gco2e_per_kwh [gCO2e/kWh] log zero:
    carbon intensity of what is generated on the site, such as by a gas turbine
lifetime_years [y] log: service life over which making is written off
fleet_utilisation linear 0.01..1: share of the service life in which a device is reserved by anybody
devices_charged log zero --embodied-mode:
    devices whose whole making the run bears: hours over hours of a life, or all bought
device_embodied_kgco2e [kgCO2e] log zero: emissions of making one device
host_embodied_kgco2e [kgCO2e] log zero: emissions of making one device's share of its host
network_embodied_share linear ..1 zero: making of network and storage as a share of devices + hosts
building_embodied_share log ..10 zero --include-building:
    making of the data-centre building over that of the hardware in it; 0 unless asked for
embodied_kgco2e [kgCO2e] log zero:
    share of making devices, hosts, network and storage, by time reserved over lifetime
wue_l_per_kwh [L/kWh] log zero: on-site water per kWh of IT energy
water_factor_l_per_kwh [L/kWh] log zero: water consumed by power plants per kWh of electricity
hardware_mass_kg [kg] log zero: mass of one device with its share of the host
market_gco2e_per_kwh [gCO2e/kWh] log zero:
    carbon intensity of the electricity bought, by contract: market-based
offsets_kgco2e [kgCO2e] log zero: offsets bought; never subtracted
price_per_device_hour [1/h] log zero: price of an hour of one device, in a currency of your own
price_per_kwh [1/kWh] log zero: price of electricity at the meter
storage_tb [TB] log ..1e9: data and checkpoints kept, each byte counted once
storage_months [mo] log ..1e4: for how long they are kept
storage_copies log 1..100:
    bytes on drives for each byte kept: replicas, or the overhead of erasure coding
storage_w_per_tb [W/TB] log --storage-medium: power of drives per TB that they hold
storage_embodied_kgco2e_per_tb [kgCO2e/TB] log zero --storage-medium:
    emissions of making drives and their servers, per TB that they hold
transfer_tb [TB] log ..1e9: data moved between sites, counted each time they are
transfer_kwh_per_gb [kWh/GB] log zero:
    energy of the network between sites per data moved: a share of its average
total_kgco2e [kgCO2e] log zero: operational + embodied
"""),
    **{
        f"project_{part}": Term(
            f"project_{part}",
            "",
            "log",
            f"{meaning}, over the final run; shown beside it",
            upper=1e6,
            zero=True,
        )
        for part, meaning in PROJECT_MEANINGS.items()
    },
    **_terms("""
project_factor log 1..1e6 --project-factor:
    whole project over the final run: searches, failed runs, evaluation; shown beside it
water_onsite_l [L] log zero: wue_l_per_kwh x it_energy_kwh
water_offsite_l [L] log zero: water_factor_l_per_kwh x energy_kwh
water_l [L] log zero: on-site + off-site water
"""),
}

#: What only comes out.
OUTPUTS: dict[str, Term] = {
    **_terms("""
eu_training_compute_flop [FLOP] log:
    training compute of one run as the EU's guidelines count it: without recomputation
device_kgco2e [kgCO2e] log: operational emissions of the devices
host_kgco2e [kgCO2e] log: operational emissions of the hosts
network_kgco2e [kgCO2e] log: operational emissions of network and storage
cooling_kgco2e [kgCO2e] log: operational emissions of what PUE adds
device_making_kgco2e [kgCO2e] log: share of making the devices
host_making_kgco2e [kgCO2e] log: share of making their hosts
network_making_kgco2e [kgCO2e] log: share of making network and storage
building_making_kgco2e [kgCO2e] log: share of making the data-centre building
project_kgco2e [kgCO2e] log: total_kgco2e x project_factor: not part of the run
market_kgco2e [kgCO2e] log:
    operational emissions by contract (market-based), beside the location-based ones
device_cost log: device_hours x price_per_device_hour
electricity_cost log: energy_kwh x price_per_kwh
ewaste_kg [kg] log: hardware retired for the run: devices_charged x their mass
storage_energy_kwh [kWh] log: energy to keep data, beside that of the run
storage_kgco2e [kgCO2e] log: emissions of keeping data: power and drives
transfer_energy_kwh [kWh] log: transfer_tb x transfer_kwh_per_gb
transfer_kgco2e [kgCO2e] log: emissions of moving data between sites
"""),
    **{
        f"project_{part}_kgco2e": Term(
            f"project_{part}_kgco2e", "kgCO2e", "log", f"emissions of {meaning}"
        )
        for part, meaning in PROJECT_MEANINGS.items()
    },
    **_terms("""
serving_kgco2e [kgCO2e] log: emissions of serving demand_tokens
lifetime_kgco2e [kgCO2e] log: total_kgco2e + serving_kgco2e
"""),
}

#: What is asked about a model beside the run: `optimum` takes these.
ASKED: dict[str, Term] = _terms("""
loss log ..100 --loss: cross-entropy of the next token, in nats, on text like the training text
demand_tokens log 1..1e21 --demand: tokens the model generates in use, over its life
serving_ratio log 1e-3..1e4 --serving-ratio:
    emissions of a FLOP of serving over those of a FLOP of training
""")

#: What is said or assumed of the use of a language model, in a plan's [use]; flags --use-....
USED: dict[str, Term] = _terms("""
use_tokens_per_year [1/y] log 1e-3..1e21 --use-tokens: tokens generated in use in a year
use_requests_per_year [1/y] log 1e-3..1e18 --use-requests: requests answered in a year
use_output_tokens log 1..1e9 --use-output-tokens: tokens of one answer
use_prompt_tokens log 1..1e9 --use-prompt-tokens: tokens of one prompt
use_years [y] log 1e-3..1e3 --use-years: years of use to add up
use_batch log 1..1e6 --use-batch: requests in flight at once
use_device_count log 1..1e6 --use-device-count: devices that hold the model together
use_bytes_per_param [B] log 0.05..8 --use-precision: bytes of one weight as it is served
use_rated_power_w [W] log 1e-3..1e7 --use-device: rated power of one device
use_bandwidth_gb_per_s [GB/s] log 1e-6..1e9 --use-device: bandwidth of the memory of one device
use_peak_flops [FLOP/s] log 1e6..1e21 --use-device: dense 16-bit peak of one device that serves
use_memory_factor log 1e-3..1e3 --specs: share of rated power over share of bandwidth reached
use_compute_factor log 1e-3..1e3 --specs: share of rated power over share of peak reached, in use
use_waiting_time_s [s] log 1e-12..1e3 --specs: time each device waits per generated token
use_cache_bytes [B] log 1..1e9 --specs: keys and values of a token at 1e9 active parameters
use_energy_factor log 1e-3..1e3 --use-energy-factor:
    measured energy of a token over the modelled one
use_site_factor log_excess 1..100 --use-site-factor:
    serving devices with hosts and idle reserve over the busy devices
""")

TERMS: dict[str, Term] = INPUTS | OUTPUTS | ASKED | USED

#: Stages of the chain, in its order: each may be given, and may follow from what comes before it.
STAGES: tuple[str, ...] = (
    "training_flop", "executed_flop", "mfu", "device_hours", "wall_clock_days",
    "device_energy_kwh", "host_energy_kwh", "it_energy_kwh", "energy_kwh",
    "operational_kgco2e", "embodied_kgco2e", "total_kgco2e",
)  # fmt: skip

#: `results` of the JSON, in order; `parts_kgco2e` follows them.
RESULTS: tuple[str, ...] = (
    "training_flop", "executed_flop", "eu_training_compute_flop", "utilisation",
    "device_hours", "wall_clock_days",
    "device_energy_kwh", "host_energy_kwh", "it_energy_kwh", "energy_kwh",
    "operational_kgco2e", "embodied_kgco2e", "total_kgco2e", "project_kgco2e",
    "water_onsite_l", "water_offsite_l", "water_l",
    "market_kgco2e", "offsets_kgco2e", "device_cost", "electricity_cost", "ewaste_kg",
    "storage_energy_kwh", "storage_kgco2e", "transfer_energy_kwh", "transfer_kgco2e",
)  # fmt: skip

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
