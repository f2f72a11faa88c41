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
from joulecast.validation import validate

if TYPE_CHECKING:
    from joulecast.citing import cite
    from joulecast.comparing import Comparison, compare
    from joulecast.exporting import export
    from joulecast.optima import Optimum
    from joulecast.optimising import optimum
    from joulecast.solving import Solution, Solutions, solve
    from joulecast.sweeping import Sweep, sweep

__all__ = [
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
    "__version__",
    "cite",
    "compare",
    "estimate",
    "export",
    "model",
    "model_from_torch",
    "optimum",
    "solve",
    "sweep",
    "validate",
]

#: Names whose modules load when they are first used: `estimate` must not wait for them.
_LATER = {
    "Comparison": "comparing",
    "Optimum": "optima",
    "Solution": "solving",
    "Solutions": "solving",
    "Sweep": "sweeping",
    "cite": "citing",
    "compare": "comparing",
    "export": "exporting",
    "optimum": "optimising",
    "solve": "solving",
    "sweep": "sweeping",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"joulecast.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return __all__
