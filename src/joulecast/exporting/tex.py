r"""LaTeX: the methods paragraph and a booktabs table of one run or several."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import NamedTuple

from joulecast._version import __version__
from joulecast.answers.footprint import Footprint
from joulecast.answers.quantity import Quantity
from joulecast.citing.markup import LATEX
from joulecast.citing.methods import name_of, paragraphs
from joulecast.report.words import readable, two

_HEAD = r"""% Made with joulecast {version}, data {data}.
% Needs \usepackage{{booktabs}}; the \cite keys are those of: joulecast cite ... --format bibtex"""

#: Kinds of model that papers shorten.
ABBREVIATED = {"moe": "MoE", "ssm": "SSM"}

#: Least over most in a column that one power of ten still serves.
WIDE = 1e4

_LETTERS = "% Has letters that pdflatex does not know: use lualatex or xelatex."


def write(footprints: Sequence[Footprint]) -> str:
    """Paragraphs, then the table."""
    digest = ", ".join(dict.fromkeys(one.data_digest for one in footprints))
    head = _HEAD.format(version=__version__, data=digest)
    texts = paragraphs(footprints, LATEX)
    if len(footprints) > 1:
        names = list(map(LATEX.text, _names(footprints)))
        texts[: len(names)] = [
            f"\\paragraph{{{name}}}\n{text}" for name, text in zip(names, texts, strict=False)
        ]
    body = "\n\n".join([*texts, table(footprints)])
    return "\n\n".join([head if body.isascii() else f"{head}\n{_LETTERS}", body])


def table(footprints: Sequence[Footprint]) -> str:
    r"""A table in the style of booktabs, as wide as a column of a paper.

    A row to each run and one unit to each column; figures stand by their decimal point.  Raises
    nothing for what is unknown: its cell holds a dash.
    """
    energy_unit = _unit([one.energy for one in footprints], "MWh")
    mass_unit = _unit([one.total for one in footprints], "t")
    powers = Powers(
        _power([one.training_flop for one in footprints]),
        _power([one.device_hours for one in footprints]),
    )
    rows = [
        [LATEX.text(name), *_figures(one, powers, energy_unit, mass_unit)]
        for name, one in zip(_names(footprints), footprints, strict=True)
    ]
    caption = (
        "Forecast of training compute, device-hours, energy of the facility and emissions "
        f"(location-based{', with making of the hardware' if _making(footprints) else ''}) with "
        f"their {LATEX.percent(0.8)} prediction range. joulecast {__version__}, data "
        f"{LATEX.text(footprints[0].data_digest)}."
    )
    mass = LATEX.unit(f"{mass_unit}CO2e")
    units = [_scale(powers.flop), _scale(powers.hours), energy_unit, "value"]
    heads = [rf"\multicolumn{{2}}{{c}}{{{one}}}" for one in ("FLOP", "Hours", "Energy")]
    below = [rf"\multicolumn{{2}}{{c}}{{{one}}}" for one in units]
    span = rf"\multicolumn{{2}}{{c@{{}}}}{{{LATEX.percent(0.8)} range}}"
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{caption}}}",
        r"  \label{tab:footprint}",
        r"  \smallskip",
        r"  \footnotesize",
        r"  \setlength{\tabcolsep}{3pt}",
        r"  \begin{tabular}{@{}l *{4}{r@{}l} r@{--}l@{}}",
        r"    \toprule",
        rf"    & {' & '.join(heads)} & \multicolumn{{4}}{{c@{{}}}}{{Emissions, {mass}}} \\",
        rf"    Run & {' & '.join(below)} & {span} \\",
        r"    \midrule",
        *(rf"    {' & '.join(row)} \\" for row in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


class Powers(NamedTuple):
    """Powers of ten by which columns are divided; 0 where they are not."""

    flop: int
    hours: int


def _names(footprints: Sequence[Footprint]) -> list[str]:
    """Names of the runs, short enough for a column; those of the same name are numbered."""
    names = [_short(one) for one in footprints]
    return [
        f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]


def _short(footprint: Footprint) -> str:
    plan = footprint.plan
    if plan.get("model") or not plan.get("params"):
        return name_of(footprint)
    return f"{ABBREVIATED.get(plan['arch'], plan['arch'])}, {two(plan['params'])}"


def _scale(power: int) -> str:
    return rf"$\times 10^{{{power}}}$" if power else ""


def _making(footprints: Sequence[Footprint]) -> bool:
    return any(one.embodied is not None for one in footprints)


def _unit(quantities: Sequence[Quantity | None], default: str) -> str:
    """The unit in which the largest of some quantities reads best."""
    known = [quantity for quantity in quantities if quantity is not None]
    if not known:
        return default
    return readable(max(known, key=lambda quantity: quantity.value))[1].removesuffix("CO2e")


def _power(quantities: Sequence[Quantity | None]) -> int:
    """Power of a thousand in which all of some numbers are short; 0 where there is none."""
    known = [quantity.value for quantity in quantities if quantity is not None]
    most, least = max(known, default=0.0), min(known, default=0.0)
    return 3 * floor(log10(most) / 3) if most >= 1e4 and least >= most / WIDE else 0


def _figures(footprint: Footprint, powers: Powers, energy_unit: str, mass_unit: str) -> list[str]:
    hours, energy, total = footprint.device_hours, footprint.energy, footprint.total
    flop = footprint.training_flop
    masses = None if total is None else total.to(mass_unit)
    cells = [
        _pointed(None if flop is None else flop.value / 10**powers.flop),
        _pointed(None if hours is None else hours.value / 10**powers.hours),
        _pointed(None if energy is None else energy.to(energy_unit).value),
        _pointed(None if masses is None else masses.value),
    ]
    if masses is None or masses.p10 == masses.p90:
        span = "--" if masses is None else "exact"
        return [*cells, rf"\multicolumn{{2}}{{c@{{}}}}{{{span}}}"]
    return [*cells, f"{LATEX.number(masses.p10)} & {LATEX.number(masses.p90)}"]


def _pointed(value: float | None) -> str:
    """Two cells that meet at the decimal point; a dash over both for what is unknown.

    >>> _pointed(0.053), _pointed(1287.0)
    ('0 & .053', '1,300 & ')
    """
    if value is None:
        return r"\multicolumn{2}{c}{--}"
    text = LATEX.number(value) if value < 1e6 else LATEX.exactly(float(f"{value:.1e}"))
    whole, point, rest = text.partition(".")
    if not f"{whole}{rest}".replace(",", "").isdigit():  # a power of ten, a word: not split
        return rf"\multicolumn{{2}}{{r}}{{{text}}}"
    return f"{whole} & {point}{rest}"
