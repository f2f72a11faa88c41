"""The changes open to a plan, and what each would save."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from joulecast.answers.base import Frozen, Noun, made_with
from joulecast.answers.footprint import Citation, Footprint, Results, results_of
from joulecast.answers.quantity import Quantity, cells
from joulecast.answers.shape import shows
from joulecast.notices import Notice
from joulecast.plan import Plan

#: Training and use together, where the plan says how much it is used and for how long.
LIFETIME = "lifetime_kgco2e"


class Closed(NamedTuple):
    """A kind of change that is not open to the plan, and why."""

    kind: str
    why: str


@shows(
    "kind", "change", "options", "value", "saving", "expected_saving", "ratio", "probability_lower",
    "effects", "detail", "caveat", "sources", "extrapolated", "results", "warnings",
    results=(Results, lambda change: results_of(change.footprint.quantities)),
)  # fmt: skip
class Advised(Frozen):
    """One change: `options` make it, `value` is the nominal outcome with it, in the unit of `on`.

    `options` are for the command line, `plan` is the plan with them; `value` is what `estimate`
    says of it.  `saving` is what the change takes off, drawn in pairs with the plan as it is,
    `expected_saving` its mean over the draws, by which changes are ranked; `ratio` is the outcome
    over that of the plan as it is (None where that is zero).  `effects` say what else moves,
    `detail` what the change holds or rests on, `caveat` what to mind.
    """

    kind: str
    change: str
    options: tuple[str, ...]
    plan: Plan
    footprint: Footprint
    value: float
    saving: Quantity
    expected_saving: float
    ratio: Quantity | None
    probability_lower: float
    effects: tuple[str, ...]
    detail: str
    caveat: str
    sources: tuple[str, ...]
    extrapolated: bool
    warnings: tuple[Notice, ...]

    def row(self) -> dict[str, Any]:
        """One line of a table."""
        return {
            "kind": self.kind,
            "change": self.change,
            "options": command(self.options),
            "expected_saving": self.expected_saving,
            **cells("saving", self.saving),
            "probability_lower": self.probability_lower,
            "value": self.value,
            "extrapolated": self.extrapolated,
            "caveat": self.caveat,
        }


class Now(NamedTuple):
    """The plan as it is."""

    outcome: Quantity
    results: Annotated[dict[str, Any], Results]
    warnings: tuple[Notice, ...]


@shows(
    "schema_version", "on", "now", "changes", "together", "would_not_help", "not_open",
    "citations", "provenance",
    now=(
        Now,
        lambda advice: Now(advice.outcome, results_of(advice.now.quantities), advice.now.warnings),
    ),
    provenance=made_with("now.data_digest"),
)  # fmt: skip
class Advice(Noun):
    """Changes open to a plan, the one to expect most of first.

    `on` is the outcome to lower and `outcome` what it is now.  `together` is the best of each kind
    at once, computed as one plan; None where fewer than two kinds help.  `would_not_help` holds the
    best of each kind that saves nothing or is unlikely to, `not_open` why other kinds were not
    looked at.

    >>> from joulecast import Plan, advise
    >>> plan = Plan(params=7e9, tokens=1e12, device="h100-sxm", region="pl", year=2024)
    >>> found = advise(plan, only="place")
    >>> found.best.kind, found.best.probability_lower > 0.99
    ('place', True)
    """

    on: str
    now: Footprint
    outcome: Quantity
    changes: tuple[Advised, ...]
    together: Advised | None
    would_not_help: tuple[Advised, ...]
    not_open: tuple[Closed, ...]
    citations: tuple[Citation, ...]

    @property
    def best(self) -> Advised | None:
        """The change to expect most of; None where none helps."""
        return self.changes[0] if self.changes else None

    @property
    def best_of_each(self) -> tuple[Advised, ...]:
        """The best change of each kind, in order."""
        first: dict[str, Advised] = {}
        for change in self.changes:
            first.setdefault(change.kind, change)
        return tuple(first.values())

    def rows(self) -> list[dict[str, Any]]:
        """One row a change, the best first; a last one for the best of each kind together."""
        advised = [*self.changes, *([self.together] if self.together else [])]
        return [change.row() for change in advised]


def command(words: Sequence[str]) -> str:
    """Options as they are typed."""
    return shlex.join(words)
