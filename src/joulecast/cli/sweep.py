"""`joulecast sweep`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from joulecast.cli.asked import Asked, varied
from joulecast.cli.output import chosen, note, say
from joulecast.cli.planning import AsJson, Vary, takes_plan
from joulecast.errors import InputError

if TYPE_CHECKING:
    from joulecast.answers.sweep import Sweep

FORMATS = ("text", "csv", "jsonl", "json", "md")


@takes_plan
def sweep(
    asked: Asked,
    vary: Vary = None,
    results: Annotated[
        str | None,
        typer.Option(help="Results to show, such as total_kgco2e,water_l.", metavar="NAMES"),
    ] = None,
    nominal: Annotated[
        bool, typer.Option("--nominal", help="Values alone, without their ranges.")
    ] = False,
    format_: Annotated[
        str, typer.Option("--format", help="text, csv, jsonl, json or md.")
    ] = "text",
    as_json: AsJson = False,
    output: Annotated[
        Path | None, typer.Option(help="Write to a .csv, .jsonl or .parquet file.", metavar="FILE")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw to an .svg, .png or .pdf file.", metavar="FILE")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    max_rows: Annotated[
        str | None, typer.Option(help="Rows allowed; 10M unless said.", metavar="N")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes on what was assumed.")] = False,
) -> None:
    """Forecast a run over all combinations of what is varied.

    joulecast sweep --tokens 2T --vary params=1B,7B,70B --vary region=fr,us,pl
    """
    from joulecast.whatif.sweeping import USUAL
    from joulecast.whatif.sweeping import sweep as verb

    format_ = chosen("json" if as_json else format_, FORMATS)
    shown = USUAL if results is None else [name.strip() for name in results.split(",")]
    table = verb(asked.plan(), varied(vary), shown, not nominal, asked.library, _most(max_rows))
    if output is not None:
        from joulecast.report.files import save

        with _bar(len(table)) as progress:
            save(table, output, force, progress)
        note(f"wrote {output}: {len(table):,} rows")
    if plot is not None:
        table.plot(plot, force=force)
        note(f"wrote {plot}")
    if output is None and plot is None:
        _print(table, format_)
    if not quiet:
        _notes(table)


def _most(said: str | None) -> int:
    """Rows allowed."""
    from joulecast.data.reading import number
    from joulecast.whatif.axes import MAX_ROWS

    if said is None:
        return MAX_ROWS
    most = number("--max-rows", said, ["100M"])
    if most < 1:
        raise InputError("--max-rows", said, "must be at least 1", ["100M"])
    return int(most)


def _print(table: "Sweep", format_: str) -> None:
    if format_ == "text":
        from joulecast.report.sweep import lines

        for line in lines(table):
            say(line)
        return
    from joulecast.report.files import written

    rest = ""
    for text in written(table, format_):
        whole, _, rest = (rest + text).rpartition("\n")
        if whole:
            say(whole)
    if rest:
        say(rest)


def _notes(table: "Sweep") -> None:
    """Each thing there is to mind, once, to stderr."""
    by_code: dict[str, list[str]] = {}
    for notice in table.warnings:
        by_code.setdefault(notice.code, []).append(notice.message)
    for code, messages in by_code.items():
        more = f" (and {len(messages) - 1} like it)" if len(messages) > 1 else ""
        note(f"note: {code}: {messages[0]}{more}")


@contextmanager
def _bar(rows: int) -> Iterator[Callable[[int], None] | None]:
    """A progress bar on stderr where somebody is looking."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError:
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("writing rows", total=rows)
        yield lambda done: bar.update(task, completed=done)
