"""`joulecast estimate`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from pathlib import Path
from typing import Annotated

import typer

from joulecast.cli.output import bold, is_json, print_json, say
from joulecast.cli.planning import AsJson, Asked, Format, complete_devices, takes_plan


@takes_plan
def estimate(
    asked: Asked,
    save: Annotated[
        Path | None, typer.Option(help="Write what was asked as a plan file.", metavar="FILE")
    ] = None,
    drivers: Annotated[
        bool, typer.Option("--drivers", help="Show what each input does, and what to measure next.")
    ] = False,
    use: Annotated[
        bool, typer.Option("--use", help="Show what a token in use takes; once trained.")
    ] = False,
    use_tokens: Annotated[
        str | None, typer.Option(help="Tokens generated in use, such as 1T/year.", metavar="RATE")
    ] = None,
    use_requests: Annotated[
        str | None, typer.Option(help="Requests answered, such as 2M/day.", metavar="RATE")
    ] = None,
    use_output_tokens: Annotated[str | None, typer.Option(help="Tokens of one answer.")] = None,
    use_prompt_tokens: Annotated[str | None, typer.Option(help="Tokens of one prompt.")] = None,
    use_batch: Annotated[str | None, typer.Option(help="Requests in flight at once.")] = None,
    use_device: Annotated[
        str | None,
        typer.Option(help="Device that serves; that of training.", autocompletion=complete_devices),
    ] = None,
    use_device_count: Annotated[
        str | None, typer.Option(help="Devices that hold the model; the fewest that can.")
    ] = None,
    use_precision: Annotated[
        str | None, typer.Option(help="Of the weights served: bf16 (assumed), fp8, fp4.")
    ] = None,
    use_years: Annotated[str | None, typer.Option(help="Years of use to add up.")] = None,
    use_energy_factor: Annotated[
        str | None, typer.Option(help="Measured over modelled energy of a token.")
    ] = None,
    use_site_factor: Annotated[
        str | None, typer.Option(help="Busy devices with hosts and reserve over them alone.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw it: FILE.svg, .png or .pdf.", metavar="FILE")
    ] = None,
    picture: Annotated[
        str, typer.Option(help="waterfall, ranges, tornado or ladder (of places).")
    ] = "waterfall",
    html: Annotated[
        Path | None, typer.Option(help="Write a report for a browser or printer.", metavar="FILE")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there.")
    ] = False,
    format_: Format = "text",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the headline alone.")] = False,
) -> None:
    """Forecast the footprint of a training run.

    joulecast estimate --params 70B --tokens 15T --device h100-sxm --region us-va --year 2024
    """
    from joulecast.estimation import estimate as verb
    from joulecast.plan import with_use

    to_json = is_json(format_) or as_json
    said = {
        "tokens": use_tokens,
        "requests": use_requests,
        "output_tokens": use_output_tokens,
        "prompt_tokens": use_prompt_tokens,
        "batch": use_batch,
        "device": use_device,
        "device_count": use_device_count,
        "precision": use_precision,
        "years": use_years,
        "energy_factor": use_energy_factor,
        "site_factor": use_site_factor,
    }
    plan = with_use(asked.plan(), said, use)
    footprint = verb(plan, asked.library)
    if save is not None:
        plan.save(save)
        typer.echo(f"wrote {save}", err=True)
    if plot is not None:
        from joulecast.report import pictures

        ladder = picture == "ladder"
        answer = pictures.places_of(plan, asked.library) if ladder else footprint
        pictures.plot(answer, plot, picture, force=force)
        typer.echo(f"wrote {plot}", err=True)
    if html is not None:
        from joulecast.report.html import save_html

        save_html(footprint, html, force=force)
        typer.echo(f"wrote {html}", err=True)
    if to_json and drivers:
        bars = [bar.to_dict() for bar in footprint.tornado()]
        print_json({**footprint.to_dict(), "tornado": bars})
    elif to_json:
        say(footprint.to_json())
    else:
        from joulecast.report.forecast import text

        say(text(footprint, bold, quiet, drivers))
