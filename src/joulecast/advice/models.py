"""Another model of the same loss: another split of size and data, or a mixture of experts."""

from __future__ import annotations

from math import ceil, floor, log10, sqrt
from typing import NamedTuple

import numpy as np

from joulecast.advice.opened import Candidate, NotOpenError, Opened, said
from joulecast.answers.advice import LIFETIME
from joulecast.laws.law import (
    Constants,
    Laws,
    constants_of,
    constants_with_experts,
    drawn_constants,
    flop_of,
    laws_of,
)
from joulecast.laws.saying import OVERTRAINED
from joulecast.uncertainty import quantiles

#: A split whose compute lies so near the least is left as it is.
NEAR = 0.02


class Trained(NamedTuple):
    """A dense model as the law sees it."""

    params: float
    tokens: float
    laws: Laws


def sizes(now: Opened) -> list[Candidate]:
    """The size and data that reach the same loss with least compute, or least carbon in all."""
    params, tokens, laws = _trained(now)
    law = constants_of(laws.main)
    gap = float(law.gap(params, tokens))
    reason = _out_of_range(laws, params, tokens, gap + float(law.irreducible_loss))
    if reason is not None:
        raise NotOpenError(reason)
    best = _three(_within(law, gap, float(law.at_gap(gap, _served(now))[0]), params))
    needed = law.tokens_for(best, gap)
    if needed is None:
        raise NotOpenError("no other size reaches this loss by the law")
    data = _three_up(needed)
    flop, least = float(flop_of(params, tokens)), float(flop_of(best, data))
    if not _served(now) and least > (1 - NEAR) * flop:
        raise NotOpenError(f"size and data lie within {NEAR:.0%} of the least compute for the loss")
    beyond = _beyond(laws, best, data) or _beyond(laws, params, tokens)
    return [
        Candidate(
            "size",
            f"{_word(best, params)} of equal loss: {said(best)} parameters on {said(data)}",
            {"params": said(best), "tokens": said(data), **_length(now)},
            detail=_how_equal(laws, (params, tokens), (best, data)),
            caveat=_of_size(now, best / params),
            sources=(laws.main.source,),
            extrapolated=beyond,
        )
    ]


def mixtures(now: Opened) -> list[Candidate]:
    """A mixture of experts that reaches the same loss on the same tokens."""
    if now.known["arch"] == "moe":
        raise NotOpenError("it is a mixture of experts already")
    params, tokens, laws = _trained(now)
    law = laws.experts
    experts = now.library.default("advice.experts")
    feed_forward = now.library.default("advice.feed_forward_share")
    gap = float(constants_with_experts(law, 1.0).gap(params, tokens))
    active = constants_with_experts(law, experts.value).params_for(tokens, gap)
    if active is None or active >= params:
        raise NotOpenError("by the law no mixture reaches this loss on these tokens with less")
    total = _three(active * (1 + (experts.value - 1) * feed_forward.value))
    active = _three_up(active)
    assert law.fitted.params is not None
    return [
        Candidate(
            "moe",
            f"{experts.value:g} experts, one used: {said(active)} of {said(total)} parameters",
            {
                "params": said(total),
                "active_params": said(active),
                "arch": "moe",
                **({} if now.plan.tokens else {"tokens": said(tokens)}),
                **_length(now),
            },
            detail="the same loss on the same tokens, by the joint law",
            caveat="all parameters must be held in memory, and routing may cost speed, which is "
            "not taken off; a law with no published range",
            sources=(law.source,),
            extrapolated=params > law.fitted.params[1],
        )
    ]


