"""Pictures of an answer for a column of a paper: waterfall, ranges, tornado, ladder.

Drawn with matplotlib where it is installed (extra ``[plot]``); one column of a two-column page is
3.3 inches wide.  The colours are told apart by people with any kind of colour vision, and none
means anything that its label does not say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log10
from pathlib import Path
from textwrap import shorten
from typing import Any

from joulecast.answers.base import Answer
from joulecast.answers.comparison import Comparison, Option
from joulecast.answers.footprint import Footprint
from joulecast.answers.sweep import Sweep
from joulecast.by_hand import mass_unit
from joulecast.data.library import Library
from joulecast.errors import InputError, nearest
from joulecast.plan import Plan
from joulecast.report import plotting
from joulecast.report.forecast import parts_of
from joulecast.report.plotting import BLACK, BLUE, SHADES, SKY, figure, value_tick
from joulecast.report.words import LEAST_SHARE, heading, plain, readable, short, two
from joulecast.whatif.comparing import compare

#: Width of one column of a page [inch], and the letters in it [point].
WIDTH = 3.3
LETTERS = 7.5

#: Height of what is above and below the rows, and of a row [inch].
FRAME, ROW = 0.75, 0.24

#: Height of a row whose label has two lines, and three [inch].
TALL, TALLER = 0.31, 0.42

#: Most rows of a tornado.
BARS = 8

#: Countries of a ladder where nobody names others: clean grids to dirty ones, on each continent.
LADDER = ("se", "fr", "br", "ca", "gb", "us", "de", "jp", "cn", "in", "pl", "za")

#: Results whose ranges are drawn.
RANGED = ("training_flop", "device_hours", "energy_kwh", "water_l", "total_kgco2e")


def plot(
    answer: Answer, path: str | Path, picture: str | None = None, *, force: bool = False
) -> None:
    """Draw an answer to a file: SVG, PNG or PDF, the same bytes for the same answer.

    Parameters
    ----------
    answer
        A footprint, a comparison of several, or a sweep.
    path
        Where to; its ending says what is written.
    picture
        Of a footprint ``waterfall`` (where nothing is said), ``ranges`` or ``tornado``; of a
        comparison ``ladder``; of a sweep the result to draw.
    force
        Write over a file that is there.

    Raises
    ------
    JoulecastError
        For a picture that there is not, an answer without what it shows, and without matplotlib.
    """
    if isinstance(answer, Sweep):
        plotting.save_sweep(answer, Path(path), picture, force)
        return
    kinds = PICTURES.get(type(answer), {})
    if not kinds:
        pictured = ["a footprint", "a comparison", "a sweep"]
        raise InputError("plot", type(answer).__name__, "has no picture", pictured)
    picture = picture or next(iter(kinds))
    if picture not in kinds:
        choices = nearest(picture, kinds) or list(kinds)
        raise InputError("--picture", picture, "is not a picture of this answer", choices)
    kinds[picture](answer, Path(path), force)


def places_of(plan: Plan, library: Library | None = None) -> Comparison:
    """The plan in its own place and in those of LADDER."""
    own = [] if plan.region is None else [plan.region]
    others = [place for place in LADDER if place not in own]
    return compare(plan, vary={"region": [*own, *others]}, library=library)


def _canvas(path: Path, force: bool, rows: int, row: float = ROW) -> Any:
    return figure(path, force, FRAME + row * rows, WIDTH, LETTERS)


def _rows(axes: Any, labels: Sequence[str]) -> None:
    """Rows from top to bottom, without frame and ticks."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(axis="x", linewidth=0.4, alpha=0.5)


def _under(axes: Any, text: str) -> None:
    """What the axis shows, ending where it ends: long words run on under the names of the rows."""
    axes.set_xlabel(text, loc="right")


