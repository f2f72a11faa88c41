"""What `optimum` is asked: one question, read and checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from joulecast.answers.optimum import Question
from joulecast.data.library import Library
from joulecast.data.reading import number
from joulecast.errors import InputError, UnknownNameError, brief
from joulecast.laws.records import LossLaw
from joulecast.plan import Plan
from joulecast.resolve import resolve
from joulecast.resolve.ledger import as_assumed, as_given
from joulecast.resolve.model import LATER
from joulecast.terms import ASKED
from joulecast.uncertainty import Datum
from joulecast.whatif import budgets

Kind = Literal["flop", "max", "loss", "size"]

#: Fields of a plan that say how much is trained: the answer of `optimum`, not its input.
SIZES = ("model", "params", "tokens", "unique_tokens", "flop")

#: Fields of a plan that have no meaning here.
FOREIGN = (
    "active_params",
    "trainable_params",
    "epochs",
    "samples",
    "hardware_flop",
    "runs",
    "project_factor",
    "phases",
    "use",
)

#: Given quantities that would settle how much is trained.
SETTLED = (
    *LATER,
    "params",
    "active_params",
    "trainable_params",
    "tokens",
    "forward_flop_per_token",
)

EXAMPLES = ("--flop 1e23", "--loss 2.1", "--max total=50t", "--params 7B --tokens 140B")


class Asked(NamedTuple):
    """One question: its kind, its number or numbers, and what else was said.

    `limits` are budgets by result, in the unit of the result; `plan` says nothing of the size.
    """

    kind: Kind
    plan: Plan
    flop: float | None = None
    loss: float | None = None
    params: float | None = None
    tokens: float | None = None
    limits: Mapping[str, float] = {}
    demand: Datum | None = None
    serving_ratio: Datum | None = None
    unique_tokens: float | None = None
    experts: int | None = None
    confidence: float | None = None

    @property
    def served(self) -> dict[str, Datum]:
        """What is known of the use of the model; empty where nothing is asked of it."""
        data = (self.demand, self.serving_ratio)
        return {datum.name: datum for datum in data if datum is not None}

    def as_question(self, law: str) -> Question:
        """As the answer shows it, with the key of the law that answers."""
        return {
            "asked": self.kind,
            "flop": self.flop,
            "loss": self.loss,
            "params": self.params,
            "tokens": self.tokens,
            "max": dict(self.limits) or None,
            "demand_tokens": None if self.demand is None else self.demand.value,
            "serving_ratio": None if self.serving_ratio is None else self.serving_ratio.value,
            "unique_tokens": self.unique_tokens,
            "experts": self.experts,
            "confidence": self.confidence,
            "law": law,
        }


def read_question(
    plan: Plan,
    library: Library,
    law: LossLaw,
    loss: object,
    limits: Mapping[str, object] | None,
    demand: object,
    serving_ratio: object,
    experts: object,
    confidence: object,
) -> Asked:
    """Read what was asked.

    Raises JoulecastError where nothing, too much, or something without an answer is asked.
    """
    _check_plan(plan)
    sized = any(value is not None for value in (plan.model, plan.params, plan.tokens))
    said: dict[Kind, bool] = {
        "flop": plan.flop is not None,
        "max": bool(limits),
        "loss": loss is not None,
        "size": sized,
    }
    kinds = [kind for kind, is_said in said.items() if is_said]
    if not kinds:
        raise InputError("question", None, "say what to reach or what may be spent", EXAMPLES)
    if len(kinds) > 1:
        names = {"flop": "--flop", "max": "--max", "loss": "--loss", "size": "a size"}
        both = " and ".join(names[kind] for kind in kinds)
        raise InputError("question", both, "are two questions", ["one at a time"])
    asked = Asked(
        kinds[0],
        plan.replace(**dict.fromkeys(SIZES)),
        flop=plan.flop,
        unique_tokens=plan.unique_tokens,
        experts=None if experts is None else _experts(experts),
        confidence=None if confidence is None else budgets.percent(confidence),
    )
    if sized:
        params, tokens = _size(plan, library)
        asked = asked._replace(params=params, tokens=tokens)
    if loss is not None:
        asked = asked._replace(loss=_loss(loss, law))
    if limits:
        asked = asked._replace(limits=_limits(limits))
    asked = _with_demand(asked, library, demand, serving_ratio)
    _check_together(asked)
    return asked


def _check_plan(plan: Plan) -> None:
    for name in FOREIGN:
        if getattr(plan, name):
            value = getattr(plan, name)
            shown = brief(value) if isinstance(value, float) else None
            raise InputError(name, shown, "is not part of this question", ["leaving it out"])
    if plan.arch not in (None, "dense"):
        why = "the laws are those of dense decoders; what a mixture of experts saves is --experts"
        raise InputError("arch", plan.arch, why, ["--experts 8"])
    for name in plan.given:
        if name in SETTLED or name == "training_flop":
            why = "settles how much is trained, which is what is asked"
            raise InputError(name, None, why, EXAMPLES)


def _size(plan: Plan, library: Library) -> tuple[float, float]:
    """Parameters and tokens of a plan or of a known model, whose loss is to be reached."""
    resolved = resolve(plan, library).only.resolved
    if resolved["arch"] != "dense":
        why = f"is {resolved['arch']}; the laws are those of dense decoders"
        raise InputError("model", plan.model, why, ["--loss 2.1", "--flop 1e23"])
    if resolved["params"] is None or resolved["tokens"] is None:
        raise InputError("tokens", None, "parameters and tokens make a size", ["--tokens 140B"])
    return resolved["params"], resolved["tokens"]


def _loss(raw: object, law: LossLaw) -> float:
    loss = number("loss", raw, ["2.1"])
    if loss < law.lowest_loss:
        why = (
            f"below {law.lowest_loss:g} the law has no answer worth giving: it is too near the "
            f"irreducible loss, about {law.irreducible_loss:.2f}, which nobody knows well enough"
        )
        raise InputError("loss", raw, why, [f"--loss {law.lowest_loss:g}", "--flop 1e25"])
    if loss > law.highest_loss:
        why = f"above {law.highest_loss:g} lies none of the runs the law was fitted on"
        raise InputError("loss", raw, why, [f"--loss {law.highest_loss:g}"])
    return loss


def _limits(said: Mapping[str, object]) -> dict[str, float]:
    limits = budgets.read(said)
    for name, limit in limits.items():
        if name not in budgets.BUDGETS.values():
            why = "is not a budget of this question"
            raise UnknownNameError("--max", name, why, list(budgets.BUDGETS))
        if limit.ndim:
            raise InputError("--max", name, "must be one number")
    return {name: float(limit) for name, limit in limits.items()}


def _with_demand(asked: Asked, library: Library, demand: object, ratio: object) -> Asked:
    if demand is None:
        if ratio is not None:
            raise InputError("serving_ratio", ratio, "needs a demand", ["--demand 1T"])
        return asked
    tokens = as_given(ASKED["demand_tokens"], demand)
    if ratio is None:
        figure = library.default("serving_ratio.output_tokens")
        weight = as_assumed("serving_ratio", figure, "assumption.serving_ratio")
    else:
        weight = as_given(ASKED["serving_ratio"], ratio)
    return asked._replace(demand=tokens, serving_ratio=weight)


def _experts(raw: object) -> int:
    experts = number("experts", raw)
    if experts != int(experts) or not 2 <= experts <= 256:
        raise InputError("experts", raw, "must be a whole number from 2 to 256", ["8", "32"])
    return int(experts)


def _check_together(asked: Asked) -> None:
    if asked.confidence is not None and asked.kind != "max":
        why = "is for a budget"
        raise InputError("--confidence", brief(asked.confidence), why, ["--max total=50t"])
    if asked.confidence is not None and asked.demand is not None:
        why = "is for training alone: the use would need a share of the budget of its own"
        raise InputError("--confidence", brief(asked.confidence), why, ["leaving out --demand"])
    if asked.unique_tokens is not None and asked.kind == "size":
        why = "with a size has no answer of its own"
        raise InputError("unique_tokens", brief(asked.unique_tokens), why, ["--loss", "--flop"])
    if asked.demand is not None and asked.kind == "max" and list(asked.limits) != ["total_kgco2e"]:
        other = next(name for name in asked.limits if name != "total_kgco2e")
        why = "with --demand the budget is for training and use together, in emissions alone"
        raise InputError("--max", other, why, ["--max total=50t"])
