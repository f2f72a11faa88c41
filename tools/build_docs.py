"""Make the pages that come from the code: glossary, warnings, tables, README's example.

    python tools/build_docs.py [--check]

With --check nothing is written and the exit code is 1 where a page is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import boundary
import law_tables
import typer
import use_tables
from build_reference import reference_pages

from joulecast import Plan, advise, estimate
from joulecast.data.records import Basis, Device, Figure, Read, Record, type_of
from joulecast.notices import CODES
from joulecast.terms import ASKED, INPUTS, OUTPUTS, USED, Term
from joulecast.validating import runs

ROOT = Path(__file__).parents[1]
RUNS_PAGE = ROOT / "docs" / "reference" / "runs.md"
LIFE_CYCLE = ROOT / "docs" / "method" / "life-cycle.md"
SCALING = ROOT / "docs" / "method" / "scaling-laws.md"
USING = ROOT / "docs" / "using.md"
USE_PHASE = ROOT / "docs" / "method" / "use-phase.md"
MADE = "<!-- Made by tools/build_docs.py; edit the code it reads, not this file. -->\n"
EXAMPLE = {
    "params": "32.2B",
    "tokens": "6.6T",
    "device": "h100-sxm",
    "device_count": 1024,
    "region": "us-va",
    "year": 2025,
}

SCALES = {
    "log": "log",
    "logit": "logit",
    "log_excess": "log of x - 1",
    "linear": "linear",
}


def main(check: bool = False) -> None:
    """Write the pages, or say which are stale."""
    stale = []
    for path, text in pages().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if check and stale:
        print("stale, run make docs:", ", ".join(stale))
        sys.exit(1)


def pages() -> dict[Path, str]:
    """Path -> text of every page that is made."""
    return {
        ROOT / "docs" / "glossary.md": glossary(),
        ROOT / "docs" / "warnings.md": warnings(),
        **{ROOT / "docs" / "reference" / name: text for name, text in reference_pages().items()},
        ROOT / "hardware_specs" / "README.md": between(
            ROOT / "hardware_specs" / "README.md", "device fields", device_fields()
        ),
        USING: between(USING, "advice", advised()),
        RUNS_PAGE: between(RUNS_PAGE, "run fields", run_fields(), ("tests", run_tests())),
        LIFE_CYCLE.with_suffix(".svg"): boundary.figure(),
        LIFE_CYCLE: between(LIFE_CYCLE, "boundary", boundary.table()),
        SCALING: between(SCALING, "tables", law_tables.tables()),
        USE_PHASE: between(USE_PHASE, "tables", use_tables.tables()),
        ROOT / "README.md": between(ROOT / "README.md", "example", example()),
    }


def glossary() -> str:
    """Every word, its unit, its meaning and the flag that sets it."""
    lines = [
        "# Glossary\n",
        MADE,
        "One word for each thing, in the code, on the command line, in JSON and in these pages. "
        "Ranges are drawn\non the scale named; tCO2e are metric tonnes; FLOP is a count, FLOP/s a "
        "rate.\n",
        "## What can be given\n",
        "| name | unit | meaning | scale | flag |",
        "|---|---|---|---|---|",
        *(_row(term, f" {SCALES[term.scale]} | `{term.override}` |") for term in INPUTS.values()),
        "",
        "## What `optimum` asks beside the run\n",
        "| name | unit | meaning | scale | flag |",
        "|---|---|---|---|---|",
        *(_row(term, f" {SCALES[term.scale]} | `{term.override}` |") for term in ASKED.values()),
        "",
        "## What is said of the use, in [use] or with --use\n",
        "| name | unit | meaning | scale | flag |",
        "|---|---|---|---|---|",
        *(_row(term, f" {SCALES[term.scale]} | `{term.override}` |") for term in USED.values()),
        "",
        "## What only comes out\n",
        "| name | unit | meaning |",
        "|---|---|---|",
        *(_row(term, "") for term in OUTPUTS.values()),
        "",
        "## How sure we are\n",
        f"`basis` says how a number arose: {', '.join(get_args(Basis))}.  `read` says how we know "
        f"it: {', '.join(get_args(Read))};\nwhat is only recalled is marked unchecked in every "
        "answer.\n",
    ]
    return "\n".join(lines)


def _row(term: Term, tail: str) -> str:
    return f"| `{term.name}` | {term.unit or 'count or ratio'} | {term.meaning} |{tail}"


def warnings() -> str:
    """The closed table of warning codes."""
    rows = [f"| `{code}` | {meaning} |" for code, meaning in CODES.items()]
    head = "Every warning an answer can carry; the table is closed, so programs may rely on it.\n"
    return "\n".join(["# Warnings\n", MADE, head, "| code | meaning |", "|---|---|", *rows, ""])


def device_fields() -> str:
    """Fields of a device file, from the schema."""
    figure = ", ".join(f"`{name}`" for name in Figure.fields)
    tail = f"A figure is a bare number, or a table with {figure}."
    return "\n".join([*fields(Device), "", tail])


def run_tests() -> str:
    """Letters a run may have among its tests."""
    rows = [f"| `{letter}` | {meaning} |" for letter, meaning in runs.TESTS.items()]
    return "\n".join(["| letter | tests |", "|---|---|", *rows])


def run_fields() -> str:
    """Fields of the file of a published run, from the schema."""
    figure = ", ".join(f"`{name}`" for name in runs.Reported.fields)
    parts: list[tuple[str, type[Record]]] = [
        ("", runs.ReportedRun),
        ("`[before]`", runs.Before),
        ("`[before.shape]`", runs.Shape),
        ("`[reported]`", runs.After),
        ("`reported.power_w`, besides those of a figure", runs.Power),
        ("`reported.energy_kwh`, besides those of a figure", runs.Energy),
        ("`reported.operational_kgco2e`, besides those of a figure", runs.Emissions),
    ]
    lines = []
    for title, record in parts:
        own = set(runs.Reported.fields) if issubclass(record, runs.Reported) else set()
        lines += [*([title, ""] if title else []), *fields(record, own), ""]
    tail = f"A reported figure is a bare number, or a table with {figure}."
    return "\n".join([*lines, tail])


def fields(record: type[Record], without: Set[str] = frozenset()) -> list[str]:
    """Table of a record's fields."""
    rows = ["| field | required | type |", "|---|---|---|"]
    for name, annotation in record.fields.items():
        if name not in without:
            kind, required = _kind(annotation), "yes" if name in record.required else ""
            if type(None) in get_args(annotation) and kind != "figure":
                kind += " or None"
            rows.append(f"| `{name}` | {required} | {kind} |")
    return rows


