"""Data kept and data moved around a run: energy and emissions.  Formulas only."""

from __future__ import annotations

from joulecast.arrays import Numbers


def storage_energy(
    stored: Numbers, copies: Numbers, power_per_byte: Numbers, time: Numbers, pue: Numbers
) -> Numbers:
    r"""Energy of a data centre to keep data on drives that are switched on.

    .. math:: E = D \, r \, p \, t \, \mathrm{PUE}

    Parameters
    ----------
    stored : D, data kept, each byte counted once [B].
    copies : r, bytes on drives for each byte kept, at least 1 [ratio].
    power_per_byte : p, of drives, per byte of what they hold when full [W/B].
    time : t, for which the data are kept [s].
    pue : Energy of the facility over that of its IT, at least 1 [1].

    Returns
    -------
    E [J].  Valid for drives that run all the time: not for tape, nor for discs that are parked.

    Source: Cloud Carbon Footprint 2021, methodology, storage; Etsy 2020, Cloud Jewels.

    >>> storage_energy(100, 2, 0.5, 3600, 1.25)
    450000.0
    """
    return stored * copies * power_per_byte * time * pue


def drive_making(
    stored: Numbers, copies: Numbers, made_per_byte: Numbers, time: Numbers, lifetime: Numbers
) -> Numbers:
    r"""Share of making the drives that data occupy, by the time they are kept.

    .. math:: M = D \, r \, m \, t / L

    Parameters
    ----------
    stored : D, data kept, each byte counted once [B].
    copies : r, bytes on drives for each byte kept [ratio].
    made_per_byte : m, emissions of making drives and their servers, per byte they hold [kg CO2e/B].
    time : t, for which the data are kept [s].
    lifetime : L, service life of a drive [s].

    Returns
    -------
    M [kg CO2e].

    Source: ISO/IEC 21031:2024: a share by the time reserved.

    >>> drive_making(100, 2, 3, 1, 5)
    120.0
    """
    return stored * copies * made_per_byte * time / lifetime


def transfer_energy(moved: Numbers, energy_per_byte: Numbers) -> Numbers:
    r"""Energy of the network between sites that is allotted to data moved through it.

    .. math:: E = D \, e

    Parameters
    ----------
    moved : D, data moved, counted once for each time they are [B].
    energy_per_byte : e, of the network end to end, its yearly energy over its yearly traffic [J/B].

    Returns
    -------
    E [J]: a share of an average.  Networks draw nearly the same when less is sent, so moving less
    saves less than this.

    Source: Aslan et al. 2018, doi:10.1111/jiec.12630; Mytton et al. 2024, doi:10.1111/jiec.13512.

    >>> transfer_energy(1000, 7.2)
    7200.0
    """
    return moved * energy_per_byte
