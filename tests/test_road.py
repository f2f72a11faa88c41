"""One road from a plan to an answer: every verb follows the chain in one place, part by part."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from joulecast import (
    Plan,
    advise,
    compare,
    compare_measured,
    estimate,
    optimum,
    outcome,
    solve,
    sweep,
)
from joulecast.chain import Run, chain, use_chain
from joulecast.plan import Use

SRC = Path(__file__).parents[1] / "src" / "joulecast"
EMISSIONS = Path(__file__).parent / "data" / "cards" / "emissions.csv"
RUN: dict[str, Any] = {"params": 7e9, "tokens": 1e12, "year": 2024, "region": "fr"}
PLAIN = Plan(**RUN, device="h100-sxm", device_count=64)
FLEET = Plan(**RUN, fleet=[{"device": "h100-sxm", "share": 0.5}, {"device": "a100-sxm-80"}])

USE = Use(requests="2M/day", device="h100-sxm")

#: Verb -> a question to it, of a plan with one part and of one with two.
QUESTIONS: dict[str, Callable[[Plan], object]] = {
    "estimate": estimate,
    "use": lambda plan: estimate(plan.replace(use=USE)).use_phase,
    "drivers": lambda plan: estimate(plan).tornado(),
    "compare": lambda plan: compare(plan, {"region": ["fr", "pl"]}),
    "sweep": lambda plan: sweep(plan, {"region": ["fr", "pl"]}).columns,
    "solve": lambda plan: solve(plan, "tokens", {"total": "5t"}),
    "advise": lambda plan: advise(plan, only="goodput"),
}


class Spy:
    """Counts how often the chain is followed."""

    def __init__(self, follow: Callable[[Any], Run]) -> None:
        self.follow, self.count = follow, 0

    def __call__(self, given: Any) -> Run:
        self.count += 1
        return self.follow(given)


@pytest.mark.parametrize("plan", [PLAIN, FLEET], ids=["one part", "two parts"])
@pytest.mark.parametrize("verb", QUESTIONS)
def test_every_verb_reaches_the_one_place(
    verb: str, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy, of_use = Spy(chain), Spy(use_chain)
    monkeypatch.setattr(outcome, "chain", spy)
    monkeypatch.setattr(outcome, "use_chain", of_use)
    QUESTIONS[verb](plan)
    assert spy.count >= (2 if plan.fleet else 1)
    assert bool(of_use.count) == (verb == "use")


def names_in(path: Path) -> set[str]:
    """What a module imports by name, and what it calls."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(f"{node.func.id}()")
    return found


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("joulecast.chain.chain", "outcome.py"),
        ("joulecast.chain.use_chain", "outcome.py"),
        ("Footprint()", "estimation.py"),
    ],
)
def test_nothing_else_follows_the_chain_or_makes_a_footprint(name: str, place: str) -> None:
    assert [path.name for path in SRC.rglob("*.py") if name in names_in(path)] == [place]


def test_a_plain_run_is_a_fleet_of_one() -> None:
    one = Plan(**RUN, fleet=[{"device": "h100-sxm", "device_count": 64}])
    for question in ("estimate", "compare", "solve", "advise"):
        plain, fleet = (QUESTIONS[question](plan).to_dict() for plan in (PLAIN, one))  # type: ignore[attr-defined]
        for answer in (plain, fleet):
            for each in (answer, answer.get("at", {})):
                each.pop("asked", None)
                each.pop("fleet", None)
        assert fleet == plain, question


def test_what_is_of_one_part_says_so_of_a_fleet() -> None:
    said = "fleet: is of several parts, and here one is asked for; try one plan per entry"
    for ask in (
        lambda: compare_measured(FLEET, EMISSIONS),
        lambda: optimum(FLEET.replace(params=None, tokens=None), loss=2.1),
    ):
        with pytest.raises(ValueError, match="fleet") as error:
            ask()
        assert str(error.value) == said
