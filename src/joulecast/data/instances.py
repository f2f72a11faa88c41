"""Cloud instance types and TPU slices: names that stand for so many devices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from joulecast.data import specs
from joulecast.data.records import Instance
from joulecast.errors import InputError

#: What people put before a name: SageMaker's ml., Google's product.
PREFIX = re.compile(r"^(ml\.|(cloud |google )*tpu[ -]?(?=v\d))")

#: Ends the name of a slice in the table, where a number stands in what people type.
ANY_NUMBER = "-*"


class Reservation(NamedTuple):
    """What an instance name stands for: `devices` in one, and how many of them were typed."""

    instance: Instance
    name: str
    devices: int
    times: int | None = None

    @property
    def total(self) -> int:
        """Devices in all."""
        return self.devices * (self.times or 1)

    @property
    def meaning(self) -> str:
        """What was understood: 4 x p4d.24xlarge: 32 x a100-sxm-40."""
        times = f"{self.times} x " if self.times else ""
        text = f"{times}{self.name}: {self.total} x {self.instance.device}"
        if self.instance.note:
            text += f" ({self.instance.note})"
        return text


def find(core: Mapping[str, Any], typed: str) -> Reservation | None:
    """Read an instance name, a TPU slice, or so many of either: ``4 x p4d.24xlarge``, ``v4-128``.

    Returns None where it is no such name.  Raises InputError for a slice that does not exist.
    """
    counted = re.fullmatch(r"(\d+)\s*[x×]\s*(.+)", typed.strip())
    times, name = (int(counted[1]), counted[2]) if counted else (None, typed)
    name = PREFIX.sub("", specs.fold(name))
    key, number = _key(core["names_of_instances"], name)
    if key is None:
        return None
    if times == 0:
        raise InputError("device", typed, "must be at least 1 instance")
    instance = Instance.made_of(row(core, key))
    if number is None:
        assert instance.devices is not None  # the schema asks for it where there is no number
        return Reservation(instance, key, instance.devices, times)
    per = instance.per_device or 1
    slice_name = key.replace(ANY_NUMBER, f"-{number}")
    if number < per or number % per:
        fits = key.replace(ANY_NUMBER, f"-{max(1, round(number / per)) * per}")
        raise InputError("device", typed, f"no such slice: {instance.note}", [fits])
    return Reservation(instance, slice_name, number // per, times)


def row(core: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Row of the table, as the fields of an Instance."""
    cells = {name: cell for name, cell in core["instances"][key].items() if cell}
    cells.pop("aliases", None)
    return {"id": key, **cells}


def _key(names: Mapping[str, Mapping[str, list[str]]], name: str) -> tuple[str | None, int | None]:
    """Row of a name, and the number a slice ends in."""
    base, dash, number = name.rpartition("-")
    if dash and number.isdecimal():
        for form in ("exact", "alias"):
            found = names[form].get(f"{base}{ANY_NUMBER}", [])
            if len(found) == 1:
                return found[0], int(number)
    for form, text in (("exact", name), ("alias", name), ("loose", specs.bare(name))):
        found = [key for key in names[form].get(text, []) if not key.endswith(ANY_NUMBER)]
        if len(found) == 1:
            return found[0], None
    return None, None
