"""The answer of `optimum`: the size and data to choose, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from joulecast._version import __version__
from joulecast.footprint import SCHEMA_VERSION, Assumption, Citation, Quantity
from joulecast.notices import Notice
from joulecast.whatif import frames

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

Choice = Mapping[str, Quantity | None]


class Mixture(NamedTuple):
    """What a mixture of experts saves: compute of a dense model of equal loss over its own."""

    experts: int
    flop_saving: float
    extrapolated: bool


class Flatness(NamedTuple):
    """What another split costs: compute over the least, at equal loss."""

    tokens_per_param_factor: float
    training_flop_ratio: float


@dataclass(frozen=True, slots=True)
class Optimum:
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

    question: Mapping[str, Any]
    plan: Mapping[str, Any]
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

    def explain(self) -> str:
        """The answer in words and figures, as the command line prints it."""
        from joulecast.report.optimum import text

        return text(self)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "schema_version": SCHEMA_VERSION,
            "question": dict(self.question),
            "plan": dict(self.plan),
            "optimum": _choice(self.best),
            "compute_optimal": None
            if self.compute_optimal is None
            else _choice(self.compute_optimal),
            "lifetime_saving": _quantity(self.lifetime_saving),
            "training_flop_ratio": _quantity(self.training_flop_ratio),
            "tokens_per_param_by_law": {
                key: _ten(ratio) for key, ratio in self.tokens_per_param_by_law.items()
            },
            "tokens_per_param_by_data": self.tokens_per_param_by_data.to_dict(),
            "flatness": [
                {name: _ten(number) for name, number in step._asdict().items()}
                for step in self.flatness
            ],
            "mixture": None
            if self.mixture is None
            else {**self.mixture._asdict(), "flop_saving": _ten(self.mixture.flop_saving)},
            "assumptions": [entry.to_dict() for entry in self.assumptions],
            "warnings": [{"code": n.code, "message": n.message} for n in self.warnings],
            "provenance": {"joulecast": __version__, "data": self.data_digest},
        }

    def to_json(self) -> str:
        """The JSON text: the same input gives the same bytes."""
        import json

        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each choice and quantity that is known."""
        choices = {"optimum": self.best, "compute_optimal": self.compute_optimal or {}}
        return [
            {"choice": label, "quantity": name, **quantity.to_dict()}
            for label, choice in choices.items()
            for name, quantity in choice.items()
            if quantity is not None
        ]

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame; raises InputError where pandas is not installed."""
        return frames.to_pandas(self.rows())

    def to_polars(self) -> Any:
        """The rows as a polars DataFrame; raises InputError where polars is not installed."""
        return frames.to_polars(self.rows())


def _choice(choice: Choice) -> dict[str, Any]:
    return {name: _quantity(choice[name]) for name in SAID}


def _quantity(quantity: Quantity | None) -> dict[str, float | str] | None:
    return None if quantity is None else quantity.to_dict()


def _ten(value: float) -> float:
    return float(f"{value:.10g}")
