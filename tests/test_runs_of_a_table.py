"""A table of runs: what its columns mean, one forecast a row, and the sum of all."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, fits
from hypothesis import given, settings
from hypothesis import strategies as st

from joulecast import JoulecastError, Plan, estimate, estimate_table
from joulecast.inputs.columns import columns_of
from joulecast.inputs.tables import rows_of

COMMON = Plan(device="h100-sxm", region="fr", year=2025)
ROWS: list[dict[str, Any]] = [
    {"run": "small", "params": "1B", "tokens": "20B"},
    {"run": "large", "params": "7B", "tokens": "140B", "region": "pl"},
    {"run": "timed", "device_count": 8, "hours": 12},
]


def value(run: Any, name: str = "total_kgco2e") -> Any:
    return run.quantities[name]


def test_a_row_is_what_estimate_says_of_it() -> None:
    found = estimate_table(ROWS[:1], plan=COMMON)
    alone = estimate(COMMON.replace(params="1B", tokens="20B"))
    assert found.runs[0].quantities == alone.quantities
    assert value(found.runs[0]) == alone.total


def test_rows_differ_by_their_cells_and_share_what_holds_for_all() -> None:
    found = estimate_table(ROWS, plan=COMMON)
    assert [one.name for one in found.runs] == ["small", "large", "timed"]
    assert [one.line for one in found.runs] == [2, 3, 4]
    plans = [
        COMMON.replace(params=1e9, tokens=20e9),
        COMMON.replace(params=7e9, tokens=140e9, region="pl"),
        COMMON.replace(device_count=8, given={"wall_clock_days": 0.5}),
    ]
    for one, plan in zip(found.runs, plans, strict=True):
        alone = estimate(plan).total
        assert alone is not None
        assert value(one).value == pytest.approx(alone.value, rel=1e-12)
        assert value(one).p90 == pytest.approx(alone.p90, rel=0.03)
    assert found.total["wall_clock_days"] is None
    total = found.total["total_kgco2e"]
    assert total is not None
    assert total.value == pytest.approx(sum(value(one).value for one in found.runs))


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["h100-sxm", "a100-sxm-80", "tpu-v4", "mi300x"]),
            st.sampled_from(["fr", "pl", "us-va", "cn"]),
            st.floats(1e9, 1e11),
        ),
        min_size=2,
        max_size=8,
    )
)
def test_a_total_is_never_wider_than_the_sum_of_its_rows(
    runs: list[tuple[str, str, float]],
) -> None:
    rows = [
        {"device": device, "region": region, "params": params, "tokens": 20 * params, "year": 2024}
        for device, region, params in runs
    ]
    found = estimate_table(rows)
    total = found.total["total_kgco2e"]
    assert total is not None
    width = sum(value(one).p90 - value(one).p10 for one in found.runs)
    assert total.p90 - total.p10 <= width * 1.02
    if len({device for device, _, _ in runs}) == len({r for _, r, _ in runs}) == 1:
        assert total.p90 - total.p10 == pytest.approx(width, rel=1e-3)


def test_runs_of_unlike_devices_and_places_are_surer_together() -> None:
    rows = [
        {"device": device, "region": region, "params": 7e9, "tokens": 1e12, "year": 2024}
        for device, region in (("h100-sxm", "fr"), ("tpu-v4", "us-va"), ("mi300x", "pl"))
    ]
    found = estimate_table(rows)
    total = found.total["device_hours"]
    assert total is not None
    width = sum(
        value(one, "device_hours").p90 - value(one, "device_hours").p10 for one in found.runs
    )
    assert total.p90 - total.p10 < 0.95 * width


# Columns.


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("GPU", "device"),
        ("gpu type", "device"),
        ("# GPUs", "device_count"),
        ("num_gpus", "device_count"),
        ("Parameters (B)", "params"),
        ("Model size", "params"),
        ("Tokens (T)", "tokens"),
        ("training tokens", "tokens"),
        ("Sequence length", "seq_len"),
        ("country", "region"),
        ("Cloud provider", "provider"),
        ("PUE", "pue"),
        ("MFU", "mfu"),
        ("GPU hours", "device_hours"),
        ("device-hours", "device_hours"),
        ("days", "wall_clock_days"),
        ("Energy [MWh]", "energy_kwh"),
        ("lora_rank", "lora_rank"),
        ("LoRA rank", "lora_rank"),
        ("trials", "runs"),
        ("failed", "project_failed_runs"),
        ("grid_gco2e_per_kwh", "grid_gco2e_per_kwh"),
    ],
)
def test_headers_as_people_write_them(header: str, name: str) -> None:
    assert columns_of([header]).used[header].name == name


def test_hours_are_of_the_job_where_devices_are_counted_and_else_of_devices() -> None:
    assert columns_of(["hours", "gpus"]).used["hours"].name == "wall_clock_days"
    assert columns_of(["hours", "gpu"]).used["hours"].name == "device_hours"


def test_units_of_a_header_are_those_of_its_cells() -> None:
    rows = [{"Parameters (B)": 1.3, "Tokens (T)": "0.026", "Energy": None}]
    found = estimate_table(rows, plan=COMMON)
    assert value(found.runs[0]) == estimate(COMMON.replace(params=1.3e9, tokens=26e9)).total
    energy = estimate_table([{"Energy (MWh)": 3}], plan=Plan(region="fr")).runs[0]
    assert value(energy, "energy_kwh").value == 3000


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"paramz": 1}], "column: paramz: is no part of a plan; try params"),
        ([{"GPU": "h100", "device": "a100"}], "column: device: means device, and so does 'GPU'"),
        ([{"run": "a", "GPU": "h1000", "hours": 3}], "(line 2, a, column GPU)"),
        ([{"params": "7B", "tokens": "1T"}, {"params": "7B"}], "(line 3, row 3)"),
        ([{"params": "seven"}], "column params)"),
        ([], "table: has no rows"),
        ([{"note": "x"}], "(line 2, row 2)"),
        ([3], "table: row 1: must map columns to values"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(rows: list[Any], words: str) -> None:
    with pytest.raises(JoulecastError) as caught:
        estimate_table(rows)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_that_cannot_be_forecast_are_left_out_and_listed() -> None:
    rows = [*ROWS, {"run": "bad", "device": "h1000", "params": "1B", "tokens": "1B"}]
    found = estimate_table(rows, plan=COMMON, keep_going=True)
    assert [(one.line, one.name) for one in found.left_out] == [(5, "bad")]
    assert "h1000" in found.left_out[0].problem
    assert len(found.runs) == 3
    with pytest.raises(JoulecastError, match="has no row that can be forecast"):
        estimate_table(rows[3:], keep_going=True)


def test_a_model_that_nobody_knows_is_a_name_beside_its_size() -> None:
    rows = [
        {"model": "my-net", "params": "1B", "tokens": "20B"},
        {"model": "llama-3.1-8b", "tokens": "1B"},
    ]
    found = estimate_table(rows, plan=COMMON)
    assert [one.name for one in found.runs] == ["my-net", "llama-3.1-8b"]
    said = {one.code: one.message for one in found.warnings}
    assert "taken as names beside their sizes: my-net (line 2)" in said["given_unused"]
    with pytest.raises(JoulecastError, match="unknown model"):
        estimate_table([{"model": "my-net", "tokens": "20B"}], plan=COMMON)


def test_a_name_that_comes_twice_keeps_its_line() -> None:
    found = estimate_table([ROWS[0], ROWS[0]], plan=COMMON)
    assert [one.name for one in found.runs] == ["small", "small (line 3)"]


def test_what_is_assumed_is_said_with_the_rows_it_is_of() -> None:
    said = {one.code: one.message for one in estimate_table(ROWS).warnings}
    assert said["device_assumed"].endswith("[all rows]")
    assert said["place_unknown"].endswith("[small, timed]")


# Files.

EXCEL = "Run;GPU;# GPUs;Parameters (B);Tokens;country;hours;;\r\n\r\na;H100;8;1,3;26B;de;;;\r\nb;H100;8;;;de;36,5;;\r\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_as_spreadsheets_write_it(tmp_path: Path, encoding: str) -> None:
    found = estimate_table(write(tmp_path / "runs.csv", EXCEL, encoding), plan=Plan(year=2024))
    assert [one.name for one in found.runs] == ["a", "b"]
    assert value(found.runs[1], "device_hours").value == pytest.approx(8 * 36.5)
    flop = value(found.runs[0], "training_flop")
    assert flop.value == pytest.approx(6 * 1.3e9 * 26e9)


def test_rows_of_every_kind_of_table_are_the_same(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    text = "run,params,tokens,region\nsmall,1B,20B,fr\nlarge,7B,140B,\n"
    comma = write(tmp_path / "a.csv", text)
    tab = write(tmp_path / "a.tsv", text.replace(",", "\t"))
    rows = list(csv.DictReader(io.StringIO(text)))
    lines = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    frame = pandas.DataFrame(rows)
    frame.to_parquet(tmp_path / "a.parquet")
    plan = COMMON.replace(region=None)
    wanted = estimate_table(comma, plan=plan).total
    for table in (tab, lines, tmp_path / "a.parquet", rows, frame, polars.DataFrame(rows)):
        assert estimate_table(table, plan=plan).total == wanted


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "", "a.csv: is empty"),
        ("a.csv", "run,run\na,b\n", "has the column 'run' twice"),
        ("a.csv", "run,params\na,1B,3\n", "line 2: 3 cells under 2 headers"),
        ("a.jsonl", "{}\n[1]\n", "line 2: must be a JSON object"),
        ("a.jsonl", "{\n", "line 1: is not JSON"),
        ("a.xlsx", "x", "has no ending of a table; try .csv"),
        ("a.parquet", "x", "is not a Parquet file"),
    ],
)
def test_what_is_no_table_is_refused_in_a_line(
    name: str, text: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(JoulecastError) as caught:
        list(rows_of(write(tmp_path / name, text)))
    assert words in str(caught.value)


def forty(tmp_path: Path) -> Path:
    """Forty runs as somebody may have them: sizes, seeds, two clusters, some timed."""
    lines = ["Experiment,GPU,# GPUs,Model size,Tokens,hours,country,comment"]
    for k in range(36):
        size = (0.125, 0.35, 1.3, 2.7)[k % 4]
        gpu, place = (("A100", "France"), ("H100", "Germany"))[k // 18]
        lines.append(f"lr-{k},{gpu},8,{size}B,{20 * size}B,,{place},sweep")
    lines += [f"final-{k},H100,64,7B,,{100 + k}.5,Germany," for k in range(4)]
    return write(tmp_path / "forty.csv", "\n".join(lines) + "\n")


def test_forty_runs_take_one_command(tmp_path: Path, joulecast: Run) -> None:
    table = forty(tmp_path)
    done = joulecast("runs", str(table), "--year", "2025", "--json")
    answer = json.loads(done.stdout)
    fits(answer, "runs")
    assert len(answer["rows"]) == 40
    assert answer["columns"]["Model size"] == "params"
    total = answer["total"]["total_kgco2e"]["value"]
    assert total == pytest.approx(
        sum(r["results"]["total_kgco2e"]["value"] for r in answer["rows"])
    )
    text = joulecast("runs", str(table), "--year", "2025").stdout
    assert text.startswith("40 runs of a table\n")
    assert max(map(len, text.splitlines())) <= 80
    assert "  # GPUs -> device_count" in text
    assert joulecast("runs", str(table), "--quiet").stdout.count("\n") <= 2


@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "md", "html", "parquet"])
def test_files_hold_every_run_and_the_total(tmp_path: Path, ending: str, joulecast: Run) -> None:
    table, file = forty(tmp_path), tmp_path / f"out.{ending}"
    done = joulecast("runs", str(table), "--year", "2025", "--output", str(file))
    assert done.returncode == 0, done.stderr
    if ending == "parquet":
        names = pytest.importorskip("pandas").read_parquet(file)["name"].tolist()
        assert (len(names), names[-1]) == (41, "total")
    else:
        text = file.read_text(encoding="utf-8")
        assert "lr-17" in text
        assert "total" in text
    again = joulecast("runs", str(table), "--output", str(file))
    assert (again.returncode, "is there already" in again.stderr) == (2, True)


def test_exports_of_many_runs_are_made_of_a_table(tmp_path: Path, joulecast: Run) -> None:
    text = joulecast("runs", str(forty(tmp_path)), "--year", "2025", "--format", "latex").stdout
    assert text.count("FLOP") > 40 or text.count(r"\\") > 40


def test_the_rows_of_a_file_are_read_by_others(tmp_path: Path, joulecast: Run) -> None:
    out = joulecast("runs", str(forty(tmp_path)), "--year", "2025", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(out)))
    figures = [float(row["total_kgco2e_value"]) for row in rows]
    assert figures[-1] == pytest.approx(math.fsum(figures[:-1]))


def test_errors_on_the_command_line_are_one_line(tmp_path: Path, joulecast: Run) -> None:
    for args, words in (
        (("runs",), "table: no table was named"),
        (("runs", "none.csv"), "table: none.csv: no such file"),
        (("runs", str(forty(tmp_path)), "--format", "xml"), "--format: xml: is not a format"),
    ):
        done = joulecast(*args)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: {words}")
        assert done.stderr.count("\n") == 1
