"""`joulecast compare`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated

import typer

from joulecast.cli.output import bold, is_json, say
from joulecast.cli.planning import Asked, Targets, takes_plan


@takes_plan
def compare(
    asked: Asked,
    targets: Targets = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=A,B", help="Values of a field or quantity, tried in turn."),
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="The result compared: total_kgco2e where it is known.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the lowest option alone.")] = False,
) -> None:
    """Compare plans, or variants of a plan, drawn from the same causes.

    joulecast compare plan.toml --vary device=h100-sxm,b200-sxm --vary region=fr,us-va,pl
    """
    from joulecast import varying
    from joulecast.comparing import compare as verb

    to_json = is_json(format_) or as_json
    plans = [asked.plan(target) for target in asked.targets or (None,)]
    names = [Path(target).stem if target.endswith(".toml") else target for target in asked.targets]
    varied = {axis.field: axis.values for axis in varying.read(vary or [])}
    comparison = verb(
        plans, varied, on=on, names=names if len(names) > 1 else None, library=asked.library
    )
    if to_json:
        say(comparison.to_json())
    else:
        from joulecast.report_whatif import comparison_text

        say(comparison_text(comparison, bold, quiet))
