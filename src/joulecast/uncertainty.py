"""From what is known of a number to numbers.

A score picks a value; a table of scores is the sample.

A datum is (low, value, high): its 5 %, 50 % and 95 % points.  A standard-normal score z picks

    g(x) = g(value) + z / z95 * (g(high) - g(value) if z >= 0 else g(value) - g(low))

with g the scale of the quantity (log, logit, log of x - 1, linear), so it never crosses itself.
What has longer tails than a normal (HEAVY_TAILED) takes the score of a Student's t instead, at the
same three points.
Everything is the same call with other scores: all zero is the nominal run, the shipped table is
the sample, one score moved is a tornado bar or a share of the variance, and two options read the
same column for the unknowns they share.  There is no random number at run time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from io import SEEK_END, FileIO
from math import erfc, sqrt
from pathlib import Path
from typing import Literal, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from joulecast import scales, units
from joulecast.arrays import Array, Numbers
from joulecast.terms import TERMS, Term

Basis = Literal["published", "measured", "derived", "assumed", "given"]

#: The table of scores, and the draws in a column of it.
SCORES = Path(__file__).with_name("scores.npy")
DRAWS = 4096

#: Standard-normal quantile of 0.95.
Z95 = 1.6448536269514722

#: Its quantile of 0.9: an 80 % range ends there.
Z80 = 1.2815515655446004

#: The levels every result is given at.
LEVELS = (0.05, 0.10, 0.50, 0.90, 0.95)

#: Half the base of the triangle over the sorted draws around a level, as a share of the draws.
SMOOTHED = 1 / 128

#: Columns of the score table: whose scores each quantity reads.  Only ever append: a column's
#: draws never change, so neither do the answers that use it.  Large variances come first, where
#: a Sobol sequence is most even.  An idle column is not read: it lies too near an earlier one.
COLUMNS = (
    "utilisation", "grid_gco2e_per_kwh", "device_power_w", "pue", "flop_per_param_token",
    "host_power_w", "goodput", "lifetime_years", "device_embodied_kgco2e", "host_embodied_kgco2e",
    "network_share", "precision_speedup", "wue_l_per_kwh", "water_factor_l_per_kwh",
    "network_embodied_share", "tokens", "params", "active_params", "training_flop", "mfu", "hfu",
    "mfu_fp8", "tokens_per_second_per_device", "peak_flops", "device_hours", "wall_clock_days",
    "device_energy_kwh", "host_energy_kwh", "it_energy_kwh", "energy_kwh", "operational_kgco2e",
    "embodied_kgco2e", "recompute_factor", "executed_flop", "device_count", "peak_flops_fp8",
    "water_onsite_l", "water_offsite_l", "trainable_params", "project_factor", "use_batch",
    "use_energy_factor", "use_site_factor", "use_tokens_per_year", "use_requests_per_year",
    "use_output_tokens", "use_prompt_tokens", "building_embodied_share", "forward_flop_per_token",
    "total_kgco2e", "water_l", "demand_tokens", "idle_1", "serving_ratio", "scaling_law_1",
    "scaling_law_2", "scaling_law_3", "scaling_law_4", "scaling_law_5", "idle_2",
    "scaling_law_split", "scaling_law_level", "fleet_utilisation", "devices_charged", "idle_3",
    "idle_4", "onsite_share", "onsite_gco2e_per_kwh", "idle_5", "market_gco2e_per_kwh", "idle_6",
    "hardware_mass_kg", "offsets_kgco2e", "price_per_device_hour", "price_per_kwh", "use_years",
    "use_cache_bytes", "use_memory_factor", "use_compute_factor", "idle_7", "use_waiting_time_s",
    "use_device_count", "use_bytes_per_param", "use_rated_power_w", "use_bandwidth_gb_per_s",
    "use_peak_flops", "utilisation_default", "storage_tb", "storage_months", "storage_copies",
    "storage_w_per_tb", "storage_embodied_kgco2e_per_tb", "transfer_tb", "transfer_kwh_per_gb",
    "idle_8", "project_search", "project_ablations", "project_failed_runs", "project_evaluation",
    "project_data_preparation", "idle_9", "project_post_training", "global_batch_tokens", "layers",
    "layer_overhead_s", "idle_10", "idle_11", "large_step_utilisation", "idle_12",
    "large_step_mfu", "full_power_utilisation", "idle_power_share", "idle_13", "padding_factor",
    "pass_overhead_s", "pass_tokens", "generation_share", "startup_s", "answer_tokens",
    "prompt_tokens", "idle_14", "idle_15", "model_passes", "idle_16", "idle_17",
    "adapter_params", "real_tokens", "prompts", "answers_per_prompt", "iterations",
    "attention_flop_per_token",
)  # fmt: skip

#: Unknowns ``<name>.<case>`` whose errors have a sharper peak and longer tails than a normal -> the
#: column that holds the scores of their role with such tails (docs/decisions/0008).
HEAVY_TAILED = {"assumption.utilisation": "utilisation_default"}

#: Quantities that read the column of another: the same ignorance under another name.
READ_AS = {"device_power_full_w": "device_power_w"}

#: Columns of scores with longer tails -> the column of the same draws as normal scores.
NORMAL_OF = {"utilisation_default": "utilisation"}

#: 95 % point of Student's t with 4 degrees of freedom.
T95 = 2.1318467863266499

#: Its 90 % point: an 80 % range ends there.
T90 = 1.5332062737131438

#: Where scores with longer tails end, one draw in 700: without an end their exponential has no
#: mean, and no run took more than some ten times what is forecast.
FARTHEST = 6.0


class Datum(NamedTuple):
    """One number of a plan: what it is, how far it may be off, whose ignorance it is and why.

    `name` is the role in the chain, `unknown` whose ignorance it is (``h100-sxm.power``): options
    that name the same unknown share its draws.  Without low and high the number is exact.
    `common` is the share of its variance in common with other unknowns of the role.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    unknown: str = ""
    basis: Basis = "given"
    source: str = ""
    note: str = ""
    given: bool = False
    common: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether it has no range."""
        return self.low is None or self.high is None

    @property
    def levels(self) -> tuple[float, float, float]:
        """Value, low and high; all three the same where it is exact."""
        if self.low is None or self.high is None:
            return self.value, self.value, self.value
        return self.value, self.low, self.high


def pick(datum: Datum, z: Array) -> Array:
    """Values of a datum at standard-normal scores `z`, in base units."""
    return _pick(datum, heavy_tailed(z) if _column_name(datum) in NORMAL_OF else z)


def heavy_tailed(z: Array) -> Array:
    """Scores of Student's t with 4 degrees of freedom at normal scores, level at 5, 50 and 95 %.

    With p = Phi(z): t = sign(z) 2 sqrt(cos(arccos(sqrt(a)) / 3) / sqrt(a) - 1), a = 4 p (1 - p)
    (Shaw 2006, J. Comput. Finance 9(4)), over its 95 % point and times the normal one; cut at
    FARTHEST.

    >>> heavy_tailed(np.array([0.0, Z95, 3.0])).round(3)
    array([0.   , 1.645, 5.108])
    """
    flat = np.abs(z).ravel() / sqrt(2)
    # A list of Python's floats: erfc takes them five times quicker than numpy's.
    tails = np.fromiter(map(erfc, flat.tolist()), float, flat.size)
    tail = np.maximum(0.5 * tails, 1e-300).reshape(z.shape)
    root = np.sqrt(4 * tail * (1 - tail))
    size = 2 * np.sqrt(np.maximum(np.cos(np.arccos(root) / 3) / root - 1, 0.0))
    scores: Array = np.sign(z) * np.minimum(size * (Z95 / T95), FARTHEST)
    return scores


def _column_name(datum: Datum) -> str:
    """Whose scores a datum reads."""
    name = READ_AS.get(datum.name, datum.name)
    return HEAVY_TAILED.get(datum.unknown.rpartition(".")[0], name)


def _pick(datum: Datum, z: Array) -> Array:
    """Values of a datum at scores of its own column, in base units."""
    if datum.low is None or datum.high is None:
        return np.full_like(z, datum.value * units.factor(TERMS[datum.name].unit))
    levels = np.array([datum.value, datum.low, datum.high])
    return pick_each(TERMS[datum.name], levels, z)


def pick_each(term: Term, levels: Array, z: Array) -> Array:
    """Values of a quantity at scores `z` in base units, for one datum or for many.

    `levels` holds value, low and high along its first axis; its other axes broadcast with `z`.
    """
    middle, low, high = scales.scaled(term.scale, levels)
    steps = z * (1 / Z95)
    # Each side by itself: quicker than choosing one for every draw.
    above, below = np.maximum(steps, 0.0), np.minimum(steps, 0.0)
    x = above * (high - middle)
    x += below * (middle - low)
    x += middle
    x = scales.unscaled(term.scale, x)
    np.clip(x, term.lower, term.upper, out=x)
    x *= units.factor(term.unit)
    return x


def nominal(ledger: Mapping[str, Datum]) -> dict[str, Numbers]:
    """Every number at its median, in base units."""
    return {
        name: np.float64(datum.value * units.factor(TERMS[name].unit))
        for name, datum in ledger.items()
    }


def sample(ledger: Mapping[str, Datum]) -> dict[str, Numbers]:
    """Every number at the shipped scores: arrays where there is a range, floats where not."""
    return paired([ledger])[0]


def paired(
    ledgers: Sequence[Mapping[str, Datum]], also: Sequence[Mapping[str, Datum]] = ()
) -> list[dict[str, Numbers]]:
    """Numbers of several options, draw by draw from the same causes (`scores_of`).

    `also`, the last of the numbers, are drawn with them and change the draws of none.
    """
    drawn = scores_of(ledgers, also)
    return [_at(ledger, drawn) for ledger in (*ledgers, *also)]


def scores_of(
    ledgers: Sequence[Mapping[str, Datum]], also: Sequence[Mapping[str, Datum]] = ()
) -> dict[str, Array]:
    """Scores [draw] of every unknown of several options.

    An unknown that all options share reads its role's own column.  Unknowns that take turns in a
    role (the power of one device, of another) read that column each in an order of its own, which
    follows from the name of the unknown alone: neither the order of the options nor what else is
    compared changes it.  What of an unknown is in common (`Datum.common`) stays so.
    """
    every = [*ledgers, *also]
    turns = _turns(ledgers)
    turns_in_all = _turns(every) if also else turns
    apart = {unknown for those in turns.values() if len(those) > 1 for unknown in those}
    apart |= {
        unknown
        for name, those in turns_in_all.items()
        if len(those) > 1
        for unknown in those - turns.get(name, set())
    }
    columns = columns_of(datum for ledger in every for datum in ledger.values())
    common = {datum.unknown: datum.common for ledger in every for datum in ledger.values()}
    with SCORES.open("rb", buffering=0) as file:
        return {
            unknown: _apart(unknown, index, common[unknown], file)
            if unknown in apart
            else _column(index, file)
            for unknown, index in columns.items()
        }


class Shared:
    """Scores of the unknowns of many ledgers that are met one by one, as `scores_of` gives them.

    Each ledger is met once before any is drawn, so that all know what takes turns.
    """

    def __init__(self) -> None:
        self._turns: dict[str, set[str]] = {}
        self._columns: dict[str, int] = {}
        self._common: dict[str, float] = {}
        self._scores: dict[str, Array] = {}

    def meet(self, ledger: Mapping[str, Datum]) -> None:
        """Take note of the unknowns of a ledger."""
        for unknown, index in columns_of(ledger.values()).items():
            self._columns[unknown] = min(self._columns.get(unknown, index), index)
        for role, unknowns in _turns([ledger]).items():
            self._turns.setdefault(role, set()).update(unknowns)
        for datum in ledger.values():
            self._common[datum.unknown] = datum.common

    def numbers(self, ledger: Mapping[str, Datum]) -> dict[str, Numbers]:
        """Numbers of a ledger, draw by draw from the same causes as those of all others."""
        unknowns = dict.fromkeys(one.unknown for one in ledger.values() if not one.exact)
        missing = [unknown for unknown in unknowns if unknown not in self._scores]
        if missing:
            apart = {one for those in self._turns.values() if len(those) > 1 for one in those}
            with SCORES.open("rb", buffering=0) as file:
                for unknown in missing:
                    index = self._columns[unknown]
                    self._scores[unknown] = (
                        _apart(unknown, index, self._common[unknown], file)
                        if unknown in apart
                        else _column(index, file)
                    )
        return _at(ledger, self._scores)


def _turns(ledgers: Sequence[Mapping[str, Datum]]) -> dict[str, set[str]]:
    """Role -> the unknowns that take turns in it."""
    found: dict[str, set[str]] = {}
    for ledger in ledgers:
        for datum in ledger.values():
            if not datum.exact:
                found.setdefault(datum.name, set()).add(datum.unknown)
    return found


def _at(ledger: Mapping[str, Datum], drawn: Mapping[str, Array]) -> dict[str, Numbers]:
    """Numbers of a ledger at the scores of its unknowns."""
    return {
        name: np.float64(datum.value * units.factor(TERMS[name].unit))
        if datum.exact
        else _pick(datum, drawn[datum.unknown])
        for name, datum in ledger.items()
    }


def _column(index: int, file: FileIO) -> Array:
    """A row of `scores`, read by itself: quicker than to map the file for a few of them."""
    file.seek((index - len(COLUMNS)) * DRAWS * 4, SEEK_END)
    column: Array = np.frombuffer(file.read(DRAWS * 4), "<f4").astype(np.float64)
    return column


def _apart(unknown: str, index: int, common: float, file: FileIO) -> Array:
    """Scores of an unknown that differs between options, its variance in `common` in part."""
    normal = NORMAL_OF.get(COLUMNS[index])
    column = _column(index if normal is None else COLUMNS.index(normal), file)
    drawn: Array = sqrt(common) * column + sqrt(1 - common) * column[_order(unknown)]
    return drawn if normal is None else heavy_tailed(drawn)


def _order(unknown: str) -> NDArray[np.intp]:
    """An order of the draws that follows from a name: by a hash of name and draw.

    The hash is the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
    """
    draws = np.arange(DRAWS, dtype=np.uint64)
    key = (draws + np.uint64(crc32(unknown.encode()))) * np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    order: NDArray[np.intp] = np.argsort(key ^ (key >> np.uint64(31)), kind="stable")
    return order


def probability_lowest(outcomes: Array) -> Array:
    """Share of the draws in which each option is the lowest, from `outcomes` [option, draw].

    Options level to twelve digits share the draw, so the probabilities sum to 1.

    >>> probability_lowest(np.array([[1.0, 2.0], [1.0, 3.0]]))
    array([0.75, 0.25])
    """
    lowest = outcomes <= outcomes.min(axis=0) * (1 + 1e-12)
    shares: Array = (lowest / lowest.sum(axis=0)).mean(axis=1)
    return shares


def spread_if_known(spread: float, share: float) -> float:
    """What a range [ratio of its end to its middle] becomes when one input is known exactly.

    With S the input's share of the log-variance, ln(spread) shrinks by sqrt(1 - S); exact where
    the logarithm of the outcome is normal.

    >>> round(spread_if_known(1.75, 0.60), 2)
    1.42
    """
    return float(spread ** sqrt(max(0.0, 1 - share)))


def causes_of(ledgers: Sequence[Mapping[str, Datum]]) -> list[tuple[str, str]]:
    """What has a range in any of the ledgers, as (role, unknown), each once."""
    return list(
        dict.fromkeys(
            (datum.name, datum.unknown)
            for ledger in ledgers
            for datum in ledger.values()
            if not datum.exact
        )
    )


def labels_of(causes: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Causes by their role, and where several take turns in it by their own name too.

    >>> list(labels_of([("pue", "pue.aws"), ("grid", "fr"), ("grid", "pl")]).values())
    ['pue', 'grid (fr)', 'grid (pl)']
    """
    roles = [role for role, _ in causes]
    return {
        (role, unknown): role if roles.count(role) == 1 else f"{role} ({unknown})"
        for role, unknown in causes
    }


