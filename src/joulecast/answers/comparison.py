"""Options side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from joulecast.answers.base import Frozen, Noun, made_with
from joulecast.answers.footprint import Footprint, Results, results_of
from joulecast.answers.quantity import Quantity, cells
from joulecast.answers.shape import shows
from joulecast.errors import brief
from joulecast.notices import Notice
from joulecast.plan.file import compact
from joulecast.terms import RESULTS

#: A value as people write it.
Shown = str | float | bool | None


@shows(
    "label", "differs", "results", "ratio_to_first", "ratio_parts", "probability_lowest",
    "lower_than", "never_measured", "warnings",
    exact=("differs",),
    differs=(dict[str, Shown], lambda option: option.said),
    results=(Results, lambda option: results_of(option.footprint.quantities)),
    warnings=(tuple[Notice, ...], lambda option: option.footprint.warnings),
)  # fmt: skip
class Option(Frozen):
    """One option of a comparison; `ratio_to_first` is null where the first's outcome is zero.

    The ratio is its outcome over the first option's, drawn from the same causes; `ratio_parts` are
    the factors that make it: work, hours per work, power, PUE, grid, making; null for outcomes
    beside the chain.  `lower_than` holds by label how probably it is lower than each option.
    `differs` holds what sets the option apart, by field, `never_measured` what of its devices
    nobody measured.
    """

    label: str
    differs: Mapping[str, object]
    footprint: Footprint
    ratio_to_first: Quantity | None
    probability_lowest: float
    ratio_parts: Mapping[str, float] | None
    lower_than: Mapping[str, float]
    never_measured: tuple[str, ...]

    @property
    def said(self) -> dict[str, Shown]:
        """What sets it apart, as people write it."""
        return {name: shown(value) for name, value in self.differs.items()}

    def row(self) -> dict[str, Any]:
        """One line of a table: label, what differs, every result, ratio, probability."""
        made: dict[str, Any] = {"label": self.label, **self.said}
        for name in RESULTS:
            made |= cells(name, self.footprint.quantities[name])
        made |= cells("ratio_to_first", self.ratio_to_first)
        return made | {"probability_lowest": self.probability_lowest}


@shows(
    "field", "value", "option", "saving", "probability_lower",
    exact=("value",),
    value=(Shown, lambda change: shown(change.value)),
)  # fmt: skip
class Change(NamedTuple):
    """The one field whose change from the first option saves most on average."""

    field: str
    value: object
    option: str
    saving: Quantity
    probability_lower: float


@shows(
    "schema_version", "on", "options", "best_change", "warnings", "provenance",
    provenance=made_with("first.footprint.data_digest"),
)  # fmt: skip
class Comparison(Noun):
    """Options side by side, by one outcome.

    `best_change` is the single field whose change from the first option saves most on average;
    None where no option that differs from the first in one field alone saves anything.
    `warnings` say what was left out of ``all``.

    >>> from joulecast import Plan, compare
    >>> plan = Plan(params=7e9, tokens=1e12, device="h100-sxm", year=2024)
    >>> found = compare(plan, vary={"region": ["pl", "fr"]})
    >>> [option.label for option in found.options], found.lowest.label
    (['pl', 'fr'], 'fr')
    """

    on: str
    options: tuple[Option, ...]
    best_change: Change | None
    warnings: tuple[Notice, ...] = ()

    @property
    def first(self) -> Option:
        """The option that others are compared to."""
        return self.options[0]

    @property
    def lowest(self) -> Option:
        """The option most likely to be the lowest; of equally likely ones the lowest nominal."""

        def rank(option: Option) -> tuple[float, float]:
            outcome = option.footprint.quantities[self.on]
            assert outcome is not None  # every option has what is compared
            return option.probability_lowest, -outcome.value

        return max(self.options, key=rank)

    def rows(self) -> list[dict[str, Any]]:
        """One row an option: label, what differs, every result, ratio, probability."""
        return [option.row() for option in self.options]


def shown(value: object) -> Shown:
    """A value as people write it."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return compact(value)
    if isinstance(value, tuple | list):
        return "..".join(brief(v) if isinstance(v, float) else str(v) for v in value)
    return value if isinstance(value, int) else str(value)
