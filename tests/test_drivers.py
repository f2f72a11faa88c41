"""The tornado, and what measuring one input is worth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import Run, fits

from joulecast import Plan, estimate, uncertainty, units
from joulecast.answers.shape import as_dict
from joulecast.terms import TERMS

PLAN = Plan(params="7B", tokens="2T", device="h100-sxm", region="us-va", year=2024)
ARGS = ("--params", "7B", "--tokens", "2T", "--device", "h100-sxm", "--region", "us-va", "--year", "2024")  # fmt: skip


def test_a_bar_is_the_forecast_with_that_input_at_its_ends() -> None:
    footprint = estimate(PLAN)
    assert footprint.total is not None
    power = next(one.value for one in footprint.assumptions if one.name == "device_power_w")
    for bar in footprint.tornado()[:4]:
        for end, wanted in ((bar.p10, bar.at_p10), (bar.p90, bar.at_p90)):
            given = {bar.name: end}
            if bar.name == "utilisation":  # one that is said to be low would draw less
                given["device_power_w"] = power
            moved = estimate(PLAN.replace(given=given))
            assert moved.total is not None
            assert moved.total.value / footprint.total.value == pytest.approx(wanted, rel=1e-6)


def test_ends_of_a_bar_have_a_tenth_of_the_draws_beyond_them() -> None:
    """10 % and 90 % points, of a normal scale as of the longer tails of the default utilisation."""
    footprint = estimate(PLAN)
    drawn = uncertainty.sample(footprint.inputs[0])
    for bar in footprint.tornado():
        draws = np.asarray(drawn[bar.name]) / units.factor(TERMS[bar.name].unit)
        assert np.mean(draws < bar.p10) == pytest.approx(0.10, abs=0.005), bar.name
        assert np.mean(draws > bar.p90) == pytest.approx(0.10, abs=0.005), bar.name


def test_bars_come_in_the_order_of_their_shares() -> None:
    footprint = estimate(PLAN)
    bars = footprint.tornado()
    assert [(bar.name, bar.share) for bar in bars] == [(d.name, d.share) for d in footprint.drivers]
    assert [bar.share for bar in bars] == sorted((bar.share for bar in bars), reverse=True)


def test_the_range_with_an_input_known_is_that_of_giving_its_median() -> None:
    footprint = estimate(PLAN)
    bar = footprint.tornado()[0]
    value = next(entry.value for entry in footprint.assumptions if entry.name == bar.name)
    known = estimate(PLAN.replace(given={bar.name: value}))
    assert known.total is not None and footprint.total is not None
    assert known.total.p10 == pytest.approx(bar.known_p10 * footprint.total.value, rel=1e-9)
    assert known.total.p90 == pytest.approx(bar.known_p90 * footprint.total.value, rel=1e-9)


def test_the_range_shrinks_by_the_root_of_what_is_left_of_the_variance() -> None:
    """ln(total) of lognormal inputs: drawn again without one of them, against sqrt(1 - S)."""
    spans = {"device_hours": 1.6, "device_power_w": 1.3, "pue": 1.0, "grid_gco2e_per_kwh": 1.2}
    middle = {"device_hours": 1e5, "device_power_w": 700, "pue": 1.2, "grid_gco2e_per_kwh": 300}
    given = {name: [middle[name] / f, middle[name], middle[name] * f] for name, f in spans.items()}
    footprint = estimate(Plan(given=given, only_given=True))
    total = footprint.total
    assert total is not None
    spread = float(np.sqrt(total.p90 / total.p10))
    for bar in footprint.tornado():
        wanted = uncertainty.spread_if_known(spread, bar.share)
        assert np.log(bar.spread_if_known) == pytest.approx(np.log(wanted), abs=0.01)


def test_the_only_unknown_leaves_nothing_when_known() -> None:
    footprint = estimate(Plan(given={"energy_kwh": [50, 100, 200]}, only_given=True))
    (bar,) = footprint.tornado()
    assert (bar.known_p10, bar.known_p90, bar.spread_if_known) == (1, 1, 1)
    assert estimate(Plan(given={"energy_kwh": 100}, only_given=True)).tornado() == ()


def test_the_command_shows_bars_and_what_to_measure_next(joulecast: Run) -> None:
    text = joulecast("estimate", *ARGS, "--drivers").stdout
    assert text.index("What drives the range") < text.index("What to measure next")
    assert all(len(line) <= 80 or "http" in line or "doi:" in line for line in text.splitlines())
    answer = json.loads(joulecast("estimate", *ARGS, "--drivers", "--json").stdout)
    fits(answer, "estimate")
    assert answer["tornado"] == [as_dict(bar) for bar in estimate(PLAN).tornado()]
    assert "tornado" not in json.loads(joulecast("estimate", *ARGS, "--json").stdout)
