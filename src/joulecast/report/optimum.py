"""The answer of `optimum` as text, at most 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from joulecast.answers.optimum import Choice, Optimum
from joulecast.answers.quantity import Quantity, exactly
from joulecast.errors import brief
from joulecast.report.grounds import assumption_lines, citation_lines, warning_lines
from joulecast.report.tables import Table
from joulecast.report.words import WIDTH, is_exact, plain, readable, two, wrapped
from joulecast.terms import TERMS
from joulecast.whatif.budgets import BUDGETS

#: Quantity of a choice -> what the table calls it.
LABELS = {
    "params": "Parameters",
    "tokens": "Tokens",
    "tokens_per_param": "Tokens/parameter",
    "epochs": "Epochs",
    "training_flop": "Training FLOP",
    "loss": "Loss (nats/token)",
    "perplexity": "Perplexity",
    "energy_kwh": "Training energy",
    "total_kgco2e": "Emissions, training",
    "serving_kgco2e": "Emissions, serving",
    "lifetime_kgco2e": "Emissions, both",
}

#: A loss in words: its differences are small.
_THREE = "{:.3f}".format


def text(answer: Optimum, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """The whole answer, or its headline alone."""
    headline = _headline(answer, bold)
    if quiet:
        return "\n".join(headline)
    blocks = [
        [*textwrap.wrap(_subject(answer), WIDTH), "", *headline],
        _table(answer.best, "value"),
        _against(answer),
        _around(answer),
        assumption_lines(answer.assumptions),
        warning_lines(answer.warnings),
        citation_lines(answer),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _subject(answer: Optimum) -> str:
    """What was asked, on what and where."""
    asked = answer.question
    if asked["asked"] == "flop":
        what = f"{brief(asked['flop'])} training FLOP"
        goal = f"Least carbon to the loss of {what}" if _used(answer) else f"Lowest loss for {what}"
    elif asked["asked"] == "max":
        limits = " and ".join(_limit(name, limit) for name, limit in asked["max"].items())
        goal = f"Lowest loss under {limits}"
        if asked["confidence"] is not None:
            goal += f" with {asked['confidence']:g} % confidence"
    elif asked["asked"] == "loss":
        goal = f"Least carbon to a loss of {asked['loss']:g}"
    else:
        size, data = two(asked["params"]), two(asked["tokens"])
        goal = f"Least carbon to the loss of {size} parameters on {data} tokens"
    if _used(answer):
        goal += f", with {two(asked['demand_tokens'])} tokens served"
    if asked["unique_tokens"] is not None:
        goal += f", with {two(asked['unique_tokens'])} distinct tokens"
    plan = answer.plan
    where = [plan[name] for name in ("device_name", "region_name") if plan[name]]
    return f"{goal}: {', '.join([*where, str(plan['year'])])}"


def _limit(name: str, limit: float) -> str:
    """A budget as people say it: its short name, and a readable amount."""
    short = next(key for key, result in BUDGETS.items() if result == name)
    shown, unit = readable(exactly(limit, TERMS[name].unit))
    return f"{short} {plain(shown.value, 3)} {unit}".rstrip()


def _used(answer: Optimum) -> bool:
    return answer.question["demand_tokens"] is not None


def _headline(answer: Optimum, bold: Callable[[str], str]) -> list[str]:
    params, tokens, total = (answer.best[n] for n in ("params", "tokens", "total_kgco2e"))
    assert params is not None and tokens is not None  # every choice has a size and data
    lines = [f"  {bold(f'{two(params.value)} parameters on {two(tokens.value)} tokens')}"]
    loss = answer.best["loss"]
    if loss is not None:
        lines.append(f"  loss {loss.value:.3f}{_between(loss, _THREE)}")
    if total is not None:
        shown, unit = readable(total)
        lines.append(f"  training emits {two(shown.value)} {unit}{_between(shown, two)}")
    saving = answer.lifetime_saving
    if saving is not None:
        spread = _between(saving, "{:.0%}".format)
        lines.append(f"  saves {saving.value:.0%} of training + serving{spread}")
    return lines


def _between(quantity: Quantity, shown: Callable[[float], str]) -> str:
    if is_exact(quantity):
        return ""
    return f", 80 % prediction range {shown(quantity.p10)} to {shown(quantity.p90)}"


def _table(choice: Choice, heading: str) -> list[str]:
    """Every quantity of a choice with its range."""
    lines = [f"  {'':<20}{heading:<24}80 % prediction range"]
    rows = _rows(choice)
    return lines + [f"  {label:<20}{value:<24}{spread}".rstrip() for label, value, spread in rows]


def table(answer: Optimum) -> Table:
    """Every quantity of the choice with its range."""
    return Table(("", "value", "80 % prediction range"), list(_rows(answer.best)), (1,))


def _rows(choice: Choice) -> Iterator[tuple[str, str, str]]:
    for name, label in LABELS.items():
        quantity = choice[name]
        if quantity is None:
            continue
        shown, unit = (quantity, "") if not quantity.unit else readable(quantity)
        words = _THREE if name == "loss" else two
        value = f"{words(shown.value)} {unit}".rstrip()
        ends = f"{words(shown.p10)} to {words(shown.p90)} {unit}"
        spread = "as given" if is_exact(shown) else ends
        yield label, value, spread


def _against(answer: Optimum) -> list[str]:
    """The choice beside the one of least training compute."""
    if answer.compute_optimal is None or answer.training_flop_ratio is None:
        return []
    why = "nothing were served" if _used(answer) else "every token could be fresh"
    ratio = answer.training_flop_ratio
    return [
        f"Of the same loss with the least training compute, if {why}",
        *_table(answer.compute_optimal, "value"),
        *wrapped(f"The choice above trains with {ratio.value:.2f} times its FLOP"),
    ]


def _around(answer: Optimum) -> list[str]:
    """How sure the split is, and how little it matters."""
    by_law = answer.tokens_per_param_by_law
    data = answer.tokens_per_param_by_data
    costs = [f"{times:g} times {ratio - 1:.0%}" for times, ratio in answer.flatness]
    lines = [
        "Around the compute optimum",
        *wrapped(
            f"Tokens per parameter {two(data.value)}: {two(min(by_law.values()))} to "
            f"{two(max(by_law.values()))} by law, {two(data.p10)} to {two(data.p90)} by the data "
            "behind the law used"
        ),
        *wrapped(
            "The optimum is flat: at equal loss, more tokens per parameter than the best cost "
            f"this much more compute: {', '.join(costs)}"
        ),
    ]
    mixture = answer.mixture
    if mixture is not None:
        mark = " (extrapolated)" if mixture.extrapolated else ""
        lines += wrapped(
            f"A mixture of {mixture.experts} experts, one active, reaches the loss of a dense "
            f"model with {mixture.flop_saving:.2f} times less compute{mark}"
        )
    return lines
