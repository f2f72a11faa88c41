"""`joulecast export`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated

import typer

from joulecast.cli.asked import Asked
from joulecast.cli.output import save_or_say
from joulecast.cli.planning import Targets, takes_use


@takes_use
def export(
    asked: Asked,
    targets: Targets = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="md, latex, methods, hf, eu, sci, checklist, cyclonedx, csv, json or html.",
        ),
    ] = "md",
    output: Annotated[Path | None, typer.Option(help="Write to a file.", metavar="FILE")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
) -> None:
    """Write a forecast for a paper, a model card, a regulator or a program.

    joulecast export plan.toml --format hf
    """
    from joulecast.exporting import export as verb

    save_or_say(verb(asked.forecasts(), format_), output, force)
