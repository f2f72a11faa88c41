"""The answer of `optimum`: the size and data to choose, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypedDict

from joulecast.answers.base import Noun, made_with
from joulecast.answers.footprint import Assumption, Citation
from joulecast.answers.quantity import Quantity
from joulecast.answers.shape import as_dict, shows, table
from joulecast.notices import Notice

if TYPE_CHECKING:  # which a start need not load
    from joulecast.answers.resolved import Resolved

#: What is said of a choice, in order.
SAID = (
    "params",
    "tokens",
    "tokens_per_param",
    "epochs",
    "training_flop",
    "loss",
    "perplexity",
    "energy_kwh",
    "total_kgco2e",
    "serving_kgco2e",
    "lifetime_kgco2e",
)


class Question(TypedDict):
    """What `optimum` was asked; budgets by result, in its unit."""

    asked: Literal["flop", "max", "loss", "size"]
    flop: float | None
    loss: float | None
    params: float | None
    tokens: float | None
    max: dict[str, float] | None
    demand_tokens: float | None
    serving_ratio: float | None
    unique_tokens: float | None
    experts: int | None
    confidence: float | None
    law: str


Choice = Annotated[
    Mapping[str, Quantity | None],
    table(
        "Choice",
        "A size and its data, with what they cost; null where it cannot be known or was not asked.",
        dict.fromkeys(SAID, Quantity | None),
    ),
]


class Mixture(NamedTuple):
    """What a mixture of experts saves.

    `flop_saving` is the compute of a dense model of equal loss over its own.
    """

    experts: int
    flop_saving: float
    extrapolated: bool


class Flatness(NamedTuple):
    """Compute over the least, at equal loss, with another split."""

    tokens_per_param_factor: float
    training_flop_ratio: float


@shows(
    "schema_version", "question", "plan", "optimum=best", "compute_optimal", "lifetime_saving",
    "training_flop_ratio", "tokens_per_param_by_law", "tokens_per_param_by_data", "flatness",
    "mixture", "assumptions", "warnings", "provenance",
    exact=("question", "plan"),
    provenance=made_with(),
)  # fmt: skip
class Optimum(Noun):
    """The best size and data.

    `best` is what to choose; its ranges are where the best may lie.  `compute_optimal` reaches the
    same loss with the least training compute, and is None where that is the choice itself; its
    tokens per parameter are also given by each law, and by the data behind the law that answers.
    Quantities that cannot be known are None.

    >>> from joulecast import Plan, optimum
    >>> best = optimum(Plan(flop=1e22, region="fr", year=2024)).best
    >>> f"{best['params'].value:.2g} parameters, {best['tokens'].value:.2g} tokens"
    '9e+09 parameters, 1.8e+11 tokens'
    """

    question: Annotated[Mapping[str, Any], Question]
    plan: Annotated[Mapping[str, Any], Resolved]
    best: Choice
    compute_optimal: Choice | None
    lifetime_saving: Quantity | None
    training_flop_ratio: Quantity | None
    tokens_per_param_by_law: Mapping[str, float]
    tokens_per_param_by_data: Quantity
    flatness: tuple[Flatness, ...]
    mixture: Mixture | None
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Notice, ...]
    citations: tuple[Citation, ...]
    data_digest: str

    def rows(self) -> list[dict[str, Any]]:
        """A row for each choice and quantity that is known."""
        choices = {"optimum": self.best, "compute_optimal": self.compute_optimal or {}}
        return [
            {"choice": label, "quantity": name, **as_dict(quantity)}
            for label, choice in choices.items()
            for name, quantity in choice.items()
            if quantity is not None
        ]
