r"""LaTeX: the methods paragraph and a booktabs table of one run or several."""

from __future__ import annotations

from collections.abc import Sequence

from joulecast._version import __version__
from joulecast.citing.markup import LATEX
from joulecast.citing.methods import name_of, paragraph
from joulecast.footprint import Footprint, Quantity
from joulecast.report.forecast import readable

_HEAD = r"""% Made with joulecast {version}, data {data}.
% Needs \usepackage{{booktabs}}; the \cite keys are those of: joulecast cite ... --format bibtex"""


def write(footprints: Sequence[Footprint]) -> str:
    """Paragraphs, then the table."""
    digest = ", ".join(dict.fromkeys(one.data_digest for one in footprints))
    head = _HEAD.format(version=__version__, data=digest)
    blocks = []
    for footprint in footprints:
        title = f"\\paragraph{{{LATEX.text(name_of(footprint))}}}\n" if len(footprints) > 1 else ""
        blocks.append(f"{title}{paragraph(footprint, LATEX)}")
    return "\n\n".join([head, *blocks, table(footprints)])


def table(footprints: Sequence[Footprint]) -> str:
    r"""A table in the style of booktabs: a row to each run, one unit to each column.

    Raises nothing for what is unknown: its cell holds a dash.
    """
    energy_unit = _unit([one.energy for one in footprints], "MWh")
    mass_unit = _unit([one.total for one in footprints], "t")
    rows = [_row(one, energy_unit, mass_unit) for one in footprints]
    caption = LATEX.text(
        "Forecast of training compute, hardware, energy and emissions; ranges are 80 % prediction "
        f"ranges (joulecast {__version__}, data {footprints[0].data_digest})."
    )
    mass = LATEX.unit(f"{mass_unit}CO2e")
    head = rf"Run & FLOP & Device-hours & {energy_unit} & {mass} & 80~\% range"
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{caption}}}",
        r"  \label{tab:footprint}",
        r"  \begin{tabular}{lrrrrr}",
        r"    \toprule",
        rf"    {head} \\",
        r"    \midrule",
        *(rf"    {' & '.join(row)} \\" for row in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def _unit(quantities: Sequence[Quantity | None], default: str) -> str:
    """The unit in which the largest of some quantities reads best."""
    known = [quantity for quantity in quantities if quantity is not None]
    if not known:
        return default
    return readable(max(known, key=lambda quantity: quantity.value))[1].removesuffix("CO2e")


def _row(footprint: Footprint, energy_unit: str, mass_unit: str) -> list[str]:
    energy, total = footprint.energy, footprint.total
    energy = None if energy is None else energy.to(energy_unit)
    total = None if total is None else total.to(mass_unit)
    cells = [_cell(one) for one in (footprint.training_flop, footprint.device_hours, energy, total)]
    span = "--"
    if total is not None:
        span = f"{LATEX.number(total.p10)}--{LATEX.number(total.p90)}"
    return [LATEX.text(name_of(footprint)), *cells, span]


def _cell(quantity: Quantity | None) -> str:
    return "--" if quantity is None else LATEX.number(quantity.value)
