"""Figures, drawn with matplotlib where it is installed: extra ``[plot]``.

Colours are those of Okabe and Ito (2008, "Color Universal Design") and cividis (Nunez et al. 2018,
doi:10.1371/journal.pone.0199239), which people with any kind of colour vision tell apart.  Sizes
are those of a figure across two columns of a page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from joulecast.answers.sweep import Axis, Sweep
from joulecast.arrays import Array
from joulecast.errors import InputError, brief
from joulecast.report.files import whole_file
from joulecast.report.sweep import column_unit
from joulecast.report.words import axis_label, heading, two

#: Black last: seven lines are as many as anybody follows.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
BLUE, ORANGE, GREEN, _, YELLOW, SKY, BLACK = COLOURS

#: Colour of each part of a total.
SHADES = {"devices": BLUE, "hosts": SKY, "network": GREEN, "cooling": YELLOW, "embodied": ORANGE}

#: Width of two columns of a page [inch].
WIDTH = 7.0

STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "savefig.bbox": "tight",
    "svg.hashsalt": "joulecast",
    "svg.fonttype": "none",
}

ENDINGS = (".svg", ".png", ".pdf")

#: Values of an axis that each get a label.
FEW = 8

#: Rungs of a ladder that can still be read.
RUNGS = 60


@contextmanager
def figure(
    path: Path, force: bool, height: float = 3.8, width: float = WIDTH, size: float = 9
) -> Iterator[Any]:
    """A figure with one pair of axes, saved to `path` at the end: the same data, the same bytes.

    Height and width in inches, `size` of the letters in points.  Raises InputError for an ending
    that is not drawn, and without matplotlib.
    """
    if path.suffix.lower() not in ENDINGS:
        raise InputError("plot", path, "has no ending that can be drawn", list(ENDINGS))
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        why, way = "needs matplotlib", "pip install 'joulecast[plot]'"
        raise InputError("plot", path.suffix, why, [way]) from None
    letters: Any = {"font.size": size, "axes.titlesize": size + 1}
    if width != WIDTH:
        letters["savefig.bbox"] = None  # a column of a page is as wide as it is
    with mpl.rc_context({**STYLE, **letters}), whole_file(path, force) as unfinished:
        canvas = Figure(figsize=(width, height), layout="constrained")
        yield canvas.add_subplot()
        undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {}}
        canvas.savefig(unfinished, dpi=200, metadata=undated[path.suffix.lower()])


def save_sweep(table: Sweep, path: Path, result: str | None, force: bool) -> None:
    """Draw a sweep as its axes ask: a heat map, lines with their 80 % range, or a ladder."""
    chosen = table.results[0] if result is None else result
    if chosen not in table.results:
        raise InputError("plot", chosen, "is not in this sweep", table.results)
    wide = [k for k, axis in enumerate(table.axes) if axis.values.size > 1]
    numbers = [k for k in wide if _is_line(table.axes[k])]
    words = [k for k in wide if k not in numbers]
    if not np.isfinite(table.grid(f"{chosen}_value")).any():
        raise InputError("plot", chosen, "is not known in any row")
    if len(numbers) == 2 and not words:
        with figure(path, force) as axes:
            _heat_map(axes, table, chosen, numbers)
    elif len(numbers) == 1 and len(words) <= 1:
        lines = table.axes[words[0]].values.size if words else 1
        if lines > len(COLOURS):
            why = f"{lines} lines cannot be told apart: at most {len(COLOURS)}"
            raise InputError("plot", table.axes[words[0]].name, why, ["fewer values"])
        with figure(path, force) as axes:
            _lines(axes, table, chosen, numbers[0], words)
    elif len(words) == 1 and not numbers:
        rungs = table.axes[words[0]].values.size
        if rungs > RUNGS:
            why = f"{rungs} rungs cannot be read: at most {RUNGS}"
            raise InputError("plot", table.axes[words[0]].name, why, ["fewer values"])
        with figure(path, force, 1.1 + 0.22 * rungs) as axes:
            _ladder(axes, table, chosen, words[0])
    else:
        named = ", ".join(table.axes[k].name for k in wide) or "nothing"
        drawn = f"one number (with up to {len(COLOURS)} lines), two numbers or one list of names"
        why = f"varies {named}: {drawn} can be drawn"
        raise InputError("plot", None, why, ["--output FILE.csv"])


def _is_line(axis: Axis) -> bool:
    """Numbers that a line can be drawn along: years too."""
    return axis.numeric or all(type(value) is int for value in axis.values.tolist())


def _column(table: Sweep, result: str, level: str, order: Sequence[int]) -> Array:
    """A column over the axes named, in their order; the others have one value."""
    size, _ = column_unit(table, result)
    grid: Array = table.grid(f"{result}_{level}")
    rest = [k for k in range(grid.ndim) if k not in order]
    return np.transpose(grid, (*order, *rest)).reshape([grid.shape[k] for k in order]) * size


def _title(table: Sweep, result: str, drawn: str = "") -> str:
    """The result and its unit, and what the ranges are drawn as, if they are."""
    ranges = f"; {drawn} are 80 % prediction ranges" if drawn and table.ranges else ""
    return heading(result, column_unit(table, result)[1]) + ranges


def _name(axis: Axis) -> str:
    return axis.name.replace("_", " ")


def _scale(axes: Any, which: str, axis: Axis) -> None:
    """Name, spacing and tick labels of an axis of numbers; a few values are each labelled."""
    from matplotlib.ticker import NullLocator

    x = axis.values.astype(np.float64)
    line = axes.xaxis if which == "x" else axes.yaxis
    getattr(axes, f"set_{which}label")(_name(axis))
    if not axis.numeric:
        line.get_major_locator().set_params(integer=True)
        return
    if axis.logarithmic and x.max() / x.min() >= 8:
        getattr(axes, f"set_{which}scale")("log")
        line.set_minor_formatter("")
    line.set_major_formatter(lambda value, _: axis_label(value) if value >= 1e6 else brief(value))
    if x.size <= FEW:
        line.set_minor_locator(NullLocator())
        line.set_ticks(np.unique(x))


def _value_scale(axes: Any, which: str, values: Array) -> None:
    """Start the axis of a result at nothing, or space it by ratios where values differ widely."""
    line = axes.xaxis if which == "x" else axes.yaxis
    if values.min() > 0 and values.max() / values.min() >= 30:
        getattr(axes, f"set_{which}scale")("log")
        line.set_minor_formatter("")
        if values.max() / values.min() < 1000:
            line.get_major_locator().set_params(subs=(1.0, 2.0, 5.0))
    else:
        getattr(axes, f"set_{which}lim")(0)
    line.set_major_formatter(value_tick)


def value_tick(value: float, _: object = None) -> str:
    """Label of a tick: the value itself, never one rounded to something else.

    >>> value_tick(1250.0), value_tick(5.0), value_tick(2e6)
    ('1,250', '5', '2 million')
    """
    rounded = float(f"{value:.1e}")
    if not value or abs(value - rounded) > 1e-9 * abs(value):
        return f"{value:,.10g}"
    return two(value).replace(".0", "")


def _lines(axes: Any, table: Sweep, result: str, k: int, words: Sequence[int]) -> None:
    axis = table.axes[k]
    x = axis.values.astype(np.float64)
    rising = np.argsort(x)
    order = [*words, k]
    levels = {
        level: _column(table, result, level, order).reshape(-1, x.size) for level in table.levels
    }
    names = [axis_label(value) for value in table.axes[words[0]].values.tolist()] if words else [""]
    for i, name in enumerate(names):
        colour = COLOURS[i]
        axes.plot(x[rising], levels["value"][i][rising], color=colour, linewidth=1.6, label=name)
        if table.ranges:
            low, high = levels["p10"][i][rising], levels["p90"][i][rising]
            axes.fill_between(x[rising], low, high, color=colour, alpha=0.15, linewidth=0)
    values = levels["value"][np.isfinite(levels["value"])]
    _scale(axes, "x", axis)
    _value_scale(axes, "y", values)
    axes.margins(x=0)
    axes.grid(axis="y", linewidth=0.4, alpha=0.5)
    axes.set_title(_title(table, result, "bands"))
    if words:
        drawn, said = axes.get_legend_handles_labels()
        downward = np.argsort(-levels["value"][:, rising[-1]])  # as the lines end
        title = _name(table.axes[words[0]])
        axes.legend([drawn[i] for i in downward], [said[i] for i in downward], title=title)


def _heat_map(axes: Any, table: Sweep, result: str, order: Sequence[int]) -> None:
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.patheffects import withStroke

    across, up = (table.axes[k] for k in order)
    values = _column(table, result, "value", order).T
    known = values[np.isfinite(values) & (values > 0)]
    spread = known.size and known.max() / known.min() >= 8
    ends = (known.min(), known.max()) if known.size else (0, 1)
    norm = (LogNorm if spread else Normalize)(*ends)
    x, y = np.argsort(across.values), np.argsort(up.values)
    grid = values[np.ix_(y, x)]
    edges = [_edges(axis, rising) for axis, rising in ((across, x), (up, y))]
    shown = axes.pcolormesh(*edges, grid, norm=norm, cmap="cividis", rasterized=True, linewidth=0)
    _scale(axes, "x", across)
    _scale(axes, "y", up)
    axes.figure.colorbar(shown, ax=axes, pad=0.02, format=value_tick)
    if min(x.size, y.size) >= 5 and spread:
        mid = [axis.values.astype(np.float64)[r] for axis, r in ((across, x), (up, y))]
        lines = axes.contour(
            *mid, grid, norm=norm, colors="white", linewidths=0.8,
            levels=_decades(known),
        )  # fmt: skip
        outline = withStroke(linewidth=1.5, foreground="#00000080")
        for label in axes.clabel(lines, fmt=two, fontsize=8):
            label.set_path_effects([outline])
    axes.set_title(_title(table, result))


def _decades(known: Array) -> Array:
    """Levels of contours: powers of ten inside the values, or 1, 2, 5 times them where few are."""
    low, high = np.floor(np.log10(known.min())), np.ceil(np.log10(known.max()))
    tens = 10.0 ** np.arange(low, high + 1)
    inside = tens[(tens > known.min()) & (tens < known.max())]
    if inside.size >= 3:
        return np.asarray(inside)
    fine = np.sort(np.concatenate([tens, 2 * tens, 5 * tens]))
    return np.asarray(fine[(fine > known.min()) & (fine < known.max())])


def _edges(axis: Axis, rising: Any) -> Array:
    """Edges of cells around the values of an axis, midway on its scale."""
    x = axis.values.astype(np.float64)[rising]
    scale = axis.logarithmic and x[-1] / x[0] >= 8
    at = np.log(x) if scale else x
    inner = (at[1:] + at[:-1]) / 2
    edges = np.concatenate([[2 * at[0] - inner[0]], inner, [2 * at[-1] - inner[-1]]])
    return np.exp(edges) if scale else edges


def _ladder(axes: Any, table: Sweep, result: str, k: int) -> None:
    values = _column(table, result, "value", [k])
    rising = np.argsort(values)[::-1]
    names = [axis_label(value) for value in table.axes[k].values.tolist()]
    y = np.arange(values.size)
    shown = [values]
    if table.ranges:
        low, high = (_column(table, result, level, [k]) for level in ("p10", "p90"))
        axes.hlines(y, low[rising], high[rising], color=COLOURS[0], alpha=0.35, linewidth=5)
        shown += [low, high]
    axes.plot(values[rising], y, "o", color=COLOURS[0], markersize=4.5)
    ends = np.concatenate(shown)
    ends = ends[np.isfinite(ends)]
    _value_scale(axes, "x", ends)
    axes.set_yticks(y, [names[i] for i in rising])
    axes.set_ylim(-0.7, values.size - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", linewidth=0.4, alpha=0.5)
    axes.set_title(_title(table, result, "bars"))