def _waterfall(footprint: Footprint, path: Path, force: bool) -> None:
    """Parts one behind the other, and the total with its range."""
    total = footprint.total
    shown = parts_of(footprint)
    if total is None or not shown:
        raise InputError("--picture", "waterfall", "no parts are known", ["ranges"])
    unit, _ = mass_unit(total.value)
    whole = total.to(unit)
    with _canvas(path, force, len(shown) + 1) as axes:
        from matplotlib.ticker import MaxNLocator

        start = 0.0
        for row, (key, part) in enumerate(shown.items()):
            value = part.to(unit).value
            axes.barh(row, value, left=start, height=0.62, color=SHADES[key])
            share = f"{value / whole.value:.0%}"
            _beside(axes, start, start + value, row, f"{two(value)}  ({share})", whole.p90)
            axes.plot([start + value] * 2, [row + 0.31, row + 0.69], color="0.5", linewidth=0.6)
            start += value
        last = len(shown)
        axes.barh(last, whole.value, height=0.62, color="0.75")
        if whole.p10 < whole.p90:
            axes.plot([whole.p10, whole.p90], [last, last], color=BLACK, linewidth=1)
            for end in (whole.p10, whole.p90):
                axes.plot([end, end], [last - 0.15, last + 0.15], color=BLACK, linewidth=1)
        _rows(axes, [*shown, f"total {two(whole.value)}"])
        axes.set_xlim(0, max(whole.p90, whole.value) * 1.06)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(value_tick)
        _under(axes, f"{unit}CO$_2$e; line: 80 % prediction range")


def _beside(axes: Any, start: float, end: float, row: float, text: str, widest: float) -> None:
    """A label behind a bar, before it or, where neither has room, in it."""
    gap, room = 0.015 * widest, 0.38 * widest
    said = {"va": "center", "fontsize": LETTERS - 1}
    if end < widest - room:
        axes.text(end + gap, row, text, ha="left", **said)
    elif start > room:
        axes.text(start - gap, row, text, ha="right", **said)
    else:
        axes.text(start + gap, row, text, ha="left", bbox=_PLATE, **said)


#: White behind letters that stand on a bar.
_PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}


def _ranges(footprint: Footprint, path: Path, force: bool) -> None:
    """Range of each result over its nominal value, on one axis of ratios."""
    known = {name: footprint.quantities[name] for name in RANGED}
    shown = {name: q for name, q in known.items() if q is not None and q.value > 0}
    if not shown:
        raise InputError("--picture", "ranges", "no result is known", ["--tokens"])
    with _canvas(path, force, len(shown), TALL) as axes:
        labels, ends = [], [0.5, 2.0]
        for row, (name, quantity) in enumerate(shown.items()):
            best, unit = readable(quantity)
            labels.append(f"{heading(name, '').replace('flop', 'FLOP')}\n{two(best.value)} {unit}")
            low, high = quantity.p10 / quantity.value, quantity.p90 / quantity.value
            outer = [quantity.p5 / quantity.value, quantity.p95 / quantity.value]
            axes.plot(outer, [row, row], color=BLUE, linewidth=1)
            _band(axes, row, low, high, 1, linewidth=6, alpha=0.45)
            ends += outer
        _rows(axes, labels)
        _ratios(axes, ends)
        _under(axes, "times the nominal value; bar: 80 %, line: 90 %")


def _band(axes: Any, row: int, low: float, high: float, value: float, **look: float) -> None:
    """An 80 % range as a band, the nominal value on it as a dot."""
    axes.plot([low, high], [row, row], color=BLUE, solid_capstyle="butt", **look)
    axes.plot(value, row, "o", color=BLUE, markersize=3.5)


def _ratios(axes: Any, ends: Sequence[float]) -> None:
    """An axis of ratios, spaced evenly in them and labelled at simple ones."""
    from matplotlib.ticker import NullLocator

    low, high = min(ends) / 1.05, max(ends) * 1.05
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    simple = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 1, 1.4, 2, 5, 10, 20, 50, 100)
    wide = high / low > 8
    ticks = [t for t in simple if low <= t <= high and not (wide and t in (0.7, 1.4))]
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.axvline(1, color="0.4", linewidth=0.6)


