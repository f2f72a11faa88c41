"""The public face: few names, typed, pinned."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import joulecast
from joulecast import JoulecastError, Plan, estimate
from joulecast.errors import InputError, UnknownNameError

ROOT = Path(__file__).parents[1]


def test_public_names_are_pinned() -> None:
    assert sorted(joulecast.__all__) == [
        "Advice", "Calibration", "Check", "Comparison", "Footprint", "JoulecastError", "Library",
        "Optimum", "Plan", "Quantity", "Runs", "Solution", "Solutions", "Sweep", "Verdict",
        "__version__", "advise", "calibrate", "check", "cite", "compare", "compare_measured",
        "estimate", "estimate_table", "export", "model", "model_from_torch", "optimum", "plot",
        "report_html", "solve", "sweep", "validate",
    ]  # fmt: skip


def test_the_version_is_the_same_everywhere() -> None:
    assert f'version: "{joulecast.__version__}"' in (ROOT / "CITATION.cff").read_text()
    assert f"## {joulecast.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_readme_example_type_checks_as_users_write_it(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    for number, block in enumerate(code):
        script = tmp_path / f"example_{number}.py"
        script.write_text(block)
        subprocess.run([sys.executable, str(script)], check=True, capture_output=True, timeout=60)


def test_a_plan_takes_text_and_numbers_alike() -> None:
    text = Plan(params="70B", tokens="15T", device="h100-sxm", device_count="1024", year="2024")
    numbers = Plan(params=70e9, tokens=15e12, device="h100-sxm", device_count=1024, year=2024)
    assert text == numbers
    assert estimate(text).to_json() == estimate(numbers).to_json()


def test_errors_are_kinds_of_one_error_with_their_parts() -> None:
    with pytest.raises(UnknownNameError) as unknown:
        Plan(parms=7e9)
    assert unknown.value.field == "parms" and "params" in unknown.value.choices
    with pytest.raises(InputError, match="tokens: -1: must be at least 1"):
        Plan(tokens=-1)
    with pytest.raises(JoulecastError, match="pue: belongs in given"):
        Plan(pue=1.1)


def test_a_plan_cannot_be_changed_behind_its_answer() -> None:
    plan = Plan(params=7e9, tokens=1e12)
    with pytest.raises(Exception, match="frozen"):
        plan.params = 8e9
