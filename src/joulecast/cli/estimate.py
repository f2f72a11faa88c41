"""`joulecast estimate`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated

import typer

from joulecast.cli.output import bold, is_json, print_json, say
from joulecast.cli.planning import Asked, takes_plan


@takes_plan
def estimate(
    asked: Asked,
    save: Annotated[
        Path | None, typer.Option(help="Write what was asked as a plan file.", metavar="FILE")
    ] = None,
    drivers: Annotated[
        bool, typer.Option("--drivers", help="Show what each input does, and what to measure next.")
    ] = False,
    format_: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
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
    if to_json and drivers:
        bars = [bar.to_dict() for bar in footprint.tornado()]
        print_json({**footprint.to_dict(), "tornado": bars})
    elif to_json:
        say(footprint.to_json())
    else:
        from joulecast.report import text

        say(text(footprint, bold, quiet, drivers))
