"""Reads numbers as people write them: ``7B``, ``1,287,000``, ``700 W``, ``0.35..0.43..0.50``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from joulecast import units
from joulecast.errors import InputError, UnitError, brief
from joulecast.terms import Term

#: What may follow a count.
MULTIPLIERS: dict[str, float] = {
    **dict.fromkeys(("k", "K", "thousand"), 1e3),
    **dict.fromkeys(("m", "M", "million", "mio"), 1e6),
    **dict.fromkeys(("b", "B", "G", "bn", "billion"), 1e9),
    **dict.fromkeys(("t", "T", "tn", "trillion"), 1e12),
    **dict.fromkeys(("q", "Q", "P", "quadrillion"), 1e15),
}

#: Nothing positive that anybody means is smaller.
TINY = 1e-15

_NUMBER = re.compile(
    r"([+-]?(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)?(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL
)
_COUNT_WORDS = ("token", "tokens", "param", "params", "parameters", "FLOP", "FLOPs", "flop", "")
_DIMENSION_NAMES = {
    "second": "time",
    "joule": "energy",
    "kilogram": "mass",
    "litre": "volume",
    "byte": "data",
}


def number(field: str, raw: object, examples: Sequence[str] = ()) -> float:
    """Read a count without a unit; `examples` are what an error offers in place of sizes.

    >>> number("--tokens", "1.5T")
    1500000000000.0
    """
    try:
        return _number(field, raw)
    except InputError as error:
        if not examples:
            raise
        raise InputError(field, raw, error.why, examples) from None


def _number(field: str, raw: object) -> float:
    value, rest = _split(field, raw)
    word, _, tail = rest.partition(" ")
    if word in MULTIPLIERS and tail.strip() in _COUNT_WORDS:
        return value * MULTIPLIERS[word]
    if rest in _COUNT_WORDS:
        return value
    why = f"has {rest!r} after the number, expected a plain count"
    raise InputError(field, raw, why, ["7B", "1.5T", "3e12"])


def quantity(field: str, raw: object, unit: str) -> float:
    """Read a number with an optional unit and return it in `unit`.

    >>> quantity("device_hours", "12600 s", "h")
    3.5
    """
    if unit == "":
        return _share_or_count(field, raw)
    value, rest = _split(field, raw)
    word, _, tail = rest.partition(" ")
    if word in MULTIPLIERS and _is_multiplier(word, unit):
        value, rest = value * MULTIPLIERS[word], tail.strip()
    if rest == "":
        return value
    try:
        have, want = units.read_unit(rest), units.read_unit(unit)
    except UnitError as unknown:
        why = f"{unknown.value!r} is not a unit known here"
        raise UnitError(field, raw, why, unknown.choices) from None
    if have.dimension != want.dimension:
        why = f"is in {_describe(have)}, expected {_describe(want)}"
        raise UnitError(field, raw, why, [f"a number in {unit}"])
    # Divide the factors first: exact for powers of ten and for hours from seconds.
    return value * have.factor / want.factor


def _is_multiplier(word: str, unit: str) -> bool:
    """Whether B, M, T or t beside a number of `unit` counts, rather than being a unit itself."""
    if word not in units.SYMBOLS:
        return True
    return units.read_unit(word).dimension != units.read_unit(unit).dimension and word != "t"


def sequence_length(field: str, raw: object) -> int | str:
    """Read a length in tokens, or two for an encoder-decoder: ``8192``, ``8k``, ``512:128``.

    >>> sequence_length("--seq-len", "8k"), sequence_length("--seq-len", "512:128")
    (8192, '512:128')
    """
    if isinstance(raw, str) and ":" in raw:
        parts = [str(sequence_length(field, part)) for part in raw.split(":")]
        if len(parts) != 2:
            raise InputError(field, raw, "must be one length or ENCODER:DECODER", ["512:128"])
        return ":".join(parts)
    text = raw.strip() if isinstance(raw, str) else raw
    binary = re.fullmatch(r"(\d+)\s*[kK]", text) if isinstance(text, str) else None
    value = int(binary.group(1)) * 1024.0 if binary else number(field, raw)
    if value < 1 or value != int(value):
        raise InputError(field, raw, "must be a whole number of tokens", ["4096"])
    if value > LONGEST:
        raise InputError(field, raw, "is longer than any sequence; check its unit", ["4096"])
    return int(value)


#: Tokens in one sequence: two orders above the longest context anybody trained.
LONGEST = 1_000_000_000


def document_length(field: str, raw: object) -> int:
    """Read the length of a document in tokens: ``1024``, ``2k``.

    >>> document_length("--document-len", "2k")
    2048
    """
    length = sequence_length(field, raw)
    if isinstance(length, str):
        raise InputError(field, raw, "must be one length", ["1024"])
    return length


def depth_of_prediction(field: str, raw: object) -> int:
    """Read how many tokens beyond the next are predicted in training: 0 to 64.

    >>> depth_of_prediction("mtp_depth", "1")
    1
    """
    value = number(field, raw)
    if not 0 <= value <= DEEPEST or value != int(value):
        raise InputError(field, raw, f"must be a whole number from 0 to {DEEPEST}", ["1"])
    return int(value)


#: Depth of multi-token prediction: published models have 1 to 4.
DEEPEST = 64


def span(term: Term, raw: object) -> tuple[float | None, float | None, float | None]:
    """Read a value or a range of a term: (low, value, high) in its unit.

    An exact value has neither low nor high.  A range is ``LOW..HIGH``, ``LOW..MID..HIGH``, or two
    or three numbers in a list; the value of a range of two is None: its middle depends on the
    scale.
    """
    parts = _parts(term, raw)
    values = [_checked(term, quantity(term.name, part, term.unit), raw) for part in parts]
    if len(values) == 1:
        return None, values[0], None
    low, high = values[0], values[-1]
    middle = values[1] if len(values) == 3 else None
    ordered = [low, high] if middle is None else [low, middle, high]
    if ordered != sorted(ordered):
        swapped = "..".join(brief(value) for value in sorted(ordered))
        raise InputError(term.name, raw, "is a range out of order", [swapped])
    if low == high:
        return None, low, None
    _check_ends(term, low, high, raw)
    return low, middle, high


def rate(term: Term, raw: object) -> tuple[float | None, float | None, float | None]:
    """Read a rate or a range of rates, as `span`, per year: ``1T/year``, ``1M..5M per day``.

    >>> from joulecast.terms import USED
    >>> rate(USED["use_requests_per_year"], "2000/day")
    (None, 730500.0, None)
    """
    said = re.fullmatch(r"(.*?)\s*(?:tokens|requests)?\s*(?:/|\bper\b)\s*(\w+)", str(raw).strip())
    period = units.SYMBOLS.get(said.group(2), "") if said else ""
    if said is None or period not in PERIODS:
        why = "is a rate and needs a period"
        raise InputError(term.name, raw, why, [f"{str(raw).split('/')[0].strip()}/year", "1M/day"])
    per_year = units.factor("year") / units.factor(said.group(2))
    low, value, high = span(term._replace(unit=""), said.group(1))
    scaled = [None if x is None else x * per_year for x in (low, value, high)]
    return scaled[0], scaled[1], scaled[2]


#: What a rate may be per.
PERIODS = ("second", "minute", "hour", "day", "week", "month", "year")


def _parts(term: Term, raw: object) -> list[object]:
    if isinstance(raw, str):
        parts: list[object] = [part.strip() for part in raw.split("..")]
        shared = re.search(r"[A-Za-z%/].*$", str(parts[-1]))
        if shared and len(parts) > 1 and not re.match(r"[eE][+-]?\d", shared.group()):
            # "0.4..0.5 kg/kWh": the unit stands once, after the last number.
            parts = [
                p if re.search(r"[A-Za-z%]", str(p)) else f"{p} {shared.group()}" for p in parts
            ]
    elif isinstance(raw, Mapping):
        parts = [raw[key] for key in ("low", "value", "high") if key in raw]
    elif isinstance(raw, Sequence):
        parts = list(raw)
    else:
        parts = [raw]
    if not 1 <= len(parts) <= 3 or any(part == "" for part in parts):
        forms = ["VALUE", "LOW..HIGH", "LOW..MID..HIGH"]
        raise InputError(term.name, raw, "is not a value or a range", forms)
    return parts


def _checked(term: Term, value: float, raw: object) -> float:
    if 0 < value < TINY:
        raise InputError(term.name, raw, f"is too small to be meant: below {TINY:g}")
    if value < term.lower or (value == 0 and not term.zero) or value < 0:
        if term.lower > 0:
            limit = f"must be at least {brief(term.lower)}"
        else:
            limit = "must not be negative" if term.zero else "must be above 0"
        raise InputError(term.name, raw, limit, _limit_hints(term))
    if value > term.upper:
        raise InputError(term.name, raw, f"must be at most {brief(term.upper)}", _limit_hints(term))
    return value


def _check_ends(term: Term, low: float, high: float, raw: object) -> None:
    """A range may touch a limit only where its scale can reach it."""
    if term.scale == "log_excess" and low <= 1:
        raise InputError(term.name, raw, "a range must start above 1", [f"1.01..{brief(high)}"])
    if term.scale == "logit" and (low <= 0 or high >= 1):
        raise InputError(term.name, raw, "a range must lie inside 0..1", ["0.01..0.99"])
    if term.scale == "log" and low <= 0:
        hint = f"{brief(high / 100)}..{brief(high)}"
        raise InputError(term.name, raw, "a range must start above 0", [hint])


def _limit_hints(term: Term) -> list[str]:
    if term.name == "pue":
        return ["1.1", "1.25"]
    if term.upper == 1.0:
        return ["a share such as 0.35"]
    return []


def _share_or_count(field: str, raw: object) -> float:
    if isinstance(raw, str) and raw.strip().endswith("%"):
        return number(field, raw.strip()[:-1]) / 100
    return number(field, raw)


def _split(field: str, raw: object) -> tuple[float, str]:
    """Split "700 W" into its number and the rest."""
    if isinstance(raw, bool) or raw is None:
        raise InputError(field, raw, "is not a number")
    if hasattr(raw, "__len__") and not isinstance(raw, str):
        why = "is a list or an array: a plan holds one value, sweep takes many"
        raise InputError(field, None, why)
    if not isinstance(raw, str):
        try:
            value = float(raw)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise InputError(field, raw, "is not a number") from None
        return _finite(field, raw, value), ""
    text = raw.strip()
    if not text:
        raise InputError(field, raw, "is empty, expected a number")
    if re.fullmatch(r"[+-]?(nan|inf|infinity)", text, re.IGNORECASE):
        raise InputError(field, raw, "must be a finite number")
    if re.fullmatch(r"\d+\s*[xX×]\s*[\d.]+\s*[kKmMbBtT]?", text):
        way_on = "--params TOTAL --active-params ACTIVE --arch moe"
        raise InputError(field, raw, "is a mixture of experts, not a number", [way_on])
    match = _NUMBER.fullmatch(text)
    if match is None or not re.search(r"\d", re.split("[eE]", match.group(1))[0]):
        raise InputError(field, raw, "is not a number", ["7B", "1.5e12"])
    digits, rest = match.group(1), match.group(2).strip()
    if rest.startswith(","):
        raise InputError(field, raw, "has a comma as its decimal mark", [text.replace(",", ".")])
    value = float(digits.replace(",", "").replace("_", ""))
    return _finite(field, raw, value), rest


def _finite(field: str, raw: object, value: float) -> float:
    if not math.isfinite(value):
        raise InputError(field, raw, "must be a finite number")
    return value


def _describe(unit: units.Unit) -> str:
    """What a unit measures: energy, mass / energy, a plain number."""
    names = [_DIMENSION_NAMES[base] for base in units.BASES]
    if unit.dimension == (-1, 1, 0, 0, 0):
        return "power"
    top = [name for name, power in zip(names, unit.dimension, strict=True) if power > 0]
    bottom = [name for name, power in zip(names, unit.dimension, strict=True) if power < 0]
    if not top and not bottom:
        return "a plain number"
    return " / ".join(filter(None, [" x ".join(top) or "1", " x ".join(bottom)]))
