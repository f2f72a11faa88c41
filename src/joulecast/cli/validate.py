"""`joulecast validate`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from joulecast.cli.asked import library
from joulecast.cli.output import chosen, print_json, print_rows, say
from joulecast.cli.planning import AsJson, Specs
from joulecast.errors import InputError

if TYPE_CHECKING:
    from joulecast.data.library import Library


def validate(
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Forecast with the shipped fit, which saw these runs.")
    ] = False,
    accounting: Annotated[
        bool,
        typer.Option(
            "--accounting", help="Only check published energies against published hours and power."
        ),
    ] = False,
    benchmark: Annotated[
        bool,
        typer.Option(
            "--benchmark", help="Only check how devices compare, on tuned runs at equal work."
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
    as_json: AsJson = False,
    specs: Specs = None,
) -> None:
    """Forecast published runs again, blind, and score the forecasts; 1 where a gate fails.

    joulecast validate --plot pictures
    """
    form = "json" if as_json else chosen(format_, ("text", "json", "csv"))
    alone = "--accounting" if accounting else "--benchmark"
    if accounting or benchmark:
        of_forecasts = {"--shipped": shipped, "--plot": plot, "--write": write}
        for flag, said in {**of_forecasts, "--benchmark": benchmark and accounting}.items():
            if said:
                why = f"is of the forecasts, which {alone} leaves out"
                raise InputError(flag, None, why, ["leaving one of the two out"])
        (_accounting if accounting else _benchmark)(library(specs), form)
        return
    from joulecast.validating.text import text
    from joulecast.validating.validation import validate as verb

    if write is not None and shipped:
        why = "the page is of fits that never saw a run's family"
        raise InputError("--write", write, why, ["leaving out --shipped"])
    for folder in filter(None, (plot, write.parent if write else None)):
        if not folder.is_dir():
            raise InputError("--plot" if folder is plot else "--write", folder, "is not a folder")
    result = verb(library(specs), shipped=shipped)
    _draw(result, plot, write, library(specs))
    _print(form, result.to_dict(), result.rows_flat(), text(result))
    if not result.ok:
        raise typer.Exit(1)


def _accounting(tables: "Library", form: str) -> None:
    """Published energies against published hours and power: no forecast is made."""
    from joulecast.answers.shape import as_dict
    from joulecast.validating.accounting import accounts
    from joulecast.validating.gates import gate_of_accounting
    from joulecast.validating.text import accounting_text

    book = list(accounts(tables))
    rows = [as_dict(account, float) for account in book]
    _print(form, rows, rows, accounting_text(book))
    if not gate_of_accounting(book).ok:
        raise typer.Exit(1)


def _benchmark(tables: "Library", form: str) -> None:
    """How devices compare: no whole job is forecast."""
    from joulecast.answers.shape import as_dict
    from joulecast.validating.transfer import validate_devices
    from joulecast.validating.transfer_text import text

    found = validate_devices(tables)
    _print(form, as_dict(found), [as_dict(row) for row in found.pairs], text(found))
    if not found.ok:
        raise typer.Exit(1)


def _print(form: str, everything: Any, rows: list[dict[str, Any]], words: str) -> None:
    if form == "json":
        print_json(everything)
    elif form == "csv":
        print_rows(rows, "csv")
    else:
        say(words)


def _draw(result: Any, plot: Path | None, write: Path | None, tables: "Library") -> None:
    """The pictures, and the page with its own."""
    if plot is not None:
        from joulecast.validating.plots import save_all

        save_all(result, plot, (".svg", ".png"))
    if write is not None:
        from joulecast.validating.page import page
        from joulecast.validating.plots import save_all

        pictures = write.parent / "pictures"
        pictures.mkdir(exist_ok=True)
        save_all(result, pictures, (".svg",))
        from joulecast.validating.transfer import validate_devices

        devices = validate_devices(tables)
        write.write_text(page(result, devices=devices), encoding="utf-8")
