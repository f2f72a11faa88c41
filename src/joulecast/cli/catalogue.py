"""`joulecast list` and `joulecast show`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from typing import Annotated

import typer

from joulecast.cli.asked import library
from joulecast.cli.output import is_json, note, print_json, print_rows, say, tree
from joulecast.cli.planning import Format, Specs


def list_(
    what: Annotated[
        str,
        typer.Argument(
            help=(
                "devices, instances, models, runs, benchmarks, regions, providers, assumptions, "
                "sources or warnings."
            )
        ),
    ],
    contains: Annotated[str, typer.Option(help="Rows that hold this text.")] = "",
    vendor: Annotated[str | None, typer.Option(help="Devices of a vendor.")] = None,
    class_: Annotated[
        str | None, typer.Option("--class", help="Devices of a class, such as hopper.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="Devices (gpu, ...), places (state, ...) or runs (benchmark) of a kind."),
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Regions of a cloud provider.")] = None,
    country: Annotated[str | None, typer.Option(help="Places in a country.")] = None,
    tests: Annotated[
        str | None,
        typer.Option(help="Of the runs those that test this: H hours, E energy, C emissions."),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="text, json, csv or md.")] = "text",
    specs: Specs = None,
) -> None:
    """List what the tables hold.

    joulecast list devices
    """
    from joulecast.data.catalogue import listing

    where = {"vendor": vendor, "class": class_, "kind": kind}
    where |= {"provider": provider, "country": country}
    rows = listing(what, library(specs), contains, where, tests)
    print_rows(rows, format_)
    if what == "devices" and rows and format_ == "text":
        note("--device also takes cloud instances and TPU slices: joulecast list instances")


def show(
    what: Annotated[
        str,
        typer.Argument(
            help="device, instance, model, run, region, source or assumption; or a name by itself."
        ),
    ],
    name: Annotated[
        str | None, typer.Argument(help="The record's id, or a name it goes by.")
    ] = None,
    year: Annotated[str | None, typer.Option(help="Year of a place's figures.")] = None,
    format_: Format = "text",
    specs: Specs = None,
) -> None:
    """Show one record with its sources.

    joulecast show h100-sxm
    """
    from joulecast.data.catalogue import details

    record = details(what, name, library(specs), year)
    if is_json(format_):
        print_json(record)
    else:
        for line in tree(record):
            say(line)
