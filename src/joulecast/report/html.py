"""The answer as one page of HTML that needs nothing else: to read, to print, to send.

No script, no network: bars are SVG in the page.  The answer itself stands in the page as JSON, so
that a program can read back what a person reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from joulecast._version import __version__
from joulecast.by_hand import mass_unit
from joulecast.footprint import Assumption, Footprint, Quantity
from joulecast.report.forecast import (
    LEAST_SHARE,
    figure_rows,
    parts_of,
    plain,
    readable,
    shown_assumptions,
    subject,
    two,
)
from joulecast.report.svg_bars import Piece, RatioScale, row
from joulecast.report.use import LABELS as USE_LABELS
from joulecast.report.use import shown as readable_use
from joulecast.whatif.writing import whole_file

#: Okabe and Ito's colours, told apart with any kind of colour vision.
BLUE, SKY = "#0072B2", "#56B4E9"
SHADES = {
    "devices": BLUE,
    "hosts": SKY,
    "network": "#009E73",
    "cooling": "#E69F00",
    "embodied": "#D55E00",
}

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
    blocks = [
        _head(footprint),
        _results(footprint),
        _parts(footprint),
        _fleet(footprint),
        _use(footprint),
        _drivers(footprint),
        _by_hand(footprint),
        _inputs(footprint),
        _checks(footprint),
        _warnings(footprint),
        _sources(footprint),
        _bibtex(footprint),
    ]
    title = _text(subject(footprint))
    body = "\n".join(block for block in blocks if block)
    answer = footprint.to_json().replace("<", "\\u003c").replace("&", "\\u0026")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="joulecast {__version__}">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        f"<footer>joulecast {__version__}, data {_text(footprint.data_digest)}</footer>\n"
        f'<script type="application/json" id="{ANSWER}">{answer}</script>\n</body>\n</html>\n'
    )


def save_html(footprint: Footprint, path: str | Path, *, force: bool = False) -> None:
    """Write the page to a file; raises InputError where there is one already, unless `force`."""
    with whole_file(Path(path), force) as unfinished:
        unfinished.write_text(report_html(footprint), encoding="utf-8")


def _code(name: str) -> str:
    """A name in typewriter, which may break after an underscore."""
    return f"<code>{_text(name).replace('_', '_<wbr>')}</code>"


def _text(value: object) -> str:
    return escape(str(value), quote=True)


def _section(title: str, *content: str, note: str = "") -> str:
    said = f'<p class="note">{_text(note)}</p>' if note else ""
    return f"<section>\n<h2>{_text(title)}</h2>\n{said}{''.join(content)}\n</section>"


#: Heads of columns that hold a range, which stays on one line.
_SPANS = ("80 % range", "5 % to 95 %", "Its P10 to P90", "Answer times")


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "", right: Sequence[int] = ()
) -> str:
    """A table of cells that are HTML already; `right` are the columns of figures."""
    marks = ["num" if i in right else "span" if h in _SPANS else "" for i, h in enumerate(head)]
    top = "".join(
        f'<th scope="col" class="{m}">{_text(h)}</th>' for h, m in zip(head, marks, strict=True)
    )
    lines = []
    for cells in rows:
        first = f'<th scope="row">{cells[0]}</th>'
        rest = "".join(
            f'<td class="{mark}" data-label="{_text(label)}">{cell}</td>'
            for label, mark, cell in zip(head[1:], marks[1:], cells[1:], strict=True)
        )
        lines.append(f"<tr>{first}{rest}</tr>")
    return (
        f'<table class="{kind}">\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{chr(10).join(lines)}\n</tbody>\n</table>"
    )


def _head(footprint: Footprint) -> str:
    headline = footprint.headline or footprint.device_hours or footprint.training_flop
    lines = [f"<h1>{_text(subject(footprint))}</h1>"]
    if headline is not None:
        shown, unit = readable(headline)
        unit = "device-hours" if unit == "h" else unit
        exact = shown.p10 == shown.p90
        span = (
            "exactly, from exact inputs"
            if exact
            else f"80 % prediction range {two(shown.p10)} to {two(shown.p90)} {unit}"
        )
        lines.append(
            f'<p class="headline"><strong>{two(shown.value)} {_text(unit)}</strong> '
            f"<span>{_text(span)}</span></p>"
        )
        if any(notice.code == "skewed" for notice in footprint.warnings):
            lines.append(f'<p class="note">Median {two(shown.p50)} {_text(unit)}.</p>')
    return f"<header>\n{chr(10).join(lines)}\n</header>"


def _results(footprint: Footprint) -> str:
    rows = figure_rows(footprint)
    if not rows:
        return ""
    headline = footprint.headline
    if headline is not None:
        shown, unit = readable(headline)
        label = "Emissions" if footprint.total is not None else "Energy"
        rows = [*rows, (label, f"{two(shown.value)} {unit}", shown)]
    ranged = [q for _, _, q in rows if q is not None and q.value > 0 and q.p10 < q.p90]
    scale = RatioScale.around([end / q.value for q in ranged for end in (q.p5, q.p95)] or [1.0])
    cells = [
        (_text(label), _text(value), _text(_interval(q)), _range_bar(label, q, scale))
        for label, value, q in rows
    ]
    note = "Bars: 80 % range; lines: 90 % range; each over its nominal value, evenly in ratios."
    return _section(
        "Results",
        _table(("Result", "Value", "80 % range", "Range"), cells, "bars"),
        note=note if ranged else "",
    )


def _interval(quantity: Quantity | None) -> str:
    if quantity is None or quantity.p10 == quantity.p90:
        return "exact" if quantity is not None else ""
    return f"{two(quantity.p10)} to {two(quantity.p90)}"


def _range_bar(label: str, q: Quantity | None, scale: RatioScale) -> str:
    if q is None or q.value <= 0 or q.p5 <= 0 or q.p10 == q.p90:
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
        bar = row(
            [Piece(start, start + share, SHADES[label])], f"{label}: {share:.0%} of the total"
        )
        rows.append((_text(label), two(part.to(unit).value), f"{share:.0%}", bar))
        start += share
    rows.append(("total", two(total.to(unit).value), "100%", row([Piece(0, 1, "#999")], "total")))
    head = ("Part", f"{unit}CO2e", "Share", "From left to right")
    return _section("Parts", _table(head, rows, "bars", (1, 2)))


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
        rows.append(
            (
                _text(part.label),
                much,
                "" if shown is None else _text(f"{two(shown.value)} {word}"),
                *("" if one is None else two(one.to(unit).value) for one in masses),
            )
        )
    masses_in = (f"{word}, {unit}CO2e" for word in ("Operation", "Making", "Total"))
    head = ("Devices", "Does", "Energy", *masses_in)
    note = "Each forecast as a run of its own; what they share moves in all at once."
    return _section("Fleet", _table(head, rows, "wide", (1, 2, 3, 4, 5)), note=note)


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
        best, unit = readable_use(quantity)
        value = f"{two(best.value)} {unit}".rstrip()
        rows.append((_text(label), _text(value), _interval(best), _range_bar(label, best, scale)))
    table = _table(("Result", "Value", "80 % range", "Range"), rows, "bars")
    devices = f"{use.plan['device_count']} x {use.plan['device']}"
    note = f"In no figure above. On {devices}, weights at {use.plan['precision']}."
    sizes = [
        (
            two(row["params"] or 0),
            two(row["energy_per_output_token_j"] or 0),
            *(
                "" if row[name] is None else _text(_kilograms(row[name] or 0))
                for name in ("training_total_kgco2e", "operational_per_year_kgco2e")
            ),
            "" if row["break_even_days"] is None else f"{two(row['break_even_days'])} days",
        )
        for row in use.by_size
    ]
    head = ("Parameters", "J a token", "Training", "A year of use", "Break-even")
    by_size = _table(head, sizes, "wide", (1, 2, 3, 4))
    drivers = ", ".join(
        f"{_code(one.name)} {one.share:.0%}" for one in use.drivers if one.share >= LEAST_SHARE
    )
    said = f'<p class="note">Its range comes from {drivers}.</p>' if drivers else ""
    said += '<p class="note">By size of the model, on the same training tokens and demand:</p>'
    return _section("Use, once trained", table, said, by_size, note=note)


def _kilograms(value: float) -> str:
    shown, unit = readable(Quantity(*(value,) * 6, "kgCO2e"))
    return f"{two(shown.value)} {unit}"


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
        of = f"<small>{_text(whose)}</small>" if whose else ""
        ends = f"{plain(bar.p10, 2)} to {plain(bar.p90, 2)} {_short(bar.unit)}".rstrip()
        rows.append(
            (
                f"{_code(name)}{of}",
                _text(ends),
                f"{bar.at_p10:.2f} to {bar.at_p90:.2f}",
                f"{bar.share:.0%}",
                row([Piece(one, low, SKY), Piece(one, high, BLUE)], said, [one]),
            )
        )
    head = ("Input", "Its P10 to P90", "Answer times", "Share", "At its P10 (light), P90 (dark)")
    note = (
        "One input at a time at its own P10 and P90, the others at their medians; the share is "
        "that of the log-variance."
    )
    return _section("What drives the range", _table(head, rows, "bars", (3,)), note=note)


def _by_hand(footprint: Footprint) -> str:
    if not footprint.by_hand:
        return ""
    rows = [
        (
            f"{_SIGNS[line.operator]}",
            plain(line.factor),
            _text(line.meaning),
            "" if line.result is None else f"= {plain(line.result)} {_text(line.result_unit)}",
        )
        for line in footprint.by_hand
    ]
    note = "Every input at its median; key it into a calculator from top to bottom."
    table = _table(("", "Factor", "What it is", "Result"), rows, "hand", (1,))
    return _section("By hand", table, note=note)


_SIGNS = {"": "", "x": "×", "/": "÷", "+": "+"}


def _inputs(footprint: Footprint) -> str:
    used = footprint.use_phase.assumptions if footprint.use_phase else ()
    entries = [*shown_assumptions(footprint), *used]
    given = [entry for entry in entries if entry.given]
    assumed = [entry for entry in entries if not entry.given]
    blocks = []
    if given:
        rows = [(_named(e), _amount(e), _span(e)) for e in given]
        blocks.append(_section("Given", _table(("Input", "Value", "5 % to 95 %"), rows, "given")))
    if assumed:
        rows_ = [
            (
                _named(e),
                _amount(e),
                _span(e),
                _text(e.basis),
                _source(e),
                _code(e.flag),
            )
            for e in assumed
        ]
        head = ("Input", "Value", "5 % to 95 %", "Basis", "Source", "Change with")
        blocks.append(_section("Assumed", _table(head, rows_, "wide")))
    return "\n".join(blocks)


def _named(entry: Assumption) -> str:
    said = "; ".join(filter(None, [entry.meaning, entry.whose]))
    meaning = f"<small>{_text(said)}</small>" if said else ""
    return f"{_code(entry.name)}{meaning}"


def _amount(entry: Assumption) -> str:
    whole = entry.value == int(entry.value) and abs(entry.value) < 1e6
    digits = 10 if entry.given or whole else 3
    return _text(f"{plain(entry.value, digits)} {_short(entry.unit)}".rstrip())


def _span(entry: Assumption) -> str:
    if entry.low is None or entry.high is None:
        return "exact"
    return f"{plain(entry.low, 2)} to {plain(entry.high, 2)}"


def _source(entry: Assumption) -> str:
    unchecked = " (unchecked)" if entry.read == "recalled" else ""
    note = f"<small>{_text(entry.note.removeprefix(f'{entry.whose}: '))}</small>"
    note = note if entry.note else ""
    return f"{_text(entry.source)}{unchecked}{note}"


def _short(unit: str) -> str:
    return unit.replace("CO2e", "")


def _checks(footprint: Footprint) -> str:
    if not footprint.cross_checks:
        return ""
    rows = [
        (
            _code(check.name),
            _text(f"{two(check.given)} {_short(check.unit)}".rstrip()),
            _text(f"{two(check.implied)} {_short(check.unit)}".rstrip()),
            two(check.ratio),
        )
        for check in footprint.cross_checks
    ]
    head = ("Quantity", "Given", "Implied by the others", "Ratio")
    return _section("Cross-checks", _table(head, rows, right=(3,)))


def _warnings(footprint: Footprint) -> str:
    if not footprint.warnings:
        return ""
    entries = "\n".join(
        f"<li>{_code(notice.code)} {_text(notice.message)}</li>" for notice in footprint.warnings
    )
    return _section("Mind", f"<ul>\n{entries}\n</ul>")


def _sources(footprint: Footprint) -> str:
    entries = "\n".join(
        f'<li id="{_text(one.key)}">{_text(one.text)} <small>{_text(one.key)}'
        f"{', unchecked' if one.read == 'recalled' else ''}</small></li>"
        for one in footprint.citations
    )
    note = f"joulecast {__version__}, data {footprint.data_digest}, with"
    return _section("Cite", f"<ol>\n{entries}\n</ol>" if entries else "", note=note)


def _bibtex(footprint: Footprint) -> str:
    """Everything to cite as BibTeX, where joulecast can write it."""
    if find_spec("joulecast.citing.citing") is None:
        return ""
    text = import_module("joulecast.citing.citing").cite(footprint, "bibtex")
    return _section("BibTeX", f"<pre>{_text(text)}</pre>")


_STYLE = """
:root{color-scheme:light;font-size:16px}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:#111;
 font:1rem/1.45 system-ui,"Segoe UI",Helvetica,Arial,sans-serif}
