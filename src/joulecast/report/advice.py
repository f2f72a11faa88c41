"""Advice as text, at most 80 columns wide: the change that saves most first."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from joulecast.answers.advice import LIFETIME, Advice, Advised, command
from joulecast.report.forecast import subject
from joulecast.report.grounds import unchecked
from joulecast.report.tables import Table, columns
from joulecast.report.words import (
    WIDTH,
    in_unit,
    interval,
    outcome,
    percent,
    readable,
    two,
    wrapped,
)

#: Kind of change -> what a sentence calls it.
WORDS = {
    "size": "another size",
    "moe": "a mixture of experts",
    "precision": "a narrower precision",
    "device": "another device",
    "place": "another place",
    "site": "another data centre",
    "reserving": "reserving less time",
    "goodput": "fewer restarts",
    "tuning": "a better-tuned run",
    "batch": "serving more at once",
}

_COLUMNS = (9, 17, 10, 8, 9)
_HEADS = ("saves", "80 % range", "expected", "sure", "leaves")


def text(advice: Advice, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """The whole advice, or its first change alone."""
    unit = readable(advice.outcome)[1]
    headline = _headline(advice, unit, bold)
    if quiet:
        return "\n".join(headline)
    blocks = [
        [*textwrap.wrap(f"{subject(advice.now)}.", WIDTH), "", *headline],
        _ranking(advice, unit),
        _further(advice, unit),
        _together(advice, unit),
        _useless(advice),
        _closed(advice),
        _mind(advice),
        _sources(advice),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _what(advice: Advice) -> str:
    """The outcome as a sentence says it."""
    return "emissions of training and use" if advice.on == LIFETIME else outcome(advice.on)


def _headline(advice: Advice, unit: str, bold: Callable[[str], str]) -> list[str]:
    now = in_unit(advice.outcome, unit)
    amount = f"{two(now.value)} {unit}".rstrip()
    best = advice.best
    if best is None:
        nothing = bold("Nothing that we know of would lower this")
        why = f"{nothing}: by our tables, the plan is as good as it can be."
        if not advice.would_not_help:
            why = f"{bold('Nothing is open to change')}, for the reasons below."
        return [f"  {_what(advice).capitalize()}: {amount}", "", *_indented(why)]
    saving = in_unit(best.saving, unit)
    share = f" ({percent(1 - best.ratio.value)})" if best.ratio is not None else ""
    return [
        f"  {_what(advice).capitalize()}: {amount} (80 % range {interval(now)})",
        "",
        f"  Most is saved by {WORDS[best.kind]}:",
        "",
        *_indented(bold(best.change)),
        *_indented(
            f"saves {two(saving.value)} {unit}{share}, 80 % prediction range {interval(saving)} "
            f"{unit}; it saves with probability {percent(best.probability_lower)}"
        ),
        *_options(best, 4),
    ]


def _indented(line: str, by: int = 4) -> list[str]:
    indent = " " * by
    return textwrap.wrap(
        line, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _ranking(advice: Advice, unit: str) -> list[str]:
    """The best change of each kind, with what it does besides."""
    if not advice.changes:
        return []
    lines = [_heads(f"Best of each kind [{unit}]")]
    for rank, change in enumerate(advice.best_of_each, 1):
        lines += _row(f"{rank} {change.kind}: {change.change}", change, unit)
        beyond = "extrapolated" if change.extrapolated else ""
        lines += _indented("; ".join(filter(None, [change.detail, *change.effects, beyond])), 6)
    note = (
        "Saves and leaves are of the nominal run, as `estimate` gives it; expected is the mean "
        "saving over all draws, by which changes are ranked. Each is set against the plan as it "
        "is. Savings overlap and do not add."
    )
    return [*lines, "", *textwrap.wrap(note, WIDTH)]


def _further(advice: Advice, unit: str) -> list[str]:
    """Second and third choices."""
    best = advice.best_of_each
    rest = [change for change in advice.changes if change not in best]
    if not rest:
        return []
    lines = [_heads(f"Next best [{unit}]")]
    for change in rest:
        lines += _row(f"{change.kind}: {change.change}", change, unit)
    return lines


def _together(advice: Advice, unit: str) -> list[str]:
    both = advice.together
    if both is None:
        return []
    lines = [_heads(f"All at once [{unit}]")]
    return [*lines, *_row(both.change, both, unit), *_indented("; ".join(both.effects), 6)]


def _useless(advice: Advice) -> list[str]:
    if not advice.would_not_help:
        return []
    lines = ["Would not help"]
    for change in advice.would_not_help:
        likely = percent(change.probability_lower)
        line = f"{change.kind}: {change.change}, saves with probability {likely}"
        lines += [*wrapped(line), *_options(change)]
    return lines


def _closed(advice: Advice) -> list[str]:
    if not advice.not_open:
        return []
    kinds: dict[str, list[str]] = {}
    for closed in advice.not_open:
        kinds.setdefault(closed.why, []).append(closed.kind)
    lines = [f"{', '.join(those)}: {why}" for why, those in kinds.items()]
    return ["Not open", *(part for line in lines for part in wrapped(line))]


def _mind(advice: Advice) -> list[str]:
    """Caveats and warnings of what is advised, each once."""
    about: dict[str, list[str]] = {}
    for change in advice.changes:
        said = [change.caveat, *(f"{n.code}: {n.message}" for n in change.warnings)]
        if change.extrapolated:
            said.append("extrapolated: beyond the runs its law was fitted on")
        for line in filter(None, said):
            kinds = about.setdefault(line, [])
            if change.kind not in kinds:
                kinds.append(change.kind)
    lines = [f"{', '.join(kinds)}: {line}" for line, kinds in about.items()]
    if not lines:
        return []
    general = "None of this is advice to give up quality: test what the model can do."
    return ["Mind", *wrapped(general), *(part for line in lines for part in wrapped(line))]


def _sources(advice: Advice) -> list[str]:
    if not advice.citations:
        return []
    lines = [one.text + unchecked(one) for one in advice.citations]
    return ["Sources of targets and caveats", *(part for line in lines for part in wrapped(line))]


def _heads(label: str) -> str:
    figures = "".join(f"{head:>{width}}" for head, width in zip(_HEADS, _COLUMNS, strict=True))
    return f"{label:<{WIDTH - sum(_COLUMNS)}}{figures}"


def _row(label: str, change: Advised, unit: str) -> list[str]:
    """A change on a line, its options below; a long label stands on a line of its own."""
    return [*columns(label, _figures(change, unit), _COLUMNS), *_options(change)]


def _figures(change: Advised, unit: str) -> tuple[str, ...]:
    saving = in_unit(change.saving, unit)
    size = saving.value / change.saving.value if change.saving.value else 1.0
    return (
        two(saving.value),
        interval(saving),
        two(change.expected_saving * size),
        percent(change.probability_lower),
        two(change.value * size),
    )


def table(advice: Advice) -> Table:
    """Each change with what it saves, the best first."""
    unit = readable(advice.outcome)[1]
    rows = [(one.kind, one.change, *_figures(one, unit)) for one in advice.changes]
    return Table(("Kind", f"Change [{unit}]", *_HEADS), rows, range(2, 2 + len(_HEADS)))


def _options(change: Advised, indent: int = 6) -> list[str]:
    """Options as they are typed; no line ends between an option and its value."""
    pairs = zip(change.options[::2], change.options[1::2], strict=True)
    words = "\n".join(command(pair).replace(" ", "\0") for pair in pairs).split("\n")
    lines = textwrap.wrap(
        " ".join(words), WIDTH - indent, break_on_hyphens=False, break_long_words=False
    )
    return [" " * indent + line.replace("\0", " ") for line in lines]
