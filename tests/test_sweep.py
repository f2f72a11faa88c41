"""What if: a sweep says of each row what `estimate` says of that plan."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Run, fits
from hypothesis import example, given, settings
from hypothesis import strategies as st

from joulecast import JoulecastError, Library, Plan, Sweep, estimate, sweep
from joulecast.plan import varied
from joulecast.resolve import hardware, resolve, utilisation
from joulecast.resolve.ledger import scaled
from joulecast.terms import PARTS, RESULTS
from joulecast.whatif import axes as reading
from joulecast.whatif import drawing, scenarios

BASE = Plan(params="7B", tokens="2T", device="h100-sxm", region="us-va", year=2024)

#: Axis -> values to pick from: some change one number, some nearly everything.
VALUES: dict[str, list[Any]] = {
    "params": [1e8, 9.9e8, 1e9, 1.01e9, 7e9, 3e11],
    "tokens": [1e9, 3.3e11, 2e12, 1.5e13],
    "device": ["h100-sxm", "A100", "tpu-v4", "T4", "gaudi2", "gb200", "cpu-laptop", "mi300x"],
    "region": ["fr", "us", "us-va", "se", "aws:us-east-1", "jean-zay", "in"],
    "year": [2012, 2021, 2024, 2028],
    "grid_basis": ["life-cycle"],
    "national_average": [True, False],
    "include_building": [True, False],
    "hydro_evaporation": ["include", "exclude"],
    "document_len": [512, 4096],
    "provider": ["aws", "gcp"],
    "device_count": [1, 8, 9, 512, 16384],
    "seq_len": [512, 4096, 131072],
    "precision": ["bf16", "fp16"],
    "recompute": ["none", "selective", "full"],
    "arch": ["dense", "encoder", "enc-dec", "vision"],
    "runs": [1, 3, 10],
    "samples": [1e6, 1e9],
    "pue": [1.0, 1.07, 1.2, 2.0, "1.05..1.2..1.6"],
    "mfu": [0.1, 0.35, 0.5, "0.3..0.4..0.5"],
    "goodput": [0.5, 0.9, 1.0],
    "utilisation": [0.05, 0.3, 0.5],
    "grid_gco2e_per_kwh": [0.0, 20.0, 400.0, "100..300"],
    "network_share": [0.0, 0.05, 0.3],
    "host_power_w": [0.0, 150.0],
    "device_power_w": [100.0, 700.0],
    "lifetime_years": [3.0, 6.0],
    "device_embodied_kgco2e": [0.0, 150.0, 3000.0],
    "training_flop": [1e20, 1e24],
    "device_hours": [10.0, 1e6],
    "energy_kwh": [1e3, 1e7],
    "wue_l_per_kwh": [0.0, 1.8],
    "project_factor": [1.0, 2.5],
}
SHOWN = (
    "total_kgco2e", "energy_kwh", "device_hours", "wall_clock_days", "utilisation", "water_l",
    "network_kgco2e", "embodied_kgco2e", "training_flop", "project_kgco2e",
)  # fmt: skip


@st.composite
def varied_values(draw: st.DrawFn) -> dict[str, list[Any]]:
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3, unique=True))
    return {
        name: draw(st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=4, unique=True))
        for name in names
    }


def row_by_row(plan: Plan, vary: dict[str, list[Any]]) -> list[Any]:
    """Brute force: each plan by itself; raises what the first bad one raises."""
    return [
        estimate(varied(plan, dict(zip(vary, values, strict=True)))).quantities
        for values in itertools.product(*vary.values())
    ]


@settings(max_examples=150, deadline=None)
@given(varied_values(), st.booleans())
@example({"device_count": [1, 8, 9, 512], "device": ["h100-sxm", "T4"]}, False)
@example({"params": [1e8, 7e9], "device_count": [8, 512], "pue": [1.0, 2.0]}, False)
@example({"grid_gco2e_per_kwh": [0.0, 20.0], "region": ["fr", "pl"]}, False)
@example({"energy_kwh": [1e3, 1e7], "pue": [1.0, 1.2]}, True)
def test_row_i_is_the_estimate_of_plan_i(vary: dict[str, list[Any]], bare: bool) -> None:
    plan = BASE
    if bare:
        plan = Plan(params="7B", tokens="2T", only_given=True, given={"mfu": [0.3, 0.4, 0.5]})
    try:
        expected = row_by_row(plan, vary)
    except JoulecastError:
        with pytest.raises(JoulecastError):
            table = sweep(plan, vary, results=SHOWN)
            _ = table.columns
        return
    table = sweep(plan, vary, results=SHOWN)
    assert len(table) == len(expected)
    for i, (row, quantities) in enumerate(zip(table.rows(), expected, strict=True)):
        for name in SHOWN:
            quantity = quantities[name]
            if quantity is None:
                assert row[f"{name}_value"] is None and row[f"{name}_p90"] is None
                continue
            assert row[f"{name}_value"] == pytest.approx(quantity.value, rel=1e-9, abs=1e-6), (
                i,
                name,
            )
            for level in ("p10", "p50", "p90"):
                wanted = pytest.approx(getattr(quantity, level), rel=5e-3, abs=1e-6)
                assert row[f"{name}_{level}"] == wanted, (i, name, level)


@pytest.mark.parametrize(
    ("devices", "regions"),
    [
        (["h100-sxm", "trainium2"], ["aws:us-east-1", "fr"]),
        (["trainium2", "h100-sxm"], ["fr", "aws:us-east-1", "jean-zay"]),
        (["h100-sxm", "p4d.24xlarge"], ["us-va", "gcp:us-east4"]),
        (["tpu-v4", "tpu-v5p", "trainium2"], ["us-ok", "jean-zay"]),
        (["cpu-desktop", "h100-sxm"], ["azure:westus2", "de"]),
    ],
)
def test_a_device_that_brings_its_data_centre_does_so_at_every_place(
    devices: list[str], regions: list[str]
) -> None:
    plan = Plan(params="7B", tokens="10B", year=2024)
    vary: dict[str, list[Any]] = {"device": devices, "region": regions}
    table = sweep(plan, vary, results=["total_kgco2e", "water_l"])
    for row, quantities in zip(table.rows(), row_by_row(plan, vary), strict=True):
        for name in ("total_kgco2e", "water_l"):
            expected = quantities[name]
            assert expected is not None
            assert row[f"{name}_value"] == pytest.approx(expected.value, rel=1e-9), row
            assert row[f"{name}_p90"] == pytest.approx(expected.p90, rel=5e-3), row


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two rows are the same to nine digits."""
    return list(one) == list(other) and all(
        value == (other[name] if isinstance(value, str) else pytest.approx(other[name], rel=1e-9))
        for name, value in one.items()
    )


