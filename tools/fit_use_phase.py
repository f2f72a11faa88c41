"""Fit the energy of generating a token to measured servings, and write what the package reads.

    python tools/fit_use_phase.py TABLE.csv

TABLE.csv has a row per model, task, device and batch: model, task, gpu, n_gpus, weight_precision,
total_params_b, active_params_b, mean_batch_size, mean_output_tokens, joules_per_output_token.  It
was made from the public files of the ML.ENERGY Leaderboard, version 3, which state no licence: the
table is neither shipped nor needed by the package, its tests or its builds.

Writes hardware_specs/use_phase.toml and the tables of docs/decisions/0013.  Models of one size are
left out together, so that a precision or a fine-tune never forecasts its own sibling.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import typer
from build_docs import between
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import least_squares

from joulecast import use_phase
from joulecast.data.library import Library
from joulecast.uncertainty import Z95

ROOT = Path(__file__).parents[1]
OUT = ROOT / "hardware_specs" / "use_phase.toml"
DECISION = ROOT / "docs" / "decisions" / "0013-energy-of-a-token.md"

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

DEVICES = {"H100": "h100-sxm", "B200": "b200-sxm"}
PRECISIONS = {"bfloat16": "bf16", "fp8": "fp8", "mxfp4": "fp4"}

#: Prompts of this task are many times as long as its answers, and not in the table: fitted.
LONG_PROMPTS = "sourcegraph-fim"

#: ln error from which a point pulls no harder: some pairs of model and device ran on young kernels.
SOFT = 0.3

#: Where the search for memory factor, compute factor, waiting time, prompt ratio and step starts.
START = np.log([1.3, 2.0, 5e-5, 10.0, 1.3])


class Servings(NamedTuple):
    """Measured servings: one element per setting."""

    model: NDArray[np.str_]
    size: NDArray[np.str_]
    mixture: Mask
    long_prompts: Mask
    blackwell: Mask
    params: Floats
    active: Floats
    bytes_per_param: Floats
    batch: Floats
    output: Floats
    devices: Floats
    power: Floats
    bandwidth: Floats
    peak: Floats
    joules: Floats

    def only(self, keep: Mask) -> Servings:
        """Those of a mask."""
        return Servings(**{name: column[keep] for name, column in self._asdict().items()})

    @property
    def weight(self) -> Floats:
        """Each model counts one, whatever the number of its settings."""
        _, where, counts = np.unique(self.model, return_inverse=True, return_counts=True)
        return np.asarray(1.0 / counts[where])


Fit = Callable[[Servings], Callable[[Servings], Floats]]
Share = Callable[[Servings], Floats]


def read(path: Path, library: Library) -> Servings:
    """Read the table and look up its devices."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    devices = [library.device(DEVICES[row["gpu"]]).device for row in rows]

    def column(name: str, scale: float = 1.0) -> Floats:
        return np.array([float(row[name]) * scale for row in rows])

    params, active = column("total_params_b", 1e9), column("active_params_b", 1e9)
    names = [PRECISIONS[row["weight_precision"]] for row in rows]
    return Servings(
        model=np.array([row["model"] for row in rows]),
        size=np.array([f"{row['total_params_b']}/{row['active_params_b']}" for row in rows]),
        mixture=active < params,
        long_prompts=np.array([row["task"] == LONG_PROMPTS for row in rows]),
        blackwell=np.array([device.device_class == "blackwell" for device in devices]),
        params=params,
        active=active,
        bytes_per_param=np.array(
            [library.default(f"use_bytes_per_param.{n}").value for n in names]
        ),
        batch=column("mean_batch_size"),
        output=column("mean_output_tokens"),
        devices=column("n_gpus"),
        power=np.array([device.tdp_w.value for device in devices if device.tdp_w]),
        bandwidth=np.array(
            [
                d.memory_bandwidth_gb_per_s.value * 1e9
                for d in devices
                if d.memory_bandwidth_gb_per_s
            ]
        ),
        peak=np.array([device.peak_tflops["bf16"].value * 1e12 for device in devices]),
        joules=column("joules_per_output_token"),
    )


def modelled(at: Servings, logs: Floats, cache: float, share: Share | None = None) -> Floats:
    """Energy per output token by the formulas of the package [J]."""
    memory, compute, waiting, prompts, step = np.exp(logs)
    fetched = use_phase.weight_bytes(at.params, at.active, at.bytes_per_param, at.batch)
    if share is not None:
        fetched = at.bytes_per_param * at.params * share(at)
    kept = use_phase.cache_bytes(at.active, use_phase.mean_context(0.0, at.output), cache)
    arithmetic = use_phase.arithmetic_energy(at.power, compute, at.active, at.peak)
    parts = use_phase.output_token_energy(
        use_phase.weights_energy(at.power, memory, fetched, at.bandwidth, at.batch),
        use_phase.cache_energy(at.power, memory, kept, at.bandwidth),
        arithmetic * np.where(at.long_prompts, 1 + prompts, 1.0),
        use_phase.waiting_energy(at.power, waiting, at.devices),
    )
    return np.asarray(parts * np.where(at.blackwell, step, 1.0), dtype=np.float64)


