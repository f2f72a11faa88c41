"""Numbers of a text and the units after them, as people write both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from joulecast import units
from joulecast.answers.check import Reading

_MASSES = {
    "t": 1000.0, "tonne": 1000.0, "tonnes": 1000.0, "ton": 1000.0, "tons": 1000.0,
    "metric ton": 1000.0, "metric tons": 1000.0, "kt": 1e6,
    "kg": 1.0, "kgs": 1.0, "kilogram": 1.0, "kilograms": 1.0,
    "g": 1e-3, "gram": 1e-3, "grams": 1e-3, "mg": 1e-6,
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), 0.45359237),
}  # fmt: skip

_ENERGIES = {
    "Wh": 1e-3, "kWh": 1.0, "KWh": 1.0, "kwh": 1.0, "MWh": 1e3, "GWh": 1e6, "TWh": 1e9,
    **{
        f"{size}watt{link}{hour}": factor
        for size, factor in (("kilo", 1.0), ("mega", 1e3), ("giga", 1e6))
        for link in ("-", " ", "")
        for hour in ("hour", "hours")
    },
}  # fmt: skip

_POWERS = {"W": 1.0, "watt": 1.0, "watts": 1.0, "Watt": 1.0, "Watts": 1.0, "kW": 1e3, "MW": 1e6}

TIMES = {
    name: units.factor(unit) / units.hour
    for unit, names in {
        "s": ("s", "sec", "second", "seconds"),
        "min": ("min", "minute", "minutes"),
        "h": ("h", "hr", "hrs", "hour", "hours"),
        "d": ("d", "day", "days"),
        "week": ("week", "weeks"),
        "month": ("month", "months"),
    }.items()
    for name in names
}

#: Times that hours of devices are told in.
_LONG = {name: size for name, size in TIMES.items() if size >= 1}

_PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "Z": 1e21}

_COUNTS = {
    "k": 1e3, "K": 1e3, "thousand": 1e3, "m": 1e6, "M": 1e6, "million": 1e6, "b": 1e9, "B": 1e9,
    "bn": 1e9, "billion": 1e9, "T": 1e12, "trillion": 1e12,
}  # fmt: skip

_TABLES = {
    "count": _COUNTS,
    "mass": _MASSES,
    "energy": _ENERGIES,
    "watt": _POWERS,
    "time": TIMES,
    "si": _PREFIXES,
}


def _any(names: Mapping[str, float]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


_NUMBER = (
    r"(?<![\w.,/\-])(?P<digits>(?:\d{1,3}(?:[,\u00a0\u202f]\d{3})+|\d+)(?:\.\d+)?)"
    r"(?P<power>[eE][+-]?\d+|\s?(?:x|\*)\s?10\s?\^?\s?\{?[+-]?\d+\}?)?"
)

_GAS = (
    r"\s?(?:of\s)?(?:CO2(?:[\s-]?eq?(?:uivalents?)?)?\b\.?|carbon(?: dioxide)?(?: equivalents?)?)"
)

_WORDS = rf"\s?(?P<count>{_any(_COUNTS)})?"

_EACH = r"(?:(?:/|per)\s?(?:GPU|TPU|device|chip|accelerator)\s?)?"

#: What may follow a number -> the quantity it then is; the first that fits counts.
_UNITS: tuple[tuple[str, str], ...] = (
    (
        "intensity",
        rf"\s?(?P<mass>{_any(_MASSES)})(?:{_GAS})?\s?(?:/|per)\s?(?P<per>{_any(_ENERGIES)})\b",
    ),
    ("emissions", rf"{_WORDS}\s?(?P<mass>{_any(_MASSES)}){_GAS}"),
    (
        "device_hours",
        rf"{_WORDS}\s?(?:[A-Z][\w-]*\s)?(?:GPU|TPU|gpu|device|chip|accelerator|core|[AHVBL]\d+)[\s-]?(?P<time>{_any(_LONG)})\b",
    ),
    ("energy", rf"\s?(?P<energy>{_any(_ENERGIES)})\b(?!\s?/)"),
    ("throughput", rf"\s?(?P<si>[GTPE])(?:FLOPS|FLOPs?\s?{_EACH}(?:/\s?s(?:ec)?\b|per second))"),
    ("flop", rf"{_WORDS}\s?(?P<si>[kMGTPEZ])?FLOPs?\b(?!\s?/)"),
    ("power", rf"\s?(?P<watt>{_any(_POWERS)})\b"),
    ("tokens", rf"{_WORDS}\s?(?:training\s)?tokens\b"),
    ("active_params", rf"{_WORDS}\s?(?:active|activated)\s(?:parameters|params)\b"),
    ("params", rf"{_WORDS}\s?(?:total\s)?(?:parameters|params|weights)\b"),
    ("hours", rf"\s?(?P<time>{_any(TIMES)})\b(?!\s+of\s+(?!comput|train|wall|[GT]PU))"),
    ("mass", rf"\s?(?P<mass>{_any(_MASSES)})\b"),
    ("mfu", r"\s?(?P<percent>%)\s?(?:MFU|model FLOPs? utili[sz]ation)\b"),
    ("percent", r"\s?(?P<percent>%)"),
    (
        "devices",
        r"(?:\s?[x*]\s?|\s)(?:(?:[A-Z]|\d+\w)[\w/-]*\s){0,4}?(?:GPUs?|TPUs?|accelerators|devices|chips)\b",
    ),
    ("bare", rf"{_WORDS}(?![\w%])"),
)

_FIGURE = re.compile(_NUMBER)

_FOLLOWED = tuple((name, re.compile(pattern)) for name, pattern in _UNITS)

#: No rounding is taken to hide more than this.
_MOST_SLACK = 0.02


def figures(text: str, label: str, at: int | list[int]) -> Iterator[Reading]:
    """Every number of a text with what follows it; `at` is its line, or that of each character."""
    for match in _FIGURE.finditer(text):
        digits, power = match["digits"], match["power"] or ""
        value = float(re.sub(r"[,\u00a0\u202f]", "", digits)) * 10.0 ** _exponent(power)
        for name, pattern in _FOLLOWED:
            after = pattern.match(text, match.end())
            if after is None:
                continue
            groups = after.groupdict()
            shown = text[match.start() : after.end()].strip(" .")
            number = at if isinstance(at, int) else at[match.start()]
            size = _size(groups)
            unit = "watt" if name == "power" else ""
            if name == "intensity":
                size = 1000 * _MASSES[groups["mass"]] / _ENERGIES[groups["per"]]
            elif name == "throughput":
                size = _PREFIXES[groups["si"]] / 1e12
            context = around(text, match.start())
            yield Reading(name, value * size, shown, number, _slack(digits), label, unit, context)
            break


def around(text: str, at: int) -> str:
    """The part of a sentence in which a figure stands, between semicolons."""
    start = text.rfind(";", 0, at) + 1
    end = text.find(";", at)
    return text[start : len(text) if end < 0 else end]


def _size(groups: Mapping[str, str | None]) -> float:
    """What a number is multiplied by for what follows it."""
    size = 1.0
    for key, table in _TABLES.items():
        word = groups.get(key)
        size *= table[word] if word else 1.0
    return size / 100 if groups.get("percent") else size


def _exponent(power: str) -> int:
    found = re.search(r"[+-]?\d+\}?$", power)
    return int(found[0].rstrip("}")) if found else 0


def _slack(digits: str) -> float:
    """Half a unit of the last digit that is not a trailing zero, as a share of the number."""
    plain = re.sub(r"\D", "", digits).lstrip("0").rstrip("0" if "." not in digits else "")
    return min(_MOST_SLACK, 0.5 / int(plain)) if plain else 0.0
