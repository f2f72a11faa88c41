"""Validates records by pydantic, from the types and rules of their own classes.

Those of a user's folder when they are used, all of our own when the package is built; nothing else
of the package's data needs pydantic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    create_model,
)

from joulecast.data.records import Record, Rule
from joulecast.errors import SpecsError, nearest

R = TypeVar("R", bound=Record)


def validated(kind: type[R], data: Any, where: str) -> R:
    """Read one record, or raise SpecsError naming the file and the field."""
    try:
        record: R = adapter(kind).validate_python(data)
    except ValidationError as broken:
        path, value, why, choices = _plainly(broken.errors(), kind.levels())
        path = path or kind.word or kind.__name__.lower()
        raise SpecsError(f"{where}: {path}", value, why, choices) from None
    return record


@cache
def adapter(kind: type[Record]) -> TypeAdapter[Any]:
    """What validates records of a kind, and knows their JSON Schema."""
    return TypeAdapter(_typed(kind))


def _typed(annotation: Any) -> Any:
    """Type of a field as pydantic reads it: its models of records, its validators for rules."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Record):
        cover, make = BeforeValidator(partial(_cover, annotation)), partial(_make, annotation)
        return Annotated[_model(annotation), cover, AfterValidator(make)]
    if origin is Annotated:
        return Annotated[_typed(parts[0]), *map(_validator, parts[1:])]
    if origin in (Union, UnionType):
        return reduce(or_, map(_typed, parts))
    if origin in (Mapping, tuple):
        return origin[tuple(map(_typed, parts))]
    return annotation


def _cover(kind: type[Record], data: Any) -> Any:
    return kind.covered(data) if isinstance(data, Mapping) else data


def _make(kind: type[Record], read: BaseModel) -> Record:
    record = kind(**{name: getattr(read, name) for name in read.model_fields_set})
    record.check()
    return record


@cache
def _model(kind: type[Record]) -> type[BaseModel]:
    """Pydantic's model of the fields of a record; its defaults serve the JSON Schema alone."""
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    fields: dict[str, Any] = {}
    for name, annotation in kind.fields.items():
        default = ... if name in kind.required else getattr(kind, name)
        if isinstance(default, Record):
            default = _model(type(default))()
        fields[name] = (_typed(annotation), default)
    return create_model(kind.__name__, __config__=config, __doc__=kind.__doc__, **fields)


def _validator(rule: Rule) -> Any:
    if rule.check is None:
        return Field(**cast("Any", rule.limits))
    return AfterValidator(partial(_keep, rule.check))


def _keep(check: Callable[[Any], None], value: Any) -> Any:
    check(value)
    return value


#: How pydantic's kinds of complaint begin -> our words.
_WORDS = {
    "date": "is not a date such as 2025-01-31",
    "finite": "must be a finite number",
    "float": "is not a number",
    "model": "is not a number",  # where a figure is wanted
    "int": "is not a whole number",
    "bool": "must be true or false",
    "mapping": "must be a table",
    "tuple": "must be a list in square brackets",
    "string_pattern": "must be lower-case letters, digits and single hyphens",
    "string": "must be a name",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def _plainly(
    errors: Sequence[Any], fields: Sequence[Iterable[str]]
) -> tuple[str, object, str, list[str]]:
    """Path, value, reason and choices of the first of pydantic's complaints about a record.

    `fields` are the names a key may have at each level of the record.
    """
    error = min(errors, key=_rank)
    name, value, context = error["type"], error["input"], error.get("ctx", {})
    path = ".".join(str(part) for part in error["loc"])
    if name == "extra_forbidden":
        level = min(len(error["loc"]), len(fields)) - 1
        return path, None, "unknown key", nearest(str(error["loc"][-1]), fields[level])
    if name == "missing":
        return path, None, "missing", []
    if name == "value_error":
        return path, None, str(context["error"]), []
    if name == "literal_error":
        choices = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return path, value, "is not a known choice", nearest(str(value), choices) or choices
    for start, words in _WORDS.items():
        if name.startswith(start):
            return path, value, words.format(**context), []
    return path, value, error["msg"], []


def _rank(error: Any) -> tuple[int, int]:
    """A misspelt key explains the one that is missing, and both explain what follows from them."""
    if error["type"] == "extra_forbidden":
        return 0, 0
    return (1, len(error["loc"])) if error["type"] == "missing" else (2, 0)
