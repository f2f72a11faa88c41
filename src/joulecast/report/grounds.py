"""What an answer rests on, in words: given and assumed numbers, what to mind, what to cite."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from joulecast._version import __version__
from joulecast.answers.footprint import Assumption, Citation, Footprint
from joulecast.answers.optimum import Optimum
from joulecast.notices import Notice
from joulecast.report.words import WIDTH, plain, short, wrapped


def assumption_lines(entries: Sequence[Assumption]) -> list[str]:
    """Given and assumed numbers, each with its range, source and flag."""
    given = [entry for entry in entries if entry.given]
    assumed = [entry for entry in entries if not entry.given]
    lines = []
    if given:
        lines.append("Given")
        lines += [f"  {e.name:<23} {value_of(e):<13} {span_of(e)}".rstrip() for e in given]
    if assumed:
        lines += [""] if given else []
        lines.append("Assumed (change with the flag)")
        for entry in assumed:
            lines += _assumed(entry)
    return lines


def _assumed(entry: Assumption) -> list[str]:
    first = f"  {entry.name:<23} {value_of(entry):<13} {span_of(entry):<19} {entry.basis}"
    note = f": {entry.note}" if entry.note else ""
    return [first, *wrapped(f"{entry.flag}  {entry.source}{unchecked(entry)}{note}", 6, 6)]


def value_of(entry: Assumption) -> str:
    """A number with its unit: as it was given, or as far as anybody knows it."""
    whole = entry.value == int(entry.value) and abs(entry.value) < 1e6
    digits = 10 if entry.given or whole else 3
    return f"{plain(entry.value, digits)} {short(entry.unit)}".rstrip()


def span_of(entry: Assumption) -> str:
    """The 5 % and 95 % points of a number."""
    if entry.low is None or entry.high is None:
        return "exact"
    return f"{plain(entry.low, 2)} to {plain(entry.high, 2)}"


def unchecked(of: Assumption | Citation) -> str:
    """The mark of a source that was quoted from memory."""
    return " (unchecked)" if of.read == "recalled" else ""


def warning_lines(notices: Iterable[Notice]) -> list[str]:
    """What to mind."""
    lines = [line for notice in notices for line in wrapped(f"{notice.code}: {notice.message}")]
    return ["Mind", *lines] if lines else []


def citation_lines(answer: Footprint | Optimum) -> list[str]:
    """What to cite."""
    lines = ["Cite", *wrapped(f"joulecast {__version__}, data {answer.data_digest}, with")]
    for citation in answer.citations:
        if citation.of_formula:
            continue
        lines += textwrap.wrap(
            f"{citation.text}{unchecked(citation)}",
            WIDTH,
            initial_indent=" " * 4,
            subsequent_indent=" " * 6,
            break_long_words=False,
            break_on_hyphens=False,
        )
    formulas = [one.source.label + unchecked(one) for one in answer.citations if one.of_formula]
    if formulas:
        lines += wrapped(f"and, for formulas, {'; '.join(formulas)}")
        lines += wrapped("`joulecast cite` with the same words prints all of it in full")
    return lines
