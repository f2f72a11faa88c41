"""The formulas of this room keep the rules of the house: numbers in, numbers out."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from joulecast.architectures import families, keys, parts, states

ROOM = Path(parts.__file__).parent
FORMULAS = (keys, parts, states)
FUNCTIONS = [
    function
    for module in FORMULAS
    for _, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__
]


@pytest.mark.parametrize("module", FORMULAS, ids=lambda module: str(module.__name__))
def test_formulas_import_only_numbers_and_never_branch(module: object) -> None:
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    banned = (ast.If, ast.IfExp, ast.For, ast.While, ast.Try, ast.Assert, ast.Raise, ast.Match)
    for node in ast.walk(tree):
        assert not isinstance(node, banned)
        if isinstance(node, ast.ImportFrom):
            assert node.module in {"__future__", "joulecast.architectures.numbers"}
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= {"numpy"}
        if isinstance(node, ast.FunctionDef):
            assert not node.args.defaults


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: str(function.__name__))
def test_a_formula_serves_a_number_and_an_array_alike(function: object) -> None:
    assert callable(function)
    names = list(inspect.signature(function).parameters)
    numbers = [2.0 + at for at in range(len(names))]
    one = function(*numbers)
    many = function(*[np.full(3, number) for number in numbers])
    assert np.allclose(many, one)


def symbols(module: object) -> dict[str, tuple[str, str]]:
    """What a file says at its top of each parameter: its symbol, and its meaning with a unit."""
    rows = re.findall(
        r"^    (\w+) +(\S+) +(\S.*\[\w+\].*)$", inspect.getdoc(module) or "", re.MULTILINE
    )
    return {name: (symbol, meaning) for name, symbol, meaning in rows}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: str(function.__name__))
def test_a_formula_says_its_units_its_equation_and_its_source(function: object) -> None:
    text = inspect.getdoc(function) or ""
    for section in (".. math:: ", "Source: ", ">>> "):
        assert section in text
    assert re.search(r"arXiv:|doi:|published code", text.split("Source: ")[1])
    said = symbols(inspect.getmodule(function))
    equation = re.sub(
        r"\\mathrm\{(\w+)\}|\{(\w+)\}|\\", r"\1\2", text.split(".. math:: ")[1].split("\n")[0]
    )
    for name in inspect.signature(function).parameters:  # type: ignore[arg-type]
        symbol, _ = said[name]
        assert re.search(rf"(?<![a-z]){symbol}(?![a-z_])", equation), f"{symbol} in {equation}"


@pytest.mark.parametrize("module", FORMULAS, ids=lambda module: str(module.__name__))
def test_a_file_says_each_symbol_once_and_what_its_formulas_give(module: object) -> None:
    said = symbols(module)
    used = {
        name
        for function in FUNCTIONS
        if inspect.getmodule(function) is module
        for name in inspect.signature(function).parameters
    }
    assert set(said) == used
    assert len({symbol for symbol, _ in said.values()}) == len(said)
    before, _, _ = (inspect.getdoc(module) or "").partition("throughout:")
    assert re.search(r"\[(count|FLOP)\]", before)


def test_nothing_heavy_is_imported_and_only_three_rooms_are() -> None:
    allowed = {"__future__", "numpy", "joulecast.errors", "joulecast.arrays", "joulecast.notices"}
    allowed |= {"joulecast.answers.count"}  # the noun that the room makes
    standard = {"collections", "dataclasses", "functools", "importlib", "json", "math", "pathlib", "re", "typing", "difflib"}  # fmt: skip
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                name = node.module or ""
                inside = name.startswith("joulecast.architectures")
                assert inside or name in allowed or name.split(".")[0] in standard, name
            elif isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= allowed | standard


def test_every_family_says_what_it_is() -> None:
    assert len(families.BUILDERS) >= 90
    for name, builder in families.BUILDERS.items():
        if builder.__name__ != "build":
            assert builder.__doc__, name
