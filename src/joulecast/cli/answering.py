"""The answer of `joulecast estimate`, however its flags were parsed."""

from __future__ import annotations

from pathlib import Path

from joulecast.cli.asked import Asked
from joulecast.cli.output import bold, is_json, note, print_json, say


def answer(
    asked: Asked,
    save: Path | None = None,
    drivers: bool = False,
    plot: Path | None = None,
    picture: str = "waterfall",
    html: Path | None = None,
    force: bool = False,
    format_: str = "text",
    as_json: bool = False,
    quiet: bool = False,
) -> None:
    """Forecast what was asked, print it, and write the files that were asked for."""
    from joulecast.estimation import estimate as verb

    to_json = is_json(format_) or as_json
    plan = asked.plan()
    footprint = verb(plan, asked.library)
    if save is not None:
        plan.save(save)
        note(f"wrote {save}")
    if plot is not None:
        from joulecast.report import pictures

        ladder = picture == "ladder"
        answer = pictures.places_of(plan, asked.library) if ladder else footprint
        pictures.plot(answer, plot, picture, force=force)
        note(f"wrote {plot}")
    if html is not None:
        from joulecast.report.html import save_html

        save_html(footprint, html, force=force)
        note(f"wrote {html}")
    if to_json and drivers:
        from joulecast.answers.shape import as_dict

        bars = [as_dict(bar) for bar in footprint.tornado()]
        print_json({**footprint.to_dict(), "tornado": bars})
    elif to_json:
        say(footprint.to_json())
    else:
        from joulecast.report.forecast import text

        say(text(footprint, bold, quiet, drivers))
