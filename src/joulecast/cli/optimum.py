"""`joulecast optimum`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from typing import Annotated

import typer

from joulecast.cli.asked import Asked, budgets
from joulecast.cli.output import is_json, show
from joulecast.cli.planning import AsJson, Confidence, Format, Max, takes_plan


@takes_plan
def optimum(
    asked: Asked,
    loss: Annotated[
        str | None, typer.Option(help="Loss to reach, in nats per token, such as 2.1.")
    ] = None,
    max_: Max = None,
    demand: Annotated[
        str | None,
        typer.Option(help="Tokens generated in use, over the model's life: 1T or 1T..10T."),
    ] = None,
    serving_ratio: Annotated[
        str | None,
        typer.Option(help="Emissions of a FLOP of serving over one of training: 8 or 5..12."),
    ] = None,
    experts: Annotated[
        str | None, typer.Option(help="Also say what so many experts would save.")
    ] = None,
    confidence: Confidence = None,
    law: Annotated[
        str | None,
        typer.Option(help="Loss law that answers: besiroglu-2024 (assumed), muennighoff-2023."),
    ] = None,
    format_: Format = "text",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the headline alone.")] = False,
) -> None:
    """Find the size and data that use a budget, or reach a loss, best.

    joulecast optimum --loss 2.1 --demand 1T..10T --device h100-sxm --region fr
    """
    from joulecast.laws.optimising import optimum as verb

    to_json = is_json(format_) or as_json
    answer = verb(
        asked.plan(),
        loss=loss,
        max=budgets(max_),
        demand=demand,
        serving_ratio=serving_ratio,
        experts=experts,
        confidence=confidence,
        law=law,
        library=asked.library,
    )
    show(answer, to_json, quiet)
