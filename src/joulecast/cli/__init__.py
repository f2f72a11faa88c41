"""The command line.

The plain case is parsed by a table that the build made of the flags (`plain`); help with a twist,
completion, errors of usage and all other commands go to Typer (`typed`).
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from joulecast.cli import plain
from joulecast.errors import JoulecastError


def main() -> NoReturn:
    """Entry point: one line for every error, quiet on Ctrl-C and on a closed pipe."""
    try:
        code = 0
        if not plain.answered(sys.argv[1:]):
            from joulecast.cli.typed import run

            code = run()
    except JoulecastError as problem:
        _fail(str(problem))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except OSError as problem:
        _fail(f"output: cannot be written: {problem.strerror}")
    raise SystemExit(code)


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    raise SystemExit(2)


def __getattr__(name: str) -> Any:
    """The application of Typer and its commands, loaded when somebody asks for them."""
    if name not in ("app", "COMMANDS"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("joulecast.cli.typed"), name)
