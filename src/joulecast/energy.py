"""What the run draws from the wall.  Formulas only; any coherent units."""

from __future__ import annotations

from joulecast.arrays import Numbers


def energy_of(device_time: Numbers, power: Numbers) -> Numbers:
    r"""Energy of one consumer (the devices, or their share of the hosts).

    .. math:: E = T \, p

    Parameters
    ----------
    device_time : T, devices x time reserved [s].
    power : p, mean over that time of one device, or of its share of the host [W].

    Returns
    -------
    Energy [J].

    Source: Definition of mean power. Figures behind the means: docs/method/energy.md.

    >>> energy_of(3.5 * 3600, 200) / 3.6e6
    0.7
    """
    return device_time * power


def it_energy(device_energy: Numbers, host_energy: Numbers, network_share: Numbers) -> Numbers:
    r"""Energy of the IT equipment.

    .. math:: E_\mathrm{IT} = (E_\mathrm{device} + E_\mathrm{host}) (1 + f)

    Parameters
    ----------
    device_energy, host_energy : Energy of the accelerators and of their hosts, NICs
        and in-node switches [J].
    network_share : f, scale-out network and storage as a share of the two [0..1];
        0 within one node.

    Returns
    -------
    IT energy [J].

    Source: Boundary: docs/method/energy.md.

    >>> it_energy(100, 50, 0.08)
    162.0
    """
    return (device_energy + host_energy) * (1 + network_share)


def facility_energy(it_energy: Numbers, pue: Numbers) -> Numbers:
    r"""Energy the whole facility draws for the run.

    .. math:: E = E_\mathrm{IT} \, \mathrm{PUE}

    Parameters
    ----------
    it_energy : Energy of the IT equipment [J].
    pue : Power usage effectiveness [ratio, at least 1].

    Returns
    -------
    Energy at the meter of the facility [J].

    Source: ISO/IEC 30134-2:2016, Power usage effectiveness.

    >>> facility_energy(100, 1.2)
    120.0
    """
    return it_energy * pue
