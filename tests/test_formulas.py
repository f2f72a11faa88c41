"""Laws every public formula obeys, found by looking, not by listing."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulecast.arrays import Numbers
from joulecast.chain import chain

MODULES = ("compute", "performance", "energy", "carbon", "water")
FORMULAS: list[Callable[..., Numbers]] = [
    formula
    for name in MODULES
    for module in [importlib.import_module(f"joulecast.{name}")]
    for _, formula in inspect.getmembers(module, inspect.isfunction)
    if formula.__module__ == module.__name__
]
each_formula = pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.__qualname__)


@each_formula
def test_docstring_is_a_contract(formula: Callable[..., Numbers]) -> None:
    doc = inspect.getdoc(formula) or ""
    for part in (".. math::", "Parameters\n", "Returns\n", "References\n", ">>> "):
        assert part in doc, f"{formula.__name__} lacks {part!r}"
    for name in inspect.signature(formula).parameters:
        assert re.search(rf"\b{name}\b", doc.split("Parameters\n")[1]), f"{name} is not described"
    assert re.search(r"\[[^\]]+\]", doc), "units stand in brackets"


@each_formula
@given(data=st.data())
def test_an_array_is_its_numbers(formula: Callable[..., Numbers], data: st.DataObject) -> None:
    names = list(inspect.signature(formula).parameters)
    positive = st.floats(1e-3, 1e2)
    rows = data.draw(st.lists(st.tuples(*[positive] * len(names)), min_size=2, max_size=5))
    together = formula(*np.array(rows).T)
    apart = [float(formula(*row)) for row in rows]
    assert np.asarray(together) == pytest.approx(apart, rel=1e-12)
    assert np.asarray(together).dtype == np.float64


def test_every_formula_is_on_the_chain_or_makes_a_default_for_it() -> None:
    """A formula that nothing names is dead."""
    source = inspect.getsource(chain)
    defaults = inspect.getsource(importlib.import_module("joulecast.resolve.utilisation"))
    for formula in FORMULAS:
        module = formula.__module__.split(".")[-1]
        on_chain = re.search(rf"\b{module}\.{formula.__name__}\b", source)
        assert on_chain or f"{formula.__name__}(" in defaults, formula.__name__


def test_counts_do_not_wrap() -> None:
    """6 x N x D of integers beyond 2^63 wraps silently; a plan takes them as floats."""
    from joulecast import Plan, estimate

    with np.errstate(over="ignore"):
        assert np.int64(6) * np.int64(671e9) * np.int64(14.8e12) != 6 * 671_000_000_000 * 14.8e12
    flop = estimate(Plan(params=np.int64(671e9), tokens=np.int64(14.8e12))).training_flop
    assert flop is not None and flop.value == pytest.approx(6 * 671e9 * 14.8e12)
