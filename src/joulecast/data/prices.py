"""Prices as people write them: ``2 EUR/h``, ``$2 per GPU-hour``, ``0.12..0.18 €/kWh``.

Nothing is converted: a currency is a name that stands beside the cost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from joulecast.data.reading import span
from joulecast.errors import InputError, UnitError
from joulecast.terms import INPUTS

#: Prices -> how one is written.
PRICES = {"price_per_device_hour": "2 EUR/h", "price_per_kwh": "0.12 EUR/kWh"}

#: Signs that stand for one currency alone; those of dollar and yen stand for several.
CODES = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW"}

#: A sign, with the country of a dollar before it, or a code of three letters.
_CURRENCY = re.compile(r"[A-Z]{0,2}[$€£¥₹₩]|(?<![A-Za-z])[A-Za-z]{3}(?![A-Za-z])")

#: What a price is per: behind a stroke or "per", up to the end of a value.
_PER = re.compile(r"(?:(?<=\d)\s+1(?=/))?\s*(?:/|\bper\b)\s*((?:(?!\.\.).)+)")


def without_currency(raw: object) -> tuple[list[str], object]:
    """The currencies named in a price, and the price without them.

    >>> without_currency("1.5..2 eur/h"), without_currency("$2 per GPU-h"), without_currency(2)
    ((['EUR'], '1.5 1/h..2 1/h'), (['$'], '2 1/GPU-h'), ([], 2))
    """
    if not isinstance(raw, str) or not re.search(r"\d", raw):
        return [], raw
    units_named = _PER.findall(raw)
    amounts = _PER.sub("", raw)
    found = [_named(word) for word in _CURRENCY.findall(amounts)]
    unit = f" 1/{units_named[-1].strip()}" if units_named else ""
    plain = [part.strip() + unit for part in _CURRENCY.sub("", amounts).split("..")]
    return list(dict.fromkeys(found)), "..".join(plain)


def _named(currency: str) -> str:
    """One name for a currency, whether it was written as a sign or as a code."""
    text = currency.strip()
    return CODES.get(text, text.upper() if len(text) == 3 else text)


def with_currency(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a plan, the currency written in its prices in a field of its own.

    Raises InputError where two are named, UnitError where a price is per something else.
    """
    given = values.get("given")
    if not isinstance(given, Mapping):
        return dict(values)
    plain: dict[str, Any] = {}
    said = _named(str(values["currency"])) if values.get("currency") else ""
    for name in PRICES:
        if not isinstance(given.get(name), str):
            continue
        found, plain[name] = without_currency(given[name])
        _check(name, given[name], plain[name])
        for currency in found:
            if said and currency != said:
                why = f"is in {currency}, and {said} was said too: nothing is converted"
                raise InputError(name, given[name], why, ["one currency for all prices"])
            said = currency
    if not plain:
        return dict(values)
    return {**values, "given": {**given, **plain}, "currency": said or None}


def _check(name: str, raw: str, plain: object) -> None:
    """Say of a price that cannot be read how one is written, not how its unit was taken."""
    try:
        span(INPUTS[name], plain)
    except UnitError:
        per = INPUTS[name].unit.removeprefix("1/")
        raise UnitError(name, raw, f"is no price per {per}", [PRICES[name]]) from None
    except InputError as problem:
        raise InputError(name, raw, problem.why, problem.choices) from None
