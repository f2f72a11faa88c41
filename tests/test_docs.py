"""Pages say what is true."""

from __future__ import annotations

import re
from pathlib import Path

import build_docs
import build_schemas
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("hardware_specs/*.md")])


def test_pages_made_from_the_code_are_up_to_date() -> None:
    for path, text in build_docs.pages().items():
        assert path.read_text() == text, f"{path.name} is stale: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http", "mailto")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_command_and_option_is_in_the_help_with_a_word_of_its_own() -> None:
    import typer

    from joulecast.cli import COMMANDS, app

    group = typer.main.get_group(app)
    context = group.make_context("joulecast", ["list"])
    for command in (group.get_command(context, name) for name in COMMANDS):
        assert command is not None and command.help
        for parameter in command.params:
            if parameter.name != "help":
                assert getattr(parameter, "help", None), f"{command.name} {parameter.name}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_run(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(path.parent))


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of a machine in anything that is shipped or read."""
    for path in PAGES:
        assert not re.search(r"(?<![\w.])/(work|tmp|home|root)/", path.read_text()), path.name


def test_shipped_schemas_are_those_of_the_shapes() -> None:
    for name, text in build_schemas.schemas().items():
        assert (build_schemas.OUT / f"{name}.json").read_text() == text, f"{name}: make docs"
