"""`joulecast compare`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated

import typer

from joulecast.cli.asked import Asked, varied
from joulecast.cli.output import is_json, note, say, show
from joulecast.cli.planning import AsJson, Format, Targets, Vary, takes_plan
from joulecast.errors import InputError


@takes_plan
def compare(
    asked: Asked,
    targets: Targets = None,
    vary: Vary = None,
    on: Annotated[
        str | None, typer.Option(help="The result compared: total_kgco2e where it is known.")
    ] = None,
    run: Annotated[
        str | None, typer.Option(help="Which run of an emissions.csv.", metavar="RUN_ID")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the options: FILE.svg, .png or .pdf.", metavar="FILE")
    ] = None,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Say of each pair how surely one is lower.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there.")
    ] = False,
    format_: Format = "text",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the lowest option alone.")] = False,
) -> None:
    """Compare plans, or variants of a plan, drawn from the same causes.

    joulecast compare plan.toml --vary device=h100-sxm,b200-sxm --vary region=fr,us-va,pl
    joulecast compare plan.toml emissions.csv     a forecast against its measurement
    """
    if any(target.lower().endswith(".csv") for target in asked.targets):
        _against(asked, run, is_json(format_) or as_json, quiet)
        return
    from joulecast.whatif.comparing import compare as verb

    to_json = is_json(format_) or as_json
    plans = asked.plans()
    names = [Path(target).stem if target.endswith(".toml") else target for target in asked.targets]
    several = names if len(names) > 1 else None
    comparison = verb(plans, varied(vary), on=on, names=several, library=asked.library)
    if plot is not None:
        from joulecast.report import pictures

        pictures.plot(comparison, plot, force=force)
        note(f"wrote {plot}")
    show(comparison, to_json, quiet)
    if matrix and not to_json:
        from joulecast.report.comparison import matrix as words

        say("\n" + words(comparison))


def _against(asked: Asked, run: str | None, to_json: bool, quiet: bool) -> None:
    """A plan against a measurement."""
    from joulecast.whatif.measured import compare_measured

    files = [target for target in asked.targets if target.lower().endswith(".csv")]
    plans = [target for target in asked.targets if target not in files]
    if len(files) > 1 or len(plans) > 1:
        why = "one plan is compared with one measurement"
        raise InputError("compare", " ".join(asked.targets), why, ["plan.toml emissions.csv"])
    plan = asked.plan(plans[0]) if plans else asked._replace(targets=()).plan()
    verdict = compare_measured(plan, files[0], run=run, library=asked.library)
    show(verdict, to_json, quiet)
