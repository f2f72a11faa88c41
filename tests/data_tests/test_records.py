"""Every record of hardware_specs keeps the rules, names known sources and can be used."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from functools import cache
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any

import pytest

from joulecast import Library, Plan, estimate
from joulecast.data import overlay, places, specs
from joulecast.data.overlay import leaves
from joulecast.data.records import Device, Figure, Model, figures_of, validated
from joulecast.data.tables import DEFAULT_TABLES
from joulecast.laws.records import KINDS, LossLaw
from joulecast.terms import ASKED, INPUTS, USED

SRC = Path(places.__file__).parents[1]
BUNDLED = Library.bundled()
CORE, ODBL = specs.read_folder(specs.bundled_folder())
DEVICES: dict[str, Device] = {key: BUNDLED.device(key).device for key in CORE["devices"]}
MODELS: dict[str, Model] = {key: BUNDLED.model(key) for key in CORE.get("models", {})}

#: Defaults that are no quantity of their own but shape one: how wide, how fast, what share.
SHAPES = {
    "advice",
    "attention_share",
    "device_power_share",
    "devices_in_a_node",
    "grid_clean_below",
    "grid_old_after_years",
    "grid_spread",
    "grid_trend",
    "grid_unknown",
    "high_utilisation",
    "host_power_share",
    "matmul_share",
    "power_before_meters",
    "pue_spread",
    "small_model_params",
    "state_bytes_per_param",
    "use_cache_bytes",
    "use_generation",
    "use_spread",
    "use_unmeasured_device",
    "pue_at_a_desk",
    "utilisation_extrapolated",
    "variant_peak_gap",
    "water_factor_spread",
    "water_of",
    "wue_spread",
    "zone_range_margin",
}


DEFAULTS = [name for table in DEFAULT_TABLES for name, _ in leaves(CORE[table])]


@cache
def keys_in_code() -> set[str]:
    """Text constants of the package: sources that whole tables or rules come from."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in SRC.rglob("*.py"))
    nodes = chain.from_iterable(map(ast.walk, trees))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str)}


@cache
def keys_in_tables() -> dict[str, str]:
    """Source key -> one place that names it."""
    found: dict[str, str] = {}
    records: list[Device | Model] = [*DEVICES.values(), *MODELS.values()]
    for record in records:
        found[record.source] = record.id
        found |= {figure.source: record.id for figure in figures_of(record).values()}
    found |= {key: run.id for run in BUNDLED.runs for key in run.sources}
    for path in SRC.glob("exporting/templates/*.toml"):
        template = tomllib.loads(path.read_text(encoding="utf-8"))
        found |= {template["source"]: path.name, template["guidelines"]: path.name}
    for table in DEFAULT_TABLES:
        found |= {entry["source"]: name for name, entry in leaves(CORE[table])}
    found |= {
        law.source: law.name
        for table, kind in KINDS.items()
        for law in BUNDLED.laws(table, kind).values()
    }
    found |= {
        law.uncertainty.source: law.name
        for law in BUNDLED.laws("loss", LossLaw).values()
        if law.uncertainty
    }
    found |= {site["pue"]["source"]: key for key, site in CORE["sites"].items() if "pue" in site}
    for name, years in CORE["providers"].items():
        for row in years.values():
            found |= {row[column]: name for column in ("source", "wue_source") if row[column]}
    for name, regions in CORE["regions"].items():
        found |= {row["source_pue"]: f"{name}:{key}" for key, row in regions.items()}
    found |= {row["source"]: key for key, row in CORE["instances"].items()}
    for name, years in CORE["grids_direct"].items():
        found |= {row["source"]: name for row in years.values()}
    return found


@pytest.mark.parametrize("key", CORE["sources"])
def test_source_is_complete(key: str) -> None:
    source = BUNDLED.source(key)
    assert source.key == key
    assert source.title and source.authors


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_is_a_figure_with_a_reachable_name(name: str) -> None:
    assert BUNDLED.default(name).source in CORE["sources"]
    assert name.split(".", 1)[0] in {*INPUTS, *ASKED, *USED, *SHAPES}


def test_the_law_that_answers_says_its_runs_and_its_uncertainty() -> None:
    law = next(iter(BUNDLED.laws("loss", LossLaw).values()))
    assert law.fitted.flop and law.fitted.params and law.fitted.tokens and law.uncertainty


