"""What a process alone can show: each command from a cold start, exits, signals, the locale.

All other tests run commands in their own process, by the fixture `joulecast`.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Run

from joulecast.cli import COMMANDS

RUN = "--params 7B --tokens 2T --device h100-sxm"
CARD = ROOT / "tests" / "data" / "cards" / "emissions.csv"

#: Command -> words after it that are quick to answer.
ASKED = {
    "estimate": f"{RUN} --region us-va",
    "compare": f"{RUN} --vary region=fr,pl",
    "advise": f"{RUN} --region us-va --only goodput",
    "solve": "--for params --ratio 20 --device h100-sxm --region us-va --max total=50t",
    "check": str(CARD),
    "model": "config.json",
    "optimum": "--loss 2.1 --region fr",
    "sweep": f"{RUN} --vary region=fr,pl --json",
    "runs": "runs.jsonl --region fr",
    "validate": "--accounting",
    "calibrate": f"{ROOT / 'docs' / 'method' / 'past_runs.csv'} --output mine --force",
    "cite": f"{RUN} --format bibtex",
    "export": f"{RUN} --format md",
    "list": "regions",
    "show": "us-va",
}


def test_every_command_is_asked() -> None:
    assert set(ASKED) == set(COMMANDS)


@pytest.mark.parametrize("command", ASKED)
def test_a_process_says_what_is_said_here(
    process: Run, joulecast: Run, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cold: whatever a command needs it loads itself."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "runs.jsonl").write_text(json.dumps({"params": "7B", "tokens": "1T"}))
    args = (command, *shlex.split(ASKED[command]))
    alone, here = process(*args), joulecast(*args)
    assert alone.returncode == here.returncode and alone.stdout
    assert (alone.stdout, alone.stderr) == (here.stdout, here.stderr)


@pytest.mark.parametrize("args", ["estimate --parms 7B", "estimate --params 7B"])
def test_an_error_of_a_process_exits_with_2(process: Run, joulecast: Run, args: str) -> None:
    alone = process(*shlex.split(args))
    assert (alone.returncode, alone.stdout) == (2, "")
    assert alone.stderr == joulecast(*shlex.split(args)).stderr


def test_an_ascii_locale_loses_no_letter(process: Run, joulecast: Run) -> None:
    said = process("list", "regions", LC_ALL="C", LANG="C")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == joulecast("list", "regions").stdout and not said.stdout.isascii()


def test_an_interrupted_process_is_quiet() -> None:
    """A signal that arrives while the answer is printed."""
    script = (
        "import os, signal, sys\n"
        "class Out:\n"
        "    write = lambda self, text: os.kill(os.getpid(), signal.SIGINT)\n"
        "    flush = isatty = lambda self: None\n"
        "from joulecast.cli import main\n"
        "sys.argv, sys.stdout = ['joulecast', 'list', 'sources'], Out()\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
