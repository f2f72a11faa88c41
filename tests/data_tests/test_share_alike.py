"""The tables under the Open Database Licence stand apart, and joulecast works without them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from joulecast import Library, Plan, estimate
from joulecast.data import specs
from joulecast.errors import UnknownNameError

SHARE_ALIKE = [f"{name}.csv" for name in specs.ODBL_TABLES]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of hardware_specs with its compiled tables."""
    folder = tmp_path_factory.mktemp("compiled") / "hardware_specs"
    shutil.copytree(specs.bundled_folder(), folder, ignore=shutil.ignore_patterns("compiled"))
    specs.compile_folder(folder)
    return folder


def checkout_in(folder: Path, compiled: Path) -> Path:
    """The compiled copy, its times kept, where it looks like a checkout."""
    shutil.copytree(compiled, folder / "hardware_specs")
    (folder / "pyproject.toml").touch()
    return folder / "hardware_specs"


@pytest.fixture
def checkout(compiled: Path, tmp_path: Path) -> Path:
    """A copy of hardware_specs with its compiled tables, as in a checkout."""
    return checkout_in(tmp_path, compiled)


@pytest.fixture(scope="module")
def without(compiled: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The library of a folder whose share-alike files were removed, compiled copy and all."""
    checkout = checkout_in(tmp_path_factory.mktemp("without"), compiled)
    for name in (*SHARE_ALIKE, "compiled/electricitymaps.json"):
        (checkout / name).unlink()
    return Library(specs.load(checkout), checkout)


def test_compiled_files_keep_the_licences_apart(checkout: Path) -> None:
    core, odbl = specs.load(checkout), specs.load(checkout, specs.ODBL)
    assert not set(core) & set(specs.ODBL_TABLES)
    assert set(specs.ODBL_TABLES) <= set(odbl)


@pytest.mark.parametrize("name", SHARE_ALIKE)
def test_share_alike_file_says_so(name: str) -> None:
    head = (specs.bundled_folder() / name).read_text(encoding="utf-8")[:600]
    assert "Open Database License (ODbL) 1.0" in head


@pytest.mark.parametrize("region", ["us", "us-va", "aws:us-east-1", "jean-zay", "fr", "in"])
def test_every_kind_of_place_works_without_them(without: Library, region: str) -> None:
    plan = Plan(params=7e9, tokens=1e12, device="h100-sxm", region=region, year=2024)
    footprint = estimate(plan, without)
    grid = next(a for a in footprint.assumptions if a.name == "grid_gco2e_per_kwh")
    assert grid.source == "ember-2026"
    assert footprint.total is not None
    assert 0 < footprint.total.p10 <= footprint.total.p90


def test_compiled_copy_gives_the_same_data(checkout: Path) -> None:
    compiled = specs.load(checkout)
    shutil.rmtree(checkout / "compiled")
    parsed = specs.load(checkout)
    assert list(compiled) == list(parsed)
    assert compiled["digest"] == parsed["digest"] == specs.digest(checkout)
    assert compiled["defaults"] == parsed["defaults"]
    assert dict(compiled["devices"]) == dict(parsed["devices"])


def test_what_is_packed_is_found_by_its_key_whatever_is_in_it() -> None:
    odd = {'a "b', "b", "c\n", "\\", '",', "é", "\ud800", "", '","b":1'}
    records = {key: {"b": f'{key!r}\n"b":[1]', "c": None} for key in sorted(odd)}
    names = {"exact": {key: [f"{key!r}\v"] for key in records}, "alias": {}, "": {"b": ["x"]}}
    tables = {"devices": records, "none": {}, "names_of_devices": names, "digest": "x", "few": [1]}
    for tried in ("found", "listed"):
        read = specs.unpack(specs.pack(tables))
        assert list(read) == list(tables) and read["digest"] == "x" and read["few"] == [1]
        if tried == "listed":
            assert list(read["devices"]) == list(records) and not read["none"]
            assert list(read["names_of_devices"]) == list(names)
        assert all(read["devices"][key] == records[key] for key in records)
        exact = read["names_of_devices"]["exact"]
        assert all(exact[key] == names["exact"][key] for key in records)
        for table in (read["devices"], read["none"], read["names_of_devices"], exact):
            assert "a" not in table and table.get("c") is None and "\udcff" not in table
        assert read == tables and len(read["devices"]) == len(odd)


def test_a_table_that_is_asked_for_much_gives_what_it_gave() -> None:
    rows = {f"key {number}": [number] for number in range(2 * specs.SEARCHES)}
    read = specs.unpack(specs.pack({"rows": rows}))["rows"]
    found = {key: row for key in rows if "none" not in read and (row := read[key])}
    assert found == rows and read["key 0"] is read["key 0"]
    with pytest.raises(KeyError, match="none"):
        read["none"]


def test_an_edited_file_outdates_the_compiled_copy(checkout: Path) -> None:
    path = checkout / "defaults.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("value = 1.25", "value = 1.75", 1))
    later = (checkout / "compiled" / specs.CORE).stat().st_mtime + 5
    os.utime(path, (later, later))
    assert specs.load(checkout)["digest"] == specs.digest(checkout)


def test_a_removed_file_outdates_the_compiled_copy(checkout: Path) -> None:
    (checkout / "grids_electricitymaps.csv").unlink()
    assert "grids_electricitymaps" not in specs.load(checkout, specs.ODBL)


def test_new_file_outdates_the_compiled_copy(checkout: Path) -> None:
    text = (checkout / "devices" / "h100-sxm.toml").read_text(encoding="utf-8")
    text = text.replace('id = "h100-sxm"', 'id = "mine"')
    (checkout / "devices" / "mine.toml").write_text(text, encoding="utf-8")
    later = (checkout / "compiled" / specs.CORE).stat().st_mtime - 5
    os.utime(checkout / "devices" / "mine.toml", (later, later))
    assert "mine" in specs.load(checkout)["devices"]


def test_newer_code_outdates_the_compiled_copy(checkout: Path) -> None:
    compiled = checkout / "compiled" / specs.CORE
    (compiled).write_bytes(specs.pack({"digest": "old"}))
    assert specs.load(checkout)["digest"] == "old"
    before = Path(specs.__file__).stat().st_mtime - 5
    for path in [checkout, *checkout.rglob("*")]:
        os.utime(path, (before - 5, before - 5))
    os.utime(compiled, (before, before))
    assert specs.load(checkout)["digest"] == specs.digest(checkout)


def test_installed_copy_uses_the_compiled_files_whatever_their_age(checkout: Path) -> None:
    (checkout.parent / "pyproject.toml").unlink()
    (checkout / "compiled" / specs.CORE).write_bytes(specs.pack({"digest": "old"}))
    os.utime(checkout / "compiled" / specs.CORE, (0, 0))
    assert specs.load(checkout)["digest"] == "old"


@pytest.mark.parametrize(
    ("region", "missing"),
    [("us-va", "Virginia's zone"), ("aws:us-east-1", "zone US-MIDA-PJM"), ("cn-gd", "Guangdong")],
)
def test_national_figure_says_for_what_it_stands(
    without: Library, region: str, missing: str
) -> None:
    footprint = estimate(Plan(params=7e9, tokens=1e12, region=region, year=2024), without)
    grid = next(a for a in footprint.assumptions if a.name == "grid_gco2e_per_kwh")
    country = "China" if region == "cn-gd" else "United States"
    assert grid.note.startswith(f"{country} 2024 (no figure for {missing}), life-cycle, production")
    assert "grid_national" in {notice.code for notice in footprint.warnings}


def test_installed_copy_is_rid_of_them_once_the_four_files_are_gone(checkout: Path) -> None:
    (checkout.parent / "pyproject.toml").unlink()
    for name in SHARE_ALIKE:
        (checkout / name).unlink()
    assert "zones" in specs.load(checkout, specs.ODBL)
    (checkout / "compiled" / specs.ODBL).unlink()
    library = Library(specs.load(checkout), checkout)
    assert "zones" not in specs.load(checkout, specs.ODBL)
    assert library.place("us-va").zone == "US-MIDA-PJM"
    assert library.zone_grid("US-MIDA-PJM", 2024) is None


def test_a_name_of_a_zone_that_was_removed_is_still_never_guessed(without: Library) -> None:
    with pytest.raises(UnknownNameError, match=r"several places; try au-vic, ca-bc"):
        without.place("Victoria")
    with pytest.raises(UnknownNameError, match="unknown place"):
        without.place("Sydney")