def one_at_a_time(
    ledgers: Sequence[Mapping[str, Datum]],
) -> tuple[list[tuple[str, str]], list[dict[str, Numbers]]]:
    """Numbers of several ledgers with one unknown moved per row, in all of them at once.

    Returns the causes as (role, unknown) and, for each ledger, arrays [cause, node].
    """
    causes = causes_of(ledgers)
    nodes, _ = _nodes()
    moved: list[dict[str, Numbers]] = []
    for ledger in ledgers:
        numbers: dict[str, Numbers] = dict(nominal(ledger))
        for row, (name, unknown) in enumerate(causes):
            datum = ledger.get(name)
            if datum is not None and not datum.exact and datum.unknown == unknown:
                values = np.full((len(causes), nodes.size), numbers[name])
                values[row] = pick(datum, nodes)
                numbers[name] = values
        moved.append(numbers)
    return causes, moved


def shares_of_variance(outcome: Array) -> Array:
    """First-order shares of the variance of ln(outcome), from `outcome` at one_at_a_time.

    The inputs being independent and the chain nearly a product, the shares of the inputs alone
    explain all of it; they are scaled to sum to 1.
    """
    _, weights = _nodes()
    logs = np.log(outcome)
    means = logs @ weights
    variances: Array = ((logs - means[:, None]) ** 2) @ weights
    total = float(variances.sum())
    return variances / total if total > 0 else variances