def check_some(table: Sweep, plan: Plan, rows: list[int]) -> None:
    """Rows of a large table against estimates of their plans."""
    for i in rows:
        at = np.unravel_index(i, table.shape)
        values = {axis.name: axis.values[k] for axis, k in zip(table.axes, at, strict=True)}
        quantities = estimate(varied(plan, values)).quantities
        for name in table.results:
            quantity = quantities[name]
            assert quantity is not None
            assert table[f"{name}_value"][i] == pytest.approx(quantity.value, rel=1e-9)
            for level in ("p10", "p50", "p90"):
                wanted = pytest.approx(getattr(quantity, level), rel=5e-3)
                assert table[f"{name}_{level}"][i] == wanted, (name, level, values)


LONG = [
    {"grid_gco2e_per_kwh": "log:1:1000:200"},
    {"pue": "lin:1:3:150", "params": "log:100M:100B:40"},
    {"params": "log:10M:1T:150", "device": "h100-sxm,T4,gaudi2", "region": "fr,pl"},
    {"mfu": "lin:0.02:0.6:120", "goodput": "lin:0.3:1:50"},
    {"device_count": "1,2,4,8,9,16,512,4096", "network_share": "lin:0:0.4:60"},
    {"lifetime_years": "lin:2:8:70", "grid_gco2e_per_kwh": "lin:0:700:70"},
    {"unique_tokens": "log:1B:1T:80", "epochs": "lin:0.5:4:40"},
    {"device_power_w": "lin:100:1200:90", "host_power_w": "lin:0:400:50"},
]


