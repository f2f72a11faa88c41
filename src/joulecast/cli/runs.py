"""`joulecast runs`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated

import typer

from joulecast.cli.asked import Asked
from joulecast.cli.output import note, save_or_say, show
from joulecast.cli.planning import AsJson, takes_plan
from joulecast.errors import InputError

Table = Annotated[
    list[str] | None,
    typer.Argument(help="A table of runs: .csv, .tsv, .jsonl or .parquet.", metavar="TABLE"),
]


@takes_plan
def runs(
    asked: Asked,
    targets: Table = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave out rows that cannot be forecast.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="Write FILE.csv, .jsonl, .json, .md, .html or .parquet.", metavar="FILE"),
    ] = None,
    format_: Annotated[
        str,
        typer.Option("--format", help="text, json, csv, jsonl, md, html, or an export of many."),
    ] = "text",
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the total alone.")] = False,
) -> None:
    """Forecast each run of a table, and all of them together.

    joulecast runs runs.csv --region fr --year 2025
    joulecast runs runs.xlsx.csv --output forecast.csv --keep-going

    A row is a run; columns are named as the flags are, or as people write them
    (GPU, # GPUs, Parameters (B), hours, country). Flags hold for all rows.
    """
    from joulecast.cli import table_files
    from joulecast.whatif.tabling import Reading, estimate_table

    if not asked.targets:
        raise InputError("table", None, "no table was named", ["joulecast runs runs.csv"])
    if len(asked.targets) > 1:
        why = "one table is read at a time"
        raise InputError("table", " ".join(asked.targets), why, asked.targets)
    table = asked.targets[0]
    common = asked._replace(targets=()).plan()
    kind = "json" if as_json else table_files.kind_of(format_, output)
    if kind in table_files.STREAMED or kind in table_files.exports():
        reading = Reading(table, common, keep_going, asked.library)
        table_files.write(reading, kind, output, force)
        for one in reading.left_out:
            note(f"left out: {one.problem}")
        return
    found = estimate_table(table, plan=common, keep_going=keep_going, library=asked.library)
    if output is None and kind in ("text", "json"):
        show(found, kind == "json", quiet)
    else:
        save_or_say(table_files.whole(found, kind), output, force)
