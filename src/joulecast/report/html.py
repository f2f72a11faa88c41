"""The answer as one page of HTML that needs nothing else: to read, to print, to send.

No script, no network: bars are SVG in the page.  The answer itself stands in the page as JSON, so
that a program can read back what a person reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from joulecast._version import __version__
from joulecast.answers.footprint import Assumption, Footprint
from joulecast.answers.quantity import Quantity, exactly
from joulecast.by_hand import mass_unit
from joulecast.citing.citing import cite
from joulecast.report.files import whole_file
from joulecast.report.forecast import (
    figure_rows,
    headline_of,
    is_skewed,
    parts_of,
    shown_assumptions,
    spread_of,
    subject,
)
from joulecast.report.grounds import span_of, unchecked, value_of
from joulecast.report.plotting import BLUE, SHADES, SKY
from joulecast.report.svg_bars import Piece, RatioScale, row
from joulecast.report.tags import STYLE, code, folded, in_cell, section, table, text
from joulecast.report.use import LABELS as USE_LABELS
from joulecast.report.words import (
    LEAST_SHARE,
    amount,
    interval,
    is_exact,
    plain,
    readable,
    readable_of_use,
    short,
    two,
)

#: Id of the element that holds the answer as JSON.
ANSWER = "joulecast-answer"


def report_html(footprint: Footprint) -> str:
    """A footprint as a page of HTML.

    Parameters
    ----------
    footprint
        What `estimate` gave.

    Returns
    -------
    The text of a whole page: headline, results, parts, what drives the range, By hand, inputs with
    source and flag, warnings, sources.

    >>> from joulecast import Plan, estimate
    >>> page = report_html(estimate(Plan(flop=1e22, device="h100-sxm", region="fr", year=2024)))
    >>> page[:15], "<script src" in page
    ('<!doctype html>', False)
    """
    bibtex = section("BibTeX", f"<pre>{text(cite(footprint, 'bibtex'))}</pre>")
    title = text(subject(footprint))
    body = "\n".join([*_first(footprint), *_rest(footprint), bibtex])
    answer = footprint.to_json().replace("<", "\\u003c").replace("&", "\\u0026")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="joulecast {__version__}">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        f"<footer>joulecast {__version__}, data {text(footprint.data_digest)}</footer>\n"
        f'<script type="application/json" id="{ANSWER}">{answer}</script>\n</body>\n</html>\n'
    )


def save_html(footprint: Footprint, path: str | Path, *, force: bool = False) -> None:
    """Write the page to a file; raises InputError where there is one already, unless `force`."""
    with whole_file(Path(path), force) as unfinished:
        unfinished.write_text(report_html(footprint), encoding="utf-8")


def fragment(footprint: Footprint) -> str:
    """The same for a cell of a notebook: what it rests on is folded away."""
    rest = folded("What it rests on", "\n".join(_rest(footprint)))
    return in_cell(*_first(footprint), rest)


def _first(footprint: Footprint) -> list[str]:
    """What is read first."""
    shown = (_head, _results, _parts, _fleet, _use, _drivers)
    return [block for make in shown if (block := make(footprint))]


def _rest(footprint: Footprint) -> list[str]:
    """What it rests on."""
    shown = (_by_hand, _inputs, _checks, _warnings, _sources)
    return [block for make in shown if (block := make(footprint))]


def _head(footprint: Footprint) -> str:
    lines = [f"<h1>{text(subject(footprint))}</h1>"]
    found = headline_of(footprint)
    if found is not None:
        shown, unit, _ = found
        lines.append(
            f'<p class="headline"><strong>{two(shown.value)} {text(unit)}</strong> '
            f"<span>{text(spread_of(shown, unit))}</span></p>"
        )
        if is_skewed(footprint):
            lines.append(f'<p class="note">Median {two(shown.p50)} {text(unit)}.</p>')
    return f"<header>\n{chr(10).join(lines)}\n</header>"


def _results(footprint: Footprint) -> str:
    rows = figure_rows(footprint)
    if not rows:
        return ""
    headline = footprint.headline
    if headline is not None:
        label = "Emissions" if footprint.total is not None else "Energy"
        rows = [*rows, (label, amount(headline), readable(headline)[0])]
    ranged = [q for _, _, q in rows if q is not None and q.value > 0 and q.p10 < q.p90]
    scale = RatioScale.around([end / q.value for q in ranged for end in (q.p5, q.p95)] or [1.0])
    cells = [
        (text(label), text(value), interval(q) if q else "", _range_bar(label, q, scale))
        for label, value, q in rows
    ]
    note = "Bars: 80 % range; lines: 90 % range; each over its nominal value, evenly in ratios."
    results = table(("Result", "Value", "80 % range", "Range"), cells, "bars")
    return section("Results", results, note=note if ranged else "")


def _range_bar(label: str, q: Quantity | None, scale: RatioScale) -> str:
    if q is None or q.value <= 0 or q.p5 <= 0 or is_exact(q):
        return ""
    p5, p10, p90, p95 = (scale.at(end / q.value) for end in (q.p5, q.p10, q.p90, q.p95))
    said = f"{label}: {q.p10 / q.value:.2f} to {q.p90 / q.value:.2f} times the nominal value"
    return row([Piece(p5, p95, BLUE, 0.16), Piece(p10, p90, SKY)], said, [scale.at(1.0)])


def _parts(footprint: Footprint) -> str:
    parts, total = parts_of(footprint), footprint.total
    if not parts or total is None:
        return ""
    unit, _ = mass_unit(total.value)
    rows, start = [], 0.0
    for label, part in parts.items():
        share = part.value / total.value
        said = f"{label}: {share:.0%} of the total"
        bar = row([Piece(start, start + share, SHADES[label])], said)
        rows.append((text(label), two(part.to(unit).value), f"{share:.0%}", bar))
        start += share
    rows.append(("total", two(total.to(unit).value), "100%", row([Piece(0, 1, "#999")], "total")))
    head = ("Part", f"{unit}CO2e", "Share", "From left to right")
    return section("Parts", table(head, rows, "bars", (1, 2)))


def _fleet(footprint: Footprint) -> str:
    """Each type of device with its part of the total."""
    total = footprint.total
    if len(footprint.fleet) < 2:
        return ""
    unit = mass_unit(total.value)[0] if total is not None else "kg"
    rows = []
    for part in footprint.fleet:
        much = f"{two(part.hours or 0)} h" if part.share is None else f"{part.share:.0%}"
        energy = part.quantities["energy_kwh"]
        shown, word = readable(energy) if energy is not None else (None, "")
        names = ("operational_kgco2e", "embodied_kgco2e", "total_kgco2e")
        masses = (part.quantities[name] for name in names)
        cells = ("" if one is None else two(one.to(unit).value) for one in masses)
        used = "" if shown is None else text(f"{two(shown.value)} {word}")
        rows.append((text(part.label), much, used, *cells))
    masses_in = (f"{word}, {unit}CO2e" for word in ("Operation", "Making", "Total"))
    head = ("Devices", "Does", "Energy", *masses_in)
    note = "Each forecast as a run of its own; what they share moves in all at once."
    return section("Fleet", table(head, rows, "wide", (1, 2, 3, 4, 5)), note=note)


def _use(footprint: Footprint) -> str:
    """What the trained model takes when it is used."""
    use = footprint.use_phase
    if use is None:
        return ""
    found = [(label, use.results[name]) for name, label in USE_LABELS.items()]
    known = [(label, one) for label, one in found if one is not None]
    ends = [end / one.value for _, one in known for end in (one.p5, one.p95)]
    scale = RatioScale.around(ends or [1.0])
    rows = []
    for label, quantity in known:
        best, _ = readable_of_use(quantity)
        bar = _range_bar(label, best, scale)
        rows.append((text(label), text(amount(quantity)), interval(best), bar))
    results = table(("Result", "Value", "80 % range", "Range"), rows, "bars")
    devices = f"{use.plan['device_count']} x {use.plan['device']}"
    note = f"In no figure above. On {devices}, weights at {use.plan['precision']}."
    head = ("Parameters", "J a token", "Training", "A year of use", "Break-even")
    by_size = table(head, map(_sized, use.by_size), "wide", (1, 2, 3, 4))
    main = [driver for driver in use.drivers if driver.share >= LEAST_SHARE]
    drivers = ", ".join(f"{code(driver.name)} {driver.share:.0%}" for driver in main)
    said = f'<p class="note">Its range comes from {drivers}.</p>' if drivers else ""
    said += '<p class="note">By size of the model, on the same training tokens and demand:</p>'
    return section("Use, once trained", results, said, by_size, note=note)


def _sized(size: Mapping[str, float | None]) -> tuple[str, ...]:
    """A size of the model: the figures of a token, of training, of a year."""
    numbers = (two(size[name] or 0) for name in ("params", "energy_per_output_token_j"))
    masses = (size[name] for name in ("training_total_kgco2e", "operational_per_year_kgco2e"))
    emitted = ("" if kg is None else text(amount(exactly(kg, "kgCO2e"))) for kg in masses)
    days = size["break_even_days"]
    return (*numbers, *emitted, "" if days is None else f"{two(days)} days")


def _drivers(footprint: Footprint) -> str:
    bars = [bar for bar in footprint.tornado() if bar.share >= LEAST_SHARE]
    if not bars:
        return ""
    scale = RatioScale.around([end for bar in bars for end in (bar.at_p10, bar.at_p90)])
    rows = []
    for bar in bars:
        low, high, one = scale.at(bar.at_p10), scale.at(bar.at_p90), scale.at(1.0)
        said = f"{bar.name}: {bar.at_p10:.2f} at its P10, {bar.at_p90:.2f} at its P90"
        name, whose = footprint.whose(bar.name)
        of = f"<small>{text(whose)}</small>" if whose else ""
        ends = f"{plain(bar.p10, 2)} to {plain(bar.p90, 2)} {short(bar.unit)}".rstrip()
        drawn = row([Piece(one, low, SKY), Piece(one, high, BLUE)], said, [one])
        times = f"{bar.at_p10:.2f} to {bar.at_p90:.2f}"
        rows.append((f"{code(name)}{of}", text(ends), times, f"{bar.share:.0%}", drawn))
    head = ("Input", "Its P10 to P90", "Answer times", "Share", "At its P10 (light), P90 (dark)")
    note = (
        "One input at a time at its own P10 and P90, the others at their medians; the share is "
        "that of the log-variance."
    )
    return section("What drives the range", table(head, rows, "bars", (3,)), note=note)


def _by_hand(footprint: Footprint) -> str:
    if not footprint.by_hand:
        return ""
    rows = []
    for line in footprint.by_hand:
        result = "" if line.result is None else f"= {plain(line.result)} {text(line.result_unit)}"
        rows.append((_SIGNS[line.operator], plain(line.factor), text(line.meaning), result))
    note = "Every input at its median; key it into a calculator from top to bottom."
    strip = table(("", "Factor", "What it is", "Result"), rows, "hand", (1,))
    return section("By hand", strip, note=note)


_SIGNS = {"": "", "x": "×", "/": "÷", "+": "+"}


def _inputs(footprint: Footprint) -> str:
    used = footprint.use_phase.assumptions if footprint.use_phase else ()
    entries = [*shown_assumptions(footprint), *used]
    given = [entry for entry in entries if entry.given]
    assumed = [entry for entry in entries if not entry.given]
    blocks = []
    if given:
        rows = [(_named(e), text(value_of(e)), span_of(e)) for e in given]
        blocks.append(section("Given", table(("Input", "Value", "5 % to 95 %"), rows, "given")))
    if assumed:
        rows_ = [
            (_named(e), text(value_of(e)), span_of(e), text(e.basis), _source(e), code(e.flag))
            for e in assumed
        ]
        head = ("Input", "Value", "5 % to 95 %", "Basis", "Source", "Change with")
        blocks.append(section("Assumed", table(head, rows_, "wide")))
    return "\n".join(blocks)


def _named(entry: Assumption) -> str:
    said = "; ".join(filter(None, [entry.meaning, entry.whose]))
    meaning = f"<small>{text(said)}</small>" if said else ""
    return f"{code(entry.name)}{meaning}"


def _source(entry: Assumption) -> str:
    note = f"<small>{text(entry.note.removeprefix(f'{entry.whose}: '))}</small>"
    note = note if entry.note else ""
    return f"{text(entry.source)}{unchecked(entry)}{note}"


def _checks(footprint: Footprint) -> str:
    if not footprint.cross_checks:
        return ""
    rows = []
    for check in footprint.cross_checks:
        both = (f"{two(one)} {short(check.unit)}".rstrip() for one in (check.given, check.implied))
        rows.append((code(check.name), *map(text, both), two(check.ratio)))
    head = ("Quantity", "Given", "Implied by the others", "Ratio")
    return section("Cross-checks", table(head, rows, right=(3,)))


def _warnings(footprint: Footprint) -> str:
    if not footprint.warnings:
        return ""
    entries = [f"<li>{code(one.code)} {text(one.message)}</li>" for one in footprint.warnings]
    return section("Mind", f"<ul>\n{chr(10).join(entries)}\n</ul>")


def _sources(footprint: Footprint) -> str:
    entries = "\n".join(
        f'<li id="{text(one.key)}">{text(one.text)} <small>{text(one.key)}'
        f"{', unchecked' if one.read == 'recalled' else ''}</small></li>"
        for one in footprint.citations
    )
    note = f"joulecast {__version__}, data {footprint.data_digest}, with"
    return section("Cite", f"<ol>\n{entries}\n</ol>" if entries else "", note=note)
