"""joulecast: what training a machine-learning model will emit, before it is trained."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from joulecast._version import __version__
from joulecast.answers.footprint import Footprint
from joulecast.answers.quantity import Quantity
from joulecast.counting import model, model_from_torch
from joulecast.data.library import Library
from joulecast.errors import JoulecastError
from joulecast.estimation import estimate
from joulecast.plan import Plan

if TYPE_CHECKING:
    from joulecast.advice.advising import advise
    from joulecast.answers.advice import Advice
    from joulecast.answers.check import Check
    from joulecast.answers.comparison import Comparison
    from joulecast.answers.optimum import Optimum
    from joulecast.answers.solution import Solution, Solutions
    from joulecast.answers.sweep import Sweep
    from joulecast.answers.verdict import Verdict
    from joulecast.checks.checking import check
    from joulecast.citing.citing import cite
    from joulecast.exporting import export
    from joulecast.laws.optimising import optimum
    from joulecast.report.html import report_html
    from joulecast.report.pictures import plot
    from joulecast.validating.validation import validate
    from joulecast.whatif.comparing import compare
    from joulecast.whatif.measured import compare_measured
    from joulecast.whatif.solving import solve
    from joulecast.whatif.sweeping import sweep

__all__ = [
    "Advice",
    "Check",
    "Comparison",
    "Footprint",
    "JoulecastError",
    "Library",
    "Optimum",
    "Plan",
    "Quantity",
    "Solution",
    "Solutions",
    "Sweep",
    "Verdict",
    "__version__",
    "advise",
    "check",
    "cite",
    "compare",
    "compare_measured",
    "estimate",
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

#: Names whose modules load when they are first used: `estimate` must not wait for them.
_LATER = {
    "Advice": "answers.advice",
    "Check": "answers.check",
    "Comparison": "answers.comparison",
    "Optimum": "answers.optimum",
    "Solution": "answers.solution",
    "Solutions": "answers.solution",
    "Sweep": "answers.sweep",
    "Verdict": "answers.verdict",
    "advise": "advice.advising",
    "check": "checks.checking",
    "cite": "citing.citing",
    "compare": "whatif.comparing",
    "compare_measured": "whatif.measured",
    "export": "exporting",
    "optimum": "laws.optimising",
    "plot": "report.pictures",
    "report_html": "report.html",
    "solve": "whatif.solving",
    "sweep": "whatif.sweeping",
    "validate": "validating.validation",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"joulecast.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return __all__
