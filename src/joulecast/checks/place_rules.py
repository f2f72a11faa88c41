"""Rules for PUE and grid intensity: what exists, and what the place has had."""

from __future__ import annotations

from collections.abc import Iterator

from joulecast.answers.check import Finding
from joulecast.checks.findings import GRID_MARGIN, GRIDS, grids_of
from joulecast.checks.known import Known
from joulecast.checks.products import Facts
from joulecast.errors import brief


def pue(_: Known, facts: Facts) -> Iterator[Finding]:
    """A PUE that cannot be."""
    for one in facts.all("pue"):
        said = f"PUE {one.value:g}"
        if one.value < 1:
            cause = "a PUE is facility over IT energy"
            if one.value > 0.4:
                cause += f": 1 / {one.value:g} = {1 / one.value:.2f} may be meant"
            yield Finding("pue", one.line, said, "it is never below 1", cause)
        elif one.value > 5:
            cause = "a share in percent is no PUE"
            yield Finding("pue", one.line, said, "none is above 5", cause)


def grid_unit(_: Known, facts: Facts) -> Iterator[Finding]:
    """An intensity that no grid has."""
    for one in facts.with_unit("intensity"):
        if one.value > 0 and not GRIDS[0] <= one.value <= GRIDS[1]:
            low = one.value < GRIDS[0]
            meant = brief(one.value * 1000 if low else one.value / 1000)
            swap = "kg was meant for g" if low else "g was meant for kg"
            yield Finding(
                "grid_unit",
                one.line,
                f"intensity {one.shown}",
                f"grids lie within {GRIDS[0]:g} to {GRIDS[1]:g} g/kWh",
                f"{swap}: {meant} g/kWh",
            )


def grid_of_place(known: Known) -> Iterator[Finding]:
    """An intensity that the grid of the place never had."""
    one = known.whole.own("intensity")
    if one is None or known.place is None or one.word == "bare":
        return
    if not GRIDS[0] <= one.value <= GRIDS[1]:
        return  # a finding of its own
    low, high = grids_of(known.place, known.library)
    if not low / GRID_MARGIN <= one.value <= high * GRID_MARGIN:
        yield Finding(
            "grid_place",
            one.line,
            f"intensity {one.shown}",
            f"the grid of {known.place.name} has had {low:.0f} to {high:.0f} gCO2e/kWh",
            "the intensity of another place, or of a contract",
        )
