"""The rule for an MFU beside hours or throughput that differ from it by the ratio of two peaks."""

from __future__ import annotations

from collections.abc import Iterator
from math import log

from joulecast import units
from joulecast.answers.check import Finding, Reading
from joulecast.checks.hardware_rules import as_share, flop_of, most_utilisation
from joulecast.checks.known import Known
from joulecast.checks.products import Product, of
from joulecast.data.denominators import denominators, explained

#: Hours may hold lost time: an MFU above theirs by less may be right.
_LOST_TIME = 1.25


def mfu_beside(known: Known) -> Iterator[Finding]:
    """A stated MFU against throughput or hours, where another denominator explains the two.

    What no denominator explains is none of this rule's: steps and whole runs differ, and 6 x
    parameters x tokens leaves attention out.
    """
    device, one = known.device, known.whole.own("mfu")
    dense = device.peak("bf16") if device else None
    if device is None or dense is None or one is None or one.value <= 0:
        return
    share = as_share(one)
    speeds = known.whole.all("throughput")
    said = [*known.whole.all("peak"), *(each for each in speeds if each.value > dense.value)]
    others = denominators(device, dense.value)
    named = any(abs(log(a.value / b.tflops)) < 0.02 for a in said if a.value > 0 for b in others)
    if share > most_utilisation(known) or named:
        return  # a finding of its own; or the card says which peak
    stated = Reading(one.name, share, one.shown, one.line, one.slack)
    for implied in (_of_throughput(known, dense.value), _of_hours(known, dense.value)):
        if not implied or any(not each.apart(stated) for each in implied):
            continue
        for each in implied:
            why = explained(device, share, each.value)
            if why:
                lost = "; or that much time was lost" if 1 < share / each.value < _LOST_TIME else ""
                follows = f"{each.shown} is {each.value:.1%} of {dense.value:g} TFLOP/s"
                yield Finding("mfu_peak", one.line, f"MFU {one.shown}", follows, f"{why}{lost}")
                return


def _of_throughput(known: Known, peak: float) -> list[Product]:
    """Utilisation of the throughput a card states."""
    return [of(one, per=peak) for one in known.whole.all("throughput") if 0 < one.value <= peak]


def _of_hours(known: Known, peak: float) -> list[Product]:
    """Utilisation of its FLOP in its hours, in each way the hours may be read."""
    count = flop_of(known.whole)
    if count is None:
        return []
    per_hour = units.hour * peak * 1e12
    return [
        Product(
            count.value / (hours.value * per_hour),
            count.slack + hours.slack,
            f"{count.shown} in {hours.shown}",
        )
        for hours in known.device_hours(known.whole)
    ]
