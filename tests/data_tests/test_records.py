"""Every record of hardware_specs keeps the rules, names known sources and can be used."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any

import build_hook
import pytest
from conftest import bundled_tables, each

from joulecast import Library, Plan, estimate
from joulecast.data import overlay, places, specs
from joulecast.data.overlay import leaves
from joulecast.data.records import Device, Figure, Model, Record, figures_of
from joulecast.data.tables import DEFAULT_TABLES
from joulecast.data.validation import validated
from joulecast.errors import SpecsError
from joulecast.laws.records import KINDS, LossLaw
from joulecast.terms import ASKED, INPUTS, USED
from joulecast.validating.runs import ReportedRun

SRC = Path(places.__file__).parents[1]
BUNDLED = Library.bundled()
CORE, ODBL = bundled_tables()
DEVICES: dict[str, Device] = {key: BUNDLED.device(key).device for key in CORE["devices"]}
MODELS: dict[str, Model] = {key: BUNDLED.model(key) for key in CORE.get("models", {})}

#: Defaults that are no quantity of their own but shape one: how wide, how fast, what share.
SHAPES = {
    "advice",
    "attention_share",
    "device_power_share",
    "devices_in_a_node",
    "fine_tune",
    "grid_clean_below",
    "grid_old_after_years",
    "grid_spread",
    "grid_trend",
    "grid_unknown",
    "high_utilisation",
    "host_power_factor",
    "host_power_share",
    "large_global_batch_tokens",
    "layers_rule",
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
    for table in ("benchmark_runs", "benchmark_nodes", "throughput", "finetunes"):
        found |= {row["source"]: key for key, row in BUNDLED.benchmark(table).items()}
    for name, years in CORE["grids_direct"].items():
        found |= {row["source"]: name for row in years.values()}
    return found


@each("key", CORE["sources"])
def test_source_is_complete(key: str) -> None:
    source = BUNDLED.source(key)
    assert source.key == key
    assert source.title and source.authors


@each("name", DEFAULTS)
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


@each("key", DEVICES)
def test_device_id_is_its_file_name(key: str) -> None:
    assert DEVICES[key].id == key


@each("key", DEVICES)
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
    # One maker's id may be another's product name: the id wins, and the answer names the other.
    names = {
        key: {form(n) for n in (key, r.name, *r.aliases)} - {form(k) for k in records if k != key}
        for key, r in records.items()
    }
    count = Counter(chain.from_iterable(names.values()))
    assert not [name for name, times in count.items() if times > 1]


@each("key", DEVICES)
def test_every_alias_finds_its_device(key: str) -> None:
    for alias in (key, *DEVICES[key].aliases):
        match = BUNDLED.device(alias)
        assert match.device.id == key or key in match.namesakes, alias


@each("key", DEVICES)
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


@each("family", sorted({device.family for device in DEVICES.values()}))
def test_family_has_one_default_which_its_name_finds(family: str) -> None:
    members = [d.id for d in DEVICES.values() if d.family == family]
    assert sum(DEVICES[key].family_default for key in members) == 1
    match = BUNDLED.device(family)
    assert match.device.family_default
    assert {match.device.id, *match.variants} == set(members)


@each("key", DEVICES)
def test_every_device_can_be_estimated(key: str) -> None:
    """But for those of which nobody published a rate or a power (test_devices_of_2026.py)."""
    device = DEVICES[key]
    if device.peak("bf16") is None or not (device.tdp_w or device.device_power_w):
        assert device.missing
        return
    footprint = estimate(Plan(params=1e9, tokens=2e10, device=key, region="fr", year=2024))
    for quantity in (footprint.total, footprint.energy, footprint.device_hours):
        assert quantity is not None
        levels = (quantity.p5, quantity.p10, quantity.p50, quantity.p90, quantity.p95)
        assert all(map(isfinite, (quantity.value, *levels)))
        assert quantity.p5 > 0
        assert list(levels) == sorted(levels)


# What a record is.

OURS: list[tuple[type[Record], str]] = [
    (Device, "devices"), (Model, "models"), (ReportedRun, specs.RUNS_TABLE)
]  # fmt: skip


@pytest.mark.parametrize(("kind", "table"), OURS)
def test_a_record_that_is_only_read_is_the_one_that_is_validated(
    kind: type[Record], table: str
) -> None:
    records = CORE.get(table) or specs.load(specs.bundled_folder(), specs.RUNS)[table]
    for key, data in json.loads(json.dumps(dict(records), default=str)).items():
        read, checked = kind.made_of(data), validated(kind, data, key)
        assert read == checked and repr(read) == repr(checked)


def test_a_record_does_not_change_and_copies_keep_their_kind() -> None:
    figure = Figure(value=1.0, basis="given", source="x")
    with pytest.raises(AttributeError, match="value"):
        figure.value = 2.0  # type: ignore[misc]
    other = figure.replace(low=0.5, high=2.0)
    assert other.points == (1.0, 0.5, 2.0) and figure.low is None
    assert other != figure and other.replace(low=None, high=None) == figure
    assert pickle.loads(pickle.dumps(DEVICES["h100-sxm"])) == DEVICES["h100-sxm"]
    assert copy.deepcopy(other) == other and len({figure, other, copy.copy(other)}) == 2


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"value": 1.0, "source": "x"}, "basis"),
        ({"value": 1.0, "basis": "given", "source": "x", "hihg": 2.0}, "hihg"),
    ],
)
def test_a_record_has_its_fields_and_no_others(fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(TypeError, match=f"Figure: unknown or missing: {wrong}"):
        Figure(**fields)


def test_our_own_records_are_read_without_pydantic() -> None:
    script = (
        "import sys; from types import ModuleType\n"
        "package = sys.modules['joulecast'] = ModuleType('joulecast')\n"
        f"package.__path__ = [{str(SRC)!r}]\n"
        "from joulecast.data.library import Library\n"
        "from joulecast.laws.records import LossLaw\n"
        "ours = Library.bundled()\n"
        "ours.device('h100'), ours.model(ours.model_ids[0]), ours.source('ember-2026'), ours.runs\n"
        "ours.default('pue'), ours.place('us-va'), ours.laws('loss', LossLaw), ours.rented\n"
        "print({'pydantic', 'pydantic_core', 'annotated_types'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "set()\n"


def test_a_record_of_ours_that_cannot_be_read_says_its_file_and_field() -> None:
    broken = {**CORE["devices"]["h100-sxm"], "tdp_watt": 700}
    devices = {**CORE["devices"], "h100-sxm": broken}
    library = Library({**CORE, "devices": devices}, specs.bundled_folder())
    with pytest.raises(SpecsError, match=r"^devices/h100-sxm.toml: tdp_watt: unknown key; try"):
        library.device("h100-sxm")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("devices/h100-sxm.toml", "tdp_w", "tdp_watt", "tdp_watt: unknown key"),
        ("devices/h100-sxm.toml", 'source = "', 'source = "x', "source: x"),
        ("models/llama-3.1-8b.toml", 'arch = "dense"', 'arch = "moe"', "model: a mixture"),
        ("reported_runs/t5-11b.toml", 'tests = ["H"', 'tests = ["H", "H"', "run: tests: a letter"),
        ("sources.toml", 'read = "secondary"', 'read = "told"', ": read: told: is not a known"),
        ("defaults.toml", 'basis = "', 'basis = "x', ": basis: x"),
        (
            "scaling_laws.toml",
            "tokens_exponent = ",
            "tokens_exponent = -",
            "tokens_exponent: -0.3658: ",
        ),
    ],
)
def test_the_build_refuses_a_broken_record_of_ours(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    folder = tmp_path / "hardware_specs"
    shutil.copytree(specs.bundled_folder(), folder, ignore=shutil.ignore_patterns("compiled"))
    (tmp_path / "src").symlink_to(SRC.parent)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SpecsError) as caught:
        build_hook.compile_specs(tmp_path)
    assert str(caught.value).startswith(file) and message in str(caught.value)
    assert not (folder / "compiled").exists()
