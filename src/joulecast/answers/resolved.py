"""The plan as it was understood: every field settled, in the words of the JSON."""

from __future__ import annotations

from typing import Any, TypedDict

from joulecast.plan import EmbodiedMode, GridBasis, HydroEvaporation, Recompute, StorageMedium


class Resolved(TypedDict):
    """The plan as it was understood."""

    model: str | None
    arch: str
    params: float | None
    active_params: float | None
    trainable_params: float | None
    tokens: float | None
    unique_tokens: float | None
    epochs: float | None
    samples: float | None
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
