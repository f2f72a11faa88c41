from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

settings.register_profile("default", deadline=None, max_examples=60)
settings.load_profile("default")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def joulecast() -> Run:
    """Runs the real command in a process of its own."""

    def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "joulecast", *args],
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "80", **env},
            check=False,
            timeout=60,
        )

    return run
