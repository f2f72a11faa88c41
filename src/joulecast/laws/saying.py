"""What an optimum says of itself: its quantities, what to mind, what it rests on, its sources."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from joulecast import allocation, scaling_law
from joulecast.answers.footprint import Assumption, Citation, Footprint
from joulecast.answers.optimum import SAID, Choice, Mixture
from joulecast.answers.quantity import quantity_of
from joulecast.arrays import Numbers
from joulecast.data.library import Library
from joulecast.estimation import assumption_of, citation_of
from joulecast.laws.asking import Asked
from joulecast.laws.choosing import Found, Grounds
from joulecast.laws.law import Constants, Laws, constants_of, experts_saving
from joulecast.notices import Notice
from joulecast.terms import TERMS
from joulecast.uncertainty import Datum

#: Tokens per parameter beyond which fits to ordinary ratios overstate what more data gain.
OVERTRAINED = 1000.0

#: Epochs beyond which the worth of repeats was hardly tested.
MANY_EPOCHS = 40.0


def said(
    middle: tuple[Found, Grounds], drawn: tuple[Found, Grounds], asked: Asked, laws: Laws
) -> Choice:
    """Every quantity of a choice, with its levels."""
    values, draws = _numbers(*middle, asked), _numbers(*drawn, asked)
    if values["loss"] < laws.main.lowest_loss:
        values = {n: v for n, v in values.items() if n not in ("loss", "perplexity")}
    return {
        name: quantity_of(values[name], draws[name], TERMS[name].unit if name in TERMS else "")
        if name in values
        else None
        for name in SAID
    }


def _numbers(found: Found, grounds: Grounds, asked: Asked) -> dict[str, Numbers]:
    """Every quantity of a choice that can be known, in base units."""
    loss = grounds.constants.irreducible_loss + found.gap if asked.loss is None else asked.loss
    numbers: dict[str, Numbers] = {
        "params": found.params,
        "tokens": found.tokens,
        "tokens_per_param": found.tokens / found.params,
        "loss": loss,
        "perplexity": scaling_law.perplexity(loss),
    }
    if asked.unique_tokens is not None:
        numbers["epochs"] = found.tokens / asked.unique_tokens
    for name in ("training_flop", "energy_kwh", "total_kgco2e"):
        if name in grounds.per_flop:
            numbers[name] = grounds.per_flop[name] * found.flop
    if asked.served and "total_kgco2e" in numbers:
        lifetime = allocation.lifetime_flop(found.params, found.tokens, grounds.served)
        numbers["lifetime_kgco2e"] = grounds.per_flop["total_kgco2e"] * lifetime
        numbers["serving_kgco2e"] = numbers["lifetime_kgco2e"] - numbers["total_kgco2e"]
    return numbers


def mixture(asked: Asked, laws: Laws, flop: float) -> Mixture | None:
    """What a mixture of experts would save, where that is asked."""
    if asked.experts is None:
        return None
    law = laws.experts
    params, _ = laws.mixture_at(asked.experts, flop)
    beyond = law.fitted.params is not None and float(params) > law.fitted.params[1]
    return Mixture(
        asked.experts,
        experts_saving(law, float(asked.experts), flop),
        beyond or asked.experts > law.most_experts,
    )


def notices(
    asked: Asked, laws: Laws, best: Found, outside: list[str], grounds: Grounds
) -> Iterator[Notice]:
    """What to mind about an answer."""
    if outside:
        yield Notice(
            "extrapolated",
            f"{'; '.join(outside)}: extrapolated, and the range widened by the spread between laws",
        )
    if laws.main.uncertainty is None:
        yield Notice(
            "law_without_range",
            f"{laws.main.name}: its constants were published without their joint uncertainty, "
            "so the ranges leave it out",
        )
    if float(grounds.constants.irreducible_loss + best.gap) < laws.main.lowest_loss:
        yield Notice(
            "loss_not_predicted",
            f"the loss lies below {laws.main.lowest_loss:g}, too near the irreducible one for "
            "a figure",
        )
    else:
        yield Notice(
            "perplexity_tokeniser",
            "loss and perplexity are those of the law's own text and tokeniser: compare them "
            "with one another, not with those of another model",
        )
    ratio = float(best.tokens / best.params)
    if ratio > OVERTRAINED:
        yield Notice(
            "overtrained",
            f"{ratio:,.0f} tokens per parameter: fits to ordinary ratios overstate what "
            "so many more tokens gain (Sardana et al. 2024, arXiv:2401.00448)",
        )
    if asked.unique_tokens is not None and best.tokens > MANY_EPOCHS * asked.unique_tokens:
        yield Notice(
            "many_epochs",
            f"{float(best.tokens) / asked.unique_tokens:.0f} epochs: so many were hardly "
            "tested, and can do harm (Lovelace et al. 2026, arXiv:2605.01640)",
        )


def of_hardware(footprint: Footprint) -> list[Assumption]:
    """What the emissions of a FLOP rest on; the size is an answer here."""
    answers = ("params", "active_params", "tokens", "training_flop")
    return [entry for entry in footprint.assumptions if entry.name not in answers]


def of_laws(asked: Asked, laws: Laws, drawn: Grounds, library: Library) -> list[Assumption]:
    """Constants of the law, and what was said of the use."""
    law, decays = laws.main, laws.repetition
    data = list(asked.served.values())
    for name, value, draws in zip(
        Constants._fields, constants_of(law), drawn.constants, strict=True
    ):
        spread = quantity_of(value, draws, "")
        ranged = bool(np.ndim(draws))
        data.append(
            Datum(
                name,
                float(value),
                spread.p5 if ranged else None,
                spread.p95 if ranged else None,
                unknown=f"{laws.key}.{name}",
                basis=law.basis,
                source=law.source,
                note="drawn together with the other constants" if ranged else "",
            )
        )
    if asked.unique_tokens is not None:
        basis, source = decays.basis, decays.source
        for name in ("tokens_decay", "params_decay"):
            value, unknown = getattr(decays, name), f"{source}.{name}"
            data.append(Datum(name, value, unknown=unknown, basis=basis, source=source))
    return [assumption_of(datum, library) for datum in data]


def citations(
    footprint: Footprint, asked: Asked, laws: Laws, library: Library
) -> tuple[Citation, ...]:
    """Sources of the hardware's figures, then those of the laws."""
    keys = [law.source for law in (*laws.loss.values(), *laws.allocation.values())]
    keys += [datum.source for datum in asked.served.values() if datum.source]
    if asked.unique_tokens is not None:
        keys.append(laws.repetition.source)
    if asked.experts is not None:
        keys.append(laws.experts.source)
    found = [citation_of(key, library) for key in dict.fromkeys(keys)]
    cited = [*footprint.citations, *(citation for citation in found if citation is not None)]
    return tuple({citation.key: citation for citation in cited}.values())
