"""JSON: the answer in full, as `estimate --json` prints it."""

from __future__ import annotations

from joulecast.answers.footprint import Footprint


def write(footprint: Footprint) -> str:
    """The object of the contract."""
    return footprint.to_json()
