"""joulecast: what training a machine-learning model will emit, before it is trained."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from joulecast._version import __version__

if TYPE_CHECKING:
    from joulecast.advice.advising import Advice, advise
    from joulecast.checks.checking import Check, check
    from joulecast.citing.citing import cite
    from joulecast.counting import model, model_from_torch
    from joulecast.data.library import Library
    from joulecast.errors import JoulecastError
    from joulecast.estimation import estimate
    from joulecast.exporting import export
    from joulecast.footprint import Footprint, Quantity
    from joulecast.laws.optima import Optimum
    from joulecast.laws.optimising import optimum
    from joulecast.plan import Plan
    from joulecast.report.html import report_html
    from joulecast.report.pictures import plot
    from joulecast.validating.validation import validate
    from joulecast.whatif.comparing import Comparison, compare
    from joulecast.whatif.measured import Verdict, compare_measured
    from joulecast.whatif.solving import Solution, Solutions, solve
    from joulecast.whatif.sweeping import Sweep, sweep

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

#: Public name -> the module that has it, loaded when the name is first used.
_HOMES = {
    "Advice": "advice.advising",
    "Check": "checks.checking",
    "Comparison": "whatif.comparing",
    "Footprint": "footprint",
    "JoulecastError": "errors",
    "Library": "data.library",
    "Optimum": "laws.optima",
    "Plan": "plan",
    "Quantity": "footprint",
    "Solution": "whatif.solving",
    "Solutions": "whatif.solving",
    "Sweep": "whatif.sweeping",
    "Verdict": "whatif.measured",
    "advise": "advice.advising",
    "check": "checks.checking",
    "cite": "citing.citing",
    "compare": "whatif.comparing",
    "compare_measured": "whatif.measured",
    "estimate": "estimation",
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
