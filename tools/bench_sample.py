"""How good the shipped sample is: its levels against plain Monte Carlo draws.

    python tools/bench_sample.py

Writes the table of docs/method/uncertainty.md.  The draws are only the yardstick, and random; with
2^21 of them their own error is below 0.2 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import typer
from build_docs import between

from joulecast import Library, Plan, uncertainty
from joulecast.arrays import Array
from joulecast.chain import chain
from joulecast.resolve import resolve

PAGE = Path(__file__).parents[1] / "docs" / "method" / "uncertainty.md"
LOG2_DRAWS = 21
PIECE = 2**14

PLACE_KNOWN: dict[str, Plan] = {
    "70B on H100, Virginia": Plan(
        params=70e9, tokens=15e12, device="h100-sxm", device_count=4096, region="us-va", year=2024
    ),
    "7B on A100, France": Plan(
        params=7e9, tokens=2e12, device="a100-sxm-80", region="fr", year=2023
    ),
    "671B-A37B in FP8 on H800, China": Plan(
        params=671e9,
        active_params=37e9,
        tokens=14.8e12,
        device="h800-sxm",
        precision="fp8",
        device_count=2048,
        region="cn",
        year=2024,
    ),
    "540B on TPU v4, Oklahoma": Plan(
        params=540e9,
        tokens=780e9,
        device="tpu-v4",
        device_count=6144,
        region="us-ok",
        provider="gcp",
        year=2022,
    ),
    "1B on 8 V100, Poland, goodput given": Plan(
        params=1e9,
        tokens=1e11,
        device="v100-sxm2-32",
        device_count=8,
        region="pl",
        year=2020,
        given={"goodput": "0.7..0.9"},
    ),
    "1B on MI300X, Sweden, MFU given": Plan(
        params=1e9,
        tokens=1e11,
        device="mi300x",
        region="se-se3",
        year=2025,
        given={"mfu": "0.2..0.3..0.4"},
    ),
    "32B on H100, United States": Plan(
        params=32.2e9,
        tokens=6.6e12,
        device="h100-sxm",
        device_count=1024,
        region="us",
        year=2025,
    ),
}
PLACE_UNKNOWN: dict[str, Plan] = {
    "70B on H100, place unknown": Plan(params=70e9, tokens=15e12, device="h100-sxm"),
    "7B on A100, place unknown": Plan(params=7e9, tokens=2e12, device="a100-sxm-80", year=2021),
    "100M, device and place unknown": Plan(params=1e8, tokens=2e10),
}


def errors(plans: Iterable[Plan]) -> Iterator[Array]:
    """Relative errors of the shipped sample at uncertainty.LEVELS, total emissions, plan by plan.

    The same draws serve all plans: to make them takes longer than to use them.
    """
    generator = np.random.default_rng(7)
    drawn: list[Array] = []
    for plan in plans:
        ledger = resolve(plan, Library.bundled()).only.ordered()
        shipped = np.asarray(chain(uncertainty.sample(ledger)).known["total_kgco2e"])
        uncertain = [name for name, datum in ledger.items() if not datum.exact]
        drawn += [generator.standard_normal(2**LOG2_DRAWS) for _ in uncertain[len(drawn) :]]
        # In pieces that a processor's cache holds: quicker than all at once.
        pieces = []
        for start in range(0, 2**LOG2_DRAWS, PIECE):
            numbers = uncertainty.nominal(ledger)
            for name, z in zip(uncertain, drawn, strict=False):
                numbers[name] = uncertainty.pick(ledger[name], z[start : start + PIECE])
            pieces.append(np.asarray(chain(numbers).known["total_kgco2e"]))
        truth = np.quantile(np.concatenate(pieces), uncertainty.LEVELS)
        relative: Array = uncertainty.quantiles(shipped) / truth - 1
        yield relative


def main(page: Path = PAGE) -> None:
    """Write the table."""
    rows = ["| plan | P5 | P50 | P95 |", "|---|---|---|---|"]
    plans = PLACE_KNOWN | PLACE_UNKNOWN
    for name, (p5, _, p50, _, p95) in zip(plans, errors(plans.values()), strict=True):
        rows.append(f"| {name} | {p5:+.2%} | {p50:+.2%} | {p95:+.2%} |")
    page.write_text(between(page, "accuracy", "\n".join(rows)), encoding="utf-8")
    print("\n".join(rows))


if __name__ == "__main__":
    typer.run(main)