def quantiles(draws: Array | list[Array], levels: Sequence[float] = LEVELS) -> Array:
    """Values at `levels` along the last axis of `draws`; rows may be many, or a list.

    Each is a mean of the sorted draws around it, weighted by a triangle: an order statistic alone
    jumps as the draws change places, twice as far as this mean (docs/method/uncertainty.md).
    """
    rows = draws if isinstance(draws, list) else [draws]
    first, weights = _around(rows[0].shape[-1], tuple(levels))
    near = first[:, None] + np.arange(weights.shape[1])
    around = [np.sort(row, axis=-1)[..., near] for row in rows]
    windows = np.stack(around) if isinstance(draws, list) else around[0]
    # From one of them, so that draws that are all the same give exactly that.
    one = windows[..., 0]
    points: Array = one + np.einsum("...ij,ij->...i", windows - one[..., None], weights)
    return points


@cache
def _around(count: int, levels: tuple[float, ...]) -> tuple[NDArray[np.intp], Array]:
    """First of the sorted draws that count for each level, and the weights from there on."""
    half = int(count * SMOOTHED)
    rising = np.arange(1.0, half + 2)
    triangle = np.concatenate([rising, rising[-2::-1]])
    triangle /= triangle.sum()
    position = np.clip(np.array(levels) * count - 0.5, half, max(half, count - 1 - half))
    below = np.minimum(np.floor(position).astype(int), max(0, count - 2 - half))
    share = (position - below)[:, None]
    weights = np.zeros((len(levels), min(count, 2 * half + 2)))
    weights[:, : triangle.size] += (1 - share) * triangle
    weights[:, weights.shape[1] - triangle.size :] += share * triangle
    return below - half, weights


