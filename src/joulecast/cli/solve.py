"""`joulecast solve`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from typing import Annotated

import typer

from joulecast.cli.asked import Asked, budgets
from joulecast.cli.output import is_json, show
from joulecast.cli.planning import AsJson, Confidence, Format, Max, takes_plan


@takes_plan
def solve(
    asked: Asked,
    for_: Annotated[
        str, typer.Option("--for", help="params, tokens, devices, grid or pue.", metavar="WHAT")
    ] = "params",
    max_: Max = None,
    ratio: Annotated[
        str | None, typer.Option(help="Tokens per active parameter, with --for params.")
    ] = None,
    confidence: Confidence = None,
    format_: Format = "text",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the answer alone.")] = False,
) -> None:
    """Find the largest model, the most tokens or the fewest devices within a budget.

    joulecast solve --for params --ratio 20 --max total=50t --confidence 90 --region fr
    """
    from joulecast.whatif.solving import solve as verb

    to_json = is_json(format_) or as_json
    solution = verb(
        asked.plan(), for_, budgets(max_), ratio=ratio, confidence=confidence, library=asked.library
    )
    show(solution, to_json, quiet)
