"""The answer as one printable page."""

from __future__ import annotations

from collections.abc import Sequence

from joulecast.answers.footprint import Footprint
from joulecast.report.html import report_html


def write(footprints: Sequence[Footprint]) -> str:
    """Text of a page that needs no network."""
    return report_html(footprints[0])
