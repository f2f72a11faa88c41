"""One base error and a few kinds; each says what was wrong and offers the right word.

The text is always one line, ``field: value: why; try a, b, c``, the same from
Python and from the command line (which adds ``error: `` and exits with 2).
"""

from __future__ import annotations

from collections.abc import Iterable


class JoulecastError(ValueError):
    """Something in the input cannot be used.

    Attributes hold the parts of the message: `field`, `value` (as the user wrote
    it), `why`, and `choices` (the nearest valid ones, best first).
    """

    def __init__(self, field: str, value: object, why: str, choices: Iterable[object] = ()) -> None:
        self.field = field
        self.value = value
        self.why = why
        self.choices = tuple(str(choice) for choice in choices)
        super().__init__(field, value, why, self.choices)

    def __str__(self) -> str:
        shown = "" if self.value is None else f"{_shorten(self.value)}: "
        hint = f"; try {', '.join(self.choices)}" if self.choices else ""
        return f"{self.field}: {shown}{self.why}{hint}"


class InputError(JoulecastError):
    """A value that cannot be read, lies outside its limits or contradicts another."""


class UnknownNameError(JoulecastError):
    """A device, place, model or field that does not exist, or a name that could mean several."""


class UnitError(JoulecastError):
    """A unit that is not known, or that measures something else."""


class SpecsError(JoulecastError):
    """A record in hardware_specs (or in the user's own folder) that breaks its schema."""


class PlanFileError(JoulecastError):
    """A plan file that cannot be opened, parsed or understood."""


def brief(value: float) -> str:
    """A number as people would type it, for messages: 8e9, 1.4e11, 0.36.

    >>> brief(8e9), brief(1.4e11), brief(0.36), brief(2048.0)
    ('8e9', '1.4e11', '0.36', '2048')
    """
    mantissa, mark, exponent = f"{value:.5g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else mantissa


def nearest(word: str, choices: Iterable[str], count: int = 3) -> list[str]:
    """Return up to `count` of `choices` that look most like `word`, best first."""
    import difflib  # imported here: only people who made a typo need it

    folded: dict[str, str] = {}
    for choice in choices:
        folded.setdefault(choice.casefold(), choice)
    target = word.casefold()
    close = difflib.get_close_matches(target, folded, n=count, cutoff=0.5)
    starts = [name for name in folded if target and name.startswith(target)]
    ordered = dict.fromkeys([*close, *sorted(starts, key=len)])
    return [folded[name] for name in list(ordered)[:count]]


def _shorten(value: object, limit: int = 60) -> str:
    """One line of what the user wrote, cut where it would drown the message."""
    text = brief(value) if isinstance(value, float) else " ".join(str(value).split())
    text = "".join(char if char.isprintable() else "?" for char in text)
    return (text[: limit - 1] + "…" if len(text) > limit else text) or "(empty)"
