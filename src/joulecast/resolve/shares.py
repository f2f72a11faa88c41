"""What is known of a device's share of peak, its software's age, and of a model's layers."""

from __future__ import annotations

from math import isnan, nan

import numpy as np

from joulecast.arrays import Array, Numbers
from joulecast.data.library import Library
from joulecast.data.records import Device, Figure
from joulecast.errors import brief

#: No run comes nearer to the peak of its device, whatever its tuned share may be at most.
NEAREST_PEAK = 0.95

MIDYEAR = 0.5
MIDMONTH = 0.5


def layers_of(library: Library, active_params: float) -> Figure:
    """Layers of a decoder of some size, where its config is not known."""
    at_1e9 = library.default("layers_rule.at_1e9_params")
    value, low, high = layer_levels(library, active_params).tolist()
    note = f"{at_1e9.value:g} at 1e9 parameters, here {brief(active_params)}; {at_1e9.note}"
    return at_1e9.replace(value=value, low=low, high=high, note=note)


def layer_levels(library: Library, active_params: Numbers) -> Array:
    """Value, low and high of the layers of decoders of so many active parameters [level, ...]."""
    grown = (active_params / 1e9) ** library.default("layers_rule.exponent").value
    levels: Array = np.multiply.outer(
        np.array(library.default("layers_rule.at_1e9_params").points), grown
    )
    return levels


def share_is_assumed(device: Device) -> bool:
    """Whether nobody measured what share of its peak a device can use."""
    known = device.tuned_share or device.matmul_share
    return known is None or known.basis == "assumed"


def ceiling_of(library: Library, device: Device) -> Figure:
    """Best matrix product as a share of peak: of the device, or of its class."""
    return device.matmul_share or library.default(f"matmul_share.{device.device_class}")


def tuned_share(library: Library, device: Device) -> Figure:
    """Share of peak that a tuned training can use: from pairs of runs, else the ceiling."""
    return device.tuned_share or ceiling_of(library, device)


#: Age of software where nobody printed when its device was released.
USUAL_AGE = 2.0


def released(device: Device) -> float:
    """When a device was released, as a year; NaN where nobody printed it."""
    date = device.release_date
    return nan if date is None else date.year + (date.month - MIDMONTH) / 12


def age_of(library: Library, device: Device, year: int) -> float:
    """Years that the software of a device has had to the middle of a year; never below 0.

    They count from the first device of its generation, or from the older one whose software
    tuned runs show it could use from its first day.
    """
    first = device.software_since or device.generation or device.id
    when = released(library.device(first).device)
    return USUAL_AGE if isnan(when) else max(0.0, year + MIDYEAR - when)
