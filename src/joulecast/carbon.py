"""What the run emits.  Formulas only; any coherent units."""

from __future__ import annotations

import numpy as np

from joulecast.arrays import Numbers


def operational(energy: Numbers, grid_intensity: Numbers) -> Numbers:
    r"""Emissions of the electricity used, location-based.

    .. math:: M_\mathrm{op} = E \, c

    Parameters
    ----------
    energy : E [J]: of the facility for the whole, of a part for that part.
    grid_intensity : c, emissions per energy of the grid the site draws from [kg CO2e/J].

    Returns
    -------
    Emissions [kg CO2e].  Certificates and offsets are not subtracted; no grid losses are added.

    Source: GHG Protocol Scope 2 Guidance (2015), location-based method, section 4.

    >>> operational(1_287_000, 0.429)
    552123.0
    """
    return energy * grid_intensity


def electricity_mix(
    grid_intensity: Numbers, onsite_share: Numbers, onsite_intensity: Numbers
) -> Numbers:
    r"""Intensity of a site that generates a share of its electricity itself.

    .. math:: c = (1 - s) \, c_\mathrm{grid} + s \, c_\mathrm{site}

    Parameters
    ----------
    grid_intensity, onsite_intensity : Emissions per energy of what is drawn from the grid, or
        bought by contract, and of what is generated on the site [kg CO2e/J].
    onsite_share : s, share of the facility's energy that is generated on the site [0..1].

    Returns
    -------
    Emissions per energy [kg CO2e/J].

    Source: GHG Protocol Scope 2 Guidance (2015): generation that is owned counts at its own factor.

    >>> electricity_mix(400.0, 0.25, 500.0)
    425.0
    """
    return (1 - onsite_share) * grid_intensity + onsite_share * onsite_intensity


def devices_charged(device_time: Numbers, lifetime: Numbers, fleet_utilisation: Numbers) -> Numbers:
    r"""Devices whose whole making the run bears, written off by time reserved.

    .. math:: n = \frac{T}{L u}

    Parameters
    ----------
    device_time : T, devices x time reserved [s].
    lifetime : L, service life [s].
    fleet_utilisation : u, share of the service life in which a device is
        reserved by anybody [0..1].

    Returns
    -------
    Number of devices, any fraction.

    Source: ISO/IEC 21031:2024 (Software Carbon Intensity), the term M: time reserved over expected
    life; u as in Luccioni et al. 2022, section 4.1.

    >>> devices_charged(1000, 40_000, 0.5)
    0.05
    """
    return device_time / (lifetime * fleet_utilisation)


def embodied(
    devices_charged: Numbers,
    device_embodied: Numbers,
    host_embodied: Numbers,
    network_share: Numbers,
    building_share: Numbers,
) -> Numbers:
    r"""The run's share of making the hardware.

    .. math:: M_\mathrm{em} = n (m_\mathrm{device} + m_\mathrm{host}) (1 + f) (1 + b)

    Parameters
    ----------
    devices_charged : n, devices whose whole making the run bears [count].
    device_embodied, host_embodied : Emissions of making one device and its share
        of the host [kg CO2e].
    network_share : f, network and storage as a share of the two [0..1].
    building_share : b, the building as a share of all these [ratio]; 0 leaves it out.

    Returns
    -------
    Emissions [kg CO2e].

    Source: ISO/IEC 21031:2024 (Software Carbon Intensity), the term M.

    >>> round(embodied(1000 / 43_830, 164, 440, 0.10, 0.0), 2)
    15.16
    """
    hardware = (device_embodied + host_embodied) * (1 + network_share)
    return devices_charged * hardware * (1 + building_share)


def making(devices_charged: Numbers, embodied: Numbers) -> Numbers:
    r"""The run's share of making one kind of hardware.

    .. math:: M = n \, m

    Parameters
    ----------
    devices_charged : n, devices whose whole making the run bears [count].
    embodied : m, emissions of making it, per device [kg CO2e].

    Returns
    -------
    Emissions [kg CO2e].

    Source: ISO/IEC 21031:2024 (Software Carbon Intensity), the term M.

    >>> round(making(1000 / 43_830, 164), 2)
    3.74
    """
    return devices_charged * embodied


def ewaste(devices_charged: Numbers, mass: Numbers) -> Numbers:
    r"""Mass of the hardware that is retired for the run.

    .. math:: W = n \, w

    Parameters
    ----------
    devices_charged : n, devices the run bears [count]: what is made is retired one day.
    mass : w, of one device with its share of the host [kg].

    Returns
    -------
    Mass [kg].

    Source: Follows from `devices_charged`: the share of the making is the share of the retiring.

    >>> ewaste(0.5, 16)
    8.0
    """
    return devices_charged * mass


