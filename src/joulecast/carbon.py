"""What the run emits.  Formulas only; any coherent units."""

from __future__ import annotations

import numpy as np

from joulecast.arrays import Numbers


def operational(energy: Numbers, grid_intensity: Numbers) -> Numbers:
    r"""Emissions of the electricity used, location-based.

    .. math:: M_\mathrm{op} = E \, c

    Parameters
    ----------
    energy
        E [J]: of the facility for the whole, of a part for that part.
    grid_intensity
        c, emissions per energy of the grid the site draws from [kg CO2e/J].

    Returns
    -------
    Emissions [kg CO2e].  Certificates and offsets are not subtracted; no grid losses are added.

    References
    ----------
    GHG Protocol Scope 2 Guidance (2015), location-based method, section 4.

    >>> operational(1_287_000, 0.429)
    552123.0
    """
    return energy * grid_intensity


def embodied(
    device_time: Numbers,
    lifetime: Numbers,
    device_embodied: Numbers,
    host_embodied: Numbers,
    network_share: Numbers,
    building_share: Numbers,
) -> Numbers:
    r"""The run's share of making the hardware.

    .. math:: M_\mathrm{em} = \frac{T}{L} (m_\mathrm{device} + m_\mathrm{host}) (1 + f) (1 + b)

    Parameters
    ----------
    device_time
        T, devices x time reserved [s].
    lifetime
        L, service life [s].
    device_embodied, host_embodied
        Emissions of making one device and its share of the host [kg CO2e].
    network_share
        f, network and storage as a share of the two [0..1].
    building_share
        b, the building as a share of all these [ratio]; 0 leaves it out.

    Returns
    -------
    Emissions [kg CO2e], written off by calendar time reserved.

    References
    ----------
    ISO/IEC 21031:2024 (Software Carbon Intensity), the term M: time reserved over expected life.

    >>> round(embodied(1000, 43_830, 164, 440, 0.10, 0.0), 2)
    15.16
    """
    hardware = (device_embodied + host_embodied) * (1 + network_share)
    return device_time / lifetime * hardware * (1 + building_share)


def making(device_time: Numbers, lifetime: Numbers, embodied: Numbers) -> Numbers:
    r"""The run's share of making one kind of hardware.

    .. math:: M = \frac{T}{L} m

    Parameters
    ----------
    device_time
        T, devices x time reserved [s].
    lifetime
        L, service life [s].
    embodied
        m, emissions of making it, per device [kg CO2e].

    Returns
    -------
    Emissions [kg CO2e].

    References
    ----------
    ISO/IEC 21031:2024 (Software Carbon Intensity), the term M.

    >>> round(making(1000, 43_830, 164), 2)
    3.74
    """
    return device_time / lifetime * embodied


def making_on_top(device_making: Numbers, host_making: Numbers, share: Numbers) -> Numbers:
    r"""Making of network and storage, as a share of devices and hosts.

    .. math:: M_\mathrm{network} = f (M_\mathrm{device} + M_\mathrm{host})

    Parameters
    ----------
    device_making, host_making
        The run's shares of making devices and hosts [kg CO2e].
    share
        f [0..1].

    Returns
    -------
    Emissions [kg CO2e].

    References
    ----------
    Follows from `embodied`.

    >>> making_on_top(100, 300, 0.1)
    40.0
    """
    return (device_making + host_making) * share


def making_of_building(
    device_making: Numbers, host_making: Numbers, network_making: Numbers, share: Numbers
) -> Numbers:
    r"""Making of the data-centre building, as a share of all hardware in it.

    .. math:: M_\mathrm{building} = b (M_\mathrm{device} + M_\mathrm{host} + M_\mathrm{network})

    Parameters
    ----------
    device_making, host_making, network_making
        The run's shares of making the hardware [kg CO2e].
    share
        b [ratio]; 0 leaves the building out.

    Returns
    -------
    Emissions [kg CO2e].

    References
    ----------
    Follows from `embodied`; the share rests on Schneider et al. 2025, arXiv:2502.01671.

    >>> making_of_building(100, 300, 40, 0.25)
    110.0
    """
    return (device_making + host_making + network_making) * share


def total(operational: Numbers, embodied: Numbers) -> Numbers:
    r"""Emissions of the run.

    .. math:: M = M_\mathrm{op} + M_\mathrm{em}

    Parameters
    ----------
    operational, embodied
        Emissions of use and the share of making [kg CO2e].

    Returns
    -------
    Emissions [kg CO2e].

    References
    ----------
    ISO/IEC 21031:2024, SCI = (O + M) per R.

    >>> round(total(24.69, 11.2), 2)
    35.89
    """
    return operational + embodied


def use_alone(operational: Numbers) -> Numbers:
    r"""Emissions of the run where nothing is known of the hardware's making.

    .. math:: M = M_\mathrm{op}

    Parameters
    ----------
    operational
        Emissions of use [kg CO2e].

    Returns
    -------
    Emissions [kg CO2e]; a lower bound, and the answer says so.

    References
    ----------
    ISO/IEC 21031:2024, with M left out.

    >>> use_alone(24.69)
    24.69
    """
    return operational * 1.0


def project(total: Numbers, project_factor: Numbers) -> Numbers:
    r"""Emissions of the whole project around the run.

    .. math:: M_\mathrm{project} = M \, k

    Parameters
    ----------
    total
        M, emissions of the final run [kg CO2e].
    project_factor
        k [ratio, at least 1]: searches, failed and preliminary runs, evaluation and the final run
        over the final run.

    Returns
    -------
    Emissions [kg CO2e]; a line of its own, never part of the run's.

    References
    ----------
    Published cases from 1.5 to 10: docs/method/carbon.md.

    >>> project(312.0, 1.5)
    468.0
    """
    return total * project_factor


def network_part(it_carbon: Numbers, device_carbon: Numbers, host_carbon: Numbers) -> Numbers:
    r"""Emissions of network and storage: what IT emits beyond devices and hosts.

    .. math:: M_\mathrm{network} = M_\mathrm{IT} - M_\mathrm{device} - M_\mathrm{host}

    Parameters
    ----------
    it_carbon, device_carbon, host_carbon
        Operational emissions of the IT energy and of its two larger parts [kg CO2e].

    Returns
    -------
    Emissions [kg CO2e], never negative.

    References
    ----------
    Follows from energy.it_energy; rounding is held at zero.

    >>> float(network_part(108, 60, 40))
    8.0
    """
    part: Numbers = np.maximum(it_carbon - device_carbon - host_carbon, 0.0)
    return part


def cooling_part(operational: Numbers, it_carbon: Numbers) -> Numbers:
    r"""Emissions of cooling, power conversion and lighting: what PUE adds.

    .. math:: M_\mathrm{cooling} = M_\mathrm{op} - M_\mathrm{IT}

    Parameters
    ----------
    operational, it_carbon
        Operational emissions of the facility and of its IT energy [kg CO2e].

    Returns
    -------
    Emissions [kg CO2e], never negative.

    References
    ----------
    Follows from energy.facility_energy; rounding is held at zero.

    >>> float(cooling_part(120, 100))
    20.0
    """
    part: Numbers = np.maximum(operational - it_carbon, 0.0)
    return part
