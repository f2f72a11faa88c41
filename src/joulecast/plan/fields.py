"""What a person says, field by field: a name, how it is read, its unit and what it means.

A class declares its fields once; flags, plan files and Python are read by them with the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, NoReturn, Self

from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest

#: Takes what was written and returns what it means; raises JoulecastError.
Reader = Callable[[Any], Any]


class Field(NamedTuple):
    """One field: its reader, unit and meaning; one without a default must be said."""

    read: Reader
    meaning: str
    unit: str
    default: Any
    required: bool


def said(
    read: Reader, meaning: str, unit: str = "", default: Any = None, required: bool = False
) -> Any:
    """Declare a field of a class that is Said, behind its name and type."""
    return Field(read, meaning, unit, default, required)


def switch(name: str) -> Reader:
    """Read true or false, in the words that configuration files have for them."""

    def read(raw: object) -> bool:
        word = raw.strip().casefold() if isinstance(raw, str) else raw
        for value, words in ((True, YES), (False, NO)):
            if isinstance(word, str | int | float) and word in words:
                return value
        raise InputError(name, raw, "must be true or false")

    return read


def perhaps(name: str) -> Reader:
    """Read true, false, or nothing said."""
    read = switch(name)
    return lambda raw: None if raw is None else read(raw)


YES = (True, "true", "yes", "on", "y", "t", "1")
NO = (False, "false", "no", "off", "n", "f", "0")


class _Signature:
    """The arguments of a class, made when somebody looks: nobody else waits for `inspect`."""

    def __get__(self, instance: object, owner: type[Said]) -> Any:
        from inspect import Parameter, Signature

        return Signature(
            [
                Parameter(
                    name,
                    Parameter.KEYWORD_ONLY,
                    default=Parameter.empty if field.required else field.default,
                )
                for name, field in owner.fields.items()
            ]
        )


class Said:
    """Base of what people say: no unknown names, no change once it is read, kind errors.

    `section` is where it stands in a plan file, where it is a part of a plan.
    """

    section: ClassVar[str] = ""
    fields: ClassVar[Mapping[str, Field]] = {}
    __signature__ = _Signature()

    def __init_subclass__(cls) -> None:
        own = {name: field for name, field in vars(cls).items() if isinstance(field, Field)}
        for name in own:
            delattr(cls, name)
        cls.fields = own
        cls.__doc__ = f"{(cls.__doc__ or '').rstrip()}\n\n{_table(cls)}"

    def __init__(self, **values: Any) -> None:
        found = vars(self)
        for name, field in self.fields.items():
            if field.required and values.get(name) is None:
                raise InputError(self._named(name), None, "is missing")
            found[name] = field.read(values[name]) if name in values else field.default
        for name in values:
            if name not in self.fields:
                raise self._unknown(name)

    @classmethod
    def _named(cls, name: str) -> str:
        """A field as a message calls it."""
        return f"{cls.section.strip('[]')}.{name}" if cls.section else name

    @classmethod
    def _unknown(cls, name: str) -> JoulecastError:
        """What to say of a name that is no field."""
        near = nearest(name, cls.fields)
        return UnknownNameError(cls._named(name), None, f"is not a key of {cls.section}", near)

    def replace(self, **changes: Any) -> Self:
        """The same with other values, each read as when it is said first.

        Raises JoulecastError for a name that is no field or a value that cannot be used.
        """
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        for name, raw in changes.items():
            if name not in self.fields:
                raise self._unknown(name)
            vars(other)[name] = self.fields[name].read(raw)
        return other

    def said(self) -> dict[str, Any]:
        """What was said and nothing else, parts of it likewise."""
        return {
            name: plain(value)
            for name, value in vars(self).items()
            if value != self.fields[name].default
        }

    def __setattr__(self, name: str, value: object) -> NoReturn:
        kind = type(self).__name__
        raise AttributeError(f"a {kind} is frozen; replace({name}=...) makes another")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        shown = (
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if value != self.fields[name].default
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def plain(value: Any) -> Any:
    """A value in words that files have: parts as tables."""
    if isinstance(value, Said):
        return value.said()
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def _table(kind: type[Said]) -> str:
    """Fields as numpydoc lists them: name, type, unit, one line each."""
    lines = ["    Parameters", "    ----------"]
    for name, field in kind.fields.items():
        unit = f" [{field.unit}]" if field.unit else ""
        lines += [f"    {name} : {kind.__annotations__[name]}", f"        {field.meaning}{unit}"]
    return "\n".join(lines)
