"""`joulecast advise`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from typing import Annotated

import typer

from joulecast.cli.asked import Asked
from joulecast.cli.output import ROW_FORMATS, bold, chosen, print_rows, say
from joulecast.cli.planning import AsJson, takes_use


@takes_use
def advise(
    asked: Asked,
    on: Annotated[
        str | None, typer.Option(help="The result to lower: total_kgco2e where it is known.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="What must stay: place, device, country, ...", metavar="KINDS"),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="What alone may change: place,precision, ...", metavar="KINDS"),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="text, json, csv or md.")] = "text",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the first change alone.")] = False,
) -> None:
    """Rank the changes open to a plan by what they would save.

    joulecast advise plan.toml --keep place
    joulecast advise --params 7B --tokens 1T --device h100-sxm --region us-va
    """
    from joulecast.advice.advising import advise as verb

    format_ = chosen("json" if as_json else format_, ROW_FORMATS)
    advice = verb(asked.plan(), on=on, keep=keep or (), only=only or (), library=asked.library)
    if format_ == "json":
        say(advice.to_json())
    elif format_ == "text":
        from joulecast.report.advice import text

        say(text(advice, bold, quiet))
    else:
        print_rows(advice.rows(), format_)
