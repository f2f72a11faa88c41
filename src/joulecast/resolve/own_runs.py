"""What a person's own past runs say of utilisation and power: `own_runs.toml` of `--specs DIR`.

`joulecast calibrate` writes it: factors on what we expect of a run, with ranges of the next run
(docs/method/calibrate.md).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from joulecast.arrays import Array
from joulecast.data.library import Library
from joulecast.data.records import Device, Figure

#: Stands for every device that none of the runs was on.
OTHERS = "any"


class Own(NamedTuple):
    """A factor on the default, and whether any of the runs was on this very device."""

    factor: Figure
    on_device: bool


def utilisation(library: Library, device: Device, group: str) -> Own | None:
    """Factor on the default utilisation of a device for a kind of model; None without runs."""
    for name in (device.id, OTHERS):
        figure = library.own_runs(f"utilisation.{name}.{group}")
        if figure is not None:
            return Own(figure, name == device.id)
    return None


def power_levels(library: Library, device: Device, levels: Array) -> Array:
    """Value, low and high of the power at other sizes of the model [level, size]."""
    factor = library.own_runs(f"device_power_w.{device.id}")
    return levels if factor is None else np.multiply.outer(np.array(factor.points), levels[0])


def power(library: Library, device: Device, expected: Figure) -> Figure:
    """What a device draws, where runs of one's own were metered on it; else as expected."""
    factor = library.own_runs(f"device_power_w.{device.id}")
    if factor is None:
        return expected
    value, low, high = (expected.value * end for end in factor.points)
    note = f"{expected.value:.4g} W x {factor.value:.3g}: {factor.note}; {expected.note}"
    return factor.replace(value=value, low=low, high=high, note=note)
