"""joulecast: what training a machine-learning model will emit, before it is trained."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from joulecast._version import __version__

if TYPE_CHECKING:
    from joulecast.advice.advising import advise
    from joulecast.answers.advice import Advice
    from joulecast.answers.calibration import Calibration
    from joulecast.answers.check import Check
    from joulecast.answers.comparison import Comparison
    from joulecast.answers.footprint import Footprint
    from joulecast.answers.optimum import Optimum
    from joulecast.answers.quantity import Quantity
    from joulecast.answers.runs import Runs
    from joulecast.answers.solution import Solution, Solutions
    from joulecast.answers.sweep import Sweep
    from joulecast.answers.verdict import Verdict
    from joulecast.calibrating.calibrating import calibrate
    from joulecast.checks.checking import check
    from joulecast.citing.citing import cite
    from joulecast.counting import model, model_from_torch
    from joulecast.data.library import Library
    from joulecast.errors import JoulecastError
    from joulecast.estimation import estimate
    from joulecast.exporting import export
    from joulecast.laws.optimising import optimum
    from joulecast.plan import Plan
    from joulecast.report.html import report_html
    from joulecast.report.pictures import plot
    from joulecast.validating.validation import validate
    from joulecast.whatif.comparing import compare
    from joulecast.whatif.measured import compare_measured
    from joulecast.whatif.solving import solve
    from joulecast.whatif.sweeping import sweep
    from joulecast.whatif.tabling import estimate_table

__all__ = [
    "Advice",
    "Calibration",
    "Check",
    "Comparison",
    "Footprint",
    "JoulecastError",
    "Library",
    "Optimum",
    "Plan",
    "Quantity",
    "Runs",
    "Solution",
    "Solutions",
    "Sweep",
    "Verdict",
    "__version__",
    "advise",
    "calibrate",
    "check",
    "cite",
    "compare",
    "compare_measured",
    "estimate",
    "estimate_table",
    "export",
    "model",
    "model_from_torch",
    "optimum",
    "plot",
    "report_html",
    "solve",
    "sweep",
    "validate",
]

#: Public name -> the module that has it, loaded when the name is first used.
_HOMES = {
    "Advice": "answers.advice",
    "Calibration": "answers.calibration",
    "Check": "answers.check",
    "Comparison": "answers.comparison",
    "Footprint": "answers.footprint",
    "JoulecastError": "errors",
    "Library": "data.library",
    "Optimum": "answers.optimum",
    "Plan": "plan",
    "Quantity": "answers.quantity",
    "Runs": "answers.runs",
    "Solution": "answers.solution",
    "Solutions": "answers.solution",
    "Sweep": "answers.sweep",
    "Verdict": "answers.verdict",
    "advise": "advice.advising",
    "calibrate": "calibrating.calibrating",
    "check": "checks.checking",
    "cite": "citing.citing",
    "compare": "whatif.comparing",
    "compare_measured": "whatif.measured",
    "estimate": "estimation",
    "estimate_table": "whatif.tabling",
    "export": "exporting",
    "model": "counting",
    "model_from_torch": "counting",
    "optimum": "laws.optimising",
    "plot": "report.pictures",
    "report_html": "report.html",
    "solve": "whatif.solving",
    "sweep": "whatif.sweeping",
    "validate": "validating.validation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"joulecast.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
