"""Laws every public formula obeys, found by looking, not by listing."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulecast.arrays import Numbers
from joulecast.chain import chain

MODULES = (
    "compute",
    "performance",
    "energy",
    "carbon",
    "water",
    "storage",
    "scaling_law",
    "allocation",
    "use_phase",
)
#: Where a formula has a domain of its own: parameter -> lowest and highest.
DOMAINS = {
    "use_phase": {
        "active_share": (1e-3, 1.0),
        "batch": (1.0, 1e3),
        "params": (1e9, 1e12),
        "active_params": (1e8, 1e9),
    },
    "scaling_law": {
        "size": (1e6, 1e14),
        "part": (1e-3, 1.0),
        "coefficient": (10.0, 1e4),
        "exponent": (0.15, 0.6),
        "params": (1e6, 1e13),
        "tokens": (1e8, 1e15),
        "params_coefficient": (100.0, 1e3),
        "tokens_coefficient": (100.0, 1e4),
        "params_exponent": (0.2, 0.5),
        "tokens_exponent": (0.2, 0.5),
        "loss": (1.5, 6.0),
        "gap": (0.05, 2.0),
        "log_part": (-9.0, -4.0),
        "log_tokens": (20.0, 30.0),
        "flop": (1e16, 1e27),
        "served_tokens": (1e6, 1e18),
        "weight": (1e-6, 1e6),
        "experts": (1.0, 200.0),
        "start": (1.5, 3.0),
        "limit": (200.0, 400.0),
        "power": (-0.6, 0.6),
        "slope": (-0.03, 0.03),
    },
}
DOMAINS["allocation"] = DOMAINS["scaling_law"]
ANYWHERE = (1e-3, 1e2)

#: Modules that compose the formulas of scaling laws.
USERS = ("laws.law", "laws.repeats", "laws.choosing", "laws.saying")
FORMULAS: list[Callable[..., Numbers]] = [
    formula
    for name in MODULES
    for module in [importlib.import_module(f"joulecast.{name}")]
    for _, formula in inspect.getmembers(module, inspect.isfunction)
    if formula.__module__ == module.__name__
]
each_formula = pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.__qualname__)


def shared_symbols(module: ModuleType) -> dict[str, str]:
    """What a file says once, at its top, of parameters that mean the same throughout."""
    rows = re.findall(
        r"^    ([a-z_]{2,}) +(\S+ +\S.*\[[^\]]+\])$", module.__doc__ or "", re.MULTILINE
    )
    return dict(rows)


@each_formula
def test_docstring_is_a_contract(formula: Callable[..., Numbers]) -> None:
    doc = inspect.getdoc(formula) or ""
    shared = shared_symbols(importlib.import_module(formula.__module__))
    own = doc.partition("Parameters\n")[2].partition("Returns\n")[0]
    for part in (".. math::", "Returns\n", "Source: ", ">>> "):
        assert part in doc, f"{formula.__name__} lacks {part!r}"
    for name in inspect.signature(formula).parameters:
        assert re.search(rf"\b{name}\b", own) or name in shared, f"{name} is not described"
    assert re.search(r"\[[^\]]+\]", doc), "units stand in brackets"


@pytest.mark.parametrize("name", MODULES)
def test_what_a_file_says_of_a_symbol_is_used(name: str) -> None:
    module = importlib.import_module(f"joulecast.{name}")
    used = {
        parameter
        for formula in FORMULAS
        if formula.__module__ == module.__name__
        for parameter in inspect.signature(formula).parameters
    }
    assert set(shared_symbols(module)) <= used


@each_formula
@given(data=st.data())
def test_an_array_is_its_numbers(formula: Callable[..., Numbers], data: st.DataObject) -> None:
    domain = DOMAINS.get(formula.__module__.split(".")[-1], {})
    names = list(inspect.signature(formula).parameters)
    numbers = [st.floats(*domain.get(name, ANYWHERE)) for name in names]
    rows = data.draw(st.lists(st.tuples(*numbers), min_size=2, max_size=5))
    together = formula(*np.array(rows).T)
    apart = [float(formula(*row)) for row in rows]
    assert np.asarray(together) == pytest.approx(apart, rel=1e-12)
    assert np.asarray(together).dtype == np.float64


def test_every_formula_is_used() -> None:
    """A formula that no step of the chain names, nor a default, `optimum` or another formula, is dead."""
    source = inspect.getsource(importlib.import_module(chain.__module__))
    source += "".join(
        inspect.getsource(importlib.import_module(f"joulecast.{name}")) for name in USERS
    )
    defaults = inspect.getsource(importlib.import_module("joulecast.resolve.utilisation"))
    for formula in FORMULAS:
        module = importlib.import_module(formula.__module__)
        calls = [
            node
            for node in ast.walk(ast.parse(inspect.getsource(module)))
            if isinstance(node, ast.Call)
        ]
        inside = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
        named = re.search(rf"\b{formula.__module__.split('.')[-1]}\.{formula.__name__}\b", source)
        made = f"{formula.__name__}(" in defaults
        assert named or made or formula.__name__ in inside, formula.__name__


def test_counts_do_not_wrap() -> None:
    """6 x N x D of integers beyond 2^63 wraps silently; a plan takes them as floats."""
    from joulecast import Plan, estimate

    with np.errstate(over="ignore"):
        assert np.int64(6) * np.int64(671e9) * np.int64(14.8e12) != 6 * 671_000_000_000 * 14.8e12
    flop = estimate(Plan(params=np.int64(671e9), tokens=np.int64(14.8e12))).training_flop
    assert flop is not None and flop.value == pytest.approx(6 * 671e9 * 14.8e12)
