"""Make docs/method/past_runs.csv: a synthetic table of past runs, to show `joulecast calibrate`.

Nobody ran these: device-hours are our own forecasts, moved by one factor for the cluster and by a
fixed scatter, so that whoever reads the page can tell what the fit should find.

python tools/build_past_runs.py
"""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from joulecast import Plan
from joulecast.data.library import Library
from joulecast.resolve import resolve

OUT = Path(__file__).parents[1] / "docs" / "method" / "past_runs.csv"

#: What the cluster reaches of the default, and draws of the power to expect.
REACHED, DRAWN = 0.75, 0.94

#: Scatter of the runs, ln; that of their watts is a third of it, the other way round.
SCATTER = (0.05, -0.18, 0.12, 0.21, -0.07, -0.28, 0.02, 0.16, -0.12, 0.09, -0.02, 0.03)

#: Parameters and tokens, devices, their number, year.
RUNS = (
    ("410M", "40B", "a100-sxm-80", 16, 2023),
    ("410M", "80B", "a100-sxm-80", 16, 2023),
    ("1.4B", "60B", "a100-sxm-80", 64, 2023),
    ("1.4B", "300B", "a100-sxm-80", 64, 2024),
    ("3B", "100B", "h100-sxm", 64, 2024),
    ("3B", "400B", "h100-sxm", 128, 2024),
    ("7B", "150B", "h100-sxm", 128, 2024),
    ("7B", "1T", "h100-sxm", 256, 2024),
    ("8B", "500B", "h100-sxm", 256, 2025),
    ("8B", "2T", "h100-sxm", 512, 2025),
    ("13B", "600B", "h100-sxm", 512, 2025),
    ("34B", "800B", "h100-sxm", 512, 2025),
)


def main() -> None:
    """Write the table."""
    library = Library.bundled()
    stream = io.StringIO()
    stream.write("# Synthetic: made by tools/build_past_runs.py, nobody ran these.\n")
    header = ("run", "parameters", "tokens", "gpu", "gpus", "gpu_hours", "year", "gpu_power_w",
              "pue")  # fmt: skip
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    for number, (run, off) in enumerate(zip(RUNS, SCATTER, strict=True), start=1):
        params, tokens, device, count, year = run
        plan = Plan(params=params, tokens=tokens, device=device, year=year)
        known = resolve(plan, library).only.middle.known
        hours = float(known["device_hours"]) / 3600 / REACHED * math.exp(-off)
        watts = float(known["device_power_w"]) * DRAWN * math.exp(-off / 3)
        pue = 1.18 if year < 2025 else 1.15
        name = f"synthetic-{number:02}"
        row = (name, params, tokens, device, count, f"{hours:.3g}", year, f"{watts:.0f}", pue)
        writer.writerow([f"{float(x):.0f}" if x == row[5] else x for x in row])
    OUT.write_text(stream.getvalue(), encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
