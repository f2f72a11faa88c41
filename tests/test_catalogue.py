"""Looking: lists with filters and formats, records with every number's range, basis and source."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import Run

from joulecast import Library, Plan, estimate
from joulecast.answers.shape import as_dict
from joulecast.data.catalogue import details, listing
from joulecast.errors import InputError

ROOT = Path(__file__).parents[1]
BUNDLED = Library.bundled()


def test_rows_are_the_same_in_every_format(joulecast: Run) -> None:
    args = ("list", "devices", "--class", "hopper", "--format")
    rows = json.loads(joulecast(*args, "json").stdout)
    table = list(csv.DictReader(io.StringIO(joulecast(*args, "csv").stdout)))
    assert [row["id"] for row in table] == [row["id"] for row in rows]
    assert float(table[0]["memory_gb"]) == rows[0]["memory_gb"]
    head, rule, *body = joulecast(*args, "md").stdout.splitlines()
    assert head.startswith("| id | name |") and set(rule) == set("| -")
    assert len(body) == len(rows)


def test_filters_narrow_a_list() -> None:
    nvidia = listing("devices", BUNDLED, where={"vendor": "nvidia", "class": "ampere"})
    assert {row["device_class"] for row in nvidia} == {"ampere"}
    aws = listing("regions", BUNDLED, where={"provider": "AWS", "country": "Germany"})
    assert [row["id"] for row in aws] == ["aws:eu-central-1"]
    assert all("v100" in str(row).casefold() for row in listing("devices", BUNDLED, "V100"))
    found = {row["id"] for row in listing("devices", BUNDLED, "V100")}
    assert found == {"v100-sxm2-16", "v100-sxm2-32", "v100-pcie", "bi-v100"}
    assert listing("devices", BUNDLED, "no such text") == []


def test_filter_of_another_list_is_an_error() -> None:
    with pytest.raises(InputError, match="--vendor: x: is not a filter of list regions"):
        listing("regions", BUNDLED, where={"vendor": "x"})


def test_a_list_without_rows_says_so_beside_the_result(joulecast: Run) -> None:
    done = joulecast("list", "devices", "--vendor", "nobody", "--format", "csv")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "nothing fits\n")


def test_unknown_format_is_one_line(joulecast: Run) -> None:
    done = joulecast("list", "devices", "--format", "xlsx")
    assert done.returncode == 2
    assert done.stderr.endswith("is not a format of this command; try text, json, csv, md\n")


def test_a_place_shows_the_figures_an_answer_takes() -> None:
    shown = details("us-va", None, BUNDLED, "2023")
    answer = estimate(Plan(params=1e9, tokens=1e11, device="h100-sxm", region="us-va", year=2023))
    taken = {entry.name: as_dict(entry) for entry in answer.assumptions}
    assert set(shown["figures"]) == {
        "grid_gco2e_per_kwh", "pue", "wue_l_per_kwh", "water_factor_l_per_kwh",
    }  # fmt: skip
    for name, figure in shown["figures"].items():
        assert figure.items() <= taken[name].items()
        assert figure["low"] < figure["value"] < figure["high"]
        assert figure["source"] and figure["basis"]
    assert (shown["year"], shown["grid"]["year"]) == (2023, 2023)


def test_year_goes_with_places_alone() -> None:
    with pytest.raises(InputError, match="--year: 2020: goes with a place alone"):
        details("h100-sxm", None, BUNDLED, "2020")


@pytest.mark.parametrize("name", ["grid_spread", "water_of", "high_utilisation"])
def test_defaults_that_shape_others_can_be_looked_up(name: str) -> None:
    assert "source" in str(details(name, None, BUNDLED)["defaults"])


def record_schema(kind: str) -> Any:
    path = ROOT / "src" / "joulecast" / "schemas" / f"record-{kind}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def as_json(record: Any) -> Any:
    return json.loads(json.dumps(record, default=date.isoformat))


@pytest.mark.parametrize("kind", ["device", "model"])
def test_every_record_fits_the_schema_for_editors(kind: str) -> None:
    validator = jsonschema.Draft202012Validator(record_schema(kind))
    for path in sorted((ROOT / "hardware_specs" / f"{kind}s").glob("*.toml")):
        validator.validate(as_json(tomllib.loads(path.read_text(encoding="utf-8"))))


def test_schema_for_editors_catches_a_misspelt_key() -> None:
    path = ROOT / "hardware_specs" / "devices" / "h100-sxm.toml"
    record = as_json(tomllib.loads(path.read_text(encoding="utf-8")))
    for broken in ({**record, "tdp_watt": 700}, {**record, "tdp_w": "700"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, record_schema("device"))
