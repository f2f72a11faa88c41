"""The worked examples of the EU guidelines on general-purpose AI models, annex A.3 (18 July 2025).

Printed figures as transcribed from the guidelines, models A to H; peaks as they state them.
"""

from __future__ import annotations

import pytest

from joulecast import Plan, estimate
from joulecast.answers.quantity import Quantity

#: parameters, tokens, FLOP as printed.
BY_ARCHITECTURE = [
    (3.8e9, 3.3e12, 7.5e22),
    (0.6e9, 36e12, 1.3e23),
    (1.54e9, 18e12, 1.66e23),
    (1.7e9, 36e12, 3.7e23),
    (2.5e9, 12e12, 1.8e23),
    (2.6e9, 164 * 61e9, 1.5e23),  # 1.56e23: the annex rounds down
]
#: device, hours, peak FLOP/s, utilisation, FLOP as printed.
BY_HARDWARE = [
    ("a100-sxm-80", 200_000, 300e12, 0.5, 1e23),
    ("h100-sxm", 370_000, 989e12, 0.5, 6.5e23),
]


def eu_compute(plan: Plan) -> Quantity:
    quantity = estimate(plan).quantities["eu_training_compute_flop"]
    assert quantity is not None and quantity.unit == "FLOP"
    return quantity


@pytest.mark.parametrize(("params", "tokens", "printed"), BY_ARCHITECTURE)
def test_training_compute_from_the_architecture(
    params: float, tokens: float, printed: float
) -> None:
    flop = eu_compute(Plan(params=params, tokens=tokens))
    assert flop.value == pytest.approx(6 * params * tokens, rel=1e-6)
    assert flop.value == pytest.approx(printed, rel=0.10)


@pytest.mark.parametrize(("device", "hours", "peak", "utilisation", "printed"), BY_HARDWARE)
def test_training_compute_from_the_hardware(
    device: str, hours: float, peak: float, utilisation: float, printed: float
) -> None:
    """Hours x peak x utilisation, read off the cross-check of hours and FLOP."""
    product = hours * 3600 * peak * utilisation
    assert product == pytest.approx(printed, rel=0.10)
    footprint = estimate(
        Plan(
            flop=product,
            device=device,
            given={"device_hours": hours, "peak_flops": peak, "utilisation": utilisation},
        )
    )
    # The guidelines' own product, N x L x H x U, where no FLOP are given.
    alone = {"device_hours": hours, "peak_flops": peak, "utilisation": utilisation}
    compute = eu_compute(Plan(device=device, given=alone))
    assert compute.value == pytest.approx(product, rel=1e-6)
    (check,) = footprint.cross_checks
    assert check.name == "device_hours" and check.ratio == pytest.approx(1, rel=1e-6)
    whole = footprint.quantities["utilisation"]
    assert whole is not None and whole.value == pytest.approx(utilisation, rel=1e-6)


def test_recomputation_and_repeats_do_not_count() -> None:
    """Executed FLOP and the EU's training compute are two numbers."""
    footprint = estimate(Plan(flop=3e22, recompute="full", runs=5))
    executed = footprint.quantities["executed_flop"]
    assert executed is not None and executed.value == pytest.approx(5 * 4e22)
    assert eu_compute(Plan(flop=3e22, recompute="full", runs=5)).value == pytest.approx(3e22)
    assert eu_compute(Plan(hardware_flop=4e22, recompute="full")).value == pytest.approx(3e22)
    shown = [" ".join(line.split()) for line in footprint.explain().splitlines()]
    assert "Executed 2.0e23 FLOP, recomputed too" in shown
    assert "EU compute 3.0e22 FLOP, one run" in shown


def test_hours_alone_say_nothing_of_compute() -> None:
    """A utilisation nobody gave is no measure of it."""
    footprint = estimate(Plan(device="h100-sxm", given={"device_hours": 370_000}))
    assert footprint.quantities["eu_training_compute_flop"] is None
    assert "utilisation" not in {entry.name for entry in footprint.assumptions}


@pytest.mark.parametrize(
    ("flop", "code", "said"),
    [
        (9e22, None, ""),
        (1e23, None, ""),
        ("8e22..9.5e22..1.5e23", "eu_general_purpose", "9.5e22 FLOP may pass 1e23: "),
        (1.1e23, "eu_general_purpose", "1.1e23 FLOP passes 1e23: "),
        (9.9e24, "eu_general_purpose", "9.9e24 FLOP passes 1e23: "),
        (1.1e25, "eu_systemic_risk", "1.1e25 FLOP passes 1e25: "),
    ],
)
def test_thresholds_are_flagged(flop: float | str, code: str | None, said: str) -> None:
    warnings = estimate(Plan(given={"training_flop": flop})).warnings
    found = [notice for notice in warnings if notice.code.startswith("eu_")]
    assert [notice.code for notice in found] == ([code] if code else [])
    assert all(notice.message.startswith(f"training compute of {said}") for notice in found)
