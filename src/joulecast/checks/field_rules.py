"""Rules for what the Hub reads of a card's front matter, and for emissions told away by offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import log

from joulecast.answers.check import Finding
from joulecast.checks.causes import first_near, mass
from joulecast.checks.findings import two_digits
from joulecast.checks.known import Known
from joulecast.checks.products import LEAST_DIFFERENCE
from joulecast.errors import brief


def as_number(raw: str) -> float | None:
    """A scalar that YAML 1.1 reads as a number, or quoted digits; 1e9 is text to it."""
    if re.fullmatch(r"'\d+(\.\d+)?'|\"\d+(\.\d+)?\"", raw):
        return float(raw[1:-1])
    number = r"\d[\d_]*(\.[\d_]*([eE][+-]\d+)?)?"
    return float(raw.replace("_", "")) if re.fullmatch(number, raw) else None


def emissions_as_text(known: Known) -> Iterator[Finding]:
    """A field that is no number: the Hub's client takes its first plain one."""
    raw, line = known.card.field.get("emissions", ("", 0))
    if not raw or as_number(raw) is not None:
        return
    bare = raw.strip("'\"")
    read = re.search(r"\d+(?:\.\d+)?", bare)
    meant = _meant_grams(bare)
    write = "" if meant is None else f": write {meant:.0f}"
    yield Finding(
        "field_text",
        line,
        f"the field emissions is {raw}",
        "the Hub reads " + (f"{brief(float(read[0]))} g" if read else "no number"),
        f"it takes the first plain number, in grams{write}",
    )


def _meant_grams(text: str) -> float | None:
    """The grams a text means, where that is plain."""
    found = re.fullmatch(r"([\d,]+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(g|kg|t|tonnes)?\b.*", text)
    if not found:
        return None
    size = {"kg": 1e3, "t": 1e6, "tonnes": 1e6}.get(found[2] or "", 1.0)
    return float(found[1].replace(",", "")) * size


def place_as_bool(known: Known) -> Iterator[Finding]:
    """Norway unquoted."""
    place, line = known.card.field.get("geographical_location", ("", 0))
    if place.lower() in ("no", "off", "false", "n"):
        said = f"geographical_location is {place}"
        yield Finding("field_text", line, said, "YAML reads false", f'quote it: "{place}"')


def _grams(known: Known) -> tuple[float, int] | None:
    """The field emissions, where it is a number, and its line."""
    raw, line = known.card.field.get("emissions", ("", 0))
    grams = as_number(raw)
    return None if grams is None else (grams, line)


def amount(known: Known) -> Iterator[Finding]:
    """The field, which is in grams, against the emissions of the card."""
    field, other = _grams(known), known.total()
    if field is None or field[0] == 0 or other is None:
        return
    grams, line = field
    ratio = other.value * 1000 / grams
    digits = re.sub(r"\D", "", f"{grams:.10g}").strip("0")
    slack = other.slack + min(0.02, 0.5 / int(digits or 1))
    if abs(log(ratio)) <= slack + 5 * LEAST_DIFFERENCE:
        return
    looks_like = [
        (size, f"the field counts grams, this looks like {unit}: write {grams * size:.0f}")
        for size, unit in ((1e3, "kilograms"), (1e6, "tonnes"))
    ]
    unit = first_near(ratio, looks_like, 0.35)
    yield Finding(
        "field_unit" if unit else "field_amount",
        line,
        f"the field emissions is {brief(grams)}, which is grams",
        f"{other.shown} is {mass(other.value)}",
        unit or f"the two differ by a factor of {two_digits(max(ratio, 1 / ratio))}",
    )


def offsets(known: Known) -> Iterator[Finding]:
    """Emissions of zero by offsets, with nothing said of what was emitted."""
    stated = [one for one in known.card.readings if one.name == "emissions" and one.value > 0]
    field = _grams(known)
    if stated or (field and field[0] > 0):
        return
    for word in known.card.words:
        if word.name == "offset":
            yield Finding(
                "offset",
                word.line,
                f"{word.label} {word.shown}",
                "offsets do not lower what was emitted",
                "state the location-based emissions, and offsets beside them",
            )
