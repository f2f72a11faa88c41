"""How well devices compare: tuned benchmark runs, each submitter left out.

A pair is two devices in one round, task and count.  Hours are taken per FLOP, since entries of one
task stop at slightly different samples, and averaged over the entries of a submitter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from joulecast import energy
from joulecast.answers.transfer import (
    DeviceValidation,
    Example,
    NodeRow,
    PairRow,
    StepRow,
    Transfer,
)
from joulecast.answers.validation import Gate
from joulecast.performance import size_factor
from joulecast.resolve.hardware import power_at_work
from joulecast.resolve.shares import ceiling_of, released, tuned_share
from joulecast.validating import finetunes, throughput
from joulecast.validating.entries import Entry, entries_of, nodes_of
from joulecast.validating.tuned import PRETRAINING, StepLaw, Tuned, without

if TYPE_CHECKING:
    from joulecast.data.library import Library

#: Gains by age and by precision that version 0.1.0 shipped.
OLD_AGE, OLD_OLDEST = 0.186, 4.0
OLD_GAINS = {"fp8": 1.25, "fp4": 1.6, "int8": 1.25}

#: Worked examples: newer, older, task, precision.
EXAMPLES = (
    ("h200-sxm", "h100-sxm", "llama2_70b_lora", "fp8"),
    ("gb200", "h100-sxm", "llama31_405b", "fp8"),
    ("gb200", "h200-sxm", "llama2_70b_lora", "fp8"),
    ("b200-sxm", "h200-sxm", "llama2_70b_lora", "fp8"),
    ("mi325x", "mi300x", "llama2_70b_lora", "fp8"),
    ("mi355x", "h200-sxm", "llama2_70b_lora", "fp8"),
    ("tpu-v5p", "h100-sxm", "gpt3", ""),
    ("gb300", "gb200", "llama31_405b", "fp4"),
    ("gb300", "gb200", "flux1", "fp8"),
    ("gaudi2", "h100-sxm", "llama2_70b_lora", "fp8"),
    ("h100-pcie", "h100-sxm", "bert", "fp8"),
)

#: Watts on the DC side of a node's power supplies over those on the AC side.
DC_OVER_AC = 0.975

PAIR_FACTOR, PAIR_MEDIAN = 1.15, (0.95, 1.05)
STEP_FACTOR, WATTS_FACTOR = 1.20, 1.06
#: Hours of fine-tunes; percent of rows in the 80 % range of a method: 70 to 90.
FINE_TUNE_FACTOR, FINE_TUNE_INSIDE = 1.55, (70.0, 90.0)


class _Pair(NamedTuple):
    """Entries of the older and of the newer device, each of one submitter."""

    older: tuple[Entry, ...]
    newer: tuple[Entry, ...]

    @property
    def submitters(self) -> frozenset[str]:
        return frozenset((self.older[0].submitter, self.newer[0].submitter))

    @property
    def settled(self) -> bool:
        return all(entry.settled for entry in self.older + self.newer)

    def ratio(self, ln_hours: Callable[[Entry], float]) -> float:
        """Ln of the hours of the newer over those of the older, per FLOP."""
        older, newer = (
            math.fsum(map(ln_hours, each)) / len(each) for each in (self.older, self.newer)
        )
        return newer - older


def validate_devices(library: Library) -> DeviceValidation:
    """Forecast pairs, steps and watts of the benchmark by fits that never saw the submitters."""
    entries = entries_of(library)
    pairs = [*_pairs(entries, library)]
    rows = _pair_rows(pairs, entries, library)
    steps, nodes = _steps(entries, library), _nodes(entries, library)
    summary = [
        *_summary("pairs", rows),
        *_summary("pairs, precision settled", [row for row in rows if row.precision_settled]),
        Transfer("hours of pre-training, batch given", "forecast", len(steps),
                 *_typical([row.forecast / row.measured for row in steps])),
        Transfer("hours of pre-training, batch given", "without steps", len(steps),
                 *_typical([row.without_steps / row.measured for row in steps])),
        Transfer("watts of nodes, utilisation given", "forecast", len(nodes),
                 *_typical([row.forecast_w / row.measured_w for row in nodes])),
        *throughput.summary(library),
    ]  # fmt: skip
    found = {(one.group, one.way): one for one in summary}
    gates = []
    for group, way, words in (
        ("pairs", "with_batch", "pairs, batch given"),
        ("pairs, precision settled", "forecast", "pairs, precision settled"),
    ):
        score = found[group, way]
        gates += [
            Gate(f"{words}: typical factor", score.factor, PAIR_FACTOR),
            Gate(f"{words}: median ratio", score.median_ratio, PAIR_MEDIAN),
        ]
    gates += [
        Gate("hours of pre-training, batch given: typical factor",
             found["hours of pre-training, batch given", "forecast"].factor, STEP_FACTOR),
        Gate("watts of nodes, utilisation given: typical factor",
             found["watts of nodes, utilisation given", "forecast"].factor, WATTS_FACTOR),
    ]  # fmt: skip
    tuned = finetunes.scores(library)
    gates.append(Gate("fine-tunes: typical factor", tuned[0].factor, FINE_TUNE_FACTOR))
    gates += [
        Gate(f"fine-tunes, {one.method}: rows in 80 % range, %", 100 * one.inside, FINE_TUNE_INSIDE)
        for one in tuned[1:]
    ]
    return DeviceValidation(
        tuple(rows),
        tuple(steps),
        tuple(nodes),
        tuple(_examples(pairs, entries, library)),
        tuple(summary),
        tuple(throughput.platforms(library)),
        tuple(tuned),
        tuple(gates),
        library.digest,
    )


def _pairs(entries: Iterable[Entry], library: Library) -> Iterator[_Pair]:
    groups: dict[tuple[str, str, int], dict[tuple[str, str], list[Entry]]] = {}
    for entry in entries:
        own = groups.setdefault(entry.cell, {})
        own.setdefault((entry.device, entry.submitter), []).append(entry)
    for group in groups.values():
        for pair in combinations(sorted(group), 2):
            if pair[0][0] != pair[1][0]:
                older, newer = sorted(
                    pair, key=lambda key: (released(library.device(key[0]).device), key[0])
                )
                yield _Pair(tuple(group[older]), tuple(group[newer]))


def _ln_hours(entry: Entry) -> float:
    return math.log(entry.hours / entry.flop)


def _pair_rows(pairs: Sequence[_Pair], entries: Sequence[Entry], library: Library) -> list[PairRow]:
    """A row for two devices in a cell, the pairs of submitters averaged."""
    fits: dict[frozenset[str], Tuned] = {}
    grouped: dict[tuple[object, ...], list[_Pair]] = {}
    for pair in pairs:
        one, other = pair.older[0], pair.newer[0]
        grouped.setdefault((one.cell, one.device, other.device, pair.settled), []).append(pair)
        if pair.submitters not in fits:
            fits[pair.submitters] = Tuned(entries, library, pair.submitters)

    def left_out(pair: _Pair) -> float:
        fit = fits[pair.submitters]
        return pair.ratio(lambda entry: -fit.share(entry) - math.log(entry.peak))

    def with_batch(pair: _Pair) -> float:
        fit = fits[pair.submitters]
        return pair.ratio(lambda one: -float(fit.predict([one])[0]) - math.log(one.peak))

    rows = []
    for same in grouped.values():
        one, other = same[0].older[0], same[0].newer[0]

        def mean(ways: Iterable[float]) -> float:
            found = list(ways)
            return math.exp(math.fsum(found) / len(found))

        rows.append(
            PairRow(
                one.round,
                one.task,
                one.device_count,
                one.device,
                other.device,
                tuple(sorted({name for pair in same for name in pair.submitters})),
                same[0].settled,
                mean(pair.ratio(_ln_hours) for pair in same),
                mean(map(left_out, same)),
                mean(map(with_batch, same)),
                mean(pair.ratio(lambda entry: -_shipped(entry, library)) for pair in same),
                mean(pair.ratio(lambda entry: -_old(entry, library)) for pair in same),
            )
        )
    return rows


def _shipped(entry: Entry, library: Library) -> float:
    """Ln of the FLOP per second of a device by its record, as answers take them."""
    device = library.device(entry.device).device
    half, exponent = (
        library.default(f"utilisation.size.{name}").value for name in ("half_params", "exponent")
    )
    gain = 1.0
    if entry.precision in ("fp8", "fp4", "int8"):
        own = device.precision_speedup.get(entry.precision)
        gain = (own or library.default(f"precision_speedup.{entry.precision}")).value
    kept = float(size_factor(entry.params, entry.peak, half, exponent))
    return math.log(entry.peak * tuned_share(library, device).value * gain * kept)


def _old(entry: Entry, library: Library) -> float:
    """The same as version 0.1.0 took it: best matrix product, age of the device itself."""
    device = library.device(entry.device).device
    age = min(max(entry.year - released(device), 0.0), OLD_OLDEST)
    gain = OLD_GAINS.get(entry.precision, 1.0)
    return math.log(entry.peak * ceiling_of(library, device).value * gain) + OLD_AGE * age


def _steps(entries: Sequence[Entry], library: Library) -> list[StepRow]:
    """Tuned pre-training, each submitter left out of shares, gains and the law."""
    trained = [entry for entry in entries if entry.task in PRETRAINING]
    rows = []
    for submitter in dict.fromkeys(entry.submitter for entry in trained):
        tuned = Tuned(entries, library, [submitter])
        others = without(trained, [submitter])
        mine = [entry for entry in trained if entry.submitter == submitter]
        laws = [StepLaw(others, tuned, steps).predict(mine) for steps in (True, False)]
        rows += [
            StepRow(
                entry.id,
                entry.task,
                submitter,
                entry.device,
                entry.device_count,
                entry.utilisation,
                math.exp(with_steps),
                math.exp(flat),
            )
            for entry, with_steps, flat in zip(mine, *laws, strict=True)
        ]
    return rows


def _nodes(entries: Sequence[Entry], library: Library) -> list[NodeRow]:
    """Metered nodes joined to their entries: watts from the utilisation they reached."""
    nodes = nodes_of(library)
    idle = library.default("idle_power_share").value
    rows = []
    for submitter in dict.fromkeys(node.submitter.removesuffix("-ac-power") for node in nodes):
        own = {(e.task, e.device, e.device_count): e for e in entries if e.submitter == submitter}
        tuned = Tuned(entries, library, [submitter]) if own else None
        for node in nodes:
            entry = own.get((node.task, node.device, node.device_count))
            if tuned is None or entry is None or not node.submitter.startswith(submitter):
                continue
            full = math.exp(float(tuned.at_large_steps([entry])[0]))
            busy = min(1.0, entry.utilisation / full)
            device, host = power_at_work(library, library.device(node.device).device, "liquid")
            watts = float(energy.device_power_waiting(device, host, busy, idle)) + host
            watts *= DC_OVER_AC if node.side == "dc" else 1.0
            rows.append(
                NodeRow(
                    node.id,
                    node.task,
                    node.device,
                    node.device_count,
                    node.side,
                    busy,
                    node.power_w,
                    watts,
                )
            )
    return rows


def _summary(group: str, rows: Sequence[PairRow]) -> list[Transfer]:
    ways = ("forecast", "with_batch", "shipped", "version_0_1_0")
    return [
        Transfer(
            group, way, len(rows), *_typical([getattr(row, way) / row.measured for row in rows])
        )
        for way in ways
    ]


def _typical(ratios: Sequence[float]) -> tuple[float, float]:
    """Typical factor and median of ratios."""
    logs = np.log(ratios)
    return math.exp(float(np.abs(logs).mean())), math.exp(float(np.median(logs)))


def _examples(
    pairs: Sequence[_Pair], entries: Sequence[Entry], library: Library
) -> Iterator[Example]:
    """Pairs that people ask about: hours of the newer over those of the older, one precision."""
    fit = Tuned(entries, library)
    for newer, older, task, precision in EXAMPLES:
        ratios = []
        for pair in pairs:
            names = (pair.newer[0].device, pair.older[0].device)
            if pair.newer[0].task == task and set(names) == {newer, older}:
                ratios.append(pair.ratio(_ln_hours) * (1 if names[0] == newer else -1))
        one, other = (
            next(
                entry
                for entry in entries
                if entry.device == name and entry.task == task
                if not precision or entry.precision == precision
            )
            for name in (newer, older)
        )
        ours = fit.share(other) + math.log(other.peak) - fit.share(one) - math.log(one.peak)
        low, mean, high = min(ratios), math.fsum(ratios) / len(ratios), max(ratios)
        shipped = _shipped(other, library) - _shipped(one, library)
        shown = map(math.exp, (low, mean, high, ours, shipped))
        yield Example(newer, older, task, len(ratios), *shown)