def fitted(at: Servings, model: Callable[[Servings, Floats], Floats], start: Floats) -> Floats:
    """Logs of the constants that fit best, models counting alike, far points pulling less."""
    root = np.sqrt(at.weight / at.weight.mean())
    target = np.log(at.joules)
    found = least_squares(
        lambda logs: (np.log(model(at, logs)) - target) * root,
        start,
        loss="soft_l1",
        f_scale=SOFT,
        bounds=(-30.0, 8.0),
    )
    return np.asarray(found.x)


def physical(cache: float, share: Share | None = None) -> Fit:
    """The shipped form, or the same with another share of the weights fetched."""

    def fit(at: Servings) -> Callable[[Servings], Floats]:
        logs = fitted(at, lambda s, x: modelled(s, x, cache, share), START)
        return lambda other: np.log(modelled(other, logs, cache, share))

    return fit


def linear(columns: Callable[[Servings], list[Floats]]) -> Fit:
    """Fit ln energy as a linear law, with steps for code completion and B200 as shipped."""

    def design(at: Servings) -> Floats:
        steps = [np.ones(len(at.joules)), at.long_prompts * 1.0, at.blackwell * 1.0]
        return np.column_stack([*steps, *columns(at)])

    def fit(at: Servings) -> Callable[[Servings], Floats]:
        root, x, y = np.sqrt(at.weight), design(at), np.log(at.joules)
        start = np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]
        loss = {"loss": "soft_l1", "f_scale": SOFT}
        found = least_squares(lambda b: (x @ b - y) * root / root.mean(), start, **loss).x
        return lambda other: design(other) @ found

    return fit


def constant(at: Servings) -> list[Floats]:
    """Joules in proportion to active parameters: the law's own constant is its level."""
    return []


def left_out(at: Servings, fit: Fit, by: str = "size") -> Floats:
    """Errors ln(modelled / measured) of each size, or each model, by a fit that never saw it."""
    errors = np.zeros(len(at.joules))
    groups = getattr(at, by)
    for group in np.unique(groups):
        mine = groups == group
        errors[mine] = fit(at.only(~mine))(at.only(mine)) - np.log(at.joules[mine])
    return errors


def per_active(fit: Fit) -> Fit:
    """A fit of energy over active parameters."""

    def wrapped(at: Servings) -> Callable[[Servings], Floats]:
        inner = fit(at._replace(joules=at.joules / at.active))
        return lambda other: inner(other) + np.log(other.active)

    return wrapped


def typical(errors: Floats, weight: Floats) -> float:
    """exp(mean |ln error|), models counting alike."""
    return float(np.exp(np.average(np.abs(errors), weights=weight)))


def sigma_of(errors: Floats, at: Servings) -> float:
    """Spread that holds 80 % of the left-out settings, models counting alike.

    Given as the standard deviation of the normal law with the same 10 % and 90 % points: a few
    servings on young kernels lie far out, and their squares would widen the range for all.
    """
    order = np.argsort(np.abs(errors))
    reached = np.cumsum(at.weight[order]) / at.weight.sum()
    return float(np.abs(errors)[order][np.searchsorted(reached, 0.8)] / stats.norm.ppf(0.9))


def inside(errors: Floats, at: Servings, sigma: float) -> tuple[int, int, float]:
    """Settings inside the 80 % range, settings, and the mean share over models."""
    hits = np.abs(errors) <= sigma * stats.norm.ppf(0.9)
    return int(hits.sum()), len(hits), float(np.average(hits, weights=at.weight))


def toml_text(logs: Floats, spreads: dict[str, float], at: Servings) -> str:
    """Text of use_phase.toml."""
    memory, compute, waiting, _, step = np.exp(logs)
    count = f"{len(np.unique(at.model))} models, {len(at.joules)} settings"
    figures: list[tuple[str, float, float | None, str]] = [
        ("use_memory_factor", memory, None, "share of rated power over share of bandwidth reached"),
        ("use_compute_factor", compute, None, "share of rated power over share of peak reached"),
        ("use_waiting_time_s", waiting, None, "seconds per token and device, at rated power"),
        ("use_generation.hopper", 1.0, None, "H100, on whose measurements the factors rest"),
        ("use_generation.blackwell", step, None, "B200: over what its peaks promise against H100"),
        *(
            (f"use_spread.{kind}", 1.0, sigma, f"{kind}: measured over modelled, sizes left out")
            for kind, sigma in spreads.items()
        ),
    ]
    lines = [
        "# Fitted by tools/fit_use_phase.py on measured servings; edit the script, not this file.",
        f"# {count}; the table is the leaderboard's and is not shipped.",
        "",
    ]
    for name, value, sigma, note in figures:
        lines += [f"[{name}]", f"value = {value:.4g}"]
        if sigma is not None:
            lines += [f"low = {np.exp(-Z95 * sigma):.4g}", f"high = {np.exp(Z95 * sigma):.4g}"]
        basis = "derived"
        lines += [f'basis = "{basis}"', 'source = "ml-energy-2025"', f'note = "{note}"', ""]
    return "\n".join(lines)


