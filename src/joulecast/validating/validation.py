"""The verb `validate`: published runs forecast again, blind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from joulecast.data.library import Library

if TYPE_CHECKING:
    from joulecast.answers.validation import Validation


def validate(library: Library | None = None, shipped: bool = False) -> Validation:
    """Forecast every published run again and score the forecasts.

    Each forecast takes what was known before its run: size, data, architecture, device, count,
    sequence length, precision, place and year; never the run's utilisation, hours or power.

    Parameters
    ----------
    library
        The tables, with the published runs; the package's own where none is given.
    shipped
        Forecast with the default utilisation as it ships, which was fitted to these very runs,
        instead of with one that never saw the run's family.

    Returns
    -------
    Validation: rows (h, kWh, kgCO2e), scores by quantity and group, what knowing more buys,
    accounting, gates; `ok` says whether every gate passes or fails no worse than declared.

    Raises
    ------
    JoulecastError
        Where a record of a user's own run is broken.
    """
    from joulecast.validating.benchmark import run_benchmark

    return run_benchmark(library or Library.bundled(), shipped)
