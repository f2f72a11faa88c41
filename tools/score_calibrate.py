"""Print the scores of docs/method/calibrate.md: synthetic clusters drawn from our own spread.

python tools/score_calibrate.py
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np

from joulecast import Library, Plan, calibrate, estimate
from joulecast.arrays import Array
from joulecast.calibrating.fitting import Case, Fit, left_out
from joulecast.calibrating.telling import widths
from joulecast.errors import InputError

SEED, NEW = 1, 200
APART = widths(Library.bundled())
NOISE = APART.noise["decoder"]
PARTS = APART.parts("h100-sxm", "decoder")


def cluster(rng: np.random.Generator, runs: int, effect: float) -> Array:
    """ln(reached / expected) of so many runs of a cluster."""
    stretch = math.sqrt(4 / rng.chisquare(4))
    offset = effect * math.hypot(APART.cluster, APART.device) * rng.standard_normal()
    drawn: Array = stretch * (offset + NOISE * rng.standard_normal(runs))
    return drawn


def scores(runs: int, effect: float, clusters: int) -> Array:
    """Means over clusters: in the range, nearer, left out nearer, errors, half width."""
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(clusters):
        told = cluster(rng, runs + NEW, effect)
        cases = [Case(float(y), str(i), PARTS, NOISE) for i, y in enumerate(told[:runs])]
        expected = Fit(cases).expected(PARTS, NOISE)
        off, default = np.abs(told[runs:] - expected.median), np.abs(told[runs:])
        left = np.mean([abs(one.error) for one in left_out(cases)])
        nearer = left < np.abs(told[:runs]).mean()
        inside = np.mean(off <= expected.half_width)
        means = off.mean(), default.mean()
        found.append((inside, means[0] < means[1], nearer, *means, expected.half_width))
    mean: Array = np.array(found, dtype=float).mean(axis=0)
    return mean


def whole_road(clusters: int) -> tuple[int, float]:
    """Share of new runs in the 80 % range of an estimate with the records of 12 runs."""
    rng = np.random.default_rng(SEED)
    said = {"params": 7e9, "tokens": 280e9, "device": "h100-sxm", "year": 2024}
    plan = Plan(**said)
    plain = estimate(plan).device_hours
    assert plain is not None
    held = []
    for _ in range(clusters):
        hours = plain.value * np.exp(-cluster(rng, 12 + NEW, 1.0))
        rows = [{**said, "device_hours": float(h)} for h in hours[:12]]
        with tempfile.TemporaryDirectory() as folder:
            try:
                calibrate(rows, output=Path(folder) / "own")
            except InputError:  # a draw beyond what the device can do
                continue
            found = estimate(plan, Library.with_folder(Path(folder) / "own")).device_hours
        assert found is not None
        held.append(np.mean((hours[12:] >= found.p10) & (hours[12:] <= found.p90)))
    return len(held), float(np.mean(held))


def main() -> None:
    """Print them."""
    for runs in (2, 3, 5, 12, 40):
        inside, nearer, _, _, _, half = scores(runs, 1.0, 400)
        print(f"| {runs} | {inside:.0%} | {nearer:.0%} | {half:.2f} |")
    _, nearer, left, off, default, _ = scores(12, 1.0, 2000)
    print(
        f"12 runs: new nearer {nearer:.0%}, left out nearer {left:.0%}, error {off / default:.2f}"
    )
    *_, off, default, _ = scores(12, 0.0, 2000)
    print(f"as we expect: error {off / default:.2f}")
    print("whole road: clusters {}, in the range {:.0%}".format(*whole_road(60)))


if __name__ == "__main__":
    main()
