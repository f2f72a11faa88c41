"""What people expect of every answer, whatever was asked.

An answer is data.  Words, pages, pictures and frames of it are made by one room, which is opened
through one door when somebody asks for them: the only import of the package that points up.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypedDict, dataclass_transform

from joulecast._version import __version__
from joulecast.answers import shape

if TYPE_CHECKING:
    from types import ModuleType

    import pandas
    import polars


class Provenance(TypedDict):
    """Versions of the package and of its data."""

    joulecast: str
    data: str


def made_with(digest_of: str = "data_digest") -> tuple[Any, Callable[[Any], Provenance]]:
    """Key `provenance` of a noun: the package's version, and its data's, which is an attribute."""
    digest = attrgetter(digest_of)
    return Provenance, lambda noun: {"joulecast": __version__, "data": digest(noun)}


@dataclass_transform(frozen_default=True)
class Frozen:
    """A field for each annotation of the class, by place or name; no change once it is made.

    Not a dataclass: making one of a dozen fields costs a millisecond and more at every start.
    """

    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        hints = cls.__annotations__
        cls.fields = tuple(name for name, hint in hints.items() if "ClassVar" not in str(hint))

    def __init__(self, *values: Any, **named: Any) -> None:
        said = {**dict(zip(self.fields, values, strict=False)), **named}
        missing = [n for n in self.fields if n not in said and not hasattr(type(self), n)]
        if missing or said.keys() - {*self.fields} or len(said) < len(values) + len(named):
            wrong = ", ".join([*missing, *(said.keys() - {*self.fields})])
            raise TypeError(f"{type(self).__name__}: missing, unknown or said twice: {wrong}")
        for name in self.fields:
            vars(self)[name] = said[name] if name in said else getattr(type(self), name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} does not change: {name}; see replace")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.fields)
        return f"{type(self).__name__}({said})"

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.fields)

    def replace(self, **changes: Any) -> Self:
        """A copy with other values in some fields."""
        return type(self)(**{name: getattr(self, name) for name in self.fields} | changes)


class Answer:
    """What every answer can do."""

    __slots__ = ()

    schema_version: ClassVar[Literal[1]] = 1

    def explain(self, quiet: bool = False) -> str:
        """The answer in words and figures, as the command line prints it; `quiet`: its headline."""
        return str(door().text(self, quiet=quiet))

    def __str__(self) -> str:
        """What a person needs first, on one screen."""
        return str(door().screen(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {door().line(self)}>"

    def _repr_html_(self) -> str:
        """The answer in a cell of a notebook."""
        return str(door().html(self))

    def plot(self, path: str | Path, picture: str | None = None, force: bool = False) -> None:
        """Draw the answer to an .svg, .png or .pdf file.

        `picture` is one of those that `joulecast.plot` names; raises InputError where the answer
        has none, for a file that is there already (unless `force`), and without matplotlib.
        """
        door().plot(self, path, picture, force)

    def to_pandas(self) -> pandas.DataFrame:
        """The answer as a pandas DataFrame; raises InputError where pandas is not installed."""
        made: pandas.DataFrame = door().frame(self, "pandas")
        return made

    def to_polars(self) -> polars.DataFrame:
        """The answer as a polars DataFrame; raises InputError where polars is not installed."""
        made: polars.DataFrame = door().frame(self, "polars")
        return made

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the contract."""
        return shape.as_dict(self)

    def to_json(self) -> str:
        """The JSON text of the contract: the same input gives the same bytes."""
        return shape.as_text(self.to_dict())


class Noun(Answer, Frozen):
    """Base of the answers that hold fields."""


def door() -> ModuleType:
    """The room that shows answers."""
    from joulecast.report import door

    return door
