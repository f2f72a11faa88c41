"""Markdown: the whole answer, with the plan that it can be read back from."""

from __future__ import annotations

from collections.abc import Sequence

from joulecast.answers.footprint import Footprint
from joulecast.citing.citing import bibliography
from joulecast.citing.markup import MARKDOWN
from joulecast.citing.methods import paragraph
from joulecast.data.library import Library
from joulecast.estimation import citation_of
from joulecast.exporting import tables
from joulecast.exporting.facts import made_with
from joulecast.plan.file import dump
from joulecast.report.forecast import subject
from joulecast.report.words import readable

#: Heading of the plan; what reads an export back looks for it.
PLAN_HEADING = "Plan"


def write(footprint: Footprint) -> str:
    """Headline, methods, results, inputs, warnings, sources, plan."""
    return joined(
        f"# {MARKDOWN.text(subject(footprint).replace('Training ', 'Footprint of training ', 1))}",
        headline(footprint),
        paragraph(footprint, MARKDOWN),
        "## Results",
        results(tables.results(footprint, MARKDOWN)),
        *beside(footprint),
        "## Inputs",
        inputs(footprint),
        *warnings(footprint),
        "## Sources",
        sources(footprint),
        *plan_block(footprint),
    )


def joined(*blocks: str) -> str:
    """Blocks with a line between them, without those that are empty."""
    return "\n\n".join(block for block in blocks if block)


def headline(footprint: Footprint) -> str:
    """The answer in one line."""
    quantity = footprint.headline
    if quantity is None:
        return ""
    shown, unit = readable(quantity)
    amount = f"**{MARKDOWN.number(shown.value)} {unit}**"
    if quantity.p10 == quantity.p90:
        return f"{amount}, exactly, from exact inputs"
    low, high = MARKDOWN.number(shown.p10), MARKDOWN.number(shown.p90)
    return f"{amount}, 80 % prediction range {low} to {high} {unit}"


def bullets(*rows: tuple[str, str]) -> str:
    """Labels with what there is to say of each."""
    return "\n".join(f"- **{label}:** {text}" for label, text in rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def results(rows: Sequence[tables.Row]) -> str:
    """Results in words as a table."""
    cells = [(row.label, row.value, row.interval or "exact") for row in rows]
    return table(("Result", "Value", "80 % prediction range"), cells)


def beside(footprint: Footprint) -> list[str]:
    """Entries of a fleet, and what the use takes; nothing where there is neither."""
    blocks = []
    if len(footprint.fleet) > 1:
        blocks += ["## Fleet", _fleet(footprint)]
    if footprint.use_phase is not None:
        shown = results(tables.of_use(footprint, MARKDOWN))
        blocks += ["## Use, once trained", "In no figure above.", shown]
    return blocks


def _fleet(footprint: Footprint) -> str:
    names = ("device_hours", "energy_kwh", "operational_kgco2e", "embodied_kgco2e", "total_kgco2e")
    rows = []
    for part in footprint.fleet:
        much = (
            f"{MARKDOWN.percent(part.share)} of the run"
            if part.share is not None
            else f"{MARKDOWN.exactly(part.hours or 0)} hours"
        )
        cells = (tables.known(part.quantities[name], MARKDOWN) for name in names)
        rows.append((MARKDOWN.text(part.label), much, *cells))
    head = ("Devices", "Does", "Device-hours", "Energy", "Operation", "Making", "Total")
    return table(head, rows)


def inputs(footprint: Footprint) -> str:
    """Every number the answer rests on, with its range and source."""
    rows = [
        (
            f"`{entry.name}`",
            MARKDOWN.text(f"{entry.meaning} ({entry.whose})" if entry.whose else entry.meaning),
            tables.input_value(entry, MARKDOWN),
            tables.span(entry, MARKDOWN) or "exact",
            entry.basis,
            tables.source_of(entry, footprint, MARKDOWN),
        )
        for entry in tables.inputs_of(footprint)
    ]
    return table(("Name", "Meaning", "Value", "5 % to 95 %", "Basis", "Source"), rows)


def grounds(footprint: Footprint, also: Sequence[str] = ()) -> list[str]:
    """What the answer rests on, under headings: its inputs and the sources of them and `also`."""
    return ["## Inputs", inputs(footprint), "## Sources", sources(footprint, also)]


def warnings(footprint: Footprint) -> list[str]:
    """What to mind."""
    if not footprint.warnings:
        return []
    lines = [f"- `{one.code}`: {MARKDOWN.text(one.message)}" for one in footprint.warnings]
    return ["## To mind", "\n".join(lines)]


def sources(footprint: Footprint, also: Sequence[str] = ()) -> str:
    """What to cite, and apart from it what nobody has checked.

    `also` holds keys of sources that the form itself rests on.
    """
    found = bibliography([footprint])
    forms = [citation_of(key, Library.bundled()) for key in also]
    cited = dict.fromkeys([*found.texts, *(one.text for one in forms if one is not None)])
    text = "\n".join(f"{number}. {line}" for number, line in enumerate(cited, start=1))
    if not found.unchecked:
        return text
    unchecked = "\n".join(f"- {one.text}" for one in found.unchecked)
    return f"{text}\n\nUnchecked, so not cited:\n\n{unchecked}"


def plan_block(footprint: Footprint) -> list[str]:
    """The plan file, to make the same forecast again."""
    return [
        f"## {PLAN_HEADING}",
        f"Made with {made_with(footprint)}. Saved as `plan.toml`, "
        "this is read by `joulecast estimate plan.toml`:",
        f"```toml\n{dump(footprint.asked.said())}```",
    ]
