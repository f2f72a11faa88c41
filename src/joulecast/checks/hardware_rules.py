"""Rules for FLOP, utilisation, power and peaks: against the device and against one another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isclose

from joulecast import units
from joulecast.answers.check import Finding, Reading
from joulecast.checks.causes import either_way, first_near
from joulecast.checks.findings import near, two_digits
from joulecast.checks.known import MOST_POWER, Known
from joulecast.checks.products import Facts, Product, product
from joulecast.data.denominators import too_high

#: Utilisation of a device's dense peak that no training run reaches where nothing else is known.
MOST_UTILISATION = 0.85

#: Below this share of the peak the hours are not those of the FLOP.
LEAST_UTILISATION = 0.005

#: FLOP over 6 x parameters x tokens, from one with attention to one with frozen layers.
FLOP_PER_6ND = (0.6, 1.8)

#: Precisions as people write them, those of eight bits or fewer first.
_PRECISION = re.compile(r"(fp8|fp4|int8|8[\s-]bit)|(?:bf|fp|tf)\d\d|16[\s-]bit", re.IGNORECASE)

#: FLOP over 6 x parameters x tokens -> why.
_FLOP_CAUSES = (
    (1 / 3, "2 x parameters x tokens is the forward pass alone"),
    (1 / 6, "the 6 of forward and backward pass is missing"),
    *either_way(1e3, "a factor of 1,000: tokens or FLOP in the wrong unit"),
    *either_way(1e6, "a factor of 1,000,000: tokens or FLOP in the wrong unit"),
)


def most_utilisation(known: Known) -> float:
    """The highest share of its peak that a training on the card's device reaches."""
    share = known.device.matmul_share if known.device else None
    return MOST_UTILISATION if share is None else max(share.value, 0.5)


def as_share(one: Reading) -> float:
    """An MFU as a share; a number above 1 is one of per cent unless it says so."""
    return one.value if "%" in one.shown or one.value <= 1 else one.value / 100


def mfu(known: Known, facts: Facts) -> Iterator[Finding]:
    """A share of the peak that no run reaches."""
    most = most_utilisation(known)
    for one in facts.all("mfu"):
        share = as_share(one)
        if share > most:
            follows = f"no training run is above {most:.0%} of the dense peak"
            peak = known.device and too_high(known.device, share, most)
            cause = peak or "counted against another peak, or with recomputation"
            yield Finding("utilisation", one.line, f"utilisation {one.shown}", follows, cause)


def rated_power(known: Known) -> Iterator[Finding]:
    """TDP against the device's, and those of the devices its name could mean as well."""
    for one in known.whole.all("tdp"):
        if (
            known.device
            and known.tdps
            and not any(near(one.value, tdp, 0.06) for tdp in known.tdps)
        ):
            other = _whose(known, one.value)
            listed = " or ".join(f"{tdp:g}" for tdp in sorted(set(known.tdps)))
            cause = f"{one.value:g} W is that of {other}" if other else ""
            follows = f"that of {known.device.name} is {listed} W"
            yield Finding("tdp", one.line, f"TDP {one.shown}", follows, cause)


def _whose(known: Known, watts: float) -> str:
    """A device of the same maker whose TDP this is."""
    mine = known.device
    for key in known.library.device_ids:
        other = known.library.device(key).device
        same = mine is not None and other.vendor == mine.vendor and other.family != mine.family
        if same and other.tdp_w is not None and isclose(other.tdp_w.value, watts):
            return other.name
    return ""


def power(known: Known) -> Iterator[Finding]:
    """Power of one device against what it is rated."""
    one = known.whole.own("power")
    if known.device is None or not known.tdps or one is None or known.is_of_all(one):
        return
    most, count = max(known.tdps), known.whole.any("devices")
    if one.value > MOST_POWER * most:
        follows = f"one {known.device.name} is rated {most:g} W"
        whole = count is not None and one.value <= MOST_POWER * most * count.value
        cause = "it is the power of all devices" if whole else "the power of another device"
        yield Finding("tdp", one.line, f"power {one.shown}", follows, cause)


