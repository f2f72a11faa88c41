"""Trends and spreads in defaults.toml are what tools/fit_grid.py makes of the shipped tables."""

from __future__ import annotations

import fit_grid
import pytest

from joulecast import Library, Plan, estimate
from joulecast.answers.footprint import Assumption
from joulecast.data import specs

FOUND = {found.name: found for found in fit_grid.fit(specs.bundled_folder())}


@pytest.mark.parametrize("name", FOUND)
def test_default_is_what_the_tables_say(name: str) -> None:
    shipped = Library.bundled().default(name)
    assert shipped.value == float(f"{FOUND[name].value:.2g}")
    assert shipped.basis == "derived"
    for word in (word for word in FOUND[name].how.split() if word.isdecimal()):
        assert word in shipped.note, f"{name}: {FOUND[name].how}"


def test_every_grid_default_is_worked_out() -> None:
    table = Library.bundled()
    shipped = {
        f"{name}.{key}" for name in ("grid_trend", "grid_spread") for key in table.defaults_of(name)
    }
    assert shipped == set(FOUND)


def grid(**plan: object) -> Assumption:
    footprint = estimate(Plan(params=7e9, tokens=1e12, **plan))
    return next(entry for entry in footprint.assumptions if entry.name == "grid_gco2e_per_kwh")


def test_world_mix_is_projected_at_the_worlds_own_pace() -> None:
    latest = Library.bundled().latest_year
    assert grid(year=latest + 5).value == pytest.approx(grid(year=latest).value * (1 - 0.014) ** 5)
    later = grid(year=latest + 5)
    assert later.low is not None and later.low < 30
    assert later.high is not None and later.high > 750


def test_country_is_projected_at_the_pace_of_countries_with_cloud_regions() -> None:
    latest = Library.bundled().latest_year
    now, then = grid(region="fr", year=latest), grid(region="fr", year=latest + 4)
    assert then.value == pytest.approx(now.value * (1 - 0.033) ** 4)
    assert then.high is not None and now.high is not None
    assert then.high / then.value > now.high / now.value
