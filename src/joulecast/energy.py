"""What the run draws from the wall.  Formulas only; any coherent units."""

from __future__ import annotations

import numpy as np

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


def device_power_waiting(
    full_power: Numbers, host_power: Numbers, busy_share: Numbers, idle_share: Numbers
) -> Numbers:
    r"""Mean power of a device that waits for part of the time.

    .. math:: p = \max\left(p_\mathrm{full} - (1 - i)(1 - b)(p_\mathrm{full} + p_\mathrm{host}), \;
        p_\mathrm{full} / 10\right)

    A node draws P = P_full (i + (1 - i) b); its host draws the same all along, so the slope is the
    device's.

    Parameters
    ----------
    full_power : Mean power of a device that is kept busy [W].
    host_power : Its share of the host's power [W].
    busy_share : b, share of the time in which it works [0..1].
    idle_share : i, power of a node that waits over that of a busy one [0..1].

    Returns
    -------
    Mean power of the device [W]; a tenth of the full power at least, as devices idle.

    Source: Metered nodes of tuned benchmark runs: docs/method/energy.md.

    >>> float(device_power_waiting(600, 240, 0.5, 0.39).round(1))
    343.8
    """
    saved = (1 - idle_share) * (1 - busy_share) * (full_power + host_power)
    return np.maximum(full_power - saved, full_power / 10)


def device_power_of_passes(
    full_power: Numbers, busy_share: Numbers, idle_share: Numbers
) -> Numbers:
    r"""Mean power of a device whose passes hold gaps: between launches, while weights arrive.

    .. math:: p = p_\mathrm{full} \, (i + (1 - i) \, b)

    Parameters
    ----------
    full_power : Mean power of a device that is kept busy [W].
    busy_share : b, share of the time in which it works [0..1].
    idle_share : i, power in the gaps over that of work [0..1]: that of a node that waits, since
        gaps of microseconds do not let a device fall to its own idle power.

    Returns
    -------
    Mean power of the device [W].

    Source: Assumed, near metered fine-tunes on one card, which draw 0.48 to 0.93 of the rating:
    docs/method/fine-tuning.md.

    >>> float(round(device_power_of_passes(350.0, 0.5, 0.39), 2))
    243.25
    """
    return full_power * (idle_share + (1 - idle_share) * busy_share)


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