def columns_of(data: Iterable[Datum]) -> dict[str, int]:
    """Column of the score table for each unknown: that of its role, the first where it has two."""
    columns: dict[str, int] = {}
    for datum in data:
        if not datum.exact:
            own = COLUMNS.index(_column_name(datum))
            columns[datum.unknown] = min(columns.get(datum.unknown, own), own)
    return columns


@cache
def scores() -> NDArray[np.float32]:
    """The shipped table of standard-normal scores [column, draw], from a scrambled Sobol set.

    Made by tools/build_scores.py; 4,096 draws of each column, read from the file as they are used.
    """
    table: NDArray[np.float32] = np.asarray(np.load(SCORES, mmap_mode="r"))
    return table


@cache
def _nodes() -> tuple[Array, Array]:
    """Nodes and weights of a 16-point Gauss-Hermite rule for the standard normal.

    Numbers from Abramowitz and Stegun 1964, table 25.10 (positive half), rescaled.
    """
    half = np.array(
        [
            [0.27348104613815245, 0.5079294790166137],
            [0.8229514491446559, 0.2806474585285337],
            [1.3802585391988808, 0.08381004139898583],
            [1.9517879909162540, 0.012880311535509974],
            [2.5462021578474814, 0.0009322840086241805],
            [3.1769991619799560, 2.7118600925378815e-05],
            [3.8694479048601225, 2.3209808448652107e-07],
            [4.6887389393058184, 2.654807474011182e-10],
        ]
    )
    points = np.sqrt(2.0) * half[:, 0]
    weights = half[:, 1] / np.sqrt(np.pi)
    return np.concatenate([-points[::-1], points]), np.concatenate([weights[::-1], weights])
