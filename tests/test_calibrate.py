"""One's own past runs: what they move, how wide ranges become, when they say nothing."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Run, fits
from hypothesis import given
from hypothesis import strategies as st

from joulecast import JoulecastError, Library, Plan, calibrate, estimate, sweep
from joulecast.arrays import Array
from joulecast.calibrating import telling
from joulecast.calibrating.fitting import Case, Fit, left_out, t_point, typical_factor
from joulecast.errors import InputError, SpecsError, UnknownNameError
from joulecast.inputs import past_runs
from joulecast.resolve import resolve
from joulecast.uncertainty import T90
from joulecast.validating import calibration
from joulecast.validating.scoring import family_weights

SAMPLE = ROOT / "docs" / "method" / "past_runs.csv"
LIBRARY = Library.bundled()
APART = telling.widths(LIBRARY)
NOISE = APART.noise["decoder"]
PARTS = APART.parts("h100-sxm", "decoder")
SEED = 20261201


def cluster(rng: np.random.Generator, runs: int, effect: float = 1.0) -> Array:
    """ln(reached / expected) of runs of a cluster drawn from our own spread, tails and all."""
    stretch = math.sqrt(4 / rng.chisquare(4))
    offset = effect * math.hypot(APART.cluster, APART.device) * rng.standard_normal()
    drawn: Array = stretch * (offset + NOISE * rng.standard_normal(runs))
    return drawn


def cases(told: Iterable[float]) -> list[Case]:
    return [Case(float(y), str(i), PARTS, NOISE) for i, y in enumerate(told)]


def rows_of(told: Iterable[float], **more: Any) -> list[dict[str, Any]]:
    """A table of runs that reached exp(y) of what we expect, of several sizes."""
    rows = []
    for i, y in enumerate(told):
        params = (0.7e9, 1.6e9, 7e9, 30e9)[i % 4]
        said = {"params": params, "tokens": 40 * params, "device": "h100-sxm", "year": 2024}
        known = resolve(Plan(**said), LIBRARY).only.middle.known
        hours = float(known["device_hours"]) / 3600 / math.exp(y)
        rows.append({"run": f"r{i}", **said, "device_hours": hours, **more})
    return rows


# The statistics.


def test_the_quantiles_are_those_of_students_t() -> None:
    from scipy import stats

    for degrees in (4, 5, 6, 8, 16, 100):
        assert t_point(1.2815515655, degrees) == pytest.approx(stats.t.ppf(0.9, degrees), rel=1e-3)
        assert t_point(2.5758293035, degrees) == pytest.approx(
            stats.t.ppf(0.995, degrees), rel=3e-2
        )


def test_without_runs_it_is_the_default() -> None:
    low, high = LIBRARY.default("utilisation.spread.decoder").points[1:]
    nothing = Fit([]).expected(PARTS, NOISE)
    assert nothing.median == 0
    assert nothing.scale == pytest.approx(math.log(high / low) / 2 / 2.1318467863, rel=1e-6)
    assert nothing.half_width == pytest.approx(T90 * nothing.scale, rel=1e-3)


@given(st.lists(st.floats(-0.6, 0.6), min_size=1, max_size=8), st.randoms())
def test_a_fit_lies_between_the_default_and_the_runs(told: list[float], chance: Any) -> None:
    found = Fit(cases(told)).expected(PARTS, NOISE)
    assert min(0.0, *told) - 1e-9 <= found.median <= max(0.0, *told) + 1e-9
    mixed = list(told)
    chance.shuffle(mixed)
    again = Fit(cases(mixed)).expected(PARTS, NOISE)
    assert again.median == pytest.approx(found.median, abs=1e-9)
    assert again.scale == pytest.approx(found.scale, rel=1e-9)


@given(st.floats(-0.5, 0.5), st.integers(1, 30))
def test_more_runs_that_agree_pull_farther_and_narrow_the_range(y: float, count: int) -> None:
    fewer, more = (Fit(cases([y] * n)).expected(PARTS, NOISE) for n in (count, count + 1))
    assert abs(fewer.median) <= abs(more.median) + 1e-12
    assert more.half_width < fewer.half_width * (1 + 1e-9)


def test_sister_runs_weigh_as_one() -> None:
    one = Fit(cases([0.3, -0.2])).expected(PARTS, NOISE)
    sisters = [Case(0.3, "a", PARTS, NOISE)] * 9 + [Case(-0.2, "b", PARTS, NOISE)]
    assert Fit(sisters).expected(PARTS, NOISE).median == pytest.approx(one.median, abs=0.02)
    apart = Fit(cases([0.3] * 9 + [-0.2])).expected(PARTS, NOISE)
    assert apart.median > one.median + 0.1


def test_a_wrecked_run_moves_little_and_is_far() -> None:
    told = [0.02, -0.05, 0.1, -0.1, 0.05, 0.0, -0.02, 0.08]
    before, after = (Fit(cases(some)).expected(PARTS, NOISE).median for some in (told, [*told, -2]))
    assert abs(after - before) < 0.1
    assert [one.far for one in left_out(cases([*told, -2.0]))] == [False] * 8 + [True]


def test_what_sister_runs_do_not_share_is_what_the_published_runs_say() -> None:
    """The constant OF_RUN: squared scale inside families over that of all left-out errors."""
    from scipy.optimize import minimize_scalar

    runs = calibration.hours_runs(LIBRARY)
    share = LIBRARY.default("attention_share").value
    known = [calibration.case_of(run, LIBRARY, share) for run in runs]
    errors = calibration.left_out_errors(known)
    for decoder, spread in ((True, "decoder"), (False, "other")):
        sizes: dict[str, list[float]] = {}
        for case in known:
            if case.decoder == decoder and not (case.side and errors[case.id] == 0):
                sizes.setdefault(case.family, []).append(errors[case.id])
        families = {name: np.array(each) for name, each in sizes.items() if len(each) > 1}
        off = np.concatenate([
            (each - each.mean()) * math.sqrt(len(each) / (len(each) - 1))
            for each in families.values()
        ])  # fmt: skip
        weight = family_weights([name for name, each in families.items() for _ in each])

        def loss(ln_scale: float, off: Array = off, weight: Array = weight) -> float:
            spread = 4 * math.exp(2 * ln_scale)
            return float(weight @ (2.5 * np.log1p(off**2 / spread) + ln_scale))

        inside = math.exp(minimize_scalar(loss, bounds=(-4, 1), method="bounded").x)
        low, high = LIBRARY.default(f"utilisation.spread.{spread}").points[1:]
        whole = math.log(high / low) / 2 / 2.1318467863
        assert (inside / whole) ** 2 == pytest.approx(telling.OF_RUN, abs=0.05)


@pytest.mark.parametrize("runs", [2, 3, 5, 12, 40])
def test_the_range_holds_what_it_says_over_many_clusters(runs: int) -> None:
    """80 % +- 4 % of 20,000 new runs on 400 clusters drawn from our own spread."""
    rng = np.random.default_rng(SEED)
    held = []
    for _ in range(400):
        told = cluster(rng, runs + 50)
        found = Fit(cases(told[:runs])).expected(PARTS, NOISE)
        held.append(np.mean(np.abs(told[runs:] - found.median) <= found.half_width))
    assert np.mean(held) == pytest.approx(0.80, abs=0.04)


def scored(effect: float, clusters: int = 200) -> tuple[Array, Array, Array, Array]:
    """Typical |ln| of new runs and of runs left out: by 12 runs, and by the default."""
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(clusters):
        told = cluster(rng, 12 + 100, effect)
        own, new = cases(told[:12]), told[12:]
        median = Fit(own).expected(PARTS, NOISE).median
        left = np.abs([one.error for one in left_out(own)]).mean()
        by_default = np.abs(told[:12]).mean()
        found.append((np.abs(new - median).mean(), np.abs(new).mean(), left, by_default))
    new, new_default, left, left_default = np.array(found).T
    return new, new_default, left, left_default


def test_twelve_runs_beat_the_default_on_most_clusters() -> None:
    new, new_default, left, left_default = scored(1.0)
    assert np.mean(new < new_default) >= 0.8
    assert np.mean(left < left_default) >= 0.65
    assert new.mean() < 0.75 * new_default.mean() and left.mean() < 0.75 * left_default.mean()


def test_a_cluster_that_is_as_we_expect_is_hardly_harmed() -> None:
    new, new_default, _, _ = scored(0.0)
    assert new.mean() < 1.06 * new_default.mean()


def test_twenty_clusters_from_table_to_answer() -> None:
    """Tables of 12 runs in: new runs are nearer on 8 of 10 clusters and more."""
    rng = np.random.default_rng(SEED)
    new: list[bool] = []
    left: list[bool] = []
    for _ in range(20):
        told = cluster(rng, 12 + 40)
        answer = calibrate(rows_of(told[:12]))
        off = told[12:] - math.log(answer.factor)
        new.append(bool(np.abs(off).mean() < np.abs(told[12:]).mean()))
        left.append(bool(answer.scores[0].better))
    assert sum(new) >= 16 and sum(left) >= 13, (new, left)


# The round trip.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "demo"
    calibrate(SAMPLE, "demo", path)
    return path


def test_the_sample_says_that_it_is_synthetic_and_finds_what_made_it() -> None:
    assert SAMPLE.read_text().startswith("# Synthetic: ")
    answer = calibrate(SAMPLE)
    assert answer.factor == pytest.approx(0.75, abs=0.03)  # tools/build_past_runs.py
    assert answer.remarks == () and all(score.better for score in answer.scores)


@pytest.mark.parametrize("params", ["400M", "7B", "70B"])
def test_an_estimate_uses_and_says_it(folder: Path, params: str) -> None:
    """The factor holds at every size; the range of the hours is that of the next run."""
    plan = Plan(params=params, tokens="200B", device="h100-sxm", year=2024, region="fr")
    own, plain = estimate(plan, Library.with_folder(folder)), estimate(plan)
    answer = calibrate(SAMPLE)
    one = next(f for f in answer.fitted if (f.device, f.kind) == ("h100-sxm", "decoder"))
    assert own.device_hours is not None and plain.device_hours is not None
    ratio = own.device_hours.value / plain.device_hours.value
    assert ratio == pytest.approx(1 / one.value, rel=1e-5)
    spread = own.device_hours.p90 / own.device_hours.p10
    assert spread == pytest.approx(one.p90 / one.p10, rel=0.06)
    assert spread < plain.device_hours.p90 / plain.device_hours.p10
    notes = {entry.name: entry for entry in own.assumptions}
    for name in ("utilisation", "device_power_w", "pue"):
        assert (notes[name].source, notes[name].basis) == ("demo-runs", "measured")
        assert "of demo" in notes[name].note and "typical factor of" in notes[name].note
    assert "12 past runs of demo, 8 on this device; each left out" in notes["utilisation"].note
    (said,) = [notice.message for notice in own.warnings if notice.code == "own_runs"]
    assert said.startswith(f"utilisation x {one.value:.3g} of the default: 12 past runs of demo")
    assert any("Past runs of demo" in str(cited) for cited in own.citations)


def test_another_device_and_kind_stay_wide(folder: Path) -> None:
    library = Library.with_folder(folder)

    def width(device: str, arch: str, library: Library | None) -> float:
        plan = Plan(params="7B", tokens="200B", device=device, arch=arch, year=2025)
        hours = estimate(plan, library).device_hours
        assert hours is not None
        return hours.p90 / hours.p10

    met, unmet = width("h100-sxm", "dense", library), width("b200-sxm", "dense", library)
    assert met < unmet < width("b200-sxm", "dense", None)
    assert met < width("h100-sxm", "encoder", library) < width("h100-sxm", "encoder", None)
    plan = Plan(params="7B", tokens="200B", device="b200-sxm", year=2025)
    notices = {notice.code: notice.message for notice in estimate(plan, library).warnings}
    assert notices["own_runs"].endswith("none was on NVIDIA B200 SXM")
    assert "utilisation_by_analogy" in notices


def test_two_devices_of_the_table_share_the_job_as_before(folder: Path) -> None:
    plan = Plan(params="7B", tokens="200B", device="h100-sxm", year=2024)
    own, plain = (
        resolve(plan, library).only.data["utilisation"].common
        for library in (Library.with_folder(folder), LIBRARY)
    )
    assert own == pytest.approx(plain, abs=0.02)


def test_a_sweep_over_sizes_says_what_estimates_say(folder: Path) -> None:
    library = Library.with_folder(folder)
    plan = Plan(tokens="200B", device="a100-sxm-80", year=2024, region="fr")
    rows = sweep(plan, {"params": "300M,2B,30B"}, library=library).rows()
    for row, params in zip(rows, ("300M", "2B", "30B"), strict=True):
        whole = estimate(plan.replace(params=params), library).energy
        assert whole is not None
        assert row["energy_kwh_value"] == pytest.approx(whole.value, rel=1e-9)
        assert row["energy_kwh_p90"] == pytest.approx(whole.p90, rel=1e-9)


def test_by_hand_shows_the_factor_and_multiplies_out(folder: Path) -> None:
    plan = Plan(params="7B", tokens="200B", device="h100-sxm", year=2024)
    text = estimate(plan, Library.with_folder(folder)).explain()
    assert "as past runs of your own reached" in text
    assert "own_runs" not in estimate(plan).explain()


def test_power_moves_where_it_is_a_share_of_the_rating() -> None:
    rows = rows_of([0.0, 0.1, -0.1], device_power_w=700)
    answer = calibrate(rows)
    power = next(one for one in answer.fitted if one.quantity == "device_power_w")
    assert 1 < power.value < 700 / 560 and power.p10 > power.default_p10


def test_power_follows_from_a_machine_less_its_host() -> None:
    hours = rows_of([0.0])[0]["device_hours"]
    it_kwh = (500 + 300) * 1.07 * hours / 1000
    rows = rows_of([0.0, 0.0])
    metered = [{**rows[0], "it_energy_kwh": it_kwh}, {**rows[1], "run": "b"}]
    directly = [{**rows[0], "device_power_w": 500}, {**rows[1], "run": "b"}]
    by_facility = [{**rows[0], "energy_kwh": it_kwh * 1.2, "pue": 1.2}, {**rows[1], "run": "b"}]

    def power(table: list[dict[str, Any]]) -> float:
        return next(f.value for f in calibrate(table).fitted if f.quantity == "device_power_w")

    assert power(metered) == pytest.approx(power(directly), rel=1e-6)
    assert power(by_facility) == pytest.approx(power(directly), rel=1e-6)


# What is read.


def test_speeds_days_and_hours_say_the_same() -> None:
    rows = rows_of([-0.2, -0.3, -0.25])
    by_days = [
        {**row, "device_hours": None, "gpus": 64, "days": row["device_hours"] / 64 / 24}
        for row in rows
    ]
    by_speed = [
        {
            "params": row["params"], "GPU": "H100 SXM", "year": 2024, "goodput": 0.9,
            "tokens/s/GPU": row["tokens"] / row["device_hours"] / 3600 / 0.9,
        }
        for row in rows
    ]  # fmt: skip
    whole = calibrate(rows)
    assert calibrate(by_days).factor == pytest.approx(whole.factor, rel=1e-6)
    found = calibrate(by_speed)
    assert found.factor == pytest.approx(whole.factor, rel=0.02)
    assert found.remarks[0] == "rows 1, 2, 3: hours from its speed, at a goodput of 0.9"


def test_a_name_that_fits_several_devices_is_said() -> None:
    rows = [{**row, "device": "h100"} for row in rows_of([0.1, 0.2])]
    assert calibrate(rows).remarks[0] == "rows 1, 2: 'h100' taken as h100-sxm"


def test_endings_and_headers_as_people_write_them(tmp_path: Path) -> None:
    rows = rows_of([0.1, 0.2, -0.1])
    named = [
        {"Run name": r["run"], "Parameters": r["params"], "Training tokens": r["tokens"],
         "GPU type": r["device"], "GPU-hours": r["device_hours"], "Date": "2024-05-01", "loss": 2}
        for r in rows
    ]  # fmt: skip
    lines = tmp_path / "runs.jsonl"
    lines.write_text("\n".join(map(json.dumps, named)))
    found = [calibrate(named), calibrate(lines)]
    for ending, mark in (("csv", ","), ("csv", ";"), ("tsv", "\t")):
        path = tmp_path / f"runs{ord(mark)}.{ending}"
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, named[0], delimiter=mark)
            writer.writeheader()
            writer.writerows(named)
        found.append(calibrate(path))
    assert {one.factor for one in found} == {calibrate(rows).factor}
    assert all(one.unused_columns == ("loss",) for one in found)


# When it cannot.


def changed(at: int, **cells: Any) -> Callable[[], list[dict[str, Any]]]:
    """Eight rows of which one says something else."""

    def table() -> list[dict[str, Any]]:
        rows = rows_of([0.1, -0.1, 0.2, 0.0, -0.2, 0.1, 0.05, -0.05])
        rows[at - 1] |= cells
        return rows

    return table


@pytest.mark.parametrize(
    ("table", "kind", "words"),
    [
        (list, InputError, "runs: has no rows; try a row for each past run"),
        (lambda: ["h100"], InputError, "runs: h100: is no row: must map columns"),
        (lambda: rows_of([0.1]), InputError,
         "runs: one run alone cannot be told from luck: leaving it out leaves nothing; "
         "try two runs or more, --set mfu= in its place"),
        (lambda: rows_of([0.1, 0.2], family="a"), InputError,
         "runs: runs of one family alone cannot be told from luck"),
        (lambda: [{"params": 1, "tokens": 1, "device_hours": 1, "year": 2024}], InputError,
         "runs: column device is missing; try device"),
        (lambda: [{"gpu": "h100", "params": 1, "tokens": 1, "year": 2024}], InputError,
         "runs: column device_hours is missing; try wall_clock_days with device_count"),
        (lambda: [{"gpu": "h100", "gpu hours": 1, "year": 2024}], InputError,
         "runs: column training_flop is missing; try params with tokens"),
        (lambda: [{"gpu": "h100", "gpu hours": 1, "flop": 1}], InputError,
         "runs: column year is missing; try year"),
        (lambda: [{"gpu": "h100", "device": "a100"}], InputError,
         "runs: device: means device, and so does gpu; try one of them"),
        (changed(7, device="h1000-sxm"), UnknownNameError,
         "runs row 7: device: h1000-sxm: unknown device; try h100-sxm"),
        (changed(3, device_hours=3), InputError,
         "runs row 3: device_hours: 3: would be a utilisation of"),
        (changed(3, device_hours=-3), InputError, "runs row 3: device_hours: -3: must be at least"),
        (changed(2, tokens="many"), JoulecastError, "runs row 2: tokens: many: "),
        (changed(2, device_hours=None), InputError, "runs row 2: device_hours: is empty"),
        (changed(4, year=None), InputError,
         "runs row 4: year: is empty: the age of software hangs on it; try 2025"),
        (changed(1, device_count=8, wall_clock_days=3), InputError,
         "runs row 1: device_hours: 202.07: contradicts 576, its days times its devices"),
        (changed(6, device_power_w="1.2 kW"), InputError,
         "runs row 6: device_power_w: 1200 W: is 1.7 times the rating of NVIDIA H100"),
        (changed(5, pue=0.9), InputError, "runs row 5: pue: 0.9: must be at least 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(
    table: Callable[[], Any], kind: type[JoulecastError], words: str
) -> None:
    with pytest.raises(kind) as error:
        calibrate(table())
    assert str(error.value).startswith(words)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"runs.xlsx: has no ending that is known; try .csv"):
        calibrate(tmp_path / "runs.xlsx")
    with pytest.raises(InputError, match=r"no.csv: cannot be read: No such file"):
        calibrate(tmp_path / "no.csv")
    (tmp_path / "a.csv").write_text("gpu,year\nh100\n")
    with pytest.raises(InputError, match=r"a.csv: row 1: has more or fewer cells"):
        calibrate(tmp_path / "a.csv")
    (tmp_path / "a.jsonl").write_text("[1]\n")
    with pytest.raises(InputError, match=r"a.jsonl: row 1: \[1\]: is no JSON object"):
        calibrate(tmp_path / "a.jsonl")
    (tmp_path / "e.csv").write_text("gpu,year\n")
    with pytest.raises(InputError, match=r"e.csv: has no rows"):
        past_runs.read(tmp_path / "e.csv")


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match=r"demo: is there already; try another name, --force"):
        calibrate(SAMPLE, "demo", folder)
    calibrate(SAMPLE, "demo", folder, force=True)
    other = tmp_path / "records"
    other.mkdir()
    (other / "sites.toml").write_text("")
    with pytest.raises(InputError, match=r"holds sites.toml, which calibrate did not write"):
        calibrate(SAMPLE, "demo", other, force=True)
    assert [path.name for path in other.iterdir()] == ["sites.toml"]
    (other / "sites.toml").rename(other / "sources.toml")
    with pytest.raises(InputError, match=r"holds sources.toml, which calibrate did not write"):
        calibrate(SAMPLE, "demo", other, force=True)
    with pytest.raises(InputError, match="name: my cluster: must be letters"):
        calibrate(SAMPLE, "my cluster")


def test_a_calibration_is_not_counted_twice(folder: Path) -> None:
    with pytest.raises(InputError, match="specs: holds an earlier calibration, which would count"):
        calibrate(SAMPLE, library=Library.with_folder(folder))


def test_it_says_where_the_default_does_as_well() -> None:
    answer = calibrate(rows_of([0.25, -0.25, 0.1, -0.1, 0.3, -0.3]))
    assert answer.scores[0].better is False
    assert answer.factor == pytest.approx(1, abs=0.02)
    (said,) = [words for words in answer.remarks if "does as well" in words]
    assert said.startswith("utilisation: the default does as well (typical factor 1.2")
    assert "the default does as well" in answer.explain()


def test_it_says_where_runs_contradict_or_lie_far_outside() -> None:
    far = calibrate(rows_of([0.0, 0.1, -0.1, 0.05, -0.05, 0.1, 0.0, -2.2]))
    assert any(words.startswith("row 8: 9") and "99 % range" in words for words in far.remarks)
    off = calibrate(rows_of([-1.6, -1.5, -1.7, -1.6, -1.55, -1.6]))
    assert any("farther off than any published cluster" in words for words in off.remarks)
    wild = calibrate(rows_of([-1.6, 0.7, -2.2, 0.8, -1.9, 0.6, -2.4, 0.9]))
    assert any("scatter" in words and "several clusters" in words for words in wild.remarks)
    few = calibrate(rows_of([0.1, 0.2]))
    assert "2 runs are few: most of the default's range remains" in few.remarks


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[utilisation.h1000.decoder]\nvalue = 1\nbasis = "given"\nsource = "users-own-figures"',
         "own_runs.toml: utilisation.h1000.decoder: h1000: is not in devices/"),
        ('[utilisation.any.dense]\nvalue = 1\nbasis = "given"\nsource = "users-own-figures"',
         "own_runs.toml: utilisation.any.dense: dense: is no kind of model here; try decoder"),
        ('[goodput.any]\nvalue = 1\nbasis = "given"\nsource = "users-own-figures"',
         "own_runs.toml: goodput.any: unknown key; try utilisation, device_power_w"),
        ('[utilisation.any.decoder]\nvalue = 0\nbasis = "given"\nsource = "users-own-figures"',
         "own_runs.toml: utilisation.any.decoder: must be above 0"),
        ('[utilisation.any.decoder]\nvalue = 1\nbasis = "given"\nsource = "nobody"',
         "own_runs.toml: utilisation.any.decoder: source: nobody: is not in sources.toml"),
    ],
)  # fmt: skip
def test_records_that_break_a_rule(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "own_runs.toml").write_text(text)
    with pytest.raises(SpecsError) as error:
        Library.with_folder(tmp_path)
    assert str(error.value).startswith(words)


# The command.


def test_the_command_writes_says_and_forecasts(
    joulecast: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = joulecast("calibrate", str(SAMPLE), "--name", "demo")
    assert said.returncode == 0 and max(map(len, said.stdout.splitlines())) <= 80
    assert "12 past runs of demo" in said.stdout and "of the default utilisation" in said.stdout
    assert "Written to demo. To forecast with it: estimate ... --specs demo" in said.stdout
    again = joulecast("calibrate", str(SAMPLE), "--name", "demo", "--json")
    assert again.returncode == 2
    assert again.stderr == "error: output: demo: is there already; try another name, --force\n"
    shown = joulecast("calibrate", str(SAMPLE), "--name", "demo", "--json", "--force")
    answer = json.loads(shown.stdout)
    fits(answer, "calibrate")
    assert answer["scores"][0]["typical_factor"] < answer["scores"][0]["default_typical_factor"]
    plan = ("--params", "7B", "--tokens", "1T", "--device", "h100-sxm", "--year", "2025")
    forecast = joulecast("estimate", *plan, "--specs", "demo")
    assert "own_runs: utilisation x 0.74" in " ".join(forecast.stdout.split())


def test_a_typical_factor_of_families() -> None:
    assert typical_factor([0.1, 0.1, -0.4], ["a", "a", "b"]) == pytest.approx(math.exp(0.25))
