"""The worked examples of the EU guidelines on general-purpose AI models, annex (18 July 2025).

Printed figures as transcribed from the guidelines; peaks as they state them.
"""

from __future__ import annotations

import pytest

from joulecast import Plan, estimate

#: parameters, tokens, FLOP as printed.
BY_ARCHITECTURE = [
    (3.8e9, 3.3e12, 7.5e22),
    (0.6e9, 36e12, 1.3e23),
    (1.54e9, 18e12, 1.66e23),
    (1.7e9, 36e12, 3.7e23),
    (2.5e9, 12e12, 1.8e23),
]
#: device, hours, peak FLOP/s, utilisation, FLOP as printed.
BY_HARDWARE = [
    ("a100-sxm-80", 200_000, 300e12, 0.5, 1e23),
    ("h100-sxm", 370_000, 989e12, 0.5, 6.5e23),
]


@pytest.mark.parametrize(("params", "tokens", "printed"), BY_ARCHITECTURE)
def test_training_compute_from_the_architecture(
    params: float, tokens: float, printed: float
) -> None:
    flop = estimate(Plan(params=params, tokens=tokens)).training_flop
    assert flop is not None
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
    (check,) = footprint.cross_checks
    assert check.name == "device_hours" and check.ratio == pytest.approx(1, rel=1e-6)
    whole = footprint.quantities["utilisation"]
    assert whole is not None and whole.value == pytest.approx(utilisation, rel=1e-6)
