"""What the formulas of this room take and give: plain numbers, or arrays of them alike."""

from __future__ import annotations

from typing import TypeVar

from joulecast.arrays import Array

N = TypeVar("N", float, Array)
