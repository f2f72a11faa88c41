"""What the run evaporates.  Formulas only; any coherent units."""

from __future__ import annotations

from joulecast.arrays import Numbers


def water_of(energy: Numbers, water_per_energy: Numbers) -> Numbers:
    r"""Water of an energy.

    .. math:: W = E \, w

    Parameters
    ----------
    energy : On-site: IT energy; off-site: energy of the facility [J].
    water_per_energy : On-site: water usage effectiveness (WUE); off-site: water consumed by the
        power plants of the country [L/J].

    Returns
    -------
    Water [L].  Withdrawal and consumption are not the same; the assumption says which it is.

    Source: ISO/IEC 30134-9:2022, Water usage effectiveness; Li et al. 2023, arXiv:2304.03271,
    section 3.

    >>> water_of(1000, 0.36)
    360.0
    """
    return energy * water_per_energy


def total_water(onsite: Numbers, offsite: Numbers) -> Numbers:
    r"""Water of the run.

    .. math:: W = W_\mathrm{on} + W_\mathrm{off}

    Parameters
    ----------
    onsite, offsite : Water evaporated by the facility and by the power plants [L].

    Returns
    -------
    Water [L].

    Source: Li et al. 2023, arXiv:2304.03271, section 3.

    >>> total_water(360, 3130)
    3490
    """
    return onsite + offsite
