"""The plan as it was understood: every field settled, in the words of the JSON."""

from __future__ import annotations

from typing import Any, TypedDict

from joulecast.plan import (
    Cooling,
    EmbodiedMode,
    GridBasis,
    HydroEvaporation,
    Recompute,
    StorageMedium,
)
from joulecast.terms import Field


class Resolved(TypedDict):
    """The plan as it was understood."""

    model: str | None
    arch: str
    field: Field
    params: float | None
    active_params: float | None
    trainable_params: float | None
    method: str | None
    base_precision: str | None
    framework: str | None
    tokens: float | None
    unique_tokens: float | None
    epochs: float | None
    samples: float | None
    real_tokens: float | None
    padding_factor: float | None
    seq_len: int | str | None
    document_len: int | None
    mtp_depth: int
    recompute: Recompute
    phases: list[dict[str, Any]]
    device: str | None
    device_name: str | None
    instance: str | None
    device_count: int | None
    precision: str | None
    global_batch_tokens: float | None
    cooling: Cooling | None
    region: str | None
    region_name: str | None
    country: str | None
    zone: str | None
    provider: str | None
    year: int
    grid_basis: GridBasis
    hydro_evaporation: HydroEvaporation
    include_building: bool
    embodied_mode: EmbodiedMode
    currency: str | None
    storage_medium: StorageMedium | None
    runs: int
    only_given: bool


class ResolvedUse(TypedDict):
    """What the use was computed for."""

    device: str
    device_count: int
    device_memory_gb: float
    precision: str
    region: str | None
    year: int | None
