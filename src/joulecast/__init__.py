"""joulecast: what training a machine-learning model will emit, before it is trained."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from joulecast._version import __version__
from joulecast.counting import model, model_from_torch
from joulecast.errors import JoulecastError
from joulecast.estimation import estimate
from joulecast.footprint import Footprint, Quantity
from joulecast.library import Library
from joulecast.plan import Plan

if TYPE_CHECKING:
    from joulecast.checking import Check, check
    from joulecast.citing import cite
    from joulecast.comparing import Comparison, compare
    from joulecast.exporting import export
    from joulecast.html_report import report_html
    from joulecast.measured import Verdict, compare_measured
    from joulecast.optima import Optimum
    from joulecast.optimising import optimum
    from joulecast.pictures import plot
    from joulecast.solving import Solution, Solutions, solve
    from joulecast.sweeping import Sweep, sweep
    from joulecast.validation import validate

__all__ = [
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
    "Check": "checking",
    "Comparison": "comparing",
    "Optimum": "optima",
    "Solution": "solving",
    "Solutions": "solving",
    "Sweep": "sweeping",
    "Verdict": "measured",
    "check": "checking",
    "cite": "citing",
    "compare": "comparing",
    "compare_measured": "measured",
    "export": "exporting",
    "optimum": "optimising",
    "plot": "pictures",
    "report_html": "html_report",
    "solve": "solving",
    "sweep": "sweeping",
    "validate": "validation",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"joulecast.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return __all__
