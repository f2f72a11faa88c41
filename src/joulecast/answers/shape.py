"""A shape is written once: the fields of a noun are its Python type, its JSON and its JSON Schema.

The JSON holds the fields in their order, or what `shows` says; tools/build_schemas.py reads the
types of the same fields and properties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import get_annotations
from json.encoder import encode_basestring
from math import isfinite
from operator import attrgetter
from typing import Any, TypedDict, TypeVar, cast

T = TypeVar("T")

#: What becomes of a number on its way into JSON.
Rounding = Callable[[float], float]


def ten(value: float) -> float:
    """Ten significant figures: enough for any use, the same on every machine."""
    return float(f"{value:.10g}")


def five(value: float) -> float:
    """Five significant figures, as people key in."""
    return float(f"{value:.5g}")


def exact(value: float) -> float:
    """All figures: what somebody wrote."""
    return value


#: What the JSON shows and the noun has no name for: its type, and how the noun makes it.
Computed = tuple[Any, Callable[[Any], Any]]


class Shape:
    """Keys of a noun's JSON in their order, each with an attribute or what computes it.

    Numbers under the keys `exact` are not rounded, the keys `optional` are left out where empty.
    `ready` is made when the first of its kind is shown: what gives all values at once, where the
    numbers stand, and where what is to be looked at.
    """

    ready: tuple[Callable[[Any], Iterable[Any]], list[int], list[tuple[int, bool]]] | None = None

    def __init__(
        self,
        keys: Mapping[str, str | Computed],
        exact: Sequence[str] = (),
        optional: Sequence[str] = (),
        rounded: Rounding = ten,
    ) -> None:
        self.keys, self.exact, self.optional, self.rounded = keys, exact, optional, rounded


_SHAPES: dict[type, Shape] = {}

#: Types of values that JSON has as they are, and how fields of them are written.
_ATOMS = frozenset({str, int, bool, type(None)})
_WRITTEN = frozenset({"str", "int", "bool", "str | None", "int | None"})


def shows(
    *keys: str,
    exact: Sequence[str] = (),
    optional: Sequence[str] = (),
    rounded: Rounding = ten,
    **computed: Computed,
) -> Callable[[type[T]], type[T]]:
    """Say what of a class its JSON shows.

    Parameters
    ----------
    keys
        Fields or properties in order; ``"pass=passed"`` shows `passed` under the key ``pass``.
    exact
        Keys whose numbers are not rounded: they are what somebody wrote.
    optional
        Keys left out where their value is None or empty.
    rounded
        How its other numbers are rounded.
    computed
        Key -> its type and how it is made of the noun, for what the noun has no name for.
    """
    how: dict[str, str | Computed] = {}
    for key in keys:
        name, _, attribute = key.partition("=")
        how[name] = computed.get(name, attribute or name)

    def declare(kind: type[T]) -> type[T]:
        _SHAPES[kind] = Shape(how, exact, optional, rounded)
        return kind

    return declare


def shape_of(kind: type) -> Shape | None:
    """What the JSON shows of a class: as declared, or all its fields; None for what is no noun."""
    if kind not in _SHAPES:
        names = getattr(kind, "_fields", None) or getattr(kind, "fields", None)
        if not names:
            return None
        _SHAPES[kind] = Shape({name: name for name in names})
    return _SHAPES[kind]


def as_dict(noun: object, rounded: Rounding | None = None) -> dict[str, Any]:
    """A noun as the JSON shows it; numbers rounded as its class says, or as `rounded` does."""
    kind = type(noun)
    shape = _SHAPES.get(kind) or shape_of(kind)
    if shape is None:
        raise TypeError(f"{kind.__name__} is no noun")
    values, numbers, others = shape.ready or _make_ready(shape, kind)
    rounded = rounded or shape.rounded
    made = [*values(noun)]
    for i in numbers:
        if made[i] is not None:
            made[i] = rounded(made[i])
    for i, is_exact in others:
        if made[i] is not None:
            made[i] = _plain(made[i], exact if is_exact else rounded)
    found = dict(zip(shape.keys, made, strict=True))
    for name in shape.optional:
        if not found[name]:
            del found[name]
    return found


def _make_ready(shape: Shape, kind: type) -> Any:
    hints: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        hints |= get_annotations(base)
    numbers: list[int] = []
    others: list[tuple[int, bool]] = []
    for i, (name, how) in enumerate(shape.keys.items()):
        hint = hints.get(how) if isinstance(how, str) else None
        written = getattr(hint, "__forward_arg__", hint)
        if written in ("float", "float | None") and name not in shape.exact:
            numbers.append(i)
        elif written not in _WRITTEN:
            others.append((i, name in shape.exact))
    named = [how for how in shape.keys.values() if isinstance(how, str)]
    makers = [attrgetter(how) if isinstance(how, str) else how[1] for how in shape.keys.values()]
    together = attrgetter(*named) if 1 < len(named) == len(makers) else None
    values = together or (lambda noun: [make(noun) for make in makers])
    shape.ready = values, numbers, others
    return shape.ready


def _plain(value: Any, rounded: Rounding) -> Any:
    """A value in words that JSON has."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if isinstance(value, float):
        return rounded(value)
    if kind is tuple or kind is list:
        return [_plain(one, rounded) for one in value]
    if kind is dict or (kind not in _SHAPES and isinstance(value, Mapping)):
        return {key: _plain(one, rounded) for key, one in value.items()}
    return as_dict(value, None if rounded is ten else rounded)


def as_text(value: Any, line: str = "\n") -> str:
    """A dictionary as ``json.dumps(value, indent=2, ensure_ascii=False)``, in half its time.

    Raises ValueError for a number that is not finite.
    """
    kind = type(value)
    if kind is float:
        if not isfinite(value):
            raise ValueError(f"{value} is no number that JSON has")
        return repr(value)
    if kind is str:
        return encode_basestring(value)
    if kind is dict or kind is list:
        inner = line + "  "
        if kind is list:
            parts, ends = [as_text(one, inner) for one in value], "[]"
        else:
            ends = "{}"
            parts = [f"{encode_basestring(k)}: {as_text(one, inner)}" for k, one in value.items()]
        return f"{ends[0]}{inner}{f',{inner}'.join(parts)}{line}{ends[1]}" if parts else ends
    return _WORDS[value] if value is None or kind is bool else repr(value)


#: What JSON calls them.
_WORDS = {None: "null", True: "true", False: "false"}


def table(name: str, meaning: str, keys: Mapping[str, Any]) -> Any:
    """A kind of mapping whose keys come from a table of terms: key -> what it holds."""
    made = cast("Any", TypedDict)(name, dict(keys))
    made.__doc__ = meaning
    return made