@pytest.mark.parametrize(
    "vary",
    [
        {"params": "log:10M:1T:100"},
        {"params": "log:10M:1T:30", "device": "h100-sxm,T4", "pue": "lin:1:3:20"},
        {"grid_gco2e_per_kwh": "lin:0:700:70", "lifetime_years": "lin:2:8:20"},
        {"grid_gco2e_per_kwh": "log:1:1000:100"},
        {"device_power_w": "lin:100:1200:30", "host_power_w": "lin:0:400:20"},
    ],
    ids="-".join,
)
def test_no_row_of_a_long_axis_is_half_a_percent_from_its_own_draws(
    vary: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = ["total_kgco2e", "water_l"]
    few = sweep(BASE, vary, results).columns
    monkeypatch.setattr(drawing, "SHORT", 1_000_000)  # every value of every axis
    for name, each in sweep(BASE, vary, results).columns.items():
        if name not in vary:
            assert few[name] == pytest.approx(each, rel=5e-3), name


@pytest.mark.parametrize("vary", LONG, ids="-".join)
def test_long_axes_keep_their_ranges_within_half_a_percent(vary: dict[str, str]) -> None:
    table = sweep(BASE, vary, results=["total_kgco2e", "energy_kwh", "water_l"])
    picked = np.random.default_rng(7).choice(len(table), 40, replace=False)
    check_some(table, BASE, [0, len(table) - 1, *picked.tolist()])


@pytest.mark.parametrize(
    "vary",
    [LONG[3], {"params": "log:10M:1T:30", "mfu": "lin:0.1:0.6:20"}],
    ids="-".join,
)
def test_rows_that_keep_devices_busy_and_rows_that_do_not_are_reckoned_together(
    vary: dict[str, str],
) -> None:
    """Apart they took a part for each row, and minutes for thousands of them."""
    axes, optional = reading.read(vary, Library.bundled(), reading.at_most(1_000_000, 1))
    assert len(scenarios.settle(BASE, axes, optional, Library.bundled()).parts) == 1


def test_defaults_that_follow_size_and_count_in_a_curve_are_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever a default rests on, a sweep finds it: here utilisation bends, and jumps."""
    plain = utilisation.default

    def bent(ledger: Any, device: Any, *rest: Any) -> Any:
        figure = plain(ledger, device, *rest)
        size = np.log10(ledger.data["params"].value)
        count = np.log2(ledger.data["device_count"].value)
        factor = float(np.clip(0.5 + 0.05 * size - 0.01 * count - 0.002 * size * count, 0.2, 0.9))
        return scaled(figure, factor * (0.8 if size > 10.5 else 1.0), upper=0.9)

    monkeypatch.setattr(utilisation, "default", bent)
    vary = {"params": "log:100M:1T:40", "device_count": "1,8,64,16384", "tokens": "1T,2T"}
    table = sweep(BASE, vary)
    picked = np.random.default_rng(3).choice(len(table), 60, replace=False)
    check_some(table, BASE, picked.tolist())


def test_every_result_can_be_swept() -> None:
    names = [*RESULTS, *PARTS.values()]
    vary = {"params": [1e8, 7e9], "region": ["fr", "pl"]}
    beside = {
        "market_gco2e_per_kwh": 50,
        "offsets_kgco2e": 10,
        "price_per_device_hour": 2,
        "price_per_kwh": 0.1,
        "storage_tb": 100,
        "storage_months": 12,
        "transfer_tb": 10,
    }
    plan = varied(BASE, {"device_count": 64, "project_factor": 2, **beside})
    check_some(sweep(plan, vary, results=names), plan, [0, 1, 2, 3])


def test_what_cannot_be_known_is_none() -> None:
    rows = list(sweep(Plan(flop=1e22, only_given=True), {"region": ["fr"]}).rows())
    assert rows[0]["total_kgco2e_value"] is None and rows[0]["region"] == "fr"


def test_the_first_name_changes_slowest() -> None:
    table = sweep(BASE, {"params": [2e9, 1e9], "region": ["fr", "pl"]}, ranges=False)
    assert table["params"].tolist() == [2e9, 2e9, 1e9, 1e9]
    assert table["region"].tolist() == ["fr", "pl", "fr", "pl"]
    assert table.names == ("params", "region", "total_kgco2e_value", "energy_kwh_value", "device_hours_value")  # fmt: skip
    assert table.grid("energy_kwh_value").shape == (2, 2)
    assert table.unit("energy_kwh_value") == "kWh"


def test_all_leaves_out_what_cannot_be_used_and_says_so() -> None:
    table = sweep(varied(BASE, {"precision": "fp8"}), {"device": "all"})
    assert "h100-sxm" in table["device"] and "a100-sxm-80" not in table["device"]
    assert [notice.code for notice in table.warnings].count("values_skipped") == 1
    with pytest.raises(JoulecastError, match=r"fp8: .* no peak .*row device=a100-sxm-80"):
        sweep(varied(BASE, {"precision": "fp8"}), {"device": ["a100-sxm-80", "h100-sxm"]})


def test_values_come_from_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "places.txt"
    path.write_text("# where\nfr\n\n  pl \n")
    assert sweep(BASE, {"region": f"@{path}"})["region"].tolist() == ["fr", "pl"]


def test_ranges_of_numbers_hold_both_ends() -> None:
    table = sweep(BASE, {"params": "log:1B:100B:3", "pue": "lin:1.1:1.3:3"})
    assert table.axes[0].values == pytest.approx([1e9, 1e10, 1e11])
    assert table.axes[1].values == pytest.approx([1.1, 1.2, 1.3])
    assert sweep(BASE, {"device_count": "log:1:1024:11"})["device_count"][3] == 8


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({}, "--vary: names nothing to vary; try --vary params=1B,7B,70B"),
        ({"parms": [1e9]}, "--vary: parms: is not part of a plan; try params, prompts, active_params"),
        ({"params": []}, "--vary: params: has no values"),
        ({"params": "lin:1B:1B:9"}, "--vary: params=lin:1B:1B:9: has a step of zero: 9 times the same value; try params=1B"),
        ({"params": "lin:2B:1B:9"}, "--vary: params=lin:2B:1B:9: is an empty range: its ends are swapped; try params=lin:1B:2B:9"),
        ({"params": "log:1B:2B:0"}, "--vary: params=log:1B:2B:0: asks for 0 values: must be a whole number, at least 1"),
        ({"host_power_w": "log:0:9:3"}, "--vary: host_power_w=log:0:9:3: has no logarithm at its start: equal ratios need values above 0; try host_power_w=lin:0:9:3"),
        ({"params": "lin:1B:2B:x"}, "--vary: params=lin:1B:2B:x: asks for x values: must be a whole number, at least 1"),
        ({"params": "1B:2B:9"}, "--vary: params=1B:2B:9: does not say whether in equal steps or in equal ratios; try params=lin:1B:2B:9, params=log:1B:2B:9"),
        ({"flop": [1e22], "training_flop": [1e22]}, "--vary: training_flop: is varied twice"),
        ({"device": "lin:1:2:3"}, "--vary: device=lin:1:2:3: device is not a number; try device=A,B,C"),
        ({"device_kgco2e": [1]}, "--vary: device_kgco2e: is an outcome and cannot be varied; try device_embodied_kgco2e, device_count, embodied_kgco2e"),
        ({"pue": "all"}, "--vary: pue=all: has no list of values; try pue=lin:LOW:HIGH:N"),
        ({"pue": [0.9, 1.1]}, "pue: 0.9: must be at least 1; try 1.1, 1.25"),
        ({"pue": np.array([1.1, np.nan])}, "pue: must hold finite numbers"),
        ({"device_count": "lin:1:2:3"}, "device_count: 1.5: must be a whole number; try 2"),
        ({"phases": [1]}, "--vary: phases: is no single value, so it cannot be varied"),
        ({"params": 7e9}, "--vary: params=7000000000.0: is not a list of values; try [7000000000.0]"),
        ({"device": ["h100-sxm", "h100x"]}, "device: h100x: unknown device (in the row device=h100x); try h100-sxm, h100-nvl, h100-pcie"),
        ({"params": "log:1B:1T:100000", "tokens": "log:1T:2T:100000"}, "--vary: makes 10,000,000,000 rows of 14 columns, about 1,120,000 MB, more than the 10,000,000 rows allowed; try fewer values, --max-rows 10000000000"),
    ],
)  # fmt: skip
def test_what_cannot_be_varied_is_one_kind_line(vary: dict[str, Any], message: str) -> None:
    with pytest.raises(JoulecastError) as error:
        sweep(BASE, vary)
    assert str(error.value) == message


def test_files_hold_the_same_rows(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    table = sweep(BASE, {"params": [1e9, 7e9], "region": ["fr", "pl"], "year": "2023,2024"})
    expected = list(table.rows())
    for ending in ("csv", "jsonl", "json", "parquet"):
        table.save(tmp_path / f"rows.{ending}")
    with (tmp_path / "rows.csv").open() as stream:
        read = list(csv.DictReader(stream))
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert json.loads((tmp_path / "rows.json").read_text()) == lines
    stored = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert len(read) == len(lines) == len(stored) == len(expected) == 8
    for one, two, three, four in zip(expected, read, lines, stored, strict=True):
        assert list(one) == list(two) == list(three) == list(four)
        assert one == four
        assert one["region"] == two["region"] == three["region"]
        assert float(two["total_kgco2e_p90"]) == pytest.approx(one["total_kgco2e_p90"], rel=1e-9)
        assert alike(one, three)
    assert table.to_pandas().to_dict("records") == expected
    assert table.to_polars().to_dicts() == expected


def test_an_interrupted_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = sweep(BASE, {"params": [1e9, 7e9]})

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Sweep, "results_of", interrupted)
    for ending in ("csv", "parquet"):
        with pytest.raises(KeyboardInterrupt):
            table.save(tmp_path / f"rows.{ending}")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("mine")
    table = sweep(BASE, {"params": [1e9]})
    with pytest.raises(JoulecastError, match=r"is there already; try another name, --force"):
        table.save(path)
    assert path.read_text() == "mine"
    table.save(path, force=True)
    assert path.read_text().startswith("params,")
    with pytest.raises(JoulecastError, match="has no ending that is known"):
        table.save(tmp_path / "rows.xyz")
    with pytest.raises(JoulecastError, match="does not exist"):
        table.save(tmp_path / "no" / "rows.csv")


PICTURES = {
    "heat": {"params": "log:1B:1T:9", "tokens": "log:100B:20T:9"},
    "lines": {"params": "log:100M:100B:9", "region": "fr,pl"},
    "years": {"year": "2015,2020,2024"},
    "ladder": {"device": "h100-sxm,a100-sxm-80,T4"},
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_every_time(name: str, tmp_path: Path) -> None:
    table = sweep(BASE, PICTURES[name])
    for file in ("one.svg", "two.svg"):
        table.plot(tmp_path / file)
    picture = (tmp_path / "one.svg").read_text()
    assert picture == (tmp_path / "two.svg").read_text()
    assert "total [tCO2e]" in picture
    if name != "heat":
        assert "80 % prediction range" in picture


def test_what_cannot_be_drawn_says_what_can(tmp_path: Path) -> None:
    two_words = sweep(BASE, {"region": ["fr", "pl"], "device": ["T4", "h100-sxm"]})
    with pytest.raises(JoulecastError, match=r"varies region, device: one number .* can be drawn"):
        two_words.plot(tmp_path / "x.svg")
    with pytest.raises(JoulecastError, match="has no ending that can be drawn"):
        sweep(BASE, {"params": [1e9, 2e9]}).plot(tmp_path / "x.gif")
    many = sweep(BASE, {"params": [1e9, 2e9], "device": "all"})
    with pytest.raises(JoulecastError, match="lines cannot be told apart: at most 7"):
        many.plot(tmp_path / "x.svg")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_python_says(joulecast: Run, tmp_path: Path) -> None:
    plan = ("--params", "7B", "--tokens", "2T", "--device", "h100-sxm", "--year", "2024")
    vary = ("--vary", "params=1B,70B", "--vary", "region=fr,pl")
    done = joulecast("sweep", *plan, *vary, "--json")
    rows = json.loads(done.stdout)
    fits(rows, "sweep")
    table = sweep(varied(BASE, {}), {"params": "1B,70B", "region": "fr,pl"})
    for row, expected in zip(rows, table.rows(), strict=True):
        assert alike(row, expected)
    lines = joulecast("sweep", *plan, *vary, "--format", "csv").stdout
    path = tmp_path / "rows.csv"
    wrote = joulecast("sweep", *plan, *vary, "--output", str(path))
    assert wrote.stdout == "" and f"wrote {path}: 4 rows" in wrote.stderr
    assert path.read_text() == lines
    text = joulecast("sweep", *plan, *vary).stdout.splitlines()
    assert "total [tCO2e]" in text[0] and "80 % prediction range" in text[0] and len(text) == 5
    bare = joulecast("sweep", *plan, *vary, "--nominal", "--results", "water_l", "--json").stdout
    assert list(json.loads(bare)[0]) == ["params", "region", "water_l_value"]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--vary", "params"], "--vary: params: is not NAME=VALUE; try --vary region=fr,pl"),
        (["--vary", "pue=1.1", "--vary", "pue=1.2"], "--vary: pue=1.2: pue was already set to 1.1"),
        (["--vary", "region=fr", "--results", "total"], "results: total: is not a result; try total_kgco2e"),
        (["--vary", "region=fr", "--format", "xml"], "--format: xml: is not a format of this command; try text, csv, jsonl, json, md"),
        (["--vary", "params=1B,2B", "--max-rows", "1"], "--vary: makes 2 rows of 13 columns, about 1 MB, more than the 1 row allowed; try fewer values, --max-rows 2"),
        (["--vary", "params=1B,2B", "--max-rows", "few"], "--max-rows: few: is not a number; try 100M"),
        (["--vary", "params=1B,2B", "--max-rows", "0"], "--max-rows: 0: must be at least 1; try 100M"),
        (["--vary", "params=1B,2B", "--results", ","], "results: (empty): is not a result; try total_kgco2e, energy_kwh, device_hours"),
        ([], "--vary: names nothing to vary; try --vary params=1B,7B,70B"),
    ],
)  # fmt: skip
def test_a_bad_command_gives_one_kind_line(joulecast: Run, args: list[str], error: str) -> None:
    done = joulecast("sweep", "--params", "7B", "--tokens", "2T", *args)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {error}\n")


@settings(max_examples=40, deadline=None)
@given(
    st.floats(1e7, 1e13),
    st.sampled_from(["h100-sxm", "tpu-v4", "v100-sxm2-32", "b200-sxm"]),
    st.sampled_from([{}, {"goodput": 0.9}, {"mfu": 0.3}, {"device_power_w": 500}]),
)
def test_another_size_is_settled_as_the_whole_plan_would_be(
    size: float, device: str, given: dict[str, float]
) -> None:
    library = Library.bundled()
    plan = Plan(params=7e9, tokens=2e12, device=device, region="fr", year=2024, given=given)
    whole = resolve(varied(plan, {"params": size}), library).only.data
    settled = resolve(plan, library).only
    again = hardware.resized(settled, np.array([size, 7e9]))
    for name, levels in again.items():
        if name in ("full_power_utilisation", "device_power_full_w") and name not in whole:
            continue  # at that size devices are as busy as by default, and draw as much
        assert levels[:, 0] == pytest.approx(whole[name].levels, rel=1e-12)
    moved = {
        n for n, datum in settled.data.items() if n in whole and datum.levels != whole[n].levels
    }
    assert moved - {"params"} <= set(again)
