"""joulecast: what training a machine-learning model will emit, before it is trained."""

from __future__ import annotations

from joulecast._version import __version__
from joulecast.counting import model, model_from_torch
from joulecast.errors import JoulecastError
from joulecast.estimation import estimate
from joulecast.footprint import Footprint, Quantity
from joulecast.library import Library
from joulecast.plan import Plan
from joulecast.sweeping import Sweep, sweep

__all__ = [
    "Footprint",
    "JoulecastError",
    "Library",
    "Plan",
    "Quantity",
    "Sweep",
    "__version__",
    "estimate",
    "model",
    "model_from_torch",
    "sweep",
]
