"""The house: data flow one way, formulas know nothing else, `estimate` stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "joulecast"
FORMULAS = (
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

#: Rooms in the order of the flow.  A module may import from its own row and those above it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("_version", "errors", "arrays"),
    ("units", "terms", "notices", "scales"),
    (
        "data.reading",
        "data.prices",
        "data.records",
        "data.validation",
        "laws.records",
        "validating.runs",
        "data.specs",
        "data.tables",
        "data.places",
        "data.instances",
        "data.overlay",
        "data.codecarbon",
        "references",
        *FORMULAS,
    ),
    ("data.library", "chain", "uncertainty", "plan", "architectures"),
    ("outcome",),
    ("laws.law", "torch_counting", "whatif.frames", "whatif.inverting"),
    ("laws.repeats", "whatif.budgets"),
    ("counting",),
    ("resolve", "by_hand", "whatif.axes"),
    ("whatif.rows", "whatif.question"),
    ("whatif.scenarios",),
    ("whatif.drawing",),
    ("validating.scoring", "validating.baselines"),
    ("validating.power",),
    ("validating.calibration",),
    ("footprint", "use.used", "answers", "laws.asking"),
    ("use.phase", "together"),
    ("laws.optima", "laws.choosing"),
    ("estimation", "laws.saying", "laws.optimising", "whatif.sensitivity"),
    (
        "whatif.comparing",
        "whatif.solving",
        "whatif.sweeping",
        "whatif.measured",
    ),
    ("advice",),
    (
        "report.forecast",
        "report.use",
        "report.optimum",
        "data.catalogue",
        "whatif.writing",
        "report.plotting",
    ),
    (
        "report.whatif",
        "report.advice",
        "report.measured",
        "report.pictures",
        "checks",
        "report.svg_bars",
        "citing.markup",
    ),
    ("citing.citing", "citing.phrases"),
    ("citing.methods",),
    ("report.html",),
    (
        "validating.rows",
        "validating.groups",
        "validating.telling",
        "validating.accounting",
        "validating.gates",
        "validating.benchmark",
        "validating.columns",
    ),
    ("validating.validation", "validating.tables", "validating.plots"),
    ("validating.text", "validating.page"),
    ("exporting",),
    ("cli",),
    ("__init__", "__main__"),
)
RANK = {name: rank for rank, row in enumerate(LAYERS) for name in row}


def modules() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def room(path: Path) -> str:
    """A package whose modules all stand in one row goes by its name, others by module."""
    first, *rest = path.relative_to(SRC).with_suffix("").parts
    return first if first in RANK or not rest else ".".join((first, *rest))


def modules_with_code() -> list[Path]:
    """All but the first file of a package that says only what the package holds."""
    return [path for path in modules() if len(ast.parse(path.read_text()).body) > 1]


def imported_rooms(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        top, *rest = (node.module or "").split(".")
        if top != "joulecast":
            continue
        whole = ".".join(rest)
        if rest and (rest[0] in RANK or whole in RANK):
            found.add(rest[0] if rest[0] in RANK else whole)
        else:
            found |= {".".join((*rest, alias.name)) for alias in node.names}
    return found


def test_every_module_has_its_room() -> None:
    assert {room(path) for path in modules_with_code()} == set(RANK)


@pytest.mark.parametrize("path", modules_with_code(), ids=room)
def test_no_import_points_back(path: Path) -> None:
    here = room(path)
    # explain(), save() and plot() are views of a result, read() and save() are the plan's file:
    # imported there.
    deferred = {
        "footprint": {"report.forecast", "whatif.sensitivity"},
        "laws.optima": {"report.optimum"},
        "whatif.comparing": {"report.whatif"},
        "advice": {"report.advice"},
        "whatif.solving": {"report.whatif"},
        "whatif.sweeping": {"whatif.writing", "report.plotting"},
        "whatif.measured": {"report.measured"},
    }
    for other in imported_rooms(ast.parse(path.read_text())) - deferred.get(here, set()):
        assert RANK[other] <= RANK[here], f"{here} imports {other}, which comes after it"


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_files_import_nothing_but_numbers(name: str) -> None:
    tree = ast.parse((SRC / f"{name}.py").read_text())
    allowed = {"__future__", "numpy", "joulecast.arrays", "joulecast.units"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom):
            assert node.module in allowed


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_never_branch_nor_look_at_types(name: str) -> None:
    banned = (ast.If, ast.IfExp, ast.For, ast.While, ast.Try, ast.Assert, ast.Raise, ast.Match)
    tree = ast.parse((SRC / f"{name}.py").read_text())
    for node in ast.walk(tree):
        assert not isinstance(node, banned), f"{name}.py line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"isinstance", "int", "max", "min", "print", "open"}
        if isinstance(node, ast.FunctionDef):
            assert not node.args.defaults and not node.args.kw_defaults, f"{node.name} has defaults"


def test_no_stray_conversion_factor_outside_units() -> None:
    for path in modules():
        if path.name == "units.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in (3600, 8760, 43830, 86400):
                pytest.fail(f"{path.name} line {node.lineno}: {node.value}")


def test_estimate_loads_no_heavy_package() -> None:
    """On the path of `estimate`: numpy, pydantic, typer and what they load themselves."""
    script = (
        "import sys; from joulecast.cli import app; "
        "app(['estimate', '--params', '7B', '--tokens', '2T', '--region', 'us-va'], "
        "standalone_mode=False); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.split(".")[0] for name in done.stderr.split()} - {"__main__"}
    heavy = {"scipy", "pandas", "matplotlib", "rich", "torch", "polars", "requests"}
    assert not loaded & heavy
    third_party = {
        name
        for name in loaded
        if name in sys.modules or name in ("numpy", "pydantic", "typer")
        if (module := sys.modules.get(name)) is not None
        if "site-packages" in (getattr(module, "__file__", "") or "")
    }
    assert third_party <= {
        "numpy", "pydantic", "pydantic_core", "typer", "annotated_types", "typing_extensions",
        "typing_inspection", "shellingham", "annotated_doc", "joulecast", "_distutils_hack",
    }  # fmt: skip


def test_every_warning_of_a_counted_architecture_is_in_the_closed_table() -> None:
    from joulecast.notices import CODES

    used: set[str] = set()
    for path in (SRC / "architectures").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            first = node.args[0]
            if called in ("warn", "Notice") and isinstance(first, ast.Constant):
                used.add(str(first.value))
    assert used and used <= set(CODES)
