"""`joulecast check`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from typing import Annotated

import typer

from joulecast.cli.asked import library
from joulecast.cli.output import is_json, show
from joulecast.cli.planning import AsJson, Format, Specs


def check(
    card: Annotated[
        str, typer.Argument(help="A model card (README.md) or CodeCarbon's emissions.csv.")
    ],
    specs: Specs = None,
    format_: Format = "text",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the findings alone.")] = False,
) -> None:
    """Check the figures of a model card against each other; exit 1 where they contradict.

    joulecast check README.md
    """
    from joulecast.checks.checking import check as verb

    checked = verb(card, library(specs))
    show(checked, is_json(format_) or as_json, quiet)
    if not checked.passed:
        raise typer.Exit(1)
