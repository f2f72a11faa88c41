"""What a model card or a measurement says, and what in it contradicts."""

from __future__ import annotations

from typing import Any, NamedTuple

from joulecast.answers.base import Noun, made_with
from joulecast.answers.shape import as_dict, shows

#: Quantity -> the unit a reading of it is in.
UNIT = {
    "emissions": "kgCO2e",
    "intensity": "gCO2e/kWh",
    "energy": "kWh",
    **dict.fromkeys(("power", "tdp"), "W"),
    **dict.fromkeys(("device_hours", "hours"), "h"),
    **dict.fromkeys(("throughput", "peak"), "TFLOP/s"),
    "flop": "FLOP",
    **dict.fromkeys(("mfu", "pue", "devices", "params", "active_params", "tokens"), ""),
}


class Finding(NamedTuple):
    """A contradiction in a file that was checked.

    What is `stated`, what `follows` from the rest, and the likely cause.
    """

    code: str
    line: int
    stated: str
    follows: str
    cause: str

    def __str__(self) -> str:
        cause = f"; {self.cause}" if self.cause else ""
        return f"{self.code}: {self.stated}, but {self.follows}{cause}"


@shows("name", "value", "unit", "shown", "line")
class Reading(NamedTuple):
    """A figure read of a file that was checked.

    `value` is in the unit of its quantity (see UNIT), `shown` is what stands in the card, `slack`
    how far rounding alone may put it off, as a share.  `label` is the words before it, `context`
    the part of the sentence around it.
    """

    name: str
    value: float
    shown: str
    line: int
    slack: float
    label: str = ""
    word: str = ""
    context: str = ""

    @property
    def unit(self) -> str:
        """Unit of the value; empty for counts and ratios."""
        return UNIT.get(self.name, "")


@shows(
    "schema_version", "path", "pass=passed", "findings", "readings", "provenance",
    provenance=made_with(),
)  # fmt: skip
class Check(Noun):
    """What was read of a file, and what in it contradicts."""

    path: str
    readings: tuple[Reading, ...]
    findings: tuple[Finding, ...]
    data_digest: str

    @property
    def passed(self) -> bool:
        """Whether nothing contradicts."""
        return not self.findings

    def rows(self) -> list[dict[str, Any]]:
        """One row a figure that was read, with the codes of what contradicts on its line."""
        return [
            as_dict(read)
            | {"contradicts": " ".join(one.code for one in self.findings if one.line == read.line)}
            for read in self.readings
        ]
