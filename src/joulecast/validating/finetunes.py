"""Published speeds of fine-tunes: what large passes reach, what a pass costs, what software does.

A family is the tables of one publisher.  The law is that of the chain, utilisation_of_passes; what
is fitted are its constants, each pulled to a value judged beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from joulecast.answers.transfer import FineTunes
from joulecast.arrays import Array
from joulecast.compute import attention_share
from joulecast.performance import utilisation_of_passes
from joulecast.resolve.finetune import (
    USUAL_PASS_TOKENS,
    bytes_of_base,
    has_slow_links,
    passes_of,
)
from joulecast.resolve.shares import layers_of, tuned_share
from joulecast.uncertainty import Z80, Z95

if TYPE_CHECKING:
    from joulecast.data.library import Library


class Constant(NamedTuple):
    """A constant of the law: where its ln is pulled to, and how strongly."""

    prior: float
    sd: float


#: Constants of the law -> what they are pulled to; judged before the fit.
CONSTANTS: dict[str, Constant] = {
    "of_tuned": Constant(0.60, 0.30),
    "framework.ordinary": Constant(0.80, 0.30),
    "method.lora": Constant(0.90, 0.20),
    "method.qlora": Constant(0.90, 0.25),
    "kind.moe": Constant(0.50, 0.50),
    "kind.encoder": Constant(1.00, 0.30),
    "desk": Constant(1.20, 0.30),
    "layer_pass_s": Constant(5e-3, 0.70),
    "layer_pass_of_ordinary": Constant(1.00, 0.50),
    "unpacked_bytes": Constant(12.0, 0.70),
    "slow_link_s_per_byte": Constant(2.5e-10, 0.70),
    "padding": Constant(1.90, 0.40),
}

#: Standard deviation, ln, of a row around its family, and how much of a family one row is.
ROW, SAME = 0.35, 0.5

#: Methods scored here; where the model generates what it learns from is told apart.
METHODS = ("full", "lora", "qlora")


class Step(NamedTuple):
    """A published speed: ln of the utilisation reached, and what the law needs to forecast it."""

    id: str
    family: str
    method: str
    reached: float
    share: float
    flop: float
    peak: float
    layers: float
    pass_tokens: float
    unpacked: float
    gathered: float
    ordinary: bool
    moe: bool
    encoder: bool
    desk: bool
    padded: bool


def steps(library: Library, methods: Sequence[str] = METHODS) -> list[Step]:
    """Published speeds by these methods."""
    rows = library.benchmark("finetunes")
    return [_step(name, row, library) for name, row in rows.items() if row["method"] in methods]


def _step(name: str, row: Mapping[str, str], library: Library) -> Step:
    device = library.device(row["device"]).device
    peak = device.peak("bf16")
    assert peak is not None  # the table has none of the others
    active, params = float(row["active_params"]), float(row["params"])
    method, encoder = row["method"], row["arch"] == "encoder"
    length = float(row["seq_len"] or 0)
    per_token = library.default("attention_share").value
    attention = float(attention_share(active, length, per_token)) * (2 if encoder else 1)
    passes = passes_of(method)
    flop = 2 * passes * active + 6 * active * attention
    gain = 1.0
    if row["precision"] == "fp8":
        own = device.precision_speedup.get("fp8")
        gain = (own or library.default("precision_speedup.fp8")).value
    reached = flop * float(row["tokens_per_s_per_device"]) / (peak.value * 1e12 * gain)
    samples = float(row["micro_batch"] or 1)
    bandwidth = device.memory_bandwidth_gb_per_s
    moved = 1 / ((bandwidth.value if bandwidth else 2000.0) * 1e9)
    several = int(row["device_count"] or 1) > 1
    slow = several and has_slow_links(device)
    quantised = row["precision"] == "nf4"
    return Step(
        name,
        row["family"],
        method,
        math.log(reached),
        tuned_share(library, device).value,
        flop,
        peak.value * 1e12 * gain,
        layers_of(library, active).value,
        samples * (length or USUAL_PASS_TOKENS),
        quantised * params * moved,
        slow * params * bytes_of_base("nf4" if quantised else "bf16"),
        row["stack"] == "ordinary",
        row["arch"] == "moe",
        encoder,
        device.form_factor in ("desktop", "laptop"),
        row["data"] == "padded",
    )


Constants = Mapping[str, float]


def forecast(step: Step, of: Constants) -> float:
    """Expected ln of the utilisation of a step."""
    large = step.share * of["of_tuned"]
    if step.method != "full":
        large *= of["method.lora"]
    for applies, name in (
        (step.ordinary, "framework.ordinary"),
        (step.method == "qlora", "method.qlora"),
        (step.moe, "kind.moe"),
        (step.encoder, "kind.encoder"),
        (step.desk, "desk"),
    ):
        large *= of[name] if applies else 1.0
    layer = of["layer_pass_s"] * (of["layer_pass_of_ordinary"] if step.ordinary else 1.0)
    overhead = (
        step.layers * layer
        + step.unpacked * of["unpacked_bytes"]
        + step.gathered * of["slow_link_s_per_byte"]
    )
    reached = utilisation_of_passes(
        large, 1.0, overhead, step.flop, 1.0, step.pass_tokens, step.peak
    )
    return math.log(float(reached) / (of["padding"] if step.padded else 1.0))


def fit(rows: Sequence[Step]) -> dict[str, float]:
    """Constants by least squares, those of few families near what they are pulled to."""
    from scipy.optimize import least_squares

    names = list(CONSTANTS)
    around = np.array([math.log(CONSTANTS[name].prior) for name in names])
    room = np.array([CONSTANTS[name].sd for name in names])
    families = [row.family for row in rows]
    # Rows of one family say half the same: it never counts for more than two.
    counts = {family: families.count(family) for family in families}
    weight = np.array([1 / math.sqrt(SAME * counts[f] + 1 - SAME) for f in families]) / ROW

    def off(logs: Array) -> Array:
        of = dict(zip(names, np.exp(logs).tolist(), strict=True))
        errors = np.array([forecast(row, of) - row.reached for row in rows])
        return np.concatenate([errors * weight, (logs - around) / room])

    found = least_squares(off, around, loss="soft_l1", f_scale=2.0).x
    return dict(zip(names, np.exp(found).tolist(), strict=True))


def left_out(rows: Sequence[Step], told: bool = True) -> dict[str, float]:
    """Forecast over reached utilisation, ln, of each row by a fit that never saw its family.

    Unless `told`, nobody says the framework and how many samples a pass takes.
    """
    errors: dict[str, float] = {}
    for family in dict.fromkeys(row.family for row in rows):
        of = fit([row for row in rows if row.family != family])
        for row in rows:
            if row.family == family:
                errors[row.id] = (forecast if told else _untold)(row, of) - row.reached
    return errors


def _untold(step: Step, of: Constants) -> float:
    """Expected ln of the utilisation where nobody says the framework nor the pass."""
    usual = step._replace(pass_tokens=USUAL_PASS_TOKENS)
    return (
        forecast(usual._replace(ordinary=True), of) + forecast(usual._replace(ordinary=False), of)
    ) / 2


def spread(rows: Sequence[Step], errors: Mapping[str, float]) -> float:
    """Standard deviation of ln(utilisation) of a fine-tune by somebody's own software.

    The 80 % point of left-out errors, families of one weight, as of a normal distribution.
    """
    found = by_family(rows, errors)
    sizes = np.concatenate([np.abs(own) for own in found.values()])
    weights = np.concatenate([np.full(len(own), 1 / len(own)) for own in found.values()])
    order = np.argsort(sizes)
    reached = np.cumsum(weights[order]) / np.sum(weights)
    return float(np.interp(0.8, reached, sizes[order])) / Z80


def by_family(rows: Iterable[Step], errors: Mapping[str, float]) -> dict[str, list[float]]:
    """Errors of the rows of each family."""
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row.family, []).append(errors[row.id])
    return found


NOTES = {
    "fine_tune.of_tuned": "share of what a tuned training can use that large passes reach: full "
    "fine-tuning of dense decoders, frameworks with kernels of their own",
    "fine_tune.method.lora": "LoRA over full fine-tuning, each on its own FLOP: 4 N + 6 N_adapter "
    "and 6 N",
    "fine_tune.method.qlora": "a 4-bit base over LoRA, unpacking apart",
    "fine_tune.method.grpo": "median of 19 published steps, training part of them",
    "fine_tune.method.ppo": "median of 24 published jobs, training part of them",
    "fine_tune.kind.moe": "mixtures of experts over dense decoders; ends judged",
    "fine_tune.kind.encoder": "encoders over dense decoders",
    "fine_tune.desk": "cards for desktops over their share of peak, which is of their class",
    "fine_tune.framework.ordinary": "general libraries over frameworks with kernels of their own",
    "fine_tune.framework.unknown": "nobody said the framework: midway, from one to the other",
    "fine_tune.layer_pass_s": "time that each layer adds to a forward and backward pass; a factor "
    "of 2 either way, judged",
    "fine_tune.layer_pass_of.ordinary": "general libraries over frameworks with kernels of their "
    "own",
    "fine_tune.layer_pass_of.unknown": "nobody said the framework: midway",
    "fine_tune.unpacked_bytes": "bytes of memory traffic for each 4-bit weight and pass",
    "fine_tune.slow_link_s_per_byte": "for each byte of the weights and pass, where several "
    "devices share them over the host's bus",
    "fine_tune.spread": "of somebody's own software around what is forecast: 80 % of the errors "
    "of left-out families, as of a normal distribution; 5 and 95 % points",
    "padding_factor.to_longest": "padded over real tokens where a batch is filled to its longest "
    "sample; ends are published gains of packing",
}
SOURCE = "joulecast-finetune-fit"


def figures(library: Library) -> dict[str, dict[str, float | str]]:
    """The defaults as hardware_specs/fine_tuning.toml holds them."""
    rows = steps(library)
    of = fit(rows)
    sd = spread(rows, left_out(rows))
    ordinary, layer = of["framework.ordinary"], of["layer_pass_of_ordinary"]
    values: dict[str, tuple[float, ...]] = {
        "fine_tune.of_tuned": (of["of_tuned"],),
        "fine_tune.method.lora": (of["method.lora"],),
        "fine_tune.method.qlora": (of["method.qlora"],),
        "fine_tune.method.grpo": (rollouts(library, of, "grpo"),),
        "fine_tune.method.ppo": (rollouts(library, of, "ppo"),),
        "fine_tune.kind.moe": (of["kind.moe"], of["kind.moe"] / 2, of["kind.moe"] * 1.7),
        "fine_tune.kind.encoder": (of["kind.encoder"],),
        "fine_tune.desk": (of["desk"],),
        "fine_tune.framework.ordinary": (ordinary,),
        "fine_tune.framework.unknown": (math.sqrt(ordinary), ordinary, 1.0),
        "fine_tune.layer_pass_s": (
            of["layer_pass_s"],
            of["layer_pass_s"] / 2,
            of["layer_pass_s"] * 2,
        ),
        "fine_tune.layer_pass_of.ordinary": (layer,),
        "fine_tune.layer_pass_of.unknown": (
            math.sqrt(layer),
            min(1.0, layer),
            max(1.0, layer),
        ),
        "fine_tune.unpacked_bytes": (of["unpacked_bytes"],),
        "fine_tune.slow_link_s_per_byte": (of["slow_link_s_per_byte"],),
        "fine_tune.spread": (1.0, math.exp(-Z95 * sd), math.exp(Z95 * sd)),
        "padding_factor.to_longest": (of["padding"], 1.3, 3.4),
    }
    return {
        name: {
            **dict(zip(("value", "low", "high"), points, strict=False)),
            "basis": "derived",
            "source": SOURCE,
            "note": NOTES[name],
        }
        for name, points in values.items()
    }


def rollouts(library: Library, of: Constants, method: str) -> float:
    """Training part of published steps with generation, over what full fine-tuning would reach.

    The steps hold generation by the default share, and the passes that the method adds.
    """
    passes = 3 + library.default(f"fine_tune.extra_passes.{method}").value
    training = 1 - library.default("fine_tune.generation_share").value
    found = []
    for name, row in library.benchmark("finetunes").items():
        if row["method"] == method:
            samples = {"data": "packed", "method": "full", "seq_len": "4096", "micro_batch": "1"}
            step = _step(name, {**row, **samples}, library)
            by_passes = math.log(passes / 3 / training)
            found.append(step.reached + by_passes - forecast(step, of))
    return math.exp(float(np.median(found)))


def scores(library: Library) -> list[FineTunes]:
    """How well fine-tunes are forecast: all, and by method; each family left out."""
    rows = steps(library)
    errors, plain = left_out(rows), left_out(rows, told=False)
    wide = {
        family: Z80 * spread([row for row in rows if row.family != family], errors)
        for family in dict.fromkeys(row.family for row in rows)
    }
    groups = {"all": rows} | {m: [row for row in rows if row.method == m] for m in METHODS}
    return [_score(name, own, errors, plain, wide) for name, own in groups.items()]


def _score(
    name: str,
    rows: Sequence[Step],
    errors: Mapping[str, float],
    plain: Mapping[str, float],
    wide: Mapping[str, float],
) -> FineTunes:
    found = by_family(rows, errors)
    inside = [abs(errors[row.id]) <= wide[row.family] for row in rows]
    # A forecast of utilisation too high is one of hours too low.
    return FineTunes(
        name,
        len(rows),
        len(found),
        _typical(found),
        math.exp(-float(np.median([np.mean(own) for own in found.values()]))),
        float(np.mean(inside)),
        _typical(by_family(rows, plain)),
        _after_a_step(rows, errors),
    )


def _typical(found: Mapping[str, Sequence[float]]) -> float:
    """Typical factor, families of one weight."""
    return math.exp(float(np.mean([np.mean(np.abs(own)) for own in found.values()])))


def _after_a_step(rows: Sequence[Step], errors: Mapping[str, float]) -> float:
    """Typical factor where another row of the family, device and method has been measured."""
    groups: dict[tuple[str, float, str], list[float]] = {}
    for row in rows:
        groups.setdefault((row.family, row.peak, row.method), []).append(errors[row.id])
    found: dict[str, list[float]] = {}
    for (family, _, _), own in groups.items():
        for k, error in enumerate(own):
            others = [abs(error - other) for i, other in enumerate(own) if i != k]
            if others:
                found.setdefault(family, []).append(float(np.mean(others)))
    return _typical(found)
