"""Rows or columns as a data frame, for those who have pandas or polars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from joulecast.errors import InputError

Row = dict[str, Any]


def to_pandas(table: Sequence[Row] | Mapping[str, Any]) -> Any:
    """A pandas DataFrame of rows, or of columns by name.

    Raises InputError where pandas is not installed.
    """
    return _package("pandas").DataFrame(table)


def to_polars(table: Sequence[Row] | Mapping[str, Any]) -> Any:
    """A polars DataFrame of rows, or of columns by name.

    Raises InputError where polars is not installed.
    """
    return _package("polars").DataFrame(table)


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise InputError(name, None, "is not installed", [f"pip install {name}"]) from None


def quantity_cells(prefix: str, quantity: Any) -> Row:
    """Columns ``<prefix>_value, _p10, _p50, _p90`` of a quantity; empty where it is unknown."""
    return {
        f"{prefix}_{level}": None if quantity is None else getattr(quantity, level)
        for level in ("value", "p10", "p50", "p90")
    }
