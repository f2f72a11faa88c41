"""What someone intends to train, as they say it."""

from __future__ import annotations

from joulecast.plan.changing import FIELDS_OF_QUANTITIES, as_said, merged, varied, with_use
from joulecast.plan.parts import (
    CHOICES,
    PROJECTS,
    Cooling,
    EmbodiedMode,
    FleetEntry,
    GridBasis,
    HydroEvaporation,
    Phase,
    Recompute,
    StorageMedium,
    Use,
    is_published,
)
from joulecast.plan.plan import Plan

__all__ = [
    "CHOICES",
    "FIELDS_OF_QUANTITIES",
    "PROJECTS",
    "Cooling",
    "EmbodiedMode",
    "FleetEntry",
    "GridBasis",
    "HydroEvaporation",
    "Phase",
    "Plan",
    "Recompute",
    "StorageMedium",
    "Use",
    "as_said",
    "is_published",
    "merged",
    "varied",
    "with_use",
]
