"""`joulecast estimate`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated

import typer

from joulecast.cli.output import bold, is_json, print_json, say
from joulecast.cli.planning import AsJson, Asked, Format, takes_use


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
    from joulecast.estimation import estimate as verb

    to_json = is_json(format_) or as_json
    plan = asked.plan()
    footprint = verb(plan, asked.library)
    if save is not None:
        plan.save(save)
        typer.echo(f"wrote {save}", err=True)
    if plot is not None:
        from joulecast.report import pictures

        ladder = picture == "ladder"
        answer = pictures.places_of(plan, asked.library) if ladder else footprint
        pictures.plot(answer, plot, picture, force=force)
        typer.echo(f"wrote {plot}", err=True)
    if html is not None:
        from joulecast.report.html import save_html

        save_html(footprint, html, force=force)
        typer.echo(f"wrote {html}", err=True)
    if to_json and drivers:
        from joulecast.answers.shape import as_dict

        bars = [as_dict(bar) for bar in footprint.tornado()]
        print_json({**footprint.to_dict(), "tornado": bars})
    elif to_json:
        say(footprint.to_json())
    else:
        from joulecast.report.forecast import text

        say(text(footprint, bold, quiet, drivers))
