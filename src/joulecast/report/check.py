"""A check as text: one line a finding, then what was read."""

from __future__ import annotations

from collections.abc import Callable

from joulecast.answers.check import Check
from joulecast.report.tables import Table


def text(check: Check, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """One line a finding, then what was read; `quiet`: the findings alone."""
    del bold
    lines = [f"{check.path}:{one.line}: {one}" for one in check.findings]
    if check.passed:
        lines = [f"{check.path}: nothing contradicts"]
    if not quiet:
        lines += ["", f"Read ({len(check.readings)})"]
        wide = max((len(one.name) for one in check.readings), default=0) + 2
        lines += [f"  line {one.line:<5}{one.name:<{wide}}{one.shown}" for one in check.readings]
    return "\n".join(lines)


def table(check: Check) -> Table:
    """Each finding, or each figure that was read where nothing contradicts."""
    if check.passed:
        rows = [(str(one.line), one.name, one.shown) for one in check.readings]
        return Table(("Line", "Figure", "Reads"), rows, note="Nothing contradicts.")
    found = [(str(one.line), one.stated, one.follows, one.cause) for one in check.findings]
    return Table(("Line", "Stated", "But", "Likely because"), found)
