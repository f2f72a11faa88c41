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
    # Words, units and formulas.
    ("_version", "errors", "arrays", "notices", "references"),
    ("units", "terms", "scales"),
    FORMULAS,
    # What is known, and what people say.
    (
        "data.reading",
        "data.prices",
        "data.records",
        "data.denominators",
        "data.validation",
        "data.specs",
        "data.tables",
        "data.places",
        "data.instances",
        "data.codecarbon",
        "data.overlay",
        "laws.records",
        "validating.runs",
        "validating.scoring",
        "validating.baselines",
    ),
    ("data.library", "chain", "uncertainty", "plan"),
    ("inputs",),
    ("outcome",),
    # Nouns: what answers hold.
    ("answers",),
    ("architectures", "torch_counting", "by_hand", "laws.law"),
    ("counting", "laws.repeats"),
    ("whatif.axes", "whatif.rows", "whatif.budgets", "whatif.inverting", "whatif.drawing"),
    ("validating.telling", "validating.gates", "validating.power", "validating.entries"),
    # The road: a plan settled, its outcome, the footprint of both.
    ("resolve",),
    ("use.phase", "together"),
    ("estimation",),
    # Verbs that ask many outcomes.
    ("whatif.scenarios", "whatif.question", "whatif.sensitivity"),
    ("whatif.comparing", "whatif.sweeping", "whatif.solving", "whatif.measured"),
    ("whatif.tabling",),
    ("laws.asking", "laws.choosing", "laws.saying"),
    ("laws.optimising",),
    ("checks", "advice", "data.catalogue", "calibrating"),
    (
        "validating.calibration",
        "validating.groups",
        "validating.accounting",
        "validating.tuned",
        "validating.finetunes",
        "validating.throughput",
    ),
    ("validating.benchmark", "validating.transfer"),
    ("validating.validation",),
    # What people look at.
    ("report.words", "report.svg_bars", "report.tables", "report.tags"),
    ("citing.markup",),
    ("citing.citing", "citing.phrases"),
    ("report.grounds", "report.use", "report.quantity", "report.files", "report.check"),
    ("report.calibration",),
    ("report.comparison", "report.sweep", "report.solutions", "report.runs"),
    ("report.forecast", "report.model", "report.optimum", "report.plotting"),
    ("report.advice", "report.solution", "report.verdict", "report.html", "report.pictures"),
    ("citing.methods",),
    ("validating.columns",),
    ("validating.tables",),
    ("validating.transfer_text",),
    ("validating.text", "validating.page", "validating.plots"),
    ("report.door",),
    ("exporting",),
    ("cli",),
    ("__init__", "__main__"),
)

#: The one import that points up: the base class of answers opens it when somebody wants to see one.
DOOR = ("answers.base", "report.door")
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


def test_every_module_has_its_room() -> None:
    assert {room(path) for path in modules_with_code()} == set(RANK)


def name_of(path: Path) -> str:
    """A module by its dotted name, a package by that of its first file."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imports() -> dict[str, set[str]]:
    """Module -> those it imports, inside functions and for typing too, but for the door."""
    names = {name_of(path): path for path in modules()}
    found: dict[str, set[str]] = {}
    for name, path in names.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("joule"):
                continue
            inside = (node.module or "").removeprefix("joulecast").lstrip(".")
            for alias in node.names:
                deeper = ".".join(filter(None, (inside, alias.name)))
                other = deeper if deeper in names else inside or "__init__"
                if other != name and (name, other) != DOOR:
                    found[name].add(other)
    return found


def test_no_import_points_back() -> None:
    wrong = [
        f"{here} imports {other}, which comes after it"
        for here, others in imports().items()
        for other in others
        if RANK.get(room_of(other), -1) > RANK.get(room_of(here), len(RANK))
    ]
    assert not wrong


def room_of(name: str) -> str:
    return name.split(".", maxsplit=1)[0] if name.split(".", maxsplit=1)[0] in RANK else name


def test_there_is_no_circle() -> None:
    """Nothing is reached from what it imports, the door shut."""
    ahead = imports()
    while True:
        free = {name for name, others in ahead.items() if not others & ahead.keys()}
        if not free:
            break
        ahead = {name: others for name, others in ahead.items() if name not in free}
    assert not ahead, f"a circle among {', '.join(sorted(ahead))}"


def test_what_the_door_opens_stands_before_it() -> None:
    """It names its rooms in a table, to load only what is asked for."""
    from joulecast.report.door import ROOMS

    assert {RANK[room_of(name)] < RANK["report.door"] for name in ROOMS.values()} == {True}


def test_the_door_is_the_one_import_that_points_up() -> None:
    here, there = DOOR
    text = (SRC / f"{here.replace('.', '/')}.py").read_text()
    assert there.replace("report.", "") in text
    others = [path for path in (SRC / "answers").glob("*.py") if "report" in path.read_text()]
    assert [name_of(path) for path in others if "joulecast.report" in path.read_text()] == [here]


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
    """On Typer's road of `estimate`: numpy, Typer and what they load themselves."""
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