def _trained(now: Opened) -> Trained:
    """The model and its tokens, where a law of dense decoders can speak of them."""
    known = now.known
    if known["arch"] != "dense":
        raise NotOpenError(f"the law is of dense decoders, not of arch {known['arch']}")
    if known["params"] is None or known["tokens"] is None:
        raise NotOpenError("needs the size and the tokens: --params 7B --tokens 2T")
    if not now.behind("flop_per_param_token"):
        why = "the answer does not follow from size and tokens: give --params and --tokens alone"
        raise NotOpenError(why)
    if known["trainable_params"] is not None:
        raise NotOpenError("part of the weights is frozen, and the law is of all trained")
    if now.plan.phases:
        raise NotOpenError("phases have tokens of their own")
    unique = known["unique_tokens"]
    if unique is not None and unique < known["tokens"]:
        why = "tokens are repeated: joulecast optimum --unique-tokens takes that in"
        raise NotOpenError(why)
    return Trained(known["params"], known["tokens"], laws_of(now.library))


def _out_of_range(laws: Laws, params: float, tokens: float, loss: float) -> str | None:
    """Why the law does not speak of this model."""
    if tokens / params > OVERTRAINED:
        return (
            f"{tokens / params:,.0f} tokens per parameter: the law overstates what so many gain "
            f"(it is asked up to {OVERTRAINED:,.0f})"
        )
    if loss < laws.main.lowest_loss:
        return (
            f"the law gives a loss of {loss:.3f}, below {laws.main.lowest_loss:g}: too near the "
            "least there is to compare sizes"
        )
    if loss > laws.main.highest_loss:
        return f"the law gives a loss of {loss:.1f}, far above the runs behind it"
    return None


def _within(law: Constants, gap: float, best: float, params: float) -> float:
    """The best size, or the one towards it with as many tokens per parameter as laws tell of."""

    def too_few(size: float) -> bool:
        tokens = law.tokens_for(size, gap)
        return tokens is None or tokens / size > OVERTRAINED

    if not too_few(best):
        return best
    low, high = best, params
    for _ in range(50):
        middle = sqrt(low * high)
        low, high = (middle, high) if too_few(middle) else (low, middle)
    return high


def _beyond(laws: Laws, params: float, tokens: float) -> bool:
    """Whether a model lies outside the runs the law was fitted on."""
    fitted = laws.main.fitted
    spans = ((fitted.params, params), (fitted.tokens, tokens))
    return any(span is not None and not span[0] <= value <= span[1] for span, value in spans)


def _served(now: Opened) -> float:
    """Tokens generated in use times the emissions of their FLOP over those of training."""
    if now.on != LIFETIME:
        return 0.0
    assert now.outcome.use is not None
    run = now.outcome.use.known
    if "serving_ratio" not in run:
        raise NotOpenError("the FLOP of the run are not known, which those of its use are over")
    tokens = run["use_requests_per_year"] * run["use_output_tokens"] * run["use_years"]
    return float(tokens * run["serving_ratio"])


def _how_equal(laws: Laws, now: tuple[float, float], then: tuple[float, float]) -> str:
    """How far the two losses may lie apart, by the law as it is drawn."""
    law = drawn_constants(laws.main)
    apart = np.asarray(law.gap(*then)) - np.asarray(law.gap(*now))
    low, high = quantiles(apart, (0.1, 0.9))
    return f"equal by the law within {low:+.3f} to {high:+.3f} nats (80 %)"


def _of_size(now: Opened, ratio: float) -> str:
    """What another size means for the use."""
    if now.on != LIFETIME and ratio > 1:
        return (
            f"each token in use then takes up to {ratio:.2g} times the energy: to weigh both, say "
            "--use-tokens 1T/year --use-years 3"
        )
    return "a law of loss: what the model can do is to be tested"


def _length(now: Opened) -> dict[str, str]:
    """The sequence length of a known model, which its name no longer says."""
    length = now.known["seq_len"]
    return {} if length is None or now.plan.seq_len is not None else {"seq_len": str(length)}


def _word(best: float, params: float) -> str:
    return "a smaller model" if best < params else "a larger model on fewer tokens"


def _three(value: float) -> float:
    """Three significant figures."""
    return float(f"{value:.3g}")


def _three_up(value: float) -> float:
    """Three significant figures, not below the value."""
    size = 10.0 ** (floor(log10(value)) - 2)
    return _three(ceil(value / size) * size)
