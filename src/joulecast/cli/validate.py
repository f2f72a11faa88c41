"""`joulecast validate`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated, Any

import typer

from joulecast.cli.output import chosen, print_json, print_rows, say
from joulecast.cli.planning import Specs, library
from joulecast.errors import InputError


def validate(
    shipped: Annotated[
        bool,
        typer.Option("--shipped", help="Forecast with the shipped fit, which saw these runs."),
    ] = False,
    accounting: Annotated[
        bool,
        typer.Option(
            "--accounting", help="Only check published energies against published hours and power."
        ),
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the pictures into this folder.", metavar="DIR")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(help="Write the page, its pictures into pictures/ beside it.", metavar="FILE"),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="text, json or csv (the rows).")
    ] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    specs: Specs = None,
) -> None:
    """Forecast published runs again, blind, and score the forecasts; 1 where a gate fails.

    joulecast validate --plot pictures
    """
    from joulecast.validating import text as validation_text
    from joulecast.validating.validation import validate as verb

    form = "json" if as_json else chosen(format_, ("text", "json", "csv"))
    if write is not None and shipped:
        why = "the page is of fits that never saw a run's family"
        raise InputError("--write", write, why, ["leaving out --shipped"])
    for folder in filter(None, (plot, write.parent if write else None)):
        if not folder.is_dir():
            raise InputError("--plot" if folder is plot else "--write", folder, "is not a folder")
    result = verb(library(specs), shipped=shipped)
    _draw(result, plot, write)
    if accounting:
        rows = [account.to_dict() for account in result.accounting]
        everything: Any = rows
        words = validation_text.accounting_text(result.accounting)
        ok = result.gates[-1].ok
    else:
        everything = result.to_dict()
        rows = result.rows_flat()
        words, ok = validation_text.text(result), result.ok
    if form == "json":
        print_json(everything)
    elif form == "csv":
        print_rows(rows, "csv")
    else:
        say(words)
    if not ok:
        raise typer.Exit(1)


def _draw(result: Any, plot: Path | None, write: Path | None) -> None:
    """The pictures, and the page with its own."""
    if plot is not None:
        from joulecast.validating.plots import save_all

        save_all(result, plot, (".svg", ".png"))
    if write is not None:
        from joulecast.validating.plots import save_all
        from joulecast.validating.text import page

        pictures = write.parent / "pictures"
        pictures.mkdir(exist_ok=True)
        save_all(result, pictures, (".svg",))
        write.write_text(page(result), encoding="utf-8")
