"""The plain command line and Typer's: the same words in, the same words out; a light start."""

from __future__ import annotations

import inspect
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Run
from test_inputs import table

from joulecast import Plan
from joulecast.cli import answering, plain
from joulecast.cli.asked import Asked
from joulecast.cli.compiling import compiled

#: Beside the tables of inputs: misuse, odd forms, and what is not of `estimate`.
ODD = (
    "",
    "--version",
    "--help",
    "-h",
    "estimate --help",
    "estimate -h",
    "sweep --help",
    "show -h",
    "nonsense --help",
    "--nonsense",
    "nonsense",
    "estimate",
    "estimate --params",
    "estimate --params 7B --tokens",
    "estimate --params '' --tokens 2T",
    "estimate --params=7B --tokens=2T --year=2024",
    "estimate --params= --tokens 2T",
    "estimate --json=yes --params 7B --tokens 2T",
    "estimate --params 7B --params 8B --tokens 2T",
    "estimate --params --tokens 2T",
    "estimate --params 7B --tokens 2T --bogus",
    "estimate --param 7B --tokens 2T",
    "estimate --pue 1.1",
    "estimate --set pue=1.1 --set pue=1.2 --params 7B --tokens 1T",
    "estimate --set pue=1.1 --set pue=1.1 --params 7B --tokens 1T --json",
    "estimate --set pue --params 7B --tokens 1T",
    "estimate --params 7B --tokens 2T llama-3.1-8b mistral-7b",
    "estimate llama-3.1-8b --json --device h100-sxm",
    "estimate --json llama-3.1-8b --device h100-sxm --quiet",
    "estimate -- llama-3.1-8b",
    "estimate llama-3.1-8b --no-national-average --national-average --region us",
    "estimate --params 7B --tokens 2T --format yaml",
    "estimate --params 7B --tokens 2T --format json",
    "estimate --params -7B --tokens 2T",
    "estimate --params 7B --tokens 2T --drivers",
    "estimate --params 7B --tokens 2T --drivers --json",
    "estimate --params 7B --tokens 2T --quiet",
    "estimate --params 7B --tokens 2T --use --use-output-tokens 300",
    "estimate --params 7B --tokens 2T --use-tokens 1T/year --use-years 3 --json",
    "estimate ''",
    "estimate no-such-plan.toml",
    "estimate --params 7B --tokens 2T --specs no-such-folder",
    "estimate --from no-such-export.json",
    "list devices --contains h100",
    "estimate --params 7B --tokens 2T extra more",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table as the build makes it."""
    path = tmp_path_factory.mktemp("built") / "flags.json"
    path.write_bytes(compiled())
    return path


def told(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


def test_both_roads_say_the_same(
    joulecast: Run, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every bad input, the odd ones and some good ones: output, errors and exit code."""
    lines = [f"estimate {args}" for args, _ in table("inputs_bad.txt")]
    lines += [f"estimate {args} --json" for args, _ in table("inputs_good.txt")[::8]]
    differing = []
    for line in (*lines, *ODD):
        monkeypatch.setattr(plain, "TABLE", built.with_name("none"))
        typed = joulecast(*shlex.split(line))
        monkeypatch.setattr(plain, "TABLE", built)
        if told(typed) != told(joulecast(*shlex.split(line))):
            differing.append(line)
    assert not differing


def test_both_roads_make_the_same_plan(
    joulecast: Run, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every good input: the plan and what is to be done with it; nearly all by the plain road."""
    made: list[tuple[Plan, tuple[object, ...], dict[str, object]]] = []

    def answer(asked: Asked, *args: object, **values: object) -> None:
        names = list(inspect.signature(answering.answer).parameters)[1:]
        made.append((asked.plan(), (), dict(zip(names, args, strict=False)) | values))

    monkeypatch.setattr("joulecast.cli.estimate.answer", answer)
    real, taken = answering.answer, 0
    assert real is not answer
    for args, _ in table("inputs_good.txt"):
        words = ["estimate", *shlex.split(args)]
        monkeypatch.setattr(plain, "TABLE", built.with_name("none"))
        joulecast(*words)
        monkeypatch.setattr(plain, "TABLE", built)
        with monkeypatch.context() as patched:
            patched.setattr(answering, "answer", answer)
            taken += plain.parsed(json.loads(built.read_bytes().split(b"\n")[0]), words) is not None
            joulecast(*words)
        typed, quick = made[-2:]
        assert typed == quick, args
    assert len(made) == 2 * len(table("inputs_good.txt"))
    # The plain road is the usual one, or this test would hold for nothing.
    assert taken > 0.95 * len(made) / 2


def test_a_table_older_than_the_flags_is_ignored(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--version"]
    monkeypatch.setattr(plain, "TABLE", built)
    assert plain.answered(words)
    stale = tmp_path / "flags.json"
    head, texts = built.read_bytes().split(b"\n")
    stale.write_bytes(json.dumps({**json.loads(head), "digest": 1}).encode() + b"\n" + texts)
    for path in (stale, tmp_path / "none.json"):
        monkeypatch.setattr(plain, "TABLE", path)
        assert not plain.answered(words)
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"{")
    monkeypatch.setattr(plain, "TABLE", broken)
    assert not plain.answered(words)


@pytest.mark.parametrize("name", plain.ENVIRONMENT)
def test_what_the_environment_adds_goes_to_typer(
    name: str, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "TABLE", built)
    monkeypatch.setenv(name, "x")
    assert not plain.answered(["--version"])


def test_help_of_a_narrow_terminal_is_typers(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "TABLE", built)
    monkeypatch.setenv("COLUMNS", "60")
    assert not plain.answered(["estimate", "--help"])


def loaded(script: str) -> set[str]:
    """Packages that a fresh interpreter holds after a script, without those it starts with."""
    code = f"import sys; before = set(sys.modules); {script}; print(*(set(sys.modules) - before))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, timeout=60, env=environment,
    )  # fmt: skip
    return {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_an_import_loads_names_and_nothing_else() -> None:
    heavy = {"numpy", "pydantic", "typer", "inspect", "dataclasses", "json", "pathlib"}
    assert not loaded("import joulecast; dir(joulecast)") & heavy


def test_a_plain_estimate_loads_neither_typer_nor_pydantic(built: Path) -> None:
    script = (
        "from pathlib import Path; from joulecast.cli import plain; "
        f"plain.TABLE = Path({str(built)!r}); "
        "plain.answered('estimate --params 7B --tokens 2T --region us-va --json'.split())"
    )
    found = loaded(script)
    assert "numpy" in found
    assert not found & {"typer", "click", "pydantic", "pydantic_core", "difflib", "shutil"}
