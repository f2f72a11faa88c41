"""One broken table per way to break one, and the message it gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from joulecast import JoulecastError, Library, Plan, estimate
from joulecast.errors import InputError

BAD = Path(__file__).parents[1] / "data" / "bad_specs"
NOT_A_TABLE = "is not a table of hardware_specs"

#: Folder -> message.
MESSAGES = {
    # Files.
    "misspelt_table": f"default.toml: {NOT_A_TABLE}; try defaults.toml",
    "device_outside_devices": f"mine.toml: {NOT_A_TABLE}; try devices/mine.toml",
    "not_utf8_csv": "grids_ember.csv: is not UTF-8 text",
    # Rows and columns.
    "row_too_short": "grids_ember.csv: row 2 has more or fewer cells than the header",
    "row_too_long": "grids_ember.csv: row 1 has more or fewer cells than the header",
    "year_twice": "grids_ember.csv: FRA 2024 stands twice",
    "semicolons": "grids_ember.csv: cells must be separated by commas, not semicolons",
    "missing_column": "providers.csv: column pue is missing",
    "misspelt_column": "countries.csv: column name is missing",
    "unknown_column": "regions.csv: column: pue_20255: is not known; try pue_2025, wue_2025, pue_2024",
    "column_twice": "grids_ember.csv: column year stands twice",
    # Numbers in rows.
    "intensity_not_a_number": (
        "grids_ember.csv: FRA 2024: must be a number of at least 0, not forty"
    ),
    "intensity_nan": "grids_ember.csv: FRA 2024: must be a number of at least 0, not nan",
    "negative_intensity": "grids_ember.csv: FRA 2024: must be a number of at least 0, not -40",
    "water_not_a_number": "water.csv: FRA: must be a number of at least 0, not n/a",
    "year_not_a_number": "grids_ember.csv: FRA FY24: year must be a whole number, not FY24",
    "year_empty": "grids_ember.csv: FRA: year is empty",
    "intensity_empty": "grids_ember.csv: FRA 2024: must be a number of at least 0, not empty",
    "fleet_pue_below_one": (
        "providers.csv: mine 2025: pue_low must be a number of at least 1, not 0.9"
    ),
    "fleet_out_of_order": (
        "providers.csv: mine 2025: pue_low, pue, pue_high must all be there and rise, "
        "not 1.4, 1.3, 1.2"
    ),
    "fleet_without_range": (
        "providers.csv: mine 2025: pue_low, pue, pue_high must all be there and rise, "
        "not empty, 1.3, empty"
    ),
    "instance_twice": "instances.csv: mine.8x stands twice",
    "instance_without_count": "instances.csv: mine.8x: instance: needs devices and no per_device",
    "instance_of_half_a_device": "instances.csv: mine.8x: devices: 1.5: is not a whole number",
    "slice_with_devices": "instances.csv: v9-*: instance: needs per_device and no devices",
    # Names in rows.
    "instance_of_no_device": (
        "instances.csv: mine.8x: device: h100-smx: is not in devices/; "
        "try h100-sxm, h800-sxm, h200-sxm"
    ),
    "instance_of_no_provider": (
        "instances.csv: mine.8x: provider: awss: is not in providers.csv; try aws"
    ),
    "instance_of_unknown_source": (
        "instances.csv: mine.8x: source: my-note: is not in sources.toml"
    ),
    "instance_named_as_device": "instances.csv: H100: is the name of a device: h100-sxm",
    "mix_below_zero": "mix.csv: FRA: coal must be a number of at least 0, not -5",
    # Names in rows.
    "name_of_no_place": "place_names.csv: my lab: us-vq: is no place; try us-wv, us-vt, us-va",
    "fleet_of_unknown_source": (
        "providers.csv: mine 2025: source: my-note: is not in sources.toml"
    ),
    "table_of_unknown_source": "grids_ember.csv: source: my-note: is not in sources.toml",
    "grid_of_no_country": ("grids_ember.csv: iso3: FRX: is not in countries.csv; try FRO, FRA"),
    "state_in_no_country": ("states.csv: fr-br: iso3: FRX: is not in countries.csv; try FRO, FRA"),
    "zone_in_small_letters": "zones.csv: zone: fr-ile: must be in capitals; try FR-ILE",
    "intensity_of_no_zone": (
        "grids_electricitymaps.csv: zone: US-MIDA-PJN: is not in zones.csv; "
        "try US-MIDA-PJM, US-MIDW-MISO, US-MIDW-LGEE"
    ),
    # Defaults.
    "misspelt_default": "defaults.toml: peu: unknown key; try pue",
    "misspelt_case_of_a_default": (
        "defaults.toml: network_share.clutser: unknown key; "
        "try network_share.cluster, network_share.node, network_embodied_share"
    ),
    "default_of_unknown_source": "defaults.toml: pue: source: my-note: is not in sources.toml",
    "default_without_value": "defaults.toml: pue: value: missing",
    "default_above_limit": "defaults.toml: network_share.cluster: must be at most 1",
    "default_range_from_limit": "defaults.toml: pue: a range must start above 1",
    "default_of_zero": "defaults.toml: lifetime_years: must be above 0",
    "default_without_source": "defaults.toml: pue: source: missing",
    "default_bare_number": "defaults.toml: pue: needs value, basis and source",
    "default_below_limit": "defaults.toml: pue: must be at least 1",
    "default_range_out_of_order": (
        "defaults.toml: pue: figure: low, value, high out of order: 1.6, 1.5, 1.9"
    ),
    "calibration_without_source": ("calibration.toml: utilisation.of_tuned: source: missing"),
    # Sites.
    "site_without_name": "sites.toml: my-lab: name: missing",
    "site_without_country": "sites.toml: my-lab: iso3: missing",
    "site_in_no_country": "sites.toml: my-lab: iso3: FRANCE: is not in countries.csv; try FRA",
    "site_in_no_zone": (
        "sites.toml: my-lab: zone: US-MIDA-PJN: is not in zones.csv; "
        "try US-MIDA-PJM, US-MIDW-MISO, US-MIDW-LGEE"
    ),
    "site_not_a_table": "sites.toml: my-lab: My Lab: must be a table",
    "site_misspelt_key": "sites.toml: my-lab: zoen: unknown key; try zone",
    "site_pue_below_one": "sites.toml: my-lab.pue: must be at least 1",
    "site_pue_without_source": "sites.toml: my-lab.pue: source: missing",
    # Sources.
    "source_nowhere_to_be_found": (
        "sources.toml: my-notes: source: a source needs a url, a doi or a publisher"
    ),
    "source_without_title": "sources.toml: my-notes: title: missing",
    "source_unknown_kind": (
        "sources.toml: my-notes: kind: blog: is not a known choice; "
        "try article, report, dataset, web, datasheet, standard, judgement"
    ),
    "source_unknown_read": (
        "sources.toml: my-notes: read: skimmed: is not a known choice; "
        "try primary, secondary, recalled"
    ),
    "source_year": "sources.toml: my-notes: year: 26: must be at least 1950",
    "source_half_checked": (
        "sources.toml: my-notes: source: an entry that was checked needs both checked and "
        "checked_against"
    ),
}


def use(folder: Path) -> None:
    """Read whatever the folder brings: its source, else an estimate that needs its table."""
    library = Library.with_folder(folder)
    if (folder / "sources.toml").exists():
        library.source("my-notes")
    provider = "mine" if (folder / "providers.csv").exists() else None
    region = "my-lab" if (folder / "sites.toml").exists() else "fr"
    run = Plan(
        params=7e9, tokens=1e12, device="h100-sxm", region=region, provider=provider, year=2024
    )
    estimate(run, library)


@pytest.mark.parametrize("case", MESSAGES)
def test_broken_table_is_refused_by_file_and_field(case: str) -> None:
    with pytest.raises(JoulecastError) as caught:
        use(BAD / case)
    assert str(caught.value) == MESSAGES[case]


def test_folder_must_exist() -> None:
    with pytest.raises(InputError) as caught:
        Library.with_folder(BAD / "nothing_here")
    assert str(caught.value).startswith("--specs: ")
    assert str(caught.value).endswith("is not a folder")


def test_every_table_folder_is_tested() -> None:
    devices = {path.parents[1].name for path in BAD.glob("*/devices/*.toml")}
    assert {path.name for path in BAD.iterdir()} - devices == set(MESSAGES)