@pytest.mark.parametrize("key", CORE["sites"])
def test_site_lies_in_a_known_country_and_zone(key: str) -> None:
    site = CORE["sites"][key]
    assert site["iso3"] in CORE["countries"]
    assert not site.get("zone") or ODBL["zones"][site["zone"]]["iso3"] == site["iso3"]
    assert validated(Figure, site["pue"], key).value >= 1


@pytest.mark.parametrize("key", DEVICES)
def test_device_id_is_its_file_name(key: str) -> None:
    assert DEVICES[key].id == key


@pytest.mark.parametrize("key", DEVICES)
def test_every_range_of_a_device_is_ordered_and_positive(key: str) -> None:
    for name, figure in figures_of(DEVICES[key]).items():
        low, high = figure.low, figure.high
        assert low is None or high is None or 0 <= low <= figure.value <= high, name
        assert figure.value > 0 or name in ("host_power_w", "host_embodied_kgco2e"), name


def test_every_source_named_in_a_table_exists() -> None:
    missing = {key: at for key, at in keys_in_tables().items() if key not in CORE["sources"]}
    assert not missing


@pytest.mark.parametrize(
    "key",
    [
        places.EMBER,
        places.ELECTRICITYMAPS,
        places.WRI,
        places.MIX,
        places.OWN_FIGURES,
        "joulecast-judgement",
    ],
)
def test_source_named_in_the_code_exists(key: str) -> None:
    assert key in keys_in_code()
    assert key in CORE["sources"]


def test_no_source_is_unused() -> None:
    assert not set(CORE["sources"]) - set(keys_in_tables()) - keys_in_code()


def test_our_own_tables_keep_the_rules_of_a_users_folder() -> None:
    overlay.check({**CORE, **ODBL}, CORE, ODBL, overlay.known_defaults(CORE))


@pytest.mark.parametrize("records", [DEVICES, MODELS], ids=["devices", "models"])
@pytest.mark.parametrize("form", [specs.fold, specs.bare], ids=["exact", "without-punctuation"])
def test_no_two_records_answer_to_one_name(form: Any, records: dict[str, Device | Model]) -> None:
    names = {key: {form(n) for n in (key, r.name, *r.aliases)} for key, r in records.items()}
    count = Counter(chain.from_iterable(names.values()))
    assert not [name for name, times in count.items() if times > 1]


@pytest.mark.parametrize("key", DEVICES)
def test_every_alias_finds_its_device(key: str) -> None:
    for alias in (key, *DEVICES[key].aliases):
        assert BUNDLED.device(alias).device.id == key, alias


@pytest.mark.parametrize("key", DEVICES)
def test_the_name_an_answer_shows_finds_its_device(key: str) -> None:
    assert BUNDLED.device(DEVICES[key].name).device.id == key


def test_every_name_finds_its_model() -> None:
    for key, model in MODELS.items():
        for name in (key, model.name, *model.aliases):
            assert BUNDLED.model(name).id == key, name


def test_every_range_of_a_model_is_ordered_and_positive() -> None:
    for key, model in MODELS.items():
        assert key == model.id
        for name, figure in figures_of(model).items():
            assert 0 < (figure.low or figure.value) <= figure.value, f"{key} {name}"


@pytest.mark.parametrize("family", sorted({device.family for device in DEVICES.values()}))
def test_family_has_one_default_which_its_name_finds(family: str) -> None:
    members = [d.id for d in DEVICES.values() if d.family == family]
    assert sum(DEVICES[key].family_default for key in members) == 1
    match = BUNDLED.device(family)
    assert match.device.family_default
    assert {match.device.id, *match.variants} == set(members)


@pytest.mark.parametrize("key", DEVICES)
def test_every_device_can_be_estimated(key: str) -> None:
    footprint = estimate(Plan(params=1e9, tokens=2e10, device=key, region="fr", year=2024))
    for quantity in (footprint.total, footprint.energy, footprint.device_hours):
        assert quantity is not None
        levels = (quantity.p5, quantity.p10, quantity.p50, quantity.p90, quantity.p95)
        assert all(map(isfinite, (quantity.value, *levels)))
        assert quantity.p5 > 0
        assert list(levels) == sorted(levels)