def _kind(annotation: Any) -> str:
    """Type of a field in words."""
    kind = type_of(annotation)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(parts)}"
    if origin is tuple:
        inner = _kind(parts[0])
        return inner.replace("one of", "list out of") if "one of" in inner else str(kind)
    if origin is Mapping:
        by = "precision" if get_origin(annotation) is Annotated else "name"
        return f"figures by {by}" if _kind(parts[1]) == "figure" else "table of texts"
    if issubclass(kind, Record):
        return "figure" if issubclass(kind, Figure) else "table"
    return str(kind.__name__)


def example() -> str:
    """The README's command and what it prints, to the end of the By-hand block."""
    text = estimate(Plan(**EXAMPLE)).explain()
    shown = text.split("\n\nGiven\n")[0]
    flags = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in EXAMPLE.items())
    first, second = flags.split(" --device-count")
    command = f"$ joulecast estimate {first} \\\n    --device-count{second}"
    return f"```console\n{command}\n{shown}\n```"


def advised() -> str:
    """An example of advice and what it prints, to the end of the best of each kind."""
    plan = {"params": "7B", "tokens": "1T", "device": "h100-sxm", "region": "us-va", "year": 2024}
    shown = advise(Plan(**plan), keep=("device", "moe", "size")).explain().split("\n\nSaves")[0]
    flags = " ".join(f"--{name} {value}" for name, value in plan.items())
    command = f"$ joulecast advise {flags} \\\n    --keep device,moe,size"
    return f"```console\n{command}\n{shown}\n```"


def between(path: Path, mark: str, text: str, *others: tuple[str, str]) -> str:
    """The file with the part between its two marks replaced, and further parts likewise."""
    page = path.read_text(encoding="utf-8")
    for name, part in ((mark, text), *others):
        start, end = f"<!-- {name}: made -->", f"<!-- {name}: end -->"
        before, _, rest = page.partition(start)
        _, _, after = rest.partition(end)
        page = f"{before}{start}\n{part}\n{end}{after}"
    return page


if __name__ == "__main__":
    typer.run(main)