def peak(known: Known) -> Iterator[Finding]:
    """Throughput against the dense peak."""
    device = known.device
    dense = device.peak("bf16") if device else None
    if device is None or dense is None:
        return
    sparse = device.sparse_peak_tflops.get("bf16") or device.sparse_peak_tflops.get("fp16")
    eight = device.peak_tflops.get("fp8")
    for one in (*known.whole.all("peak"), *known.whole.all("throughput")):
        of_eight = eight is not None and near(one.value, eight.value, 0.02)
        if one.value <= dense.value * 1.02 or (of_eight and _in_eight_bits(one)):
            continue
        is_sparse = sparse is not None and near(one.value, sparse.value, 0.02)
        yield Finding(
            "sparse_peak" if is_sparse else "peak",
            one.line,
            f"{one.shown} a device",
            f"the dense 16-bit peak of {device.name} is {dense.value:g} TFLOP/s",
            "the figure with sparsity, which training does not use" if is_sparse else "",
        )


def _in_eight_bits(one: Reading) -> bool:
    """Whether the last precision named before a figure, or else its label, is below 16 bits."""
    before, _, after = f"{one.label} {one.context}".partition(one.shown)
    named = [*_PRECISION.finditer(before)][-1:] or [*_PRECISION.finditer(after)][:1]
    return bool(named and named[0][1])


def flop(known: Known) -> Iterator[Finding]:
    """FLOP against 6 x parameters x tokens."""
    one = known.whole.own("flop")
    follows = product(known.whole.any("active_params", "params"), known.whole.own("tokens"))
    if one is None or follows is None or one.value <= 0:
        return
    ratio = one.value / (6 * follows.value)
    if FLOP_PER_6ND[0] <= ratio <= FLOP_PER_6ND[1]:
        return
    more = "more" if ratio > 1 else "less"
    yield Finding(
        "flop",
        one.line,
        one.shown,
        f"6 x {follows.shown} is {two_digits(6 * follows.value)} FLOP",
        first_near(ratio, _FLOP_CAUSES, 0.3) or f"{two_digits(max(ratio, 1 / ratio))} times {more}",
    )


def flop_of(facts: Facts) -> Product | None:
    """FLOP as stated, or 6 x parameters x tokens."""
    pair = product(facts.any("active_params", "params"), facts.own("tokens"))
    return product(facts.own("flop")) or (pair and Product(6, 0.0, "6").times(pair))


def utilisation(known: Known) -> Iterator[Finding]:
    """FLOP, or 6 x parameters x tokens, over hours and peak."""
    facts = known.whole
    hours, dense = known.device_hours(facts), known.device.peak("bf16") if known.device else None
    given, tokens = facts.own("flop"), facts.own("tokens")
    size = facts.any("active_params", "params")
    count = flop_of(facts)
    if not hours or not count or known.device is None or dense is None:
        return
    per_hour = units.hour * dense.value * 1e12
    shares = [count.value / (one.value * per_hour) for one in hours]
    share, most = shares[0], most_utilisation(known)
    if any(LEAST_UTILISATION <= one <= most for one in shares):
        return
    cause = "hours of one device, or FLOP of more than this run"
    devices = facts.any("devices")
    wall_clock = " x " not in hours[0].shown
    if wall_clock and devices is not None and most < share <= most * devices.value:
        of_all = share / devices.value
        cause = f"the hours are wall-clock: times {devices.value:g} devices it is {of_all:.0%}"
    if share < LEAST_UTILISATION:
        cause = "device-hours multiplied by the devices twice, or FLOP in the wrong unit"
    times = f"{two_digits(share)} times" if share > 1 else f"{share:.2%} of"
    yield Finding(
        "utilisation",
        next(one.line for one in (given, tokens, size) if one is not None),
        f"{count.shown} in {hours[0].shown}",
        f"that is {times} the dense peak of {known.device.name}",
        cause,
    )
