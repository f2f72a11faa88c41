"""Reads the tables of counted models."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data" / "architectures"


def rows(name: str) -> list[dict[str, str]]:
    lines = (DATA / name).read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def config(row: dict[str, str]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(row["config"])
    return read


def lengths(text: str) -> int | tuple[int, int]:
    parts = [int(part) for part in text.split(":")]
    return parts[0] if len(parts) == 1 else (parts[0], parts[1])
