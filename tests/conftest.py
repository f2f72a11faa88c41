from __future__ import annotations

import importlib
import importlib.util
import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, TypeVar
from unittest.mock import patch

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

settings.register_profile("default", deadline=None, max_examples=60)
settings.load_profile("default")

# Processes that tests start would else compile every module again, each of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

Run = Callable[..., subprocess.CompletedProcess[str]]

COLUMNS = {"COLUMNS": "80"}

P = ParamSpec("P")
T = TypeVar("T")


def _read_iris_late_and_once() -> None:
    """Let jsonschema build its grammar of IRIs when it checks one, and read each IRI once.

    The grammar costs two seconds to import, an IRI 0.1 s, and sources are cited again and again.
    """
    name = "rfc3987_syntax"
    if importlib.util.find_spec(name) is None:
        return

    @cache
    def grammar() -> Any:
        del sys.modules[name]
        return importlib.import_module(name)

    @cache
    def is_valid_syntax(term: str, text: str) -> bool:
        return bool(grammar().is_valid_syntax(term, text))

    late = ModuleType(name)
    late.is_valid_syntax = is_valid_syntax  # type: ignore[attr-defined]
    sys.modules[name] = late


_read_iris_late_and_once()


@cache
def bundled_tables() -> tuple[dict[str, Any], dict[str, Any]]:
    """The tables of hardware_specs and those under the share-alike licence, read from the files."""
    from joulecast.data import specs

    return specs.read_folder(specs.bundled_folder())


@cache
def _schema(name: str) -> Any:
    """The validator of a shipped schema, itself checked, once: that costs more than any answer."""
    from jsonschema.validators import validator_for

    path = ROOT / "src" / "joulecast" / "schemas" / f"{name}.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def fits(answer: object, name: str) -> None:
    """An answer is as the shipped schema of that name says; raises ValidationError where not."""
    _schema(name).validate(answer)


def command_here(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this process: what it printed, and what it would have exited with.

    The streams are those of a pipe in UTF-8.  Whatever the command does not catch is raised, where
    a process would print a traceback and exit with 1.
    """
    from joulecast.cli import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2))
    code: object = 0
    with (
        patch.object(sys, "argv", ["joulecast", *args]),
        patch.object(sys, "stdout", out),
        patch.object(sys, "stderr", err),
        patch.dict(os.environ, {**COLUMNS, **env}),
    ):
        try:
            main()
        except SystemExit as stopped:
            code = stopped.code
        out.flush()
        err.flush()
    assert code is None or isinstance(code, int), code
    said = [stream.buffer.getvalue().decode("utf-8") for stream in (out, err)]
    return subprocess.CompletedProcess(args, code or 0, *said)


@pytest.fixture(scope="session")
def joulecast() -> Run:
    """Runs the command in this process: as a process of its own does, at a tenth of the price."""
    return command_here


@pytest.fixture(scope="session")
def process() -> Run:
    """Runs the command in a process of its own: for what only a process can show."""

    def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "joulecast", *args],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, **COLUMNS, **env},
            check=False,
            timeout=60,
        )

    return run


def process_of_many(
    commands: Sequence[Sequence[str]], **env: str
) -> list[subprocess.CompletedProcess[str]]:
    """Run several commands in one process of their own, one after the other."""
    script = (
        "import json, sys; from conftest import command_here; "
        "print(json.dumps([(d.returncode, d.stdout, d.stderr) for d in "
        "[command_here(*args) for args in json.loads(sys.argv[1])]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps([list(args) for args in commands])],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **COLUMNS, **env, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
        timeout=60,
    )
    return [
        subprocess.CompletedProcess(args, *told)
        for args, told in zip(commands, json.loads(done.stdout), strict=True)
    ]


def remembered(function: Callable[P, T]) -> Callable[P, T]:
    """The function, asked once for equal arguments: for verbs that take long and always say alike."""
    known: list[tuple[Any, T]] = []

    def call(*args: P.args, **options: P.kwargs) -> T:
        for asked, answer in known:
            if asked == (args, options):
                return answer
        known.append(((args, options), function(*args, **options)))
        return known[-1][1]

    return call


def each(name: str, cases: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As pytest.mark.parametrize of one name, but all cases in one test that names those that fail.

    For records by the hundred, where a test for each costs far more than the check.
    """
    known = list(cases)

    def of(check: Callable[..., None]) -> Callable[..., None]:
        def test(record_property: Callable[[str, object], None]) -> None:
            record_property("cases", len(known))
            wrong: list[tuple[Any, Exception]] = []
            for case in known:
                try:
                    check(**{name: case})
                except Exception as error:
                    wrong.append((case, error))
            if wrong:
                lines = [f"{name}={case!r}: {type(e).__name__}: {e}" for case, e in wrong[:20]]
                head = f"{len(wrong)} of {len(known)} cases fail"
                raise AssertionError("\n".join([head, *lines])) from wrong[0][1]

        test.__name__, test.__qualname__, test.__doc__ = (
            check.__name__, check.__qualname__, check.__doc__,
        )  # fmt: skip
        test.__module__ = check.__module__
        return test

    return of


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many tests ran, and why the others did not: the last lines of `make test`."""
    stats = terminalreporter.stats
    ran = [
        one for kind in ("passed", "failed", "xfailed", "xpassed") for one in stats.get(kind, ())
    ]
    ran = [one for one in ran if one.when == "call"]
    cases = sum(dict(one.user_properties).get("cases", 1) for one in ran)
    reasons = Counter(
        str(one.longrepr[2]).removeprefix("Skipped: ") for one in stats.get("skipped", ())
    )
    terminalreporter.section("tests")
    because = ", because" if reasons else ""
    lines = [(len(ran), f"ran, of {cases:,} cases"), (sum(reasons.values()), f"skipped{because}")]
    lines += [(count, f"  {why}") for why, count in reasons.most_common()]
    for count, words in lines:
        terminalreporter.write_line(f"{count:7,} {words}")
