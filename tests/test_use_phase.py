"""The use of a model: laws, published figures, what the fit and its page claim."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import fit_use_phase
import numpy as np
import pytest
from conftest import Run, fits
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from joulecast import JoulecastError, Plan, estimate, optimum, use_phase
from joulecast.answers.footprint import UsePhase
from joulecast.answers.quantity import Quantity
from joulecast.chain import use_chain
from joulecast.data.library import Library
from joulecast.plan import with_use

ROOT = Path(__file__).parents[1]
FITTED = tomllib.loads((ROOT / "hardware_specs" / "use_phase.toml").read_text())
DECISION = (ROOT / "docs" / "decisions" / "0013-energy-of-a-token.md").read_text()
KNOWN = {"batch": 64, "output_tokens": 400, "prompt_tokens": 100}

sizes = st.floats(1e9, 4e11)
batches = st.floats(1, 4000)


def plan(params: float = 70e9, *, use: dict[str, Any] | None = None, **said: Any) -> Plan:
    fields = {"params": params, "tokens": 1e12, "device": "h100-sxm", "region": "fr", "year": 2024}
    return Plan(**fields | said, use=KNOWN if use is None else use)


def used(of: Plan) -> UsePhase:
    found = estimate(of).use_phase
    assert found is not None
    return found


def result(of: Plan, name: str) -> Quantity:
    quantity = used(of).results[name]
    assert quantity is not None
    return quantity


def joules(of: Plan) -> float:
    return result(of, "device_energy_per_output_token_j").value


# Laws.


@settings(max_examples=25, deadline=None)
@given(sizes, batches, st.floats(1.01, 10))
def test_a_fuller_batch_saves_and_a_larger_model_costs(
    params: float, batch: float, more: float
) -> None:
    here = joules(plan(params, use={**KNOWN, "batch": batch}))
    assert joules(plan(params, use={**KNOWN, "batch": batch * more})) < here
    assert joules(plan(params * more, use={**KNOWN, "batch": batch})) > here


@settings(max_examples=25, deadline=None)
@given(sizes, batches)
def test_parts_sum_to_the_token(params: float, batch: float) -> None:
    found = used(plan(params, use={**KNOWN, "batch": batch}))
    whole = found.results["device_energy_per_output_token_j"]
    assert whole is not None
    assert sum(part.value for part in found.parts.values()) == pytest.approx(whole.value)


@given(st.floats(0.01, 1.0), batches, st.floats(1.01, 100))
def test_a_batch_needs_at_least_the_active_weights_and_at_most_all(
    active: float, batch: float, more: float
) -> None:
    share = use_phase.share_of_weights(active, batch)
    assert active <= share * (1 + 1e-9) and share <= 1
    assert use_phase.share_of_weights(active, batch * more) >= share


def test_one_token_at_a_time_needs_the_active_weights_alone() -> None:
    assert use_phase.share_of_weights(0.05, 1.0) == pytest.approx(0.05)
    assert use_phase.share_of_weights(0.05, 1e4) == pytest.approx(1.0)


def test_a_mixture_lies_between_its_active_and_all_weights() -> None:
    few = {**KNOWN, "batch": 4}
    mixture = joules(plan(100e9, active_params=10e9, arch="moe", use=few))
    assert joules(plan(10e9, use=few)) < mixture < joules(plan(100e9, use=few))


def test_demand_scales_the_year_and_brings_the_break_even_nearer() -> None:
    once, ten = (plan(use={**KNOWN, "tokens": f"{n}T/year"}) for n in (1, 10))
    for name in ("energy_per_year_kwh", "operational_per_year_kgco2e", "requests_per_year"):
        assert result(ten, name).value == pytest.approx(10 * result(once, name).value)
    days = "break_even_days"
    assert result(ten, days).value == pytest.approx(result(once, days).value / 10)
    assert result(ten, "energy_per_request_wh") == result(once, "energy_per_request_wh")


def test_break_even_is_training_over_a_day_of_use() -> None:
    asked = plan(use={**KNOWN, "requests": "2M/day"})
    training = estimate(asked).total
    assert training is not None
    grams = result(asked, "emissions_per_request_gco2e").value
    assert result(asked, "break_even_days").value == pytest.approx(
        training.value * 1000 / (2e6 * grams)
    )


def test_tokens_and_requests_are_the_same_demand() -> None:
    tokens = plan(use={**KNOWN, "tokens": "400M tokens per day", "years": 2})
    requests = plan(use={**KNOWN, "requests": "1M requests/day", "years": 2})
    for name, quantity in used(tokens).results.items():
        assert quantity is not None
        assert quantity[:-1] == pytest.approx(result(requests, name)[:-1])
    year = result(tokens, "operational_per_year_kgco2e").value
    assert result(tokens, "operational_over_years_kgco2e").value == pytest.approx(2 * year)


def test_repeated_runs_take_longer_to_make_up_for() -> None:
    asked = {**KNOWN, "tokens": "1T/year"}
    once = result(plan(use=asked), "break_even_days").value
    assert result(plan(use=asked, runs=3), "break_even_days").value == pytest.approx(3 * once)


def test_the_run_is_the_same_with_and_without_its_use() -> None:
    with_it = estimate(plan(use={"tokens": "1T/year"})).to_dict()
    without = estimate(plan().replace(use=None)).to_dict()
    assert "use_phase" not in without
    for key in ("results", "assumptions", "drivers", "by_hand", "plan"):
        assert with_it[key] == without[key]


def test_demand_is_never_invented() -> None:
    found = used(plan(use={}))
    for name in (
        "requests_per_year",
        "energy_per_year_kwh",
        "operational_per_year_kgco2e",
        "energy_over_years_kwh",
        "operational_over_years_kgco2e",
        "break_even_days",
    ):
        assert found.results[name] is None
    assert found.results["energy_per_output_token_j"] is not None
    assert not any("per_year" in entry.name for entry in found.assumptions)


def test_a_batch_not_known_moves_a_token_by_seven_tenths_of_its_logarithm() -> None:
    for params in (8e9, 70e9, 405e9):
        open_, known = ({k: v for k, v in KNOWN.items() if k != "batch"}, KNOWN)
        spreads = []
        for said in (open_, known):
            found = result(plan(params, use=said), "device_energy_per_output_token_j")
            spreads.append(np.log(found.p90 / found.p10) / (2 * stats.norm.ppf(0.9)))
        assert 0.55 < np.sqrt(spreads[0] ** 2 - spreads[1] ** 2) < 0.8


def test_half_the_bytes_halve_the_weights_alone() -> None:
    whole, half = (used(plan(use={**KNOWN, "precision": p})).parts for p in ("bf16", "fp8"))
    assert half["weights"].value == pytest.approx(whole["weights"].value / 2)
    assert half["arithmetic"] == whole["arithmetic"]


def test_by_size_is_what_a_plan_of_that_size_gives() -> None:
    asked = {**KNOWN, "tokens": "1T/year"}
    half = used(plan(70e9, use=asked)).by_size[0]
    own = plan(35e9, use=asked)
    assert half["energy_per_output_token_j"] == pytest.approx(
        result(own, "energy_per_output_token_j").value
    )
    assert half["devices"] == used(own).plan["device_count"] == 1


@pytest.mark.parametrize(
    ("params", "device", "precision", "count"),
    [
        (70e9, "h100-sxm", "bf16", 2),
        (70e9, "h100-sxm", "fp8", 1),
        (405e9, "h100-sxm", "bf16", 11),
        (405e9, "b200-sxm", "fp8", 3),
    ],
)
def test_the_fewest_devices_that_hold_the_weights(
    params: float, device: str, precision: str, count: int
) -> None:
    asked = plan(params, use={**KNOWN, "device": device, "precision": precision})
    assert used(asked).plan["device_count"] == count


def test_drivers_are_shares_of_the_use_alone() -> None:
    shares = {driver.name: driver.share for driver in used(plan(use={})).drivers}
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=lambda name: shares[name]) in ("use_batch", "use_output_tokens")
    assert "utilisation" not in shares


def test_training_and_use_share_the_grid_and_the_building() -> None:
    """Nothing about the place can move the break-even where making the hardware is left out."""
    asked = plan(use={**KNOWN, "tokens": "1T/year", "energy_factor": 1.0, "site_factor": 1.6})
    said = {"energy_kwh": 1e6, "grid_gco2e_per_kwh": "20..50..200", "pue": 1.2}
    making = {"device_embodied_kgco2e": 0, "host_embodied_kgco2e": 0}
    bare = asked.replace(given=said | making)
    days = result(bare, "break_even_days")
    grams = result(bare, "emissions_per_request_gco2e")
    assert grams.p90 / grams.p10 > 5
    assert days.p90 / days.p10 == pytest.approx(1, abs=0.01)


# Published figures.


def test_google_s_shares_give_its_ratio_of_site_to_chips() -> None:
    """Elsworth et al. 2025: accelerators 58 % of 0.24 Wh, with a PUE of 1.09."""
    factor = Library.bundled().default("use_site_factor").value
    assert use_phase.site_energy(0.58 * 0.24, factor, 1.09) == pytest.approx(0.24, rel=0.03)


def test_energy_per_flop_lies_where_the_leaderboard_has_it() -> None:
    """ML.ENERGY v3: 6.7e-12 J per FLOP of decoding at the best batch, 1.6e-11 over all."""
    best = joules(plan(70e9, use={**KNOWN, "batch": 700})) / (2 * 70e9)
    usual = joules(plan(70e9, use={**KNOWN, "batch": 16})) / (2 * 70e9)
    assert best < 6.7e-12 < usual < 2.5e-11


def test_a_model_of_mistral_s_size_takes_a_third_of_a_watt_hour_for_400_tokens() -> None:
    """0.30 Wh of chips and site by the same physics at 64 in flight, prompts left out."""
    asked = plan(123e9, use={**KNOWN, "prompt_tokens": 1}, given={"pue": 1.09})
    assert result(asked, "energy_per_request_wh").value == pytest.approx(0.30, rel=0.1)


# The fit.


def test_the_fitted_file_reproduces_the_example_worked_by_hand() -> None:
    """70 billion weights at 16 bits on two H100, 64 in flight, 400 tokens after 100."""
    memory, compute, waiting = (
        FITTED[name]["value"]
        for name in ("use_memory_factor", "use_compute_factor", "use_waiting_time_s")
    )
    fetched = memory * 140e9 / (3.35e12 * 64)
    cached = memory * 6e4 * 70 ** (1 / 3) * 300 / 3.35e12
    computed = compute * 140e9 / 989.4e12
    expected = 700 * (fetched + cached + computed + 2 * waiting)
    assert joules(plan(70e9)) == pytest.approx(expected, rel=1e-9)


def test_the_fitted_file_holds_what_the_tool_writes() -> None:
    names = dict(fit_names(FITTED))
    assert set(names) == {
        "use_memory_factor",
        "use_compute_factor",
        "use_waiting_time_s",
        "use_generation.hopper",
        "use_generation.blackwell",
        "use_spread.dense",
        "use_spread.moe",
    }
    assert {entry["source"] for entry in names.values()} == {"ml-energy-2025"}
    assert FITTED["use_spread"]["moe"]["high"] > FITTED["use_spread"]["dense"]["high"] > 1


def fit_names(table: dict[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for name, entry in table.items():
        found += (
            [(prefix + name, entry)] if "value" in entry else fit_names(entry, f"{prefix}{name}.")
        )
    return found


def test_the_stated_errors_pass_their_gates() -> None:
    """Typical factor at most 1.45; 80 % of the settings inside, give or take what chance allows."""
    shipped = re.search(r"shipped\) \| \d \| (\d\.\d+) \| (\d\.\d+) \| (\d\.\d+) \|", DECISION)
    assert shipped and float(shipped[1]) <= 1.45
    page = (ROOT / "docs" / "method" / "use-phase.md").read_text()
    assert f"**{shipped[1]}** at known batch" in " ".join(page.split())
    rows = re.findall(r"\| (\d+) \| (\d+) of (\d+) \| \d+% \| (\d\.\d+) \|", DECISION)
    assert len(rows) == 2
    for models, inside, count, factor in rows:
        low, high = stats.binom.interval(0.95, int(models), 0.8)
        assert low <= int(inside) / int(count) * int(models) <= high
        assert f"{inside} of {count}" in page
        assert float(factor) < 2.5
    others = re.findall(
        r"^\| (?!\*\*|the same|form)[a-z ]+ \| \d \| (\d\.\d+)", DECISION, re.MULTILINE
    )
    assert len(others) == 3 and min(map(float, others)) > float(shipped[1])


def test_the_ranges_in_the_file_are_those_of_the_stated_factors() -> None:
    factors = re.findall(r"\d+ of \d+ \| \d+% \| (\d\.\d+) \|", DECISION)
    for kind, factor in zip(("dense", "moe"), factors, strict=True):
        sigma = np.log(FITTED["use_spread"][kind]["high"]) / stats.norm.ppf(0.95)
        assert np.exp(sigma * stats.norm.ppf(0.9)) == pytest.approx(float(factor), abs=0.006)


def test_the_tool_finds_the_constants_that_made_a_table(tmp_path: Path) -> None:
    library = Library.bundled()
    path = made_up_table(tmp_path / "table.csv")
    at = fit_use_phase.read(path, library)
    cache = library.default("use_cache_bytes").value
    truth = np.log([1.5, 1.8, 4e-5, 12.0, 1.25])
    noise = np.exp(0.1 * np.random.default_rng(1).standard_normal(len(at.joules)))
    at = at._replace(joules=fit_use_phase.modelled(at, truth, cache) * noise)
    found = fit_use_phase.fitted(
        at, lambda s, logs: fit_use_phase.modelled(s, logs, cache), fit_use_phase.START
    )
    assert found == pytest.approx(truth, abs=0.12)
    errors = fit_use_phase.left_out(at, fit_use_phase.physical(cache))
    assert fit_use_phase.sigma_of(errors, at) == pytest.approx(0.1, abs=0.03)
    text = fit_use_phase.toml_text(found, {"dense": 0.1, "moe": 0.2}, at)
    assert dict(fit_names(tomllib.loads(text))).keys() == dict(fit_names(FITTED)).keys()


def made_up_table(path: Path) -> Path:
    """Settings like those of the leaderboard, with no measured figure in them."""
    models = [("a", 8, 8), ("b", 32, 32), ("c", 70, 70), ("d", 30, 3), ("e", 235, 22)]
    rows = [
        {
            "model": name,
            "task": task,
            "gpu": gpu,
            "n_gpus": max(1, total // 40),
            "weight_precision": "bfloat16",
            "total_params_b": total,
            "active_params_b": active,
            "mean_batch_size": batch,
            "mean_output_tokens": 250 if task == fit_use_phase.LONG_PROMPTS else 900,
            "joules_per_output_token": 1,
        }
        for name, total, active in models
        for task in ("chat", fit_use_phase.LONG_PROMPTS)
        for gpu in ("H100", "B200")
        for batch in (8, 32, 128, 512, 2048)
    ]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


# What is said and asked.


def test_a_device_not_measured_widens_the_range_and_says_so() -> None:
    wide, narrow = (
        estimate(plan(use={**KNOWN, "device": name})) for name in ("a100-sxm-80", "h100-sxm")
    )
    assert "use_by_analogy" in {notice.code for notice in wide.warnings}
    assert "use_by_analogy" not in {notice.code for notice in narrow.warnings}
    spans = []
    for footprint in (wide, narrow):
        assert footprint.use_phase is not None
        q = footprint.use_phase.results["device_energy_per_output_token_j"]
        assert q is not None
        spans.append(q.p90 / q.p10)
    assert spans[0] > 2 * spans[1] ** 0.5 > 1


def test_the_ratio_it_finds_is_one_optimum_takes() -> None:
    ratio = result(plan(), "serving_ratio")
    answer = optimum(
        Plan(device="h100-sxm", region="fr", year=2024),
        loss=2.1,
        demand=1e13,
        serving_ratio=(ratio.p5, ratio.value, ratio.p95),
    )
    assert answer.to_dict()["question"]["serving_ratio"] == pytest.approx(ratio.value)


def test_optimum_has_no_use_for_a_use() -> None:
    with pytest.raises(JoulecastError, match="use: is not part of this question"):
        optimum(Plan(region="fr", year=2024, use={}), loss=2.1)


def test_a_plan_file_says_it_and_gives_it_back(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(
        '[model]\nparams = "70B"\n\n[data]\ntokens = "1T"\n\n'
        '[use]\ntokens = "1T..2T..5T/year"\nbatch = [16, 64, 256]\nprecision = "fp8"\n'
    )
    read = Plan.read(path)
    read.save(tmp_path / "again.toml")
    assert Plan.read(tmp_path / "again.toml") == read
    rate = next(e for e in used(read).assumptions if e.name == "use_tokens_per_year")
    assert (rate.low, rate.value, rate.high) == (1e12, 2e12, 5e12)


def test_an_empty_use_is_kept(tmp_path: Path) -> None:
    plan(use={}).save(tmp_path / "plan.toml")
    assert Plan.read(tmp_path / "plan.toml").use is not None


def test_flags_win_over_the_file_and_one_demand_replaces_the_other() -> None:
    base = plan(use={"tokens": "1T/year", "batch": 8})
    newer = with_use(base, {"requests": "1M/day", "batch": "64"})
    assert newer.use is not None
    assert (newer.use.tokens, newer.use.requests, newer.use.batch) == (None, "1M/day", "64")
    assert with_use(base, {}) == base


def test_json_fits_its_schema_and_text_its_width(joulecast: Run) -> None:
    words = ["estimate", "llama-3.1-8b", "--region", "fr", "--year", "2024", "--use-tokens"]
    answer = json.loads(joulecast(*words, "1T/year", "--json").stdout)
    fits(answer, "estimate")
    text = joulecast(*words, "1T/year").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "Use, once trained" in text and "Break-even" in text
    assert "--use-batch" in text and "--use-output-tokens" in text
    assert "no demand given" in joulecast(*words[:-1], "--use").stdout
    assert "Use, once" not in joulecast(*words[:-1]).stdout


def test_the_chain_of_use_gives_nothing_where_nothing_is_known() -> None:
    assert not use_chain({}).made_by