def experts_exactly(at: Servings) -> Floats:
    """Share of the weights fetched with the experts' own numbers, where they are known."""
    known = {"235": (128, 8), "30.": (128, 8), "480": (160, 8), "400": (128, 1), "109": (16, 1)}
    known["21."] = (32, 4)
    experts, chosen = np.array([known.get(size[:3], (1, 1)) for size in at.size], float).T
    share = chosen / experts
    ratio = at.active / at.params
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = np.where(at.mixture, (ratio - share) / (1 - share), 1.0)
    hit = 1 - (1 - np.minimum(share, 1 - 1e-12)) ** at.batch
    return np.asarray(shared + (1 - shared) * hit)


def rivals(cache: float) -> list[tuple[str, int, Fit]]:
    """Name, numbers fitted and fit of each form."""

    def logs(at: Servings) -> list[Floats]:
        return [np.log(at.active), np.log(at.batch)]

    return [
        ("constant energy per active parameter", 3, per_active(linear(constant))),
        ("power law in active parameters and batch", 5, linear(logs)),
        (
            "power law in active and all parameters and batch",
            6,
            linear(lambda s: [*logs(s), np.log(s.params)]),
        ),
        ("**fetching, arithmetic, waiting** (shipped)", 5, physical(cache)),
        ("the same without the cache", 5, physical(0.0)),
        ("the same with all weights fetched", 5, physical(cache, lambda s: np.ones(len(s.joules)))),
        ("the same with the numbers of experts", 5, physical(cache, experts_exactly)),
    ]


def comparison(at: Servings, cache: float) -> str:
    """Left-out errors of all forms, as a Markdown table."""
    lines = [
        "| form | numbers | typical factor | dense | mixtures | rms of ln |",
        "|---|---|---|---|---|---|",
    ]
    for name, numbers, fit in rivals(cache):
        errors = left_out(at, fit)
        kinds = [typical(errors[k], at.weight[k]) for k in (~at.mixture, at.mixture)]
        rms = np.sqrt(np.average(errors**2, weights=at.weight))
        cells = " | ".join(f"{x:.2f}" for x in (typical(errors, at.weight), *kinds, rms))
        lines.append(f"| {name} | {numbers} | {cells} |")
    return "\n".join(lines)


def coverage(at: Servings, errors: Floats, spreads: dict[str, float]) -> str:
    """Left-out points inside the stated 80 % range, as a Markdown table."""
    lines = [
        "| models | number | settings inside | share, models alike | factor at 80 % |",
        "|---|---|---|---|---|",
    ]
    kinds: Sequence[tuple[str, str, Mask]] = (
        ("dense", "dense", ~at.mixture),
        ("mixtures of experts", "moe", at.mixture),
    )
    for name, kind, keep in kinds:
        some = at.only(keep)
        hits, count, share = inside(errors[keep], some, spreads[kind])
        factor = np.exp(spreads[kind] * stats.norm.ppf(0.9))
        models = len(np.unique(some.model))
        lines.append(f"| {name} | {models} | {hits} of {count} | {share:.0%} | {factor:.2f} |")
    return "\n".join(lines)


def by_model(at: Servings, errors: Floats) -> str:
    """Median ratio and typical factor of each model, as a Markdown table."""
    lines = [
        "| model | settings | median modelled / measured | typical factor |",
        "|---|---|---|---|",
    ]
    for name in np.unique(at.model):
        mine = errors[at.model == name]
        factor = np.exp(np.abs(mine).mean())
        lines.append(f"| {name} | {len(mine)} | {np.exp(np.median(mine)):.2f} | {factor:.2f} |")
    return "\n".join(lines)


def main(table: Path) -> None:
    """Fit, write, and print what came of it."""
    library = Library.bundled()
    at = read(table, library)
    cache = library.default("use_cache_bytes").value
    errors = left_out(at, physical(cache))
    spreads = {
        kind: sigma_of(errors[keep], at.only(keep))
        for kind, keep in (("dense", ~at.mixture), ("moe", at.mixture))
    }
    logs = fitted(at, lambda s, x: modelled(s, x, cache), START)
    OUT.write_text(toml_text(logs, spreads, at), encoding="utf-8")
    for name, text in {
        "comparison": comparison(at, cache),
        "coverage": coverage(at, errors, spreads),
        "models": by_model(at, errors),
    }.items():
        DECISION.write_text(between(DECISION, name, text), encoding="utf-8")
        print(text, end="\n\n")
    print(f"typical factor, sizes left out: {typical(errors, at.weight):.3f}")
    alone = left_out(at, physical(cache), "model")
    print(f"typical factor, models left out one by one: {typical(alone, at.weight):.3f}")
    print(f"prompt tokens per token of code completion: {np.exp(logs[3]):.1f}")


if __name__ == "__main__":
    typer.run(main)