def cost(amount: Numbers, price: Numbers) -> Numbers:
    r"""What an amount costs at a price.

    .. math:: K = a \, p

    Parameters
    ----------
    amount : a, device time [s] or energy [J].
    price : p, per unit of it [1/s or 1/J]; the currency is the user's.

    Returns
    -------
    Cost, in the currency of the price.

    Source: Definition of a price.

    >>> cost(1000, 2.5)
    2500.0
    """
    return amount * price


def making_on_top(device_making: Numbers, host_making: Numbers, share: Numbers) -> Numbers:
    r"""Making of network and storage, as a share of devices and hosts.

    .. math:: M_\mathrm{network} = f (M_\mathrm{device} + M_\mathrm{host})

    Parameters
    ----------
    device_making, host_making : The run's shares of making devices and hosts [kg CO2e].
    share : f [0..1].

    Returns
    -------
    Emissions [kg CO2e].

    Source: Follows from `embodied`.

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
    device_making, host_making, network_making : The run's shares of making the hardware [kg CO2e].
    share : b [ratio]; 0 leaves the building out.

    Returns
    -------
    Emissions [kg CO2e].

    Source: Follows from `embodied`; the share rests on Schneider et al. 2025, arXiv:2502.01671.

    >>> making_of_building(100, 300, 40, 0.25)
    110.0
    """
    return (device_making + host_making + network_making) * share


def total(operational: Numbers, embodied: Numbers) -> Numbers:
    r"""Emissions of the run.

    .. math:: M = M_\mathrm{op} + M_\mathrm{em}

    Parameters
    ----------
    operational, embodied : Emissions of use and the share of making [kg CO2e].

    Returns
    -------
    Emissions [kg CO2e].

    Source: ISO/IEC 21031:2024, SCI = (O + M) per R.

    >>> round(total(24.69, 11.2), 2)
    35.89
    """
    return operational + embodied


def use_alone(operational: Numbers) -> Numbers:
    r"""Emissions of the run where nothing is known of the hardware's making.

    .. math:: M = M_\mathrm{op}

    Parameters
    ----------
    operational : Emissions of use [kg CO2e].

    Returns
    -------
    Emissions [kg CO2e]; a lower bound, and the answer says so.

    Source: ISO/IEC 21031:2024, with M left out.

    >>> use_alone(24.69)
    24.69
    """
    return operational * 1.0


def project(total: Numbers, project_factor: Numbers) -> Numbers:
    r"""Emissions of the whole project around the run.

    .. math:: M_\mathrm{project} = M \, k

    Parameters
    ----------
    total : M, emissions of the final run [kg CO2e].
    project_factor : k [ratio, at least 1]: searches, failed and preliminary runs, evaluation and
        the final run over the final run.

    Returns
    -------
    Emissions [kg CO2e]; a line of its own, never part of the run's.

    Source: Published cases from 1.5 to 10: docs/method/carbon.md.

    >>> project(312.0, 1.5)
    468.0
    """
    return total * project_factor


def project_factor(*shares: Numbers) -> Numbers:
    r"""Whole project over its final run, from its parts.

    .. math:: k = 1 + \sum_i s_i

    Parameters
    ----------
    shares : s_i, each part of the project over the final run [ratio].

    Returns
    -------
    k [ratio].

    Source: Definition.

    >>> project_factor(0.5, 0.25)
    1.75
    """
    return 1 + sum(shares)


def project_part(total: Numbers, share: Numbers) -> Numbers:
    r"""Emissions of one part of a project, beside its final run.

    .. math:: M_i = M \, s_i

    Parameters
    ----------
    total : M, emissions of the final run [kg CO2e].
    share : s_i, the part over the final run [ratio].

    Returns
    -------
    M_i [kg CO2e]; valid where the part runs on hardware and at a place like the run's.

    Source: Follows from `project_factor`.

    >>> project_part(312.0, 0.5)
    156.0
    """
    return total * share


def network_part(it_carbon: Numbers, device_carbon: Numbers, host_carbon: Numbers) -> Numbers:
    r"""Emissions of network and storage: what IT emits beyond devices and hosts.

    .. math:: M_\mathrm{network} = M_\mathrm{IT} - M_\mathrm{device} - M_\mathrm{host}

    Parameters
    ----------
    it_carbon, device_carbon, host_carbon : Operational emissions of the IT energy and of its
        two larger parts [kg CO2e].

    Returns
    -------
    Emissions [kg CO2e], never negative.

    Source: Follows from energy.it_energy; rounding is held at zero.

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
    operational, it_carbon : Operational emissions of the facility and of its IT energy [kg CO2e].

    Returns
    -------
    Emissions [kg CO2e], never negative.

    Source: Follows from energy.facility_energy; rounding is held at zero.

    >>> float(cooling_part(120, 100))
    20.0
    """
    part: Numbers = np.maximum(operational - it_carbon, 0.0)
    return part
