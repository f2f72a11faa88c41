"""joulecast: what training a machine-learning model will emit, before it is trained."""

from __future__ import annotations

from joulecast._version import __version__
from joulecast.comparing import Comparison, compare
from joulecast.counting import model, model_from_torch
from joulecast.errors import JoulecastError
from joulecast.estimation import estimate
from joulecast.footprint import Footprint, Quantity
from joulecast.library import Library
from joulecast.plan import Plan
from joulecast.solving import Solution, Solutions, solve

__all__ = [
    "Comparison",
    "Footprint",
    "JoulecastError",
    "Library",
    "Plan",
    "Quantity",
    "Solution",
    "Solutions",
    "__version__",
    "compare",
    "estimate",
    "model",
    "model_from_torch",
    "solve",
]
