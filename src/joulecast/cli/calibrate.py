"""`joulecast calibrate`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated

import typer

from joulecast.cli.asked import library
from joulecast.cli.output import is_json, show
from joulecast.cli.planning import AsJson, Format, Specs


def calibrate(
    runs: Annotated[Path, typer.Argument(help="Your past runs: .csv, .tsv or .jsonl.")],
    name: Annotated[str, typer.Option(help="What to call the cluster.")] = "mycluster",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of records to write; ./NAME.", metavar="DIR"),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an earlier calibration there.")
    ] = False,
    specs: Specs = None,
    format_: Format = "text",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the headline alone.")] = False,
) -> None:
    """Fit utilisation, power and PUE to your own past runs; estimate --specs DIR then uses it.

    joulecast calibrate runs.csv --name mycluster
    """
    from joulecast.calibrating.calibrating import calibrate as verb

    to_json = is_json(format_) or as_json
    folder = Path(name) if output is None else output
    answer = verb(runs, name, folder, force=force, library=library(specs))
    show(answer, to_json, quiet)
