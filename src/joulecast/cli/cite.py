"""`joulecast cite`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated

import typer

from joulecast.cli.asked import Asked
from joulecast.cli.output import save_or_say
from joulecast.cli.planning import Targets, takes_use


@takes_use
def cite(
    asked: Asked,
    targets: Targets = None,
    format_: Annotated[
        str, typer.Option("--format", help="text, bibtex or csl (CSL JSON).")
    ] = "text",
    output: Annotated[Path | None, typer.Option(help="Write to a file.", metavar="FILE")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
) -> None:
    """Say what to cite: the data and formulas a forecast used, and joulecast.

    joulecast cite llama-3.1-8b --device h100-sxm --region us-va --format bibtex
    """
    from joulecast.citing.citing import cite as verb

    save_or_say(verb(asked.forecasts(), format_) + "\n", output, force)
