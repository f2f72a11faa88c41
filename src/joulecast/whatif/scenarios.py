"""From a plan and what is varied to numbers: the ledgers of all rows as a few small arrays.

Settling a plan takes some 0.3 ms, so a million rows cannot each be settled.  They need not be:

- a place changes nothing but the figures of the place, so places are settled once each, and so are
  all words that choose hardware or model (`PLACE_FIELDS`);
- a number that is varied changes its own entry in the ledger, and that is known.  Where the two
  ends of its axis differ in anything else (the power share of a small model, the network of a large
  cluster), the ledger is settled along the axis by halves, until what lies between two entries
  follows from them to ten digits: a step is found in a few trials, a line in three.  What follows
  the size of the model is made for all sizes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from joulecast import scales, uncertainty
from joulecast.answers.sweep import Axis
from joulecast.arrays import Array
from joulecast.data.library import Library
from joulecast.errors import JoulecastError
from joulecast.notices import Notice
from joulecast.plan import Plan, varied
from joulecast.resolve import Ledger, hardware, resolve
from joulecast.terms import INPUTS, TERMS, Scale
from joulecast.whatif.rows import Levels, Part, Scenarios

#: Fields that choose the place, and nothing but the place.
PLACE_FIELDS = ("region", "provider", "year", "grid_basis", "national_average", "hydro_evaporation")

Entry = tuple[float, float, float]
Index = tuple[int, ...]

#: Digits to which entries between two settled ones must follow from them.
SAME = 1e-10


def settle(
    plan: Plan, axes: Sequence[Axis], optional: frozenset[str], library: Library
) -> Scenarios:
    """Settle what the rows of a sweep need.

    `optional` names axes whose values are left out, with a notice, where they cannot be used.
    Raises JoulecastError naming the row that cannot be.
    """
    kept, notices = usable(plan, axes, optional, library)
    ledgers = _Ledgers(plan, kept, library)
    places = {k for k, axis in enumerate(kept) if axis.name in PLACE_FIELDS}
    words = {k for k, axis in enumerate(kept) if not axis.numeric} - places
    while True:
        try:
            return _settled(ledgers, words, places, notices)
        except _EntangledError as found:
            # These axes change the same entry: settle every combination of them.
            words, places = words | found.axes, places - found.axes


class _EntangledError(Exception):
    """Axes that cannot be settled apart from others."""

    def __init__(self, axes: set[int]) -> None:
        super().__init__()
        self.axes = axes


def usable(
    plan: Plan, axes: Sequence[Axis], optional: frozenset[str], library: Library
) -> tuple[tuple[Axis, ...], list[Notice]]:
    """The axes without those of their values that were not asked for by name and cannot be used.

    `optional` names the axes that may lose values; the notices say which they lost.
    """
    notices: list[Notice] = []
    kept = list(axes)
    for k, axis in enumerate(axes):
        if axis.name not in optional:
            continue
        good, refused = [], []
        for value in axis.values:
            at = {other.name: other.values[0] for other in kept} | {axis.name: value}
            try:
                resolve(varied(plan, at), library)
            except JoulecastError as problem:
                refused.append((value, problem))
            else:
                good.append(value)
        if not good:
            raise refused[0][1]
        if refused:
            names = ", ".join(str(value) for value, _ in refused[:3])
            more = f" and {len(refused) - 3} more" if len(refused) > 3 else ""
            text = f"{axis.name}: {names}{more} cannot be used here: {refused[0][1].why}"
            notices.append(Notice("values_skipped", text))
        kept[k] = axis._replace(values=np.array(good, dtype=object))
    return tuple(kept), notices


class _Ledgers:
    """Ledgers of single rows, each settled once."""

    def __init__(self, plan: Plan, axes: tuple[Axis, ...], library: Library) -> None:
        self.plan, self.axes, self.library = plan, axes, library
        self.known: dict[Index, Ledger] = {}

    def at(self, index: Index) -> Ledger:
        """The ledger of one row; an error says which row it is."""
        if index not in self.known:
            row = {
                axis.name: axis.values[i].item() if axis.numeric else axis.values[i]
                for axis, i in zip(self.axes, index, strict=True)
            }
            try:
                self.known[index] = resolve(varied(self.plan, row), self.library, alike=True).only
            except JoulecastError as problem:
                raise of_row(row, problem) from None
        return self.known[index]


def of_row(row: Mapping[str, Any], problem: JoulecastError) -> JoulecastError:
    """The problem, saying which row of a sweep has it."""
    where = ", ".join(f"{name}={value}" for name, value in row.items())
    why = f"{problem.why} (in the row {where})"
    return type(problem)(problem.field, problem.value, why, problem.choices)


def _settled(
    ledgers: _Ledgers, words: set[int], places: set[int], notices: list[Notice]
) -> Scenarios:
    axes = ledgers.axes
    numeric = [k for k in range(len(axes)) if k not in words and k not in places]
    lines = {k: _Line(axes[k]) for k in numeric}
    base = [lines[k].lowest if k in lines else 0 for k in range(len(axes))]
    own = {k: axes[k].name for k in numeric if axes[k].name in INPUTS}
    own = {k: name for k, name in own.items() if name in ledgers.at(tuple(base)).data}

    def moved(index: Sequence[int], to: Mapping[int, int]) -> Index:
        return tuple(to.get(k, i) for k, i in enumerate(index))

    cells = _choices(axes, words)
    bases = [moved(base, cell) for cell in cells]
    followed = _followed_in_each(ledgers, bases, lines, own)
    spots = _choices(axes, places)
    # Cells of devices that bring a data centre of their own are settled at each place by
    # themselves; one such beside others overrules what was said of all.
    apart = [n for n in range(len(cells)) if places and ledgers.at(bases[n]).place_follows_device]
    alike = [n for n in range(len(cells)) if n not in apart]

    def placed_at(n: int, moving: set[str]) -> dict[str, Levels]:
        """What differs from place to place in a cell."""
        at_spots = [ledgers.at(moved(bases[n], spot)) for spot in spots]
        local = [_entries(ledger) for ledger in at_spots]
        placed = _differing(local)
        kinds = {_kind(found, ledger) for found, ledger in zip(local, at_spots, strict=True)}
        if len(kinds) > 1 or (placed & moving):
            raise _EntangledError(places)
        return {name: _over(axes, sorted(places), [one[name] for one in local]) for name in placed}

    def part(members: list[int], of_places: Mapping[str, Levels]) -> Part:
        whole = len(members) == len(cells)
        first, ledger = cells[members[0]], ledgers.at(bases[members[0]])
        levels = {
            name: of_places[name]
            if name in of_places
            else _of_cells(axes, sorted(words), whole, [followed[n] for n in members], name)
            for name in ledger.data
        }
        for k, name in own.items():
            levels[name] = _along_axis(axes, k)
        where = tuple(None if whole else first.get(k) for k in range(len(axes)))
        columns = {name: k for k, name in enumerate(uncertainty.COLUMNS)} | _shared(ledger)
        return Part(where, levels, own, columns, ledger.middle)

    parts = []
    if alike:
        moving = _differing([followed[n].entries for n in alike]).union(
            *(names for n in alike for names in followed[n].along.values())
        )
        of_places = placed_at(alike[0], moving)
        kinds = {
            _kind(one.entries, ledgers.at(at)) for one, at in zip(followed, bases, strict=True)
        }
        groups = [list(range(len(cells)))] if len(kinds) == 1 else [[n] for n in alike]
        parts = [part(members, of_places) for members in groups]
    for n in apart:
        parts.append(part([n], placed_at(n, set().union(*followed[n].along.values()))))
    bends = [{x for found in followed for x in found.breaks.get(k, ())} for k in range(len(axes))]
    breaks = tuple(tuple(sorted(found)) for found in bends)
    said = dict.fromkeys(n for ledger in ledgers.known.values() for n in ledger.notices)
    runs = 1.0 if any(axis.name == "runs" for axis in axes) else float(ledgers.plan.runs or 1)
    return Scenarios(axes, tuple(parts), breaks, (*notices, *said), runs)


def _choices(axes: Sequence[Axis], which: set[int]) -> list[dict[int, int]]:
    """Every choice of a position on each of some axes, the last axis running fastest."""
    positions = product(*(range(axes[k].values.size) for k in sorted(which)))
    return [dict(zip(sorted(which), at, strict=True)) for at in positions]


def _entries(ledger: Ledger) -> dict[str, Entry]:
    """Value, low and high of every quantity."""
    return {name: datum.levels for name, datum in ledger.data.items()}


def _kind(entries: Mapping[str, Entry], ledger: Ledger) -> Any:
    """What is alike in rows that are reckoned together: names, steps, columns of scores."""
    return frozenset(entries), tuple(ledger.middle.made_by), tuple(sorted(_shared(ledger).items()))


def _shared(ledger: Ledger) -> dict[str, int]:
    """Quantities that do not read the scores of their own name."""
    columns = uncertainty.columns_of(ledger.ordered().values())
    return {
        name: columns[datum.unknown]
        for name, datum in ledger.data.items()
        if not datum.exact and uncertainty.COLUMNS[columns[datum.unknown]] != name
    }


def _differing(found: Sequence[Mapping[str, Entry]]) -> set[str]:
    """Names of quantities that are not the same in all of these."""
    first = found[0]
    return {
        name
        for other in found[1:]
        for name in first.keys() | other.keys()
        if first.get(name) != other.get(name)
    }


class _Line:
    """The distinct values of an axis of numbers in rising order."""

    def __init__(self, axis: Axis) -> None:
        self.values, self.first, self.back = np.unique(
            axis.values, return_index=True, return_inverse=True
        )

    @property
    def lowest(self) -> int:
        """Position on the axis of the lowest value."""
        return int(self.first[0])

    @property
    def highest(self) -> int:
        """Position on the axis of the highest value."""
        return int(self.first[-1])


class _Cell(NamedTuple):
    """One choice of all words: its entries, and those that follow the numbers that are varied.

    `along` holds, by axis, the quantities that follow it, at each of its values [level, value].
    """

    entries: dict[str, Entry]
    along: dict[int, dict[str, Levels]]
    breaks: dict[int, set[float]]


def _followed_in_each(
    ledgers: _Ledgers, bases: Sequence[Index], lines: Mapping[int, _Line], own: Mapping[int, str]
) -> list[_Cell]:
    """Settle cells; those that differ in the place alone share what follows the numbers."""
    places = {k for k, axis in enumerate(ledgers.axes) if axis.name in PLACE_FIELDS}
    first: dict[Index, _Cell] = {}
    found = []
    for base in bases:
        elsewhere = tuple(-1 if k in places else i for k, i in enumerate(base))
        like = first.get(elsewhere)
        entries = _entries(ledgers.at(base))
        if like is not None and all(
            entries.get(name) == like.entries[name]
            for names in like.along.values()
            for name in names
        ):
            found.append(like._replace(entries=entries))
            continue
        found.append(_followed(ledgers, base, lines, own))
        first.setdefault(elsewhere, found[-1])
    return found


def _followed(
    ledgers: _Ledgers, base: Index, lines: Mapping[int, _Line], own: Mapping[int, str]
) -> _Cell:
    """Settle a cell: its base, and along each axis of numbers that other entries follow."""

    def at(to: Mapping[int, int]) -> dict[str, Entry]:
        found = _entries(ledgers.at(tuple(to.get(k, i) for k, i in enumerate(base))))
        if found.keys() != entries.keys():
            raise _EntangledError(set(lines))
        return {name: levels for name, levels in found.items() if name not in names}

    names = set(own.values())
    entries = _entries(ledgers.at(base))
    start = at({})
    end = at({k: line.highest for k, line in lines.items()})
    changed = _differing([start, end])
    if not changed:
        return _Cell(entries, {}, {})
    ends = {k: at({k: line.highest}) for k, line in lines.items()}
    follows = {k: _differing([start, one]) for k, one in ends.items()}
    claimed = [name for names in follows.values() for name in names]
    apart = len(set(claimed)) == len(claimed) and set(claimed) == changed
    if not apart or any(ends[k][n] != end[n] for k, ns in follows.items() for n in ns):
        several = {k for k, names in follows.items() if names} or set(lines)
        longest = max(several, key=lambda k: lines[k].values.size)
        raise _EntangledError(several - {longest} if len(several) > 1 else several)
    along: dict[int, dict[str, Levels]] = {}
    breaks: dict[int, set[float]] = {}
    for k, followers in follows.items():
        line = lines[k]

        def settled(i: int, k: int = k, line: _Line = line) -> dict[str, Entry]:
            return at({k: int(line.first[i])})

        sized = _resized(ledgers, base, k, line)
        for name in sorted(followers):  # one at a time: one may step where another bends
            if name in sized and np.allclose(sized[name][:, -1], ends[k][name], rtol=SAME, atol=0):
                found, bends = sized[name], {*hardware.bends(ledgers.library)}
            else:
                found, bends = _between(settled, name, line.values)
            along.setdefault(k, {})[name] = found[:, line.back.ravel()]
            breaks.setdefault(k, set()).update(bends)
    return _Cell(entries, along, breaks)


def _resized(ledgers: _Ledgers, base: Index, k: int, line: _Line) -> dict[str, Levels]:
    """What follows the size of the model along an axis that is that size; nothing along others."""
    first = ledgers.at(base)
    last = ledgers.at((*base[:k], line.highest, *base[k + 1 :]))
    for ledger, x in ((first, line.values[0]), (last, line.values[-1])):
        if ledger.size is None or ledger.size.active_params != x:
            return {}
    return hardware.resized(first, line.values)


def _between(
    settled: Callable[[int], Mapping[str, Entry]], name: str, x: Array
) -> tuple[Levels, set[float]]:
    """Entries [level, value] of a quantity along rising `x`, settling as few as will do.

    Returns them with the values of x where they stop following from their neighbours.
    """
    found, scale = np.empty((3, x.size)), TERMS[name].scale
    found[:, 0], found[:, -1] = settled(0)[name], settled(x.size - 1)[name]
    bends: set[float] = set()
    open_ = [(0, x.size - 1)]
    while open_:
        low, high = open_.pop()
        if low == high:
            continue
        if (found[:, low] == found[:, high]).all():
            found[:, low + 1 : high] = found[:, low, None]
            continue
        if high - low == 1:
            bends.add(float(x[high]))
            continue
        middle = (low + high) // 2
        found[:, middle] = settled(middle)[name]
        if _lines_through(found, x, low, middle, high, scale):
            continue
        # A bend between two positions parts them; neither half has it inside.
        found[:, middle + 1] = settled(middle + 1)[name]
        bends.add(float(x[middle + 1]))
        open_ += [(low, middle), (middle + 1, high)]
    return found, bends


def _lines_through(found: Levels, x: Array, low: int, middle: int, high: int, scale: Scale) -> bool:
    """Fill all levels between two positions, if each is a line there."""
    for levels in found:
        line = _line_through(levels, x, low, middle, high, scale)
        if line is None:
            return False
        levels[low + 1 : high] = line
    return True


def _line_through(
    y: Array, x: Array, low: int, middle: int, high: int, scale: Scale
) -> Array | None:
    """Values between two positions that the one in the middle confirms, on some scale."""
    ends, half = y[[low, high]], y[middle]
    if ends[0] == ends[1]:
        return np.full(high - low - 1, half) if ends[0] == half else None
    positive = bool((ends > 0).all() and half > 0)
    for logarithmic in (True, False) if x[low] > 0 else (False,):
        at = x[[low, middle, high]]
        at = np.log(at) if logarithmic else at
        share = (at[1] - at[0]) / (at[2] - at[0])
        for kind in dict.fromkeys(("linear", *(("log", scale) if positive else ()))):
            with np.errstate(all="ignore"):
                start, end = scales.scaled(kind, ends)
                if not abs(scales.unscaled(kind, start + share * (end - start)) - half) <= (
                    SAME * abs(half)
                ):
                    continue
            inner = x[low + 1 : high]
            steps = (np.log(inner) if logarithmic else inner) - at[0]
            return scales.unscaled(kind, start + steps / (at[2] - at[0]) * (end - start))
    return None


def _over(axes: Sequence[Axis], which: Sequence[int], entries: Sequence[Entry]) -> Levels:
    """Entries of all combinations on some axes as an array [level, axis, axis, ...]."""
    sides = [axes[k].values.size if k in which else 1 for k in range(len(axes))]
    return np.array(entries, dtype=np.float64).T.reshape(3, *sides)


def _along_axis(axes: Sequence[Axis], k: int) -> Levels:
    """The numbers of an axis as exact entries [level, axis, axis, ...]."""
    sides = [axis.values.size if j == k else 1 for j, axis in enumerate(axes)]
    return np.broadcast_to(axes[k].values.reshape(sides), (3, *sides))


def _of_cells(
    axes: Sequence[Axis], words: Sequence[int], whole: bool, cells: Sequence[_Cell], name: str
) -> Levels:
    """One quantity over the cells of a part and along the numbers it follows."""
    entries = [cell.entries[name] for cell in cells]
    along = {k for cell in cells for k, found in cell.along.items() if name in found}
    if not along:
        if all(entry == entries[0] for entry in entries):
            return _over(axes, [], entries[:1])
        return _over(axes, words, entries)
    if len(along) > 1:  # follows one axis in one cell and another in the next
        raise _EntangledError(along)
    k = along.pop()
    count = axes[k].values.size
    lines = [
        cell.along[k][name] if k in cell.along and name in cell.along[k]
        else np.broadcast_to(np.array(entry)[:, None], (3, count))
        for cell, entry in zip(cells, entries, strict=True)
    ]  # fmt: skip
    spread = np.stack(lines, axis=1)  # [level, cell, value]
    sides = [axes[j].values.size if whole and j in words else 1 for j in range(len(axes))]
    sides.append(count)
    return np.moveaxis(spread.reshape(3, *sides), -1, 1 + k).reshape(
        3, *(count if j == k else side for j, side in enumerate(sides[:-1]))
    )
