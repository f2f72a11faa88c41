"""Published training runs as a table: what was known before each run, and what was reported after.

Reads the CSV of published runs (columns as in docs/validation/blind-hours.md); the file itself is
not part of the project.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

#: Names in the table -> device ids.
DEVICES = {
    "A100-SXM4-40GB": "a100-sxm-40",
    "A100-SXM4-80GB": "a100-sxm-80",
    "H100-SXM5-80GB": "h100-sxm",
    "H800": "h800-sxm",
    "GH200": "gh200",
    "V100-SXM2": "v100-sxm2-32",
    "TPUv3": "tpu-v3",
    "TPUv4": "tpu-v4",
    "MI250X": "mi250x",
}

ARCHES = {
    "dense-decoder": "dense",
    "moe": "moe",
    "encoder": "encoder",
    "enc-dec": "enc-dec",
    "vision": "vision",
    "diffusion": "diffusion",
    "speech": "speech",
    "rnn": "recurrent",
    "other": "other",
}

#: Trained in FP8 according to their own reports.
FP8_RUNS = frozenset({"deepseek-v3"})


@dataclass(frozen=True)
class ReportedRun:
    """One row: inputs known before training, then device-hours as reported."""

    id: str
    family: str
    arch: str
    year: int
    params: float | None
    active_params: float | None
    tokens: float | None
    flop: float | None
    device: str
    device_count: float | None
    device_hours: float

    @property
    def needs_flop(self) -> bool:
        """Whether counts alone cannot give the FLOP, so that the reported figure is the input."""
        return self.tokens is None or self.arch in ("vision", "diffusion", "speech")


def read_hours_rows(path: Path) -> list[ReportedRun]:
    """Rows that test device-hours (an H among their tests)."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if "H" in row["tests"].split(",")]
    return [
        ReportedRun(
            id=row["id"],
            family=row["family"],
            arch="ssm" if "State-space" in row["note"] else ARCHES[row["kind"]],
            year=int(row["year"]),
            params=_number(row["params_total"]),
            active_params=_number(row["params_active"]),
            tokens=_number(row["tokens"]),
            flop=_number(row["flops_reported"]),
            device=DEVICES[row["device"]],
            device_count=_number(row["n_devices"]),
            device_hours=float(row["device_hours"]),
        )
        for row in rows
    ]


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
