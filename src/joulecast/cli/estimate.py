"""`joulecast estimate`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated

import typer

from joulecast.cli.answering import answer
from joulecast.cli.asked import Asked
from joulecast.cli.planning import AsJson, Format, takes_use


@takes_use
def estimate(
    asked: Asked,
    save: Annotated[
        Path | None, typer.Option(help="Write what was asked as a plan file.", metavar="FILE")
    ] = None,
    drivers: Annotated[
        bool, typer.Option("--drivers", help="Show what each input does, and what to measure next.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw it: FILE.svg, .png or .pdf.", metavar="FILE")
    ] = None,
    picture: Annotated[
        str, typer.Option(help="waterfall, ranges, tornado or ladder (of places).")
    ] = "waterfall",
    html: Annotated[
        Path | None, typer.Option(help="Write a report for a browser or printer.", metavar="FILE")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there.")
    ] = False,
    format_: Format = "text",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the headline alone.")] = False,
) -> None:
    """Forecast the footprint of a training run.

    joulecast estimate --params 70B --tokens 15T --device h100-sxm --region us-va --year 2024
    """
    answer(asked, save, drivers, plot, picture, html, force, format_, as_json, quiet)
