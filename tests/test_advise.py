"""Advice: every change is a plan to run, and the laws the ranking keeps."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run, fits, remembered
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from joulecast import Advice, JoulecastError, Library, Plan, advise, compare, estimate
from joulecast.advice.advising import KINDS
from joulecast.answers.advice import Advised
from joulecast.answers.shape import as_dict
from joulecast.cli import main
from joulecast.laws.law import constants_of, constants_with_experts, laws_of

#: A plan with much to save, and the same on the command line.
ARGS = "--params 7B --tokens 1T --device a100-sxm-80 --device-count 512 --region us-va --year 2024"
PLAN = Plan(
    params=7e9, tokens=1e12, device="a100-sxm-80", device_count=512, region="us-va", year=2024
)

#: A plan takes a second to advise: a failing one is shown as it is found.
FOUND = (Phase.explicit, Phase.reuse, Phase.generate)

plans = st.fixed_dictionaries(
    {
        "params": st.sampled_from(["1.3B", "7B", "70B"]),
        "tokens": st.sampled_from(["26B", "200B", "2T"]),
        "device": st.sampled_from(["h100-sxm", "a100-sxm-80", "b200-sxm", "tpu-v5p", "mi300x"]),
        "year": st.sampled_from([2024, 2025]),
    },
    optional={
        "region": st.sampled_from(["us-va", "pl", "fr", "se", "gcp:europe-west1", "jean-zay"]),
        "device_count": st.sampled_from([64, 1024]),
        "precision": st.sampled_from(["bf16", "fp8"]),
        "arch": st.just("dense"),
        "given": st.sampled_from(
            [
                {"pue": 1.5},
                {"goodput": 0.7},
                {"mfu": "0.3..0.4..0.5"},
                {"utilisation": 0.2},
                {"wall_clock_days": 200},
                {"grid_gco2e_per_kwh": 300},
            ]
        ),
    },
)


def made(fields: dict[str, Any]) -> Plan:
    """A plan of these fields; without FP8 where the device has none, with devices where needed."""
    fields = dict(fields)
    if fields["device"] in ("a100-sxm-80", "tpu-v5p", "mi300x"):
        fields.pop("precision", None)
    if "wall_clock_days" in fields.get("given", {}):
        fields["device_count"] = 64
    return Plan(**fields)


def all_of(advice: Advice) -> list[Advised]:
    together = [] if advice.together is None else [advice.together]
    return [*advice.changes, *advice.would_not_help, *together]


def kinds(advice: Advice) -> set[str]:
    return {change.kind for change in advice.changes}


def every_row_is_the_comparison_of_two_plans(plan: Plan, advice: Advice) -> None:
    for change in all_of(advice):
        both = compare([plan, change.plan], on=advice.on)
        assert change.ratio == both.options[1].ratio_to_first
        assert change.probability_lower == both.options[1].probability_lowest
        assert change.footprint == both.options[1].footprint
        first, second = (option.footprint.quantities[advice.on] for option in both.options)
        assert first is not None and second is not None
        assert change.value == second.value
        assert change.saving.value == pytest.approx(first.value - second.value, rel=1e-9)


def the_best_to_expect_comes_first_and_probabilities_are_probabilities(advice: Advice) -> None:
    for one, two in pairwise(advice.changes):
        assert one.expected_saving >= two.expected_saving
    for change in advice.changes:
        assert change.expected_saving > 0 and 0.5 <= change.probability_lower <= 1
    for change in advice.would_not_help:
        assert 0 <= change.probability_lower <= 1
        assert change.expected_saving <= 0 or change.probability_lower < 0.5
    seen = {change.kind for change in (*advice.changes, *advice.would_not_help)}
    assert seen | {closed.kind for closed in advice.not_open} == set(KINDS)
    assert not seen & {closed.kind for closed in advice.not_open}


def what_is_kept_is_never_listed_and_what_alone_may_change_alone_is(
    plan: Plan, advice: Advice, kind: str
) -> None:
    kept = advise(plan, keep=kind)
    assert kind not in {change.kind for change in all_of(kept)}
    assert kind not in {closed.kind for closed in kept.not_open}
    assert kept.together is None or kind not in kept.together.change.split(" + ")
    only = advise(plan, only=kind)
    assert {change.kind for change in all_of(only)} <= {kind}
    assert [as_dict(c) for c in only.changes] == [
        as_dict(c) for c in advice.changes if c.kind == kind
    ]


def a_plan_that_took_the_advice_gets_none_of_the_kind_again(advice: Advice) -> None:
    for change in advice.best_of_each:
        if change.kind != "device":
            again = advise(change.plan, only=change.kind)
            assert not [
                one for one in again.changes if one.expected_saving > 0.02 * again.outcome.p50
            ]


def all_at_once_saves_more_than_the_best_alone_and_less_than_the_sum(advice: Advice) -> None:
    if advice.together is None or advice.best is None:
        return
    parts = advice.together.change.split(" + ")
    best = {change.kind: change for change in reversed(advice.changes)}
    assert advice.together.expected_saving > advice.best.expected_saving
    assert advice.together.saving.value < advice.outcome.value
    assert len(parts) > 1 and set(parts) <= set(best)


@settings(max_examples=8, phases=FOUND)
@given(plans.map(made), st.sampled_from(sorted(KINDS)))
def test_advice_keeps_its_laws(plan: Plan, kind: str) -> None:
    """All laws of one plan together: its advice takes as long as they do."""
    advice = advise(plan)
    every_row_is_the_comparison_of_two_plans(plan, advice)
    the_best_to_expect_comes_first_and_probabilities_are_probabilities(advice)
    what_is_kept_is_never_listed_and_what_alone_may_change_alone_is(plan, advice, kind)
    a_plan_that_took_the_advice_gets_none_of_the_kind_again(advice)
    all_at_once_saves_more_than_the_best_alone_and_less_than_the_sum(advice)


def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, args: str) -> Any:
    """What the command answers, in this process."""
    monkeypatch.setattr("sys.argv", ["joulecast", *shlex.split(args), "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    out = capsys.readouterr()
    assert stopped.value.code == 0, out.err
    return json.loads(out.out)


def replaced(args: str, options: list[str]) -> str:
    """The command with options in place of what it said of the same quantities."""
    names = {word.split("=")[0] for word in options if "=" in word}
    words = shlex.split(args)
    kept: list[str] = []
    while words:
        word = words.pop(0)
        if word == "--set" and words[0].split("=")[0] in names:
            words.pop(0)
        else:
            kept.append(word)
    return shlex.join([*kept, *options])


CASES = [
    ARGS,
    "llama-3.1-8b --device h100-sxm --device-count 1024 --provider aws --region us-va",
    "mamba-2.8b --device a100-sxm-80 --region pl",
    "--params 8B --tokens 1T --device p4d.24xlarge --region us-east-1 --set pue=1.5",
    "--params 7B --tokens 1T --device v100-sxm2-32 --precision fp32 --set goodput=0.7",
    "--flop 1e22 --device h100-sxm --set tokens_per_second_per_device=3000 --params 7B "
    "--tokens 200B",
    "--params 7B --tokens 1T --device h100-sxm --device-count 64 --set mfu=0.25..0.3",
    "--params 7B --tokens 1T --device h100-sxm --device-count 64 --set wall_clock_days=90",
    "--params 7B --tokens 1T --device h100-sxm --region de --provider coreweave --runs 3",
    "--set energy_kwh=1287MWh --region us --year 2020",
]


@pytest.mark.parametrize("args", CASES)
def test_the_first_lines_answer_and_estimate_with_the_options_gives_the_number_shown(
    joulecast: Run,
    args: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("joulecast.advice.advising.advise", remembered(advise))
    advice = said(capsys, monkeypatch, f"advise {args}")
    fits(advice, "advise")
    assert advice["changes"]
    together = [advice["together"]] if advice["together"] else []
    for change in [*advice["changes"], *advice["would_not_help"], *together]:
        again = said(capsys, monkeypatch, f"estimate {replaced(args, change['options'])}")
        total = again["results"]["total_kgco2e"]["value"]
        assert total == pytest.approx(change["value"], rel=1e-9), change["options"]

    done = joulecast("advise", *shlex.split(args))
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    first = " ".join(" ".join(lines[:12]).split())
    for word in ("Most is saved by", "saves", "80 % prediction range", "with probability", "--"):
        assert word in first


def test_the_options_go_with_a_plan_file_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "plan.toml"
    PLAN.save(file)
    advice = said(capsys, monkeypatch, f"advise {file}")
    assert advice == advise(PLAN).to_dict()
    for change in [*advice["changes"], advice["together"]]:
        options = shlex.join(change["options"])
        again = said(capsys, monkeypatch, f"estimate {file} {options}")
        assert again["results"] == change["results"]


USED = "--use-tokens 2T/year --use-years 3 --use-batch 32"


def test_training_and_use_are_weighed_together_where_both_are_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    args = f"--params 70B --tokens 1.4T --device h100-sxm --region us-va --year 2024 {USED}"
    advice = said(capsys, monkeypatch, f"advise {args}")
    assert advice["on"] == "lifetime_kgco2e"
    found = {change["kind"]: change for change in reversed(advice["changes"])}
    assert found.keys() >= {"place", "batch", "size"}
    for change in advice["changes"]:
        again = said(capsys, monkeypatch, f"estimate {args} {shlex.join(change['options'])}")
        parts = (
            again["results"]["total_kgco2e"],
            again["use_phase"]["results"]["operational_over_years_kgco2e"],
        )
        assert sum(part["value"] for part in parts) == pytest.approx(change["value"], rel=1e-9)


def test_a_use_makes_a_smaller_model_best_and_none_a_larger_one() -> None:
    def size(**use: Any) -> float:
        plan = Plan(params=7e9, tokens=1e12, device="h100-sxm", region="us-va", year=2024, **use)
        (change,) = advise(plan, only="size").changes
        assert change.plan.params is not None
        return change.plan.params

    assert size() > 7e9 > size(use={"tokens": "5T/year", "years": 3}) > 1e9


def test_another_size_reaches_the_same_loss_with_less_compute() -> None:
    (change,) = advise(PLAN, only="size").changes
    law = constants_of(laws_of(Library.bundled()).main)
    assert change.plan.params is not None and change.plan.tokens is not None
    ours, theirs = law.gap(7e9, 1e12), law.gap(change.plan.params, change.plan.tokens)
    assert theirs == pytest.approx(ours, rel=2e-3) and theirs <= ours
    assert change.plan.params * change.plan.tokens < 7e21
    assert change.extrapolated and "extrapolated" in advise(PLAN, only="size").explain()


def test_a_mixture_reaches_the_same_loss_on_the_same_tokens_by_the_joint_law() -> None:
    laws = laws_of(Library.bundled())
    for params, beyond in ((1e9, False), (7e9, True)):
        plan = Plan(params=params, tokens=20 * params, device="h100-sxm", region="us-va")
        (change,) = advise(plan, only="moe").changes
        active, total = change.plan.active_params, change.plan.params
        assert active is not None and total is not None and change.plan.tokens == 20 * params
        dense, mixture = (constants_with_experts(laws.experts, n) for n in (1.0, 8.0))
        loss = float(dense.gap(params, 20 * params))
        assert float(mixture.gap(active, 20 * params)) == pytest.approx(loss, rel=2e-3)
        assert total / active == pytest.approx(1 + 7 * 2 / 3, rel=5e-3)
        assert change.extrapolated is beyond


@pytest.mark.parametrize(
    ("fields", "kind", "why"),
    [
        ({"model": "llama-3.1-8b"}, "size", "tokens per parameter"),
        ({"flop": 1e22}, "size", "needs the size and the tokens"),
        ({"flop": 1e22}, "moe", "needs the size and the tokens"),
        ({"params": 4e11, "tokens": 15e12}, "size", "below 1.95"),
        ({"params": 1e9, "tokens": 1e7}, "size", "above the runs"),
        ({"params": 1e9, "tokens": 2e10}, "size", "within 2%"),
        ({"params": 1e9, "tokens": 2e10, "arch": "encoder"}, "size", "not of arch encoder"),
        ({"params": 47e9, "active_params": 13e9, "arch": "moe", "tokens": 1e12}, "moe", "already"),
        ({"params": 7e9, "tokens": 1e12, "trainable_params": 1e7}, "size", "frozen"),
        ({"params": 7e9, "unique_tokens": 1e11, "epochs": 4}, "size", "repeated"),
        ({"params": 7e9, "phases": [{"tokens": 1e12}]}, "size", "phases"),
        ({"device": "a100-sxm-80", "params": 7e9, "tokens": 1e12}, "precision", "has no FP8"),
        ({"params": 7e9, "tokens": 1e12, "precision": "fp8"}, "precision", "too new"),
        ({"params": 7e9, "tokens": 1e12, "given": {"mfu": 0.4}}, "precision", "mfu was given"),
        ({"given": {"device_hours": 1e6}}, "device", "stay whatever the speed"),
        ({"given": {"device_hours": 1e6}}, "reserving", "and not the work"),
        ({"flop": 1e22, "given": {"device_power_w": 600}}, "device", "of this device alone"),
        ({"flop": 1e22, "given": {"grid_gco2e_per_kwh": 40}}, "place", "no place changes it"),
        ({"flop": 1e22, "given": {"utilisation": 0.4}}, "goodput", "with the time lost in it"),
        ({"flop": 1e22, "region": "jean-zay"}, "site", "a site of its own"),
        ({"flop": 1e22}, "batch", "nothing was said of the use"),
        ({"params": 7e9, "tokens": 1e12, "use": {"tokens": "1T/year"}}, "batch", "--use-years"),
        ({"flop": 1e22, "device": "cpu-laptop"}, "place", "at a desk"),
    ],
)
def test_a_kind_that_is_not_open_says_why(fields: dict[str, Any], kind: str, why: str) -> None:
    plan = Plan(**{"device": "h100-sxm", "region": "us-va", "year": 2024} | fields)
    (closed,) = advise(plan, only=kind).not_open
    assert closed.kind == kind and why in closed.why


def test_a_contract_is_never_a_saving() -> None:
    """What is bought on paper does not change what the grid emits."""
    plan = PLAN.replace(given={"market_gco2e_per_kwh": 20, "offsets_kgco2e": 1e4})
    with_it, without = advise(plan), advise(PLAN)
    assert [c.saving for c in with_it.changes] == [c.saving for c in without.changes]
    words = " ".join(word for change in all_of(with_it) for word in change.options)
    assert "market" not in words and "offset" not in words


def test_places_are_open_to_everybody_and_devices_known_to_be_rented_and_out() -> None:
    library = Library.bundled()
    for plan in (PLAN, PLAN.replace(year=2021.0)):
        for change in advise(plan, only="place,device").changes:
            if change.kind == "place":
                assert change.plan.region is not None and "gov" not in change.plan.region
                assert library.place(change.plan.region).kind == "cloud"
            else:
                assert change.plan.device is not None and change.plan.device_count == 512
                device = library.device(change.plan.device).device
                assert device.id in library.rented
                assert device.release_date is not None
                assert device.release_date.year <= (plan.year or 0)


def test_a_provider_rents_what_it_rents_and_a_country_can_be_kept() -> None:
    trained = Plan(params=7e9, tokens=1e12, device="tpu-v5p", region="us-va", year=2024)
    places = [change.plan.region for change in advise(trained, only="place").changes]
    assert places and all(str(region).startswith("gcp:") for region in places)
    own = advise(PLAN, only="place", keep="country").changes
    assert own and {change.footprint.plan["country"] for change in own} == {"USA"}
    azure = PLAN.replace(provider="azure")
    kept = advise(azure, only="place,site", keep=["provider"])
    assert {change.footprint.plan["provider"] for change in kept.changes} == {"azure"}


def test_another_operator_keeps_its_own_data_centre_on_another_grid() -> None:
    plan = PLAN.replace(provider="coreweave")
    for change in advise(plan, only="place").changes:
        assert change.footprint.plan["provider"] == "coreweave"
        assert not any("PUE" in effect for effect in change.effects)


def test_what_the_name_of_an_instance_said_is_kept_with_another_device() -> None:
    plan = Plan(params=8e9, tokens=1e12, device="2 x p4d.24xlarge", region="us-va", year=2024)
    now = estimate(plan)
    for change in advise(plan, only="device").changes:
        assert change.footprint.plan["device_count"] == 16
        assert change.footprint.plan["provider"] == now.plan["provider"] == "aws"
        assert not any("PUE" in effect for effect in change.effects)


def test_a_device_that_no_cloud_rents_out_is_not_sent_to_a_cloud() -> None:
    plan = Plan(params=7e9, tokens=1e12, device="mi250x", region="de", year=2024)
    assert "mi250x" not in Library.bundled().rented
    changes = advise(plan, only="place,site").changes
    assert changes and all(change.footprint.plan["provider"] is None for change in changes)


def test_devices_say_how_many_take_as_long() -> None:
    change = advise(PLAN, only="device").changes[0]
    (text,) = [effect for effect in change.effects if "in as many days" in effect]
    count = int(text.split("(or ")[1].split()[0].replace(",", ""))
    plan = change.plan.replace(device_count=float(count))
    ours, theirs = (estimate(one).quantities["wall_clock_days"] for one in (PLAN, plan))
    assert ours is not None and theirs is not None
    assert ours.value >= theirs.value > 0.99 * ours.value


def test_reserved_time_beyond_the_work_is_found() -> None:
    plan = PLAN.replace(given={"wall_clock_days": 90})
    best = advise(plan, only="reserving").best
    assert best is not None and best.probability_lower > 0.95
    needed = estimate(PLAN).quantities["wall_clock_days"]
    assert needed is not None
    assert best.footprint.plan["device_count"] == 512
    days = best.footprint.quantities["wall_clock_days"]
    assert days is not None and days.value == pytest.approx(needed.value, rel=5e-3)


def test_a_plan_with_nothing_left_to_save_is_told_so_kindly() -> None:
    plan = Plan(
        flop=1e22, device="tpu-v6e", region="gcp:europe-north2", year=2025, given={"goodput": 0.99}
    )
    advice = advise(plan, only="goodput,place")
    assert advice.best is None and advice.changes == () and advice.together is None
    text = advice.explain()
    assert "Nothing that we know of would lower this" in text
    assert "Would not help" in text


def test_the_formats_hold_the_same_rows(joulecast: Run) -> None:
    advice = advise(PLAN, only="device,precision,goodput")
    csv = joulecast("advise", *ARGS.split(), "--only", "device,precision,goodput", "--format=csv")
    assert len(csv.stdout.splitlines()) == 1 + len(advice.rows())
    table = joulecast("advise", *ARGS.split(), "--only", "device,precision,goodput", "--format=md")
    assert table.stdout.startswith("| kind | change | options |")
    quiet = joulecast("advise", *ARGS.split(), "--only", "goodput", "--quiet")
    assert "--set goodput=" in quiet.stdout and "Mind" not in quiet.stdout
    frame = advice.to_pandas()
    assert list(frame["kind"])[:1] == [advice.changes[0].kind]
    assert frame["saving_p90"].iloc[0] == advice.changes[0].saving.p90
    assert advice.to_polars().columns == list(frame.columns)


def test_the_caveats_of_narrow_numbers_and_mixtures_are_said_with_their_sources() -> None:
    text = advise(PLAN.replace(device="h100-sxm")).explain()
    for words in ("mind the quality", "0.25%", "DeepSeek-V3", "Ludziejewski", "extrapolated"):
        assert words in text


def test_every_example_of_the_page_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "using.md").read_text().replace("\\\n", " ")
    examples = re.findall(r"^\$ joulecast (advise .*)$", page, re.MULTILINE)
    assert len(examples) > 4
    PLAN.save(tmp_path / "plan.toml")
    monkeypatch.chdir(tmp_path)
    for args in examples:
        monkeypatch.setattr("sys.argv", ["joulecast", *shlex.split(args)])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert stopped.value.code == 0 and capsys.readouterr().out


def test_estimate_does_not_wait_for_advice() -> None:
    script = (
        "import sys; from joulecast.cli import app; "
        "app(['estimate', '--params', '7B', '--tokens', '2T'], standalone_mode=False); "
        "assert not [name for name in sys.modules if name.startswith('joulecast.advice')]"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"keep": "plase"}, "--keep: plase: is not a kind of change; try place"),
        ({"only": ["place", "country"]}, "--only: country: is not a kind of change; try "),
        ({"keep": "place", "only": "place"}, "--only: place: is to be kept as well; try "),
        ({"on": "utilisation"}, "--on: utilisation: is nothing to lower; try "),
        ({"on": "lifetime_kgco2e"}, "--on: lifetime_kgco2e: needs to know the use"),
        ({"on": "wall_clock_hours"}, "--on: wall_clock_hours: is not a result; try "),
    ],
)
def test_errors_are_kind(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(JoulecastError) as error:
        advise(PLAN, **asked)
    assert str(error.value).startswith(message)
