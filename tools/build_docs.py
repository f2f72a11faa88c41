"""Make the pages that come from the code: glossary, warnings, fields of a device, README's example.

    python tools/build_docs.py [--check]

With --check nothing is written and the exit code is 1 where a page is stale.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import get_args

import typer
from build_reference import reference_pages

from joulecast import Plan, estimate
from joulecast.notices import CODES
from joulecast.records import Basis, Device, Figure, Read
from joulecast.terms import INPUTS, OUTPUTS, Term

ROOT = Path(__file__).parents[1]
MADE = "<!-- Made by tools/build_docs.py; edit the code it reads, not this file. -->\n"
EXAMPLE = {
    "params": "32.2B",
    "tokens": "6.6T",
    "device": "h100-sxm",
    "device_count": 1024,
    "region": "us",
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
    rows = ["| field | required | type |", "|---|---|---|"]
    for name, field in Device.model_fields.items():
        kind = re.sub(
            r"joulecast\.records\.|typing\.|Annotated\[|, AfterValidator.*",
            "",
            str(field.annotation),
        )
        kind = "figure" if "Figure" in kind and "Mapping" not in kind else kind
        kind = "figures by precision" if "Mapping" in kind else kind
        kind = re.sub(r"Literal\[(.*)\]", lambda m: "one of " + m[1].replace("'", ""), kind)
        kind = re.sub(r"<class '(?:datetime\.)?(\w+)'>", r"\1", kind).replace("|", "or")
        rows.append(f"| `{name}` | {'yes' if field.is_required() else ''} | {kind} |")
    figure = ", ".join(f"`{name}`" for name in Figure.model_fields)
    return "\n".join([*rows, "", f"A figure is a bare number, or a table with {figure}."])


def example() -> str:
    """The README's command and what it prints, to the end of the By-hand block."""
    text = estimate(Plan(**EXAMPLE)).explain()
    shown = text.split("\n\nGiven\n")[0]
    flags = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in EXAMPLE.items())
    first, second = flags.split(" --device-count")
    command = f"$ joulecast estimate {first} \\\n    --device-count{second}"
    return f"```console\n{command}\n{shown}\n```"


def between(path: Path, mark: str, text: str) -> str:
    """The file with the part between its two marks replaced."""
    start, end = f"<!-- {mark}: made -->", f"<!-- {mark}: end -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}\n{text}\n{end}{after}"


if __name__ == "__main__":
    typer.run(main)
