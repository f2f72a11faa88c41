"""Every way in, good and bad: the command and Python agree, and errors are kind.

The tables in tests/data hold one input to a line: those of estimate in inputs_good.txt and
inputs_bad.txt, those of the commands that ask further in inputs_bad_whatif.txt.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, fits

from joulecast import JoulecastError, Plan, estimate
from joulecast.cli import main

DATA = Path(__file__).parent / "data"
FLAGS = {"only_given": True, "national_average": True, "include_building": True}


def table(name: str) -> list[tuple[str, str]]:
    lines = (DATA / name).read_text().splitlines()
    rows = [line.split(" => ") for line in lines if line and not line.startswith("#")]
    return [(args, expected.strip()) for args, expected in rows]


def as_plan(args: str) -> dict[str, Any]:
    """The arguments of the command as keywords of a Plan."""
    words = shlex.split(args)
    values: dict[str, Any] = {}
    given: dict[str, str] = {}
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            values["model"] = word
            continue
        name = word.removeprefix("--").replace("-", "_")
        if name in FLAGS:
            values[name] = True
        elif name == "use":
            values.setdefault("use", {})
        elif name.startswith("use_"):
            values.setdefault("use", {})[name.removeprefix("use_")] = words.pop(0)
        elif name == "set":
            key, _, value = words.pop(0).partition("=")
            given[key] = value
        else:
            values[name] = words.pop(0)
    return values | ({"given": given} if given else {})


def at(answer: Any, path: str) -> Any:
    """A value inside an answer; lists of named things are looked up by name."""
    for part in path.split("."):
        if isinstance(answer, list):
            answer = next(entry for entry in answer if entry["name"] == part)
        else:
            answer = answer[part]
    return answer


@pytest.mark.parametrize(("args", "expected"), table("inputs_good.txt"))
def test_a_good_input_gives_the_same_answer_both_ways(
    joulecast: Run, args: str, expected: str
) -> None:
    done = joulecast("estimate", *shlex.split(args), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert done.stdout.strip() == estimate(Plan(**as_plan(args))).to_json()
    fits(answer, "estimate")
    codes = {entry["code"] for entry in answer["warnings"]}
    for claim in shlex.split(expected):
        if claim.startswith("!"):
            assert claim[1:] in codes
            continue
        path, _, wanted = claim.partition("=")
        found = at(answer, path)
        if wanted == "null":
            assert found is None
        elif isinstance(found, bool):
            assert str(found).lower() == wanted
        elif isinstance(found, str):
            assert found == wanted
        else:
            assert found == pytest.approx(float(wanted), rel=1e-9), path


@pytest.mark.parametrize(("args", "expected"), table("inputs_bad.txt"))
def test_a_bad_input_gives_one_kind_line_both_ways(
    joulecast: Run, args: str, expected: str
) -> None:
    done = joulecast("estimate", *shlex.split(args))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"error: {expected}\n"
    if expected.startswith("--set:"):
        return  # NAME=VALUE is a form of the command line alone
    with pytest.raises(JoulecastError) as error:
        estimate(Plan(**as_plan(args)))
    assert str(error.value) == expected


@pytest.mark.parametrize(("args", "expected"), table("inputs_bad_whatif.txt"))
def test_a_bad_question_gets_one_kind_line(
    args: str,
    expected: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["joulecast", *shlex.split(args)])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    assert (stopped.value.code, said.out, said.err) == (2, "", f"error: {expected}\n")


def test_an_array_is_refused_with_the_way_on() -> None:
    import numpy as np

    with pytest.raises(JoulecastError) as error:
        Plan(params=np.array([7e9, 70e9]), tokens=2e12)
    assert str(error.value) == (
        "params: is a list or an array: a plan holds one value, sweep takes many"
    )


def test_nothing_is_printed_before_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["joulecast", "estimate", "--params", "7B", "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().out == ""


def test_ctrl_c_is_quiet(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("joulecast.estimation.estimate", interrupted)
    monkeypatch.setattr("sys.argv", ["joulecast", "estimate", "--flop", "1e22"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 130
    assert "Traceback" not in capsys.readouterr().err
