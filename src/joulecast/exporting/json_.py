"""JSON: the answer in full, as `estimate --json` prints it."""

from __future__ import annotations

from collections.abc import Sequence

from joulecast.answers.footprint import Footprint


def write(footprints: Sequence[Footprint]) -> str:
    """The object of the contract."""
    return footprints[0].to_json()
