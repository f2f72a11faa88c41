"""What an answer says of the use of a model: beside the footprint of its training, never in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from joulecast.footprint import Assumption, Driver, Quantity


class UsePhase(NamedTuple):
    """Energy and emissions of use; what rests on a demand is None where none was given.

    `parts` are joules of the devices per generated token; `by_size` the same figures for smaller
    and larger models, every input at its median; `driven` names the result `drivers` are of.
    """

    plan: Mapping[str, Any]
    results: Mapping[str, Quantity | None]
    parts: Mapping[str, Quantity]
    by_size: tuple[Mapping[str, float | None], ...]
    assumptions: tuple[Assumption, ...]
    driven: str
    drivers: tuple[Driver, ...]

    def to_dict(self) -> dict[str, Any]:
        """As the JSON shows it."""
        return {
            "plan": dict(self.plan),
            "results": {name: q and q.to_dict() for name, q in self.results.items()},
            "parts_j_per_output_token": {n: q.to_dict() for n, q in self.parts.items()},
            "by_size": [
                {name: None if x is None else float(f"{x:.10g}") for name, x in row.items()}
                for row in self.by_size
            ],
            "assumptions": [entry.to_dict() for entry in self.assumptions],
            "driven": self.driven,
            "drivers": [{"name": d.name, "share": float(f"{d.share:.10g}")} for d in self.drivers],
        }