main,footer{max-width:64rem;margin:0 auto;padding:1rem}
h1{font-size:1.35rem;line-height:1.3;margin:1rem 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .4rem;padding-top:.4rem;border-top:1px solid #bbb}
.headline strong{font-size:2.2rem;line-height:1.15;display:block}
.note{color:#444;margin:.2rem 0 .6rem;font-size:.92rem}
small{display:block;color:#444;font-size:.84rem;font-weight:400}
code,pre{font-family:ui-monospace,Consolas,"DejaVu Sans Mono",monospace;font-size:.88em}
code{overflow-wrap:break-word}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.6rem}
table{border-collapse:collapse;width:100%;font-size:.95rem}
th,td{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;font-weight:400;
 border-bottom:1px solid #ddd;overflow-wrap:break-word}
thead th{font-weight:600;border-bottom:1px solid #777;vertical-align:bottom}
.num{text-align:right;font-variant-numeric:tabular-nums}
.span{white-space:nowrap}
.wide td:last-child:not(.num){min-width:9.5rem}
.hand td,.hand th{border-bottom:0;padding-top:.1rem;padding-bottom:.1rem}
.hand tbody th{width:1.2rem}
.bars td:last-child,.bars thead th:last-child{width:34%;padding-right:0}
.given{width:auto;min-width:60%}
svg.bar{display:block;width:100%;height:1.25rem}
ul,ol{padding-left:2rem;margin:.3rem 0}
li{margin:.25rem 0;overflow-wrap:anywhere}
footer{color:#444;font-size:.9rem}
@media (max-width:40rem){
 .headline strong{font-size:1.8rem}
 .wide thead,.bars thead,.hand thead{position:absolute;left:0;clip-path:inset(50%);
  width:1px;height:1px;overflow:hidden}
 .wide tr,.bars tr{display:block;border-bottom:1px solid #bbb;padding:.4rem 0}
 .wide tbody th,.wide td,.bars tbody th,.bars td{display:block;border:0;padding:.05rem 0;
  text-align:left;width:auto;white-space:normal}
 .wide tbody th,.bars tbody th{font-weight:600}
 .wide td:not(:empty)::before,.bars td:not(:last-child):not(:empty)::before{
  content:attr(data-label) ": ";color:#444}
 .bars td:last-child{width:100%}
 .hand tr{display:grid;grid-template-columns:1.2rem 5.5rem 1fr}
 .hand td:last-child{grid-column:3;padding-top:0}
 .hand td:empty{display:none}
}
@media print{
 @page{margin:14mm}
 :root{font-size:9pt}
 .wide{font-size:.86rem}
 main,footer{max-width:none;padding:0}
 h2,.note{break-after:avoid}
 h2{margin-top:1.1rem}
 tr,li,.hand{break-inside:avoid}
 thead{display:table-header-group}
 pre{background:none;border:1px solid #bbb}
}
"""