def _tornado(footprint: Footprint, path: Path, force: bool) -> None:
    """What each input does to the headline at its own P10 and P90."""
    bars = [bar for bar in footprint.tornado() if bar.share >= LEAST_SHARE][:BARS]
    headline = footprint.headline
    if not bars or headline is None:
        raise InputError("--picture", "tornado", "no input has a range", ["waterfall"])
    best, unit = readable(headline)
    tall = TALLER if len(footprint.fleet) > 1 else TALL
    with _canvas(path, force, len(bars), tall) as axes:
        labels, ends = [], [0.7, 1.4]
        for row, bar in enumerate(bars):
            for end, colour in ((bar.at_p10, SKY), (bar.at_p90, BLUE)):
                axes.barh(row, end - 1, left=1, height=0.62, color=colour)
            ends += [bar.at_p10, bar.at_p90]
            name, whose = footprint.whose(bar.name)
            span = f"{plain(bar.p10, 2)} to {plain(bar.p90, 2)} {short(bar.unit)}".rstrip()
            parts = (_worded(name), shorten(whose, 24, placeholder=" ..."), span)
            labels.append("\n".join(filter(None, parts)))
        _rows(axes, labels)
        _ratios(axes, ends)
        _under(axes, f"times the nominal {two(best.value)} {unit}")
        _key(axes, (("input at its P10", SKY), ("at its P90", BLUE)))


def _worded(name: str) -> str:
    word = name
    for ending in ("_gco2e_per_kwh", "_kgco2e", "_kwh", "_w"):
        word = word.removesuffix(ending)
    return (
        word.replace("_", " ").replace("pue", "PUE").replace("flop ", "FLOP ").replace("mfu", "MFU")
    )


def _key(axes: Any, entries: Sequence[tuple[str, str]]) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(color=colour, label=label) for label, colour in entries]
    axes.legend(
        handles=patches, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.1,
        handlelength=1, columnspacing=1,
    )  # fmt: skip


def _ladder(comparison: Comparison, path: Path, force: bool) -> None:
    """Options from most to least, with their ranges."""
    options = comparison.options
    if len(options) > plotting.RUNGS:
        why = f"{len(options)} rungs cannot be read: at most {plotting.RUNGS}"
        raise InputError("--picture", "ladder", why, ["fewer values"])
    known = [
        (_named(option), quantity)
        for option in options
        if (quantity := option.footprint.quantities[comparison.on]) is not None
    ]
    known.sort(key=lambda pair: -pair[1].value)
    unit = readable(known[0][1])[1]
    with _canvas(path, force, len(known)) as axes:
        ends: list[float] = []
        for row, (_label, quantity) in enumerate(known):
            shown = quantity.to(unit) if unit else quantity
            _band(axes, row, shown.p10, shown.p90, shown.value, linewidth=5, alpha=0.4)
            ends += [shown.p10, shown.p90, shown.value]
        _rows(axes, [label for label, _ in known])
        _amounts(axes, ends)
        _under(axes, f"{heading(comparison.on, unit)}; bar: 80 % prediction range")


def _named(option: Option) -> str:
    """A place by its name where places alone are compared; else what sets the option apart."""
    place = option.footprint.plan.get("region_name")
    return str(place) if place and set(option.differs) == {"region"} else option.label


def _amounts(axes: Any, ends: Sequence[float]) -> None:
    """An axis from nothing, or of ratios where values differ widely."""
    from matplotlib.ticker import FixedLocator, NullLocator

    least, most = min(ends), max(ends)
    if least > 0 and most / least >= 30:
        axes.set_xscale("log")
        axes.set_xlim(least / 1.2, most * 1.2)
        tens = range(int(log10(least)) - 2, int(log10(most)) + 2)
        simple = [m * 10.0**e for e in tens for m in ((1, 3) if most / least < 1e3 else (1,))]
        axes.xaxis.set_major_locator(FixedLocator(simple))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.set_xlim(0, most * 1.05)
    axes.xaxis.set_major_formatter(value_tick)


#: Kind of answer -> its pictures, the first where none is named.
PICTURES: dict[type, dict[str, Callable[..., None]]] = {
    Footprint: {"waterfall": _waterfall, "ranges": _ranges, "tornado": _tornado},
    Comparison: {"ladder": _ladder},
}
