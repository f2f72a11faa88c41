"""A shape is written once: the fields of a noun are its Python type, its JSON and its JSON Schema.

The JSON holds the fields in their order, or what `shows` says; tools/build_schemas.py reads the
types of the same fields and properties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict, TypeVar, cast

T = TypeVar("T")

#: What becomes of a number on its way into JSON.
Rounding = Callable[[float], float]


def ten(value: float) -> float:
    """Ten significant figures: enough for any use, the same on every machine."""
    return float(f"{value:.10g}")


def five(value: float) -> float:
    """Five significant figures, as people key in."""
    return float(f"{value:.5g}")


class Key(NamedTuple):
    """A key of the JSON: the attribute it shows; `exact` to the last digit, `optional` if empty."""

    name: str
    attribute: str
    exact: bool = False
    optional: bool = False


class Shape(NamedTuple):
    """Keys of a noun's JSON in their order, and how its numbers are rounded."""

    keys: tuple[Key, ...]
    rounded: Rounding = ten


_SHAPES: dict[type, Shape] = {}


def shows(
    *keys: str,
    exact: Sequence[str] = (),
    optional: Sequence[str] = (),
    rounded: Rounding = ten,
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
    """
    split = [(key.partition("=")[0], key.rpartition("=")[2]) for key in keys]
    shape = Shape(
        tuple(Key(name, where, name in exact, name in optional) for name, where in split), rounded
    )

    def declare(kind: type[T]) -> type[T]:
        _SHAPES[kind] = shape
        return kind

    return declare


def shape_of(kind: type) -> Shape | None:
    """What the JSON shows of a class: as declared, or all its fields; None for what is no noun."""
    if kind not in _SHAPES:
        names: Sequence[str] | None = getattr(kind, "_fields", None)
        if names is None and hasattr(kind, "__dataclass_fields__"):
            from dataclasses import fields

            names = [one.name for one in fields(kind)]
        if names is None:
            return None
        _SHAPES[kind] = Shape(tuple(Key(name, name) for name in names))
    return _SHAPES[kind]


def as_dict(noun: object, rounded: Rounding = ten) -> dict[str, Any]:
    """A noun as the JSON shows it."""
    shape = shape_of(type(noun))
    assert shape is not None, f"{type(noun).__name__} is no noun"
    if rounded is ten:
        rounded = shape.rounded
    made: dict[str, Any] = {}
    for name, attribute, exact, optional in shape.keys:
        value = getattr(noun, attribute)
        if value or not optional:
            made[name] = _plain(value, float if exact else rounded)
    return made


def _plain(value: Any, rounded: Rounding) -> Any:
    """A value in words that JSON has."""
    kind = type(value)
    if kind is float:
        return rounded(value)
    if kind is str or value is None or kind is int or kind is bool:
        return value
    if kind is tuple or kind is list:
        return [_plain(one, rounded) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one, rounded) for key, one in value.items()}
    if shape_of(kind) is not None:
        return as_dict(value, rounded)
    return rounded(value) if isinstance(value, float) else value


def table(name: str, meaning: str, keys: Mapping[str, Any]) -> Any:
    """A kind of mapping whose keys come from a table of terms: key -> what it holds."""
    made = cast("Any", TypedDict)(name, dict(keys))
    made.__doc__ = meaning
    return made
