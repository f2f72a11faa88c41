"""What a stated utilisation may have been divided by, other than the device's dense 16-bit peak."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, log
from typing import NamedTuple

from joulecast.data.records import Device
from joulecast.errors import brief

#: A denominator explains a ratio that lies so near its own, on a log scale.
SLACK = 0.03

#: Denominators so near one another cannot be told apart by a ratio.
TIE = 0.005

#: What a framework may count as a device of its own.
_PART = "parts that frameworks count as devices"

#: So many denominators are named for a utilisation that is too high.
MOST_NAMED = 3


class Denominator(NamedTuple):
    """A rate [TFLOP/s] that utilisations are divided by, and what it is."""

    tflops: float
    what: str

    def __str__(self) -> str:
        return f"{self.tflops:.5g} TFLOP/s ({self.what})"


def denominators(device: Device, peak: float) -> list[Denominator]:
    """All that are known of a device, apart from the peak [TFLOP/s] that is in use."""
    found = [Denominator(one.value, one.note) for one in device.other_peak_tflops.values()]
    own, eight = device.peak("bf16"), device.peak_tflops.get("fp8")
    if own is not None:
        found += [Denominator(own.value, "its dense 16-bit peak"), *_parts(device, own.value)]
    if eight is not None:
        found.append(Denominator(eight.value, "its FP8 peak"))
    for name in ("bf16", "fp16"):
        sparse = device.sparse_peak_tflops.get(name)
        if sparse is not None:
            found.append(Denominator(sparse.value, "its 16-bit peak with sparsity"))
    others = [one for one in found if abs(log(one.tflops / peak)) > TIE]
    return sorted(dict.fromkeys(others), key=lambda one: abs(log(one.tflops / peak)))


def _parts(device: Device, peak: float) -> Iterator[Denominator]:
    for count in device.framework_devices:
        yield Denominator(peak / count, f"one of {count} {_PART}")


def explained(device: Device, stated: float, implied: float, peak: float | None = None) -> str:
    """Which denominator explains a stated utilisation beside the one that follows; empty if none.

    Parameters
    ----------
    device
        What the run was on.
    stated, implied
        Utilisation as stated, and as it follows from hours or speed, both of the same peak.
    peak
        That peak [TFLOP/s]; the dense 16-bit peak of the device where none is given.

    >>> from joulecast.data.library import Library
    >>> explained(Library.bundled().device("mi300x").device, 1.08, 0.258)
    'it divides by 312 TFLOP/s (the peak of an A100, left in a configuration), perhaps'
    """
    own = device.peak("bf16")
    peak = peak or (own.value if own is not None else None)
    if peak is None or stated <= 0 or implied <= 0:
        return ""
    sizes = [(peak / one.tflops, f"by {one}") for one in denominators(device, peak)]
    why = _nearest(stated / implied, sizes)
    if why:
        beside = ", or what stands beside it is of such a part" if _PART in why else ""
        return f"it divides {why}{beside}, perhaps"
    return of_parts(device, stated / implied)


def of_parts(device: Device, ratio: float) -> str:
    """Which count of parts explains a speed so many times what the hours imply; empty if none."""
    sizes = []
    for count in device.framework_devices:
        part = f"one of {count} {_PART}"
        sizes += [(count, f"the hours are of {part}"), (1 / count, f"the speed is of {part}")]
    why = _nearest(ratio, sizes)
    return f"{why}, perhaps" if why else ""


def _nearest(ratio: float, sizes: list[tuple[float, str]]) -> str:
    """The causes whose factor is nearest a ratio, and nearer to it than no factor at all."""
    if ratio <= 0 or abs(log(ratio)) < SLACK:
        return ""
    near = [
        (off, why)
        for size, why in sizes
        if (off := abs(log(ratio / size))) < min(SLACK, abs(log(size)) / 2)
    ]
    if not near:
        return ""
    least = min(off for off, _ in near)
    named = [why for off, why in sorted(near) if off - least < TIE]
    return " or ".join(dict.fromkeys(named))


def too_high(device: Device, share: float, most: float, peak: float | None = None) -> str:
    """Denominators of which a share that no run reaches is within reach; empty if none.

    `most` is the highest share of the peak [TFLOP/s] within reach; the peak is the dense 16-bit
    one of the device where none is given.
    """
    return "; or ".join(_lower(device, share, most, peak))


def _lower(device: Device, share: float, most: float, peak: float | None) -> Iterator[str]:
    own, eight = device.peak("bf16"), device.peak_tflops.get("fp8")
    peak = peak or (own.value if own is not None else None)
    if peak is None:
        return
    lower = [
        one
        for one in denominators(device, peak)
        if one.tflops < peak and share * one.tflops / peak <= most
    ][:MOST_NAMED]
    if lower:
        of_peak = brief(float(f"{share * lower[0].tflops / peak:.3g}"))
        named = " or ".join(map(str, lower))
        by = " by the first" if len(lower) > 1 else ""
        yield f"it divides by {named}, perhaps: {of_peak} of {peak:.5g}{by}"
    of_eight = share * peak / eight.value if eight is not None else inf
    if of_eight <= most and of_eight < share / (1 + SLACK):
        of_peak = f"{brief(float(f'{of_eight:.3g}'))} of the FP8 peak (mfu_fp8)"
        yield f"it is of work in FP8 over the 16-bit peak, perhaps: {of_peak}"
