"""What is varied: a field or a quantity over a list, a range, all there is, or a file of values.

``lin:LOW:HIGH:N`` and ``log:LOW:HIGH:N`` are N values evenly spaced or in equal ratios, both ends
included; ``all`` is every device, region, model and the like; ``@FILE`` holds one value to a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from joulecast.answers.sweep import Axis
from joulecast.arrays import Array
from joulecast.data.library import Library
from joulecast.data.prices import PRICES, without_currency
from joulecast.data.reading import number, quantity, sequence_length, span
from joulecast.errors import InputError, UnknownNameError, brief, nearest
from joulecast.plan import CHOICES, FIELDS_OF_QUANTITIES, Plan
from joulecast.terms import INPUTS, OUTPUTS

#: Rows a sweep may have unless more are asked for.
MAX_ROWS = 10_000_000

#: Fields of a plan that hold a number and are no quantity of the chain.
NUMBERS = ("unique_tokens", "epochs", "samples", "runs")

#: Counts that are whole.
WHOLE = ("device_count", "runs")

#: Whole numbers whose every value is settled by itself.
SETTLED = ("seq_len", "year", "mtp_depth", "document_len")

#: Fields that are yes or no, and how people say it.
SWITCHES = tuple(name for name, field in Plan.fields.items() if field.default is False)
SAID = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

#: Parts of a plan that are more than one value.
STRUCTURES = ("given", "phases", "fleet", "use")

FIELD_NAMES = {field: name for name, field in FIELDS_OF_QUANTITIES.items()}


class _Range(NamedTuple):
    """Numbers in equal steps or ratios."""

    low: float
    high: float
    size: int
    in_ratios: bool

    def values(self) -> Array:
        space = np.geomspace if self.in_ratios else np.linspace
        made: Array = space(self.low, self.high, self.size)
        return made


def read(
    vary: Mapping[str, object], library: Library, check: Callable[[int], None]
) -> tuple[tuple[Axis, ...], frozenset[str]]:
    """Read what is varied: the axes, and the names of those that asked for ``all``.

    `check` is asked whether so many combinations are allowed, before any number of a range is made.
    Raises JoulecastError on a name that cannot be varied and on a range that is empty.
    """
    if not isinstance(vary, Mapping) or not vary:
        raise InputError("--vary", None, "names nothing to vary", ["--vary params=1B,7B,70B"])
    said: dict[str, tuple[object, list[object] | Array | _Range]] = {}
    for name, raw in vary.items():
        key = _name(name)
        if key in said:
            raise InputError("--vary", name, "is varied twice")
        said[key] = raw, _said(key, raw, library)
    rows = 1
    for _, values in said.values():
        rows *= values.size if isinstance(values, _Range) else len(values)
    check(rows)
    axes = tuple(_axis(name, values) for name, (_, values) in said.items())
    return axes, frozenset(name for name, (raw, _) in said.items() if _is_all(raw))


def _is_all(raw: object) -> bool:
    return isinstance(raw, str) and raw.strip().casefold() == "all"


def at_most(max_rows: int, columns: int) -> Callable[[int], None]:
    """A check that a table of so many columns has no more rows than are allowed."""

    def check(rows: int) -> None:
        if rows <= max_rows:
            return
        size = max(1.0, rows * columns * 8 / 1e6)
        made = f"makes {_rows(rows)} of {columns} columns, about {size:,.0f} MB"
        why = f"{made}, more than the {_rows(max_rows)} allowed"
        raise InputError("--vary", None, why, ["fewer values", f"--max-rows {rows}"])

    return check


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def combinations(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """Every combination of the values, the last axis running fastest."""
    values = [axis.values.tolist() for axis in axes]
    names = [axis.name for axis in axes]
    return [dict(zip(names, row, strict=True)) for row in product(*values)]


def _name(name: str) -> str:
    """The one name of what is varied; quantities go before the fields that hold them."""
    key = str(name).strip().replace("-", "_")
    key = FIELD_NAMES.get(key, key)
    if key in STRUCTURES or (key not in INPUTS and key not in Plan.fields):
        known = [*(field for field in Plan.fields if field not in STRUCTURES), *INPUTS]
        why = "is an outcome and cannot be varied" if key in OUTPUTS else "is not part of a plan"
        if key in STRUCTURES:
            why, known = "is no single value, so it cannot be varied", []
        raise UnknownNameError("--vary", name, why, nearest(key, known))
    return key


def _said(name: str, raw: object, library: Library) -> list[object] | Array | _Range:
    """The values, or the range they are to be made from."""
    if name in PRICES and without_currency(re.sub(r"^(lin|log|all|@.*)", "", str(raw)))[0]:
        why = "has a currency in it, which is said once for all values"
        raise InputError("--vary", f"{name}={raw}", why, ["--currency EUR"])
    if not isinstance(raw, str):
        if isinstance(raw, Mapping | bytes) or not isinstance(raw, Iterable):
            raise InputError("--vary", f"{name}={raw}", "is not a list of values", [f"[{raw}]"])
        if not isinstance(raw, np.ndarray):
            listed = list(raw)
        elif raw.size and raw.dtype.kind in "fiu" and _is_number(name):
            return raw.ravel().astype(np.float64)
        else:
            listed = raw.ravel().tolist()
        if not listed:
            raise InputError("--vary", name, "has no values")
        return listed
    text = raw.strip()
    if _is_all(text):
        return _all(name, library)
    if text.startswith("@"):
        return _from_file(name, Path(text[1:]))
    kind, colon, rest = text.partition(":")
    if colon and kind.casefold() in ("lin", "log"):
        return _range(name, kind.casefold(), rest, text)
    if text.count(":") == 2 and _is_number(name):
        why = "does not say whether in equal steps or in equal ratios"
        both = [f"{name}=lin:{text}", f"{name}=log:{text}"]
        raise InputError("--vary", f"{name}={text}", why, both)
    values: list[object] = [part.strip() for part in text.split(",")]
    if not text or any(part == "" for part in values):
        raise InputError("--vary", f"{name}={raw}", "has an empty value", [f"{name}=A,B,C"])
    return values


def _all(name: str, library: Library) -> list[object]:
    known: dict[str, list[object]] = {
        "device": [*library.device_ids],
        "model": [*library.model_ids],
        "region": [*library.place_ids()],
        "provider": [*library.provider_ids],
        "year": [*range(library.earliest_year, library.latest_year + 1)],
        **{field: [False, True] for field in SWITCHES},
        **{field: [*words] for field, words in CHOICES.items()},
    }
    if name not in known:
        way = f"{name}=lin:LOW:HIGH:N"
        raise InputError("--vary", f"{name}=all", "has no list of values", [way])
    return known[name]


def _from_file(name: str, path: Path) -> list[object]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError("--vary", f"{name}=@{path}", "is not a text file") from None
    except OSError as problem:
        why = f"cannot be read: {problem.strerror}"
        raise InputError("--vary", f"{name}=@{path}", why) from None
    said = map(str.strip, lines)
    values: list[object] = [line for line in said if line and not line.startswith("#")]
    if not values:
        raise InputError("--vary", f"{name}=@{path}", "has no values: one to a line is expected")
    return values


def _range(name: str, kind: str, rest: str, text: str) -> _Range:
    shown = f"{name}={text}"
    parts = rest.split(":")
    if len(parts) != 3 or not all(part.strip() for part in parts):
        raise InputError("--vary", shown, "is not a range", [f"{name}={kind}:LOW:HIGH:N"])
    if not _is_number(name):
        raise InputError("--vary", shown, f"{name} is not a number", [f"{name}=A,B,C"])
    low, high = (_read_number(name, part.strip()) for part in parts[:2])
    count = _how_many(shown, parts[2].strip())
    if low > high:
        swapped = f"{name}={kind}:{parts[1].strip()}:{parts[0].strip()}:{parts[2].strip()}"
        raise InputError("--vary", shown, "is an empty range: its ends are swapped", [swapped])
    if low == high and count > 1:
        why = f"has a step of zero: {brief(count)} times the same value"
        raise InputError("--vary", shown, why, [f"{name}={parts[0].strip()}"])
    if kind == "log" and low <= 0:
        why = "has no logarithm at its start: equal ratios need values above 0"
        raise InputError("--vary", shown, why, [f"{name}=lin:{rest}"])
    return _Range(low, high, int(count), kind == "log")


def _how_many(shown: str, said: str) -> float:
    try:
        count = number("--vary", said)
    except InputError:
        count = 0.5  # no count either
    if count != int(count) or count < 1:
        why = f"asks for {said} values: must be a whole number, at least 1"
        raise InputError("--vary", shown, why)
    return count


def _is_number(name: str) -> bool:
    return name in INPUTS or name in NUMBERS or name in SETTLED


def _read_number(name: str, raw: object) -> float:
    """One exact number in the unit of its quantity."""
    return quantity(name, raw, INPUTS[name].unit) if name in INPUTS else number(name, raw)


def _axis(name: str, said: list[object] | Array | _Range) -> Axis:
    if isinstance(said, _Range | np.ndarray):
        numbers = said.values() if isinstance(said, _Range) else said
        _check_limits(name, numbers)
    elif not _is_number(name):
        values = [_word(name, value) for value in said]
        return Axis(name, np.array(values, dtype=object), False)
    else:
        read_ = [_value(name, value) for value in said]
        if any(isinstance(value, str) for value in read_):  # a range, or two sequence lengths
            return Axis(name, np.array(read_, dtype=object), False)
        numbers = np.array(read_, dtype=np.float64)
    if name in (*WHOLE, *SETTLED):
        near = np.rint(numbers)
        off = np.abs(near - numbers) > 1e-9 * np.abs(numbers)
        if off.any():
            at = float(numbers[off][0])
            whole = brief(max(1.0, round(at)))
            raise InputError(name, brief(at), "must be a whole number", [whole])
        numbers = near
    if name in SETTLED:
        return Axis(name, np.array([int(value) for value in numbers], dtype=object), False)
    return Axis(name, numbers, True)


def _value(name: str, raw: object) -> float | str:
    """A number; text where it is a range or two lengths."""
    if name == "seq_len":
        length = sequence_length(name, raw)
        return length if isinstance(length, str) else float(length)
    if name not in INPUTS:
        return number(name, raw)
    low, value, _ = span(INPUTS[name], raw)
    if low is not None:
        return raw if isinstance(raw, str) else "..".join(map(str, raw))  # type: ignore[call-overload]
    assert value is not None
    return value


def _check_limits(name: str, numbers: Array) -> None:
    """The limits of a quantity hold for all numbers when they hold for the least and largest."""
    ends = [numbers.min(), numbers.max()]
    if not np.isfinite(ends).all():
        raise InputError(name, None, "must hold finite numbers")
    for end in ends:
        _value(name, float(end))


def _word(name: str, raw: object) -> object:
    if name in SWITCHES:
        text = str(raw).strip().casefold()
        if text not in SAID:
            raise InputError(name, raw, "must be true or false")
        return SAID[text]
    if not isinstance(raw, str) or not raw.strip():
        raise InputError(name, raw, "must be a name")
    return raw.strip()
