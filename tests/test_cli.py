"""The real command, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from conftest import Run, fits

from joulecast import Plan, __version__, estimate

README = ("--params", "32.2B", "--tokens", "6.6T", "--device", "h100-sxm", "--device-count", "1024", "--region", "us-va", "--year", "2025")  # fmt: skip


def test_the_answer_comes_in_the_promised_order(joulecast: Run) -> None:
    done = joulecast("estimate", *README)
    assert done.returncode == 0 and done.stderr == ""
    parts = ("80 % prediction range", "FLOP", "device-hours", "days on 1,024", "Parts", "By hand", "Given", "Assumed", "What drives the range", "Mind", "Cite")  # fmt: skip
    places = [done.stdout.index(part) for part in parts]
    assert places == sorted(places)
    assert "confidence interval" not in done.stdout


def test_no_line_is_wider_than_80_columns(joulecast: Run) -> None:
    for args in (README, ("--params", "1.5T", "--active-params", "37B", "--tokens", "14.8T")):
        for line in joulecast("estimate", *args).stdout.splitlines():
            assert len(line) <= 80 or "http" in line or "doi:" in line, line


def test_nothing_but_plain_text_in_a_pipe(joulecast: Run) -> None:
    assert "\x1b" not in joulecast("estimate", *README).stdout


def test_every_assumption_is_printed_with_its_flag(joulecast: Run) -> None:
    text = joulecast("estimate", *README).stdout
    for entry in json.loads(joulecast("estimate", *README, "--json").stdout)["assumptions"]:
        assert entry["name"] in text
        if not entry["given"]:
            assert entry["flag"] in text and entry["source"] in text


def test_json_has_the_keys_of_the_contract(joulecast: Run) -> None:
    answer = json.loads(joulecast("estimate", *README, "--json").stdout)
    assert answer["schema_version"] == 1
    for key in ("plan", "results", "assumptions", "cross_checks", "drivers", "warnings"):
        assert key in answer
    assert set(answer["provenance"]) == {"joulecast", "data"}
    for name in (
        "training_flop", "executed_flop", "device_hours", "wall_clock_days", "device_energy_kwh",
        "host_energy_kwh", "it_energy_kwh", "energy_kwh", "operational_kgco2e", "embodied_kgco2e",
        "total_kgco2e", "water_onsite_l", "water_offsite_l", "water_l",
    ):  # fmt: skip
        assert set(answer["results"][name]) == {"value", "p5", "p10", "p50", "p90", "p95", "unit"}
    assert set(answer["results"]["parts_kgco2e"]) == {
        "device",
        "host",
        "network",
        "cooling",
        "embodied",
    }
    keys = {
        "name",
        "unknown",
        "value",
        "low",
        "high",
        "unit",
        "basis",
        "source",
        "read",
        "given",
        "flag",
    }
    for entry in answer["assumptions"]:
        assert keys <= set(entry)
    assert set(answer["drivers"][0]) == {"name", "share"}


def test_command_and_python_give_the_same_object(joulecast: Run) -> None:
    plan = Plan(params="7B", tokens="2T", device="A100", region="fr", given={"pue": "1.1..1.2"})
    args = ("--params", "7B", "--tokens", "2T", "--device", "A100", "--region", "fr", "--set", "pue=1.1..1.2")  # fmt: skip
    assert joulecast("estimate", *args, "--json").stdout.strip() == estimate(plan).to_json()


def test_quiet_prints_the_headline_alone(joulecast: Run) -> None:
    plan = ("--params", "7B", "--tokens", "2T", "--device", "h100-sxm", "--region", "us-va")
    lines = joulecast("estimate", *plan, "--quiet").stdout.splitlines()
    assert len(lines) == 1 and "tCO2e" in lines[0]


def test_only_given_adds_nothing(joulecast: Run) -> None:
    done = joulecast("estimate", "--only-given", "--set", "device_power_w=200 W", "--set", "device_hours=3.5", "--set", "grid_gco2e_per_kwh=500", "--json")  # fmt: skip
    results = json.loads(done.stdout)["results"]
    assert results["energy_kwh"]["value"] == 0.7
    assert results["total_kgco2e"]["value"] == 0.35
    assert results["embodied_kgco2e"] is None


ERRORS = [
    (("estimate",), "error: plan: nothing to estimate from; try --params 7B --tokens 2T, --flop 1e23, --set device_hours=10000"),
    (("estimate", "--params", "7B"), "error: tokens: params without tokens; about 20 tokens per parameter is compute-optimal; try --tokens 1.4e11"),
    (("estimate", "--parms", "7B"), "error: --parms: unknown option; try --params, --active-params"),
    (("estimat",), "error: command: estimat: unknown command; try estimate"),
    (("estimate", "--params", "8x22B", "--tokens", "1T"), "error: params: 8x22B: is a mixture of experts, not a number; try --params TOTAL --active-params ACTIVE --arch moe"),
    (("estimate", "--params", "7B", "--tokens", "2T", "--device", "h100smx"), "error: device: h100smx: unknown device; try h100-sxm"),
    (("estimate", "--params", "7B", "--tokens", "2T", "--region", "Georgia"), "error: region: Georgia: could be several places; try ge (Georgia), us-ga (Georgia)"),
    (("estimate", "--params", "7B", "--tokens", "2T", "--set", "pue=0.9"), "error: pue: 0.9: must be at least 1; try 1.1, 1.25"),
    (("estimate", "--params", "7B", "--tokens", "2T", "--set", "puee=1.1"), "error: --set: puee: is not a known quantity; try pue"),
    (("estimate", "--params", "7B", "--tokens", "2T", "--device", "h100-sxm", "--set", "mfu=0.9"), "error: mfu: 0.9: NVIDIA H100 SXM5 80 GB reaches 0.803 of its dense peak in its best matrix product; a higher figure counts sparsity, recomputation or multiply-adds twice; it is of work in FP8 over the 16-bit peak, perhaps: 0.45 of the FP8 peak (mfu_fp8); try --set mfu=0.35"),
    (("estimate", "--params", "7B", "--tokens", "2T", "--year", "1990"), "error: year: 1990: the data cover 2000 to 2025 and are projected 10 years on; try 2000"),
    (("list", "device"), "error: list: device: no such list; try devices"),
    (("list", "runs", "--tests", "Q"), "error: --tests: Q: is nothing a run tests; try H (device-hours against FLOP), W ("),
    (("list", "devices", "--tests", "H"), "error: --tests: H: devices test nothing; try joulecast list runs"),
    (("show", "run", "palm-54b"), "error: run: palm-54b: unknown run; try palm-540b"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "line"), ERRORS, ids=range(len(ERRORS)))
def test_an_error_is_one_kind_line_and_exit_2(
    joulecast: Run, args: tuple[str, ...], line: str
) -> None:
    done = joulecast(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_lists_and_records(joulecast: Run) -> None:
    for what in ("devices", "runs", "regions", "providers", "assumptions", "sources", "warnings"):
        rows = json.loads(joulecast("list", what, "--format", "json").stdout)
        assert rows and isinstance(rows, list)
        assert joulecast("list", what).returncode == 0
    record = json.loads(joulecast("show", "device", "A100", "--format", "json").stdout)
    assert record["id"] == "a100-sxm-80"
    assert "gco2e_per_kwh" in joulecast("show", "region", "us-va").stdout


def test_a_bare_command_gives_a_tour_and_the_version_names_the_data(joulecast: Run) -> None:
    assert "joulecast estimate --params" in joulecast().stdout
    assert joulecast("--version").stdout.startswith(f"joulecast {__version__}, data ")


def test_a_closed_pipe_is_quiet() -> None:
    command = f"{sys.executable} -m joulecast list regions | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )  # fmt: skip
    assert done.stderr == ""


@pytest.mark.parametrize("what", ("devices", "models", "runs", "regions", "providers", "assumptions", "sources", "warnings"))  # fmt: skip
def test_lists_fit_their_schema(joulecast: Run, what: str) -> None:
    rows = json.loads(joulecast("list", what, "--format", "json").stdout)
    fits(rows, f"list-{what}")


@pytest.mark.parametrize(("what", "name"), (("device", "TPUv4"), ("model", "GPT-3"), ("run", "bloom-176b"), ("region", "aws:us-east-1"), ("source", "ember-2026"), ("assumption", "utilisation")))  # fmt: skip
def test_records_fit_their_schema(joulecast: Run, what: str, name: str) -> None:
    record = json.loads(joulecast("show", what, name, "--format", "json").stdout)
    fits(record, f"show-{what}")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("joulecast estimate --device h100", "h100-sxm"),
        ("joulecast estimate --region aws:us-e", "aws:us-east-1"),
        ("joulecast estimate llama-3.1", "llama-3.1-8b"),
        ("joulecast estimate --set pu", "pue="),
    ],
)
def test_the_shell_completes_names(joulecast: Run, words: str, wanted: str) -> None:
    done = joulecast(
        _TYPER_COMPLETE_ARGS=words, _JOULECAST_COMPLETE="complete_bash", COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )  # fmt: skip
    assert wanted in done.stdout.split()


def test_a_record_is_found_by_its_name_alone(joulecast: Run) -> None:
    for name, wanted in (
        ("A100", "a100-sxm-80"),
        ("gpt-3", "gpt-3-175b"),
        ("us-va", "us-va"),
        ("olmo3-7b", "olmo3-7b"),
        ("pythia-12b", "pythia-12b"),
    ):
        record = json.loads(joulecast("show", name, "--format", "json").stdout)
        assert record["id"] == wanted
    done = joulecast("show", "h100sxx")
    assert done.returncode == 2 and done.stderr.startswith(
        "error: show: h100sxx: no such record; try"
    )


def test_runs_are_filtered_by_what_they_test(joulecast: Run) -> None:
    def ids(*args: str) -> set[str]:
        rows = json.loads(joulecast("list", "runs", *args, "--format", "json").stdout)
        return {row["id"] for row in rows}

    hours, metered = ids("--tests", "H"), ids("--tests", "E")
    assert {"palm-540b", "llama2-7b"} <= hours and "llama2-7b" not in metered
    assert ids("--tests", "H,E") == hours & metered
    assert hours | metered < ids()
