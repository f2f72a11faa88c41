"""`optimum`: the verb, the command, its answers and its errors."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, fits
from hypothesis import given, settings
from hypothesis import strategies as st
from test_inputs import table

from joulecast import JoulecastError, Library, Plan, estimate, optimum
from joulecast.answers.optimum import SAID, Choice, Optimum
from joulecast.answers.quantity import Quantity
from joulecast.laws.law import constants_of, laws_of
from joulecast.laws.repeats import Shelf

FRANCE = Plan(device="h100-sxm", region="fr", year=2024)
KEYWORDS = {"loss", "demand", "serving_ratio", "experts", "confidence", "law"}


def known(choice: Choice | None, name: str) -> Quantity:
    assert choice is not None
    quantity = choice[name]
    assert quantity is not None, name
    return quantity


def value(answer: Optimum, name: str) -> float:
    return known(answer.best, name).value


def keywords(args: str) -> dict[str, Any]:
    """Arguments of the command as those of the verb."""
    words = shlex.split(args)
    fields: dict[str, Any] = {}
    verb: dict[str, Any] = {}
    given: dict[str, str] = {}
    limits: dict[str, str] = {}
    while words:
        word = words.pop(0)
        name = word.removeprefix("--").replace("-", "_")
        if not word.startswith("--"):
            fields["model"] = word
        elif name == "only_given":
            fields[name] = True
        elif name in ("set", "max"):
            key, _, number = words.pop(0).partition("=")
            (given if name == "set" else limits)[key] = number
        elif name in KEYWORDS:
            verb[name] = words.pop(0)
        else:
            fields[name] = words.pop(0)
    return {"plan": Plan(**fields, given=given), "max": limits or None, **verb}


@pytest.mark.parametrize(("args", "expected"), table("optimum_bad.txt"))
def test_a_bad_question_gives_one_kind_line_both_ways(
    joulecast: Run, args: str, expected: str
) -> None:
    done = joulecast("optimum", *shlex.split(args))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {expected}\n")
    if expected.startswith("--max:"):
        return  # NAME=VALUE is a form of the command line alone
    with pytest.raises(JoulecastError) as error:
        optimum(**keywords(args))
    assert str(error.value) == expected


@pytest.mark.parametrize(
    "args",
    [
        "--flop 1e24",
        "--loss 2.1 --region fr",
        "--loss 2.1 --demand 1T..10T --serving-ratio 5..12 --region fr --experts 8",
        "--max total=50t --max energy=200MWh --device a100-sxm-80 --region pl",
        "--max total=50t --demand 1T --region fr",
        "--flop 1e23 --unique-tokens 100B",
        "--loss 2.2 --unique-tokens 100B",
        "--loss 2.2 --unique-tokens 100B --demand 1T --region fr",
        "--max total=50t --max energy=200MWh --confidence 90 --region fr",
        "--flop 1e22 --law muennighoff-2023",
        "llama-2-7b --demand 1T",
        "--flop 1e26 --only-given",
    ],
)
def test_every_question_is_answered_alike_both_ways(joulecast: Run, args: str) -> None:
    done = joulecast("optimum", *shlex.split(args), "--json")
    assert done.returncode == 0, done.stderr
    answer = optimum(**keywords(args))
    assert done.stdout.strip() == answer.to_json()
    fits(json.loads(done.stdout), "optimum")
    text = joulecast("optimum", *shlex.split(args)).stdout
    for line in text.splitlines():
        assert len(line) <= 80 or "http" in line, line
    assert "confidence interval" not in text
    for entry in answer.assumptions:
        assert entry.name in text and (entry.given or entry.source in text)


def test_the_answer_comes_in_order(joulecast: Run) -> None:
    text = joulecast("optimum", "--loss", "2.1", "--demand", "1T..10T", "--region", "fr").stdout
    parts = ("parameters on", "loss 2.100", "training emits", "saves", "Perplexity", "with the least training compute", "by law", "by the data", "flat", "Given", "demand_tokens", "Assumed", "serving_ratio", "Mind", "perplexity_tokeniser", "Cite", "Besiroglu")  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_a_budget_of_compute_is_split_as_the_law_says() -> None:
    """N and D by the closed form with the constants of Besiroglu et al. 2024."""
    answer = optimum(Plan(flop=5.76e23))
    assert value(answer, "params") == pytest.approx(7.25e10, rel=0.01)
    assert value(answer, "training_flop") == pytest.approx(5.76e23)
    assert 6 * value(answer, "params") * value(answer, "tokens") == pytest.approx(5.76e23)
    assert answer.compute_optimal is None and answer.lifetime_saving is None


def test_its_emissions_are_those_of_estimate() -> None:
    answer = optimum(FRANCE, loss=2.1)
    sized = {"params": value(answer, "params"), "tokens": value(answer, "tokens")}
    total = estimate(FRANCE.replace(**sized)).total
    assert total is not None
    assert value(answer, "total_kgco2e") == pytest.approx(total.value, rel=1e-6)
    # The compute is not known exactly here, so the range is wider.
    found = known(answer.best, "total_kgco2e")
    assert found.p90 / found.p10 > total.p90 / total.p10


def test_a_small_model_is_settled_with_the_hardware_it_gets() -> None:
    """Below 1e9 parameters a device draws less; the answer and its estimate still agree."""
    answer = optimum(FRANCE, max={"total": "1kg"})
    sized = {"params": value(answer, "params"), "tokens": value(answer, "tokens")}
    total = estimate(FRANCE.replace(**sized)).total
    assert value(answer, "params") < 1e9
    assert total is not None and total.value == pytest.approx(1, rel=1e-6)


def test_a_cap_is_met_exactly_and_the_tightest_counts() -> None:
    answer = optimum(FRANCE, max={"total": "50t", "energy": "200MWh"})
    assert value(answer, "energy_kwh") == pytest.approx(200e3, rel=1e-9)
    assert value(answer, "total_kgco2e") < 50e3
    both = optimum(FRANCE, max={"total_kgco2e": "50t"}, demand=1e12)
    assert value(both, "lifetime_kgco2e") == pytest.approx(50e3, rel=1e-9)


@pytest.mark.parametrize("confidence", [50, 90, 95])
def test_a_sure_budget_is_met_at_its_level(confidence: float) -> None:
    answer = optimum(FRANCE, max={"total": "50t"}, confidence=confidence)
    total = known(answer.best, "total_kgco2e")
    assert getattr(total, f"p{confidence}") == pytest.approx(50e3, rel=1e-3)
    sized = {"params": value(answer, "params"), "tokens": value(answer, "tokens")}
    plain = estimate(FRANCE.replace(**sized)).total
    assert plain is not None
    assert getattr(plain, f"p{confidence}") == pytest.approx(50e3, rel=1e-3)


def test_the_surer_the_budget_the_smaller_the_model() -> None:
    sizes = [
        value(optimum(FRANCE, max={"total": "50t"}, confidence=sure), "params")
        for sure in (10, 50, 80, 90, 95)
    ]
    assert sizes == sorted(sizes, reverse=True)


def test_few_distinct_tokens_and_a_use_are_weighed_together() -> None:
    """No other size on the same tokens reaches the loss with less carbon in all."""
    ask: dict[str, Any] = {"loss": 2.1, "demand": 1e12, "serving_ratio": 8}
    bound = optimum(FRANCE.replace(unique_tokens=1e11), **ask)
    ample = optimum(FRANCE.replace(unique_tokens=1e14), **ask)
    free = optimum(FRANCE, **ask)
    for name in ("params", "tokens", "lifetime_kgco2e"):
        assert value(ample, name) == pytest.approx(value(free, name), rel=1e-4)
    assert value(bound, "lifetime_kgco2e") > 1.05 * value(free, "lifetime_kgco2e")

    laws = laws_of(Library.bundled())
    shelf, constants = Shelf(1e11, laws.repetition), constants_of(laws.main)

    def spent(params: float, tokens: float) -> float:
        return 6 * params * tokens + 2 * params * 8e12

    def tokens_for(params: float) -> float:
        """By bisection on the loss itself."""
        low, high = 1e9, 1e15
        for _ in range(80):
            middle = (low * high) ** 0.5
            short = constants.irreducible_loss + shelf.gap(constants, params, middle) > 2.1
            low, high = (middle, high) if short else (low, middle)
        return high

    best = value(bound, "params")
    least = spent(best, value(bound, "tokens"))
    assert value(bound, "tokens") == pytest.approx(tokens_for(best), rel=1e-6)
    for factor in (0.9, 0.97, 1.03, 1.1, 2):
        assert spent(best * factor, tokens_for(best * factor)) > least


def test_a_cap_on_training_and_use_holds_with_few_distinct_tokens() -> None:
    plan = FRANCE.replace(unique_tokens=1e11)
    answer = optimum(plan, max={"total": "50t"}, demand=1e12)
    assert value(answer, "lifetime_kgco2e") == pytest.approx(50e3, rel=1e-6)
    assert value(answer, "loss") > value(optimum(FRANCE, max={"total": "50t"}, demand=1e12), "loss")
    saving = answer.lifetime_saving
    assert saving is not None and 0 < saving.value < 1


def test_another_law_answers_by_its_own_constants() -> None:
    """With alpha = beta the best N is (A / B)^(1 / 2 alpha) sqrt(C / 6): Muennighoff et al. 2023."""
    answer = optimum(Plan(flop=1e22), law="muennighoff-2023")
    params = (521 / 1488) ** (1 / (2 * 0.3527)) * (1e22 / 6) ** 0.5
    assert value(answer, "params") == pytest.approx(params, rel=1e-9)
    assert answer.question["law"] == "muennighoff-2023"
    assert "law_without_range" in {notice.code for notice in answer.warnings}
    assert optimum(Plan(flop=1e22), law="besiroglu-2024") == optimum(Plan(flop=1e22))


def test_a_cleaner_place_buys_a_lower_loss_under_the_same_cap() -> None:
    dirty = optimum(Plan(device="h100-sxm", region="pl", year=2024), max={"total": "50t"})
    assert value(optimum(FRANCE, max={"total": "50t"}), "loss") < value(dirty, "loss")


def test_place_and_device_change_the_carbon_of_a_loss_but_not_the_model() -> None:
    here = optimum(FRANCE, loss=2.1)
    there = optimum(Plan(device="a100-sxm-80", region="pl", year=2024), loss=2.1)
    assert value(there, "params") == pytest.approx(value(here, "params"))
    assert value(there, "total_kgco2e") > 3 * value(here, "total_kgco2e")


def test_the_size_of_a_plan_asks_for_its_loss() -> None:
    """7B on 140B tokens with 1e12 tokens served at equal emissions per FLOP: 0.48 of the size,
    27 % saved (docs/method/scaling-laws.md)."""
    answer = optimum(Plan(params=7e9, tokens=0.14e12), demand=1e12, serving_ratio=1)
    least = answer.compute_optimal
    assert value(answer, "params") / known(least, "params").value == pytest.approx(0.48, abs=0.01)
    assert answer.lifetime_saving is not None
    assert answer.lifetime_saving.value == pytest.approx(0.27, abs=0.01)


def test_ranges_of_the_demand_widen_the_saving() -> None:
    exact = optimum(FRANCE, loss=2.1, demand=1e12, serving_ratio=8).lifetime_saving
    ranged = optimum(FRANCE, loss=2.1, demand="0.1T..1T..10T", serving_ratio=8).lifetime_saving
    assert exact is not None and ranged is not None
    assert ranged.value == pytest.approx(exact.value)
    assert ranged.p90 - ranged.p10 > 3 * (exact.p90 - exact.p10)


def test_beyond_the_runs_it_is_labelled_and_widened_and_the_loss_withheld() -> None:
    inside, outside = optimum(Plan(flop=1e22)), optimum(Plan(flop=1e26))
    assert "extrapolated" not in {notice.code for notice in inside.warnings}
    codes = {notice.code for notice in outside.warnings}
    assert {"extrapolated", "loss_not_predicted"} <= codes
    assert outside.best["loss"] is None and outside.best["perplexity"] is None
    shown, by_data = known(outside.best, "tokens_per_param"), outside.tokens_per_param_by_data
    assert shown.p90 / shown.p10 > 1.5 * by_data.p90 / by_data.p10
    near = known(inside.best, "tokens_per_param")
    assert near == inside.tokens_per_param_by_data


def test_far_beyond_ordinary_ratios_it_says_so() -> None:
    answer = optimum(FRANCE, loss=2.2, demand=1e15, serving_ratio=1)
    assert value(answer, "tokens_per_param") > 1000
    assert "overtrained" in {notice.code for notice in answer.warnings}


def test_few_distinct_tokens_are_repeated_at_a_cost() -> None:
    free, bound = optimum(Plan(flop=1e23)), optimum(Plan(flop=1e23, unique_tokens=1e11))
    assert value(bound, "loss") > value(free, "loss")
    assert value(bound, "epochs") == pytest.approx(value(bound, "tokens") / 1e11)
    ratio = bound.training_flop_ratio
    assert ratio is not None and ratio.value > 1
    many = optimum(Plan(flop=1e23, unique_tokens=1e10))
    assert "many_epochs" in {notice.code for notice in many.warnings}


def test_experts_save_compute_and_far_sizes_are_marked() -> None:
    """Ludziejewski et al. 2025: about 1.8 at 1e21 FLOP with 8 experts."""
    near, far = (
        optimum(Plan(flop=1e20), experts=8).mixture,
        optimum(Plan(flop=1e24), experts=8).mixture,
    )
    assert near is not None and not near.extrapolated
    assert far is not None and far.extrapolated and far.flop_saving > 1.8


def test_rows_hold_what_is_known() -> None:
    answer = optimum(FRANCE, loss=2.1, demand=1e12)
    rows = answer.rows()
    assert {row["choice"] for row in rows} == {"optimum", "compute_optimal"}
    assert {row["quantity"] for row in rows} == set(SAID) - {"epochs"}


def test_a_users_own_law_answers_first(tmp_path: Path, joulecast: Run) -> None:
    (tmp_path / "scaling_laws.toml").write_text(
        "[loss.besiroglu-2024]\nname = 'Ours'\nsource = 'users-own-figures'\nbasis = 'given'\n"
        "irreducible_loss = 1.7\nparams_coefficient = 400\ntokens_coefficient = 2000\n"
        "params_exponent = 0.35\ntokens_exponent = 0.37\nlowest_loss = 1.8\nhighest_loss = 5\n"
        "fitted = { flop = [1e18, 1e22] }\n"
    )
    done = joulecast("optimum", "--loss", "1.9", "--specs", str(tmp_path), "--json")
    answer = json.loads(done.stdout)
    law = {entry["name"]: entry for entry in answer["assumptions"]}
    assert law["irreducible_loss"]["value"] == 1.7 and law["irreducible_loss"]["low"] is None
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "scaling_laws.toml").write_text("[loss.ours]\nname = 'Ours'\n")
    done = joulecast("optimum", "--loss", "2.1", "--specs", str(broken))
    assert done.returncode == 2
    assert done.stderr.startswith("error: scaling_laws.toml: loss.ours: ")


@settings(max_examples=8)
@given(tonnes=st.floats(1.0, 1e3), more=st.floats(1.01, 20), served=st.booleans())
def test_a_larger_budget_never_means_a_higher_loss(
    tonnes: float, more: float, served: bool
) -> None:
    def lowest(cap: float) -> float:
        demand = 1e12 if served else None
        answer = optimum(FRANCE, max={"total": f"{cap} t"}, demand=demand)
        params, tokens = value(answer, "params"), value(answer, "tokens")
        return float(482.01 / params**0.3478 + 2085.43 / tokens**0.3658)

    assert lowest(tonnes * more) < lowest(tonnes)


@settings(max_examples=8)
@given(loss=st.floats(1.96, 3.5), demand=st.floats(1e9, 1e15), more=st.floats(1.1, 1e3))
def test_more_demand_never_means_a_larger_model(loss: float, demand: float, more: float) -> None:
    few = optimum(FRANCE, loss=loss, demand=demand)
    many = optimum(FRANCE, loss=loss, demand=demand * more)
    assert value(many, "params") <= value(few, "params")
    assert value(many, "tokens") >= value(few, "tokens")
    assert few.lifetime_saving is not None and many.lifetime_saving is not None
    assert many.lifetime_saving.value >= few.lifetime_saving.value >= -1e-12
