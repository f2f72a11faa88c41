"""How long the run takes.  Formulas only; any coherent units (the package uses base units)."""

from __future__ import annotations

import numpy as np

from joulecast.arrays import Numbers


def mfu_from_throughput(
    token_rate: Numbers, training_flop: Numbers, tokens: Numbers, peak_flops: Numbers
) -> Numbers:
    r"""Model FLOP utilisation of a measured token rate.

    .. math:: \mathrm{MFU} = \frac{v \, C / D}{P}

    Parameters
    ----------
    token_rate : v, tokens per time of one device in steady state [1/s].
    training_flop, tokens : C [FLOP] and D [count] of the run; C/D is the FLOP per token.
    peak_flops : P, dense peak of one device [FLOP/s].

    Returns
    -------
    MFU [0..1].  A result above the best matrix multiplication the device can do points at a
    sparse peak or at multiply-adds counted once.

    Source: Chowdhery et al. 2022 (PaLM), arXiv:2204.02311, appendix B.

    >>> round(mfu_from_throughput(7_700, 6 * 7.3e9 * 5.93e12, 5.93e12, 989.4e12), 3)
    0.341
    """
    return token_rate * (training_flop / tokens) / peak_flops


def mfu_from_hfu(hfu: Numbers, training_flop: Numbers, executed_flop: Numbers) -> Numbers:
    r"""Model FLOP utilisation from hardware FLOP utilisation.

    .. math:: \mathrm{MFU} = \mathrm{HFU} \, C / C_\mathrm{executed}

    Parameters
    ----------
    hfu : Executed FLOP per second over peak [0..1].
    training_flop, executed_flop : FLOP without and with recomputation [FLOP].

    Returns
    -------
    MFU [0..1].

    Source: Chowdhery et al. 2022 (PaLM), arXiv:2204.02311, section 4.1.

    >>> round(mfu_from_hfu(0.48, 3e23, 4e23), 3)
    0.36
    """
    return hfu * training_flop / executed_flop


def mfu_on_peak(mfu_other: Numbers, other_peak: Numbers, peak_flops: Numbers) -> Numbers:
    r"""Model FLOP utilisation on another peak: the same FLOP per second over a new base.

    .. math:: \mathrm{MFU} = \mathrm{MFU}_8 \, P_8 / P

    Parameters
    ----------
    mfu_other : Utilisation quoted against `other_peak` [0..1].
    other_peak, peak_flops : The two dense peaks of one device, same unit [FLOP/s].

    Returns
    -------
    MFU against `peak_flops` [ratio].

    Source: Follows from the definition of MFU: Chowdhery et al. 2022, arXiv:2204.02311, appendix B.

    >>> mfu_on_peak(0.17, 1979e12, 989.5e12)
    0.34
    """
    return mfu_other * other_peak / peak_flops


def utilisation(mfu: Numbers, goodput: Numbers) -> Numbers:
    r"""Utilisation of the whole run from its steady state.

    .. math:: u = \mathrm{MFU} \, g

    Parameters
    ----------
    mfu : Steady-state model FLOP utilisation [0..1].
    goodput : g, share of the reserved time that makes progress: restarts, evaluation, checkpoints
        and idle nodes taken out [0..1].

    Returns
    -------
    Whole-run utilisation [0..1].

    Source: Definition: docs/glossary.md. Pairs of both figures for one run:
    docs/method/performance.md.

    >>> round(utilisation(0.40, 0.90), 3)
    0.36
    """
    return mfu * goodput


def device_time(
    training_flop: Numbers,
    peak_flops: Numbers,
    utilisation: Numbers,
    precision_speedup: Numbers,
) -> Numbers:
    r"""Device-time reserved for the run.

    .. math:: T = \frac{C}{P \, u \, s}

    Parameters
    ----------
    training_flop : C, model FLOP [FLOP].
    peak_flops : P, dense peak of one device [FLOP/s].
    utilisation : u, whole-run utilisation at the precision of the peak [0..1].
    precision_speedup : s [ratio]: 1 at the precision of the peak; FP8 and FP4 run somewhat faster
        than 16-bit, far less than their peaks promise.

    Returns
    -------
    Devices x time [s].

    Source: Sevilla et al. 2022, arXiv:2202.05924, appendix A (the second method, read backwards).

    >>> hours = device_time(3.15e23, 312e12, 0.30, 1.0) / 3600
    >>> round(hours)
    934829
    """
    return training_flop / (peak_flops * utilisation * precision_speedup)


def device_time_from_wall_clock(wall_clock: Numbers, device_count: Numbers) -> Numbers:
    r"""Device-time of a reservation.

    .. math:: T = n \, t

    Parameters
    ----------
    wall_clock : t, elapsed time [s].
    device_count : n, devices reserved at once [count].

    Returns
    -------
    Devices x time [s].

    Source: Definition: docs/glossary.md.

    >>> device_time_from_wall_clock(24.0, 8)
    192.0
    """
    return wall_clock * device_count


def wall_clock(device_time: Numbers, device_count: Numbers) -> Numbers:
    r"""Elapsed time.

    .. math:: t = T / n

    Parameters
    ----------
    device_time : T, devices x time [s].
    device_count : n, devices reserved at once [count].

    Returns
    -------
    Elapsed time [s].

    Source: Definition: docs/glossary.md.

    >>> wall_clock(192, 8)
    24.0
    """
    return device_time / device_count


def whole_run_utilisation(
    training_flop: Numbers, device_time: Numbers, peak_flops: Numbers
) -> Numbers:
    r"""Utilisation a run turns out to have had.

    .. math:: u = \frac{C}{T \, P}

    Parameters
    ----------
    training_flop : C, model FLOP [FLOP].
    device_time : T, devices x time reserved [s].
    peak_flops : P, dense peak of one device [FLOP/s].

    Returns
    -------
    Whole-run utilisation [0..1]; above 0.6 something is counted twice or not at all.

    Source: Definition: docs/glossary.md.

    >>> round(whole_run_utilisation(3.15e23, 934829 * 3600, 312e12), 3)
    0.3
    """
    return training_flop / (device_time * peak_flops)


def size_factor(
    active_params: Numbers, peak_flops: Numbers, half_params: Numbers, exponent: Numbers
) -> Numbers:
    r"""Share of the utilisation of large models that a model of some size keeps.

    .. math:: s = \frac{1}{1 + \left(\kappa \, P / N\right)^q}

    Parameters
    ----------
    active_params : N, parameters used per token [count].
    peak_flops : P, dense peak of one device [FLOP/s]: what keeps a slow device busy does not a
        fast one.
    half_params : kappa, parameters per FLOP/s of peak at which half is kept [s/FLOP].
    exponent : q, how sharply it falls [ratio].

    Returns
    -------
    Factor on utilisation [0..1].

    Source: Fitted to published runs: docs/method/performance.md, hardware_specs/calibration.toml.
    Valid for 5.7 million to 540 billion parameters.

    >>> float(round(size_factor(8e9, 989.4e12, 3.137e-7, 0.791), 3))
    0.929
    """
    # By logarithms: no power of extreme numbers overflows.
    ln_ratio = np.log(half_params) + np.log(peak_flops) - np.log(active_params)
    return np.exp(-np.logaddexp(0.0, exponent * ln_ratio))


def expected_utilisation(
    tuned_share: Numbers,
    share_of_tuned: Numbers,
    kind_factor: Numbers,
    software_age: Numbers,
    age_slope: Numbers,
    size_factor: Numbers,
) -> Numbers:
    r"""Whole-run utilisation to expect before a run, from what is known then.

    .. math:: u = m \, w \, k \, s \, \exp\left(a \, (t - 2)\right),
        \quad t = \min(\max(t_0, 0), 3)

    Parameters
    ----------
    tuned_share : m, share of the dense peak that a tuned training can use [0..1].
    share_of_tuned : w, share of that reached over a whole run by a large decoder with software
        two years old [0..1].
    kind_factor : k, 1 for language models that are decoders; steps for other kinds and fields
        multiplied [ratio].
    software_age : Years from the first device of the generation to the run; held to
        0..3: software matures [y].
    age_slope : a, change of ln(u) per year of age [1/y].
    size_factor : s, what a model of this size keeps on this device [0..1].

    Returns
    -------
    Whole-run utilisation [0..1].

    Source: Fitted to published runs: docs/method/performance.md, hardware_specs/calibration.toml.

    >>> float(round(expected_utilisation(0.803, 0.34, 1.0, 2.8, 0.15, 0.975), 3))
    0.3
    """
    age = np.minimum(np.maximum(software_age, 0.0), 3.0)
    grown = np.exp(age_slope * (age - 2.0))
    return tuned_share * share_of_tuned * kind_factor * grown * size_factor


def utilisation_of_steps(
    large_steps: Numbers,
    precision_speedup: Numbers,
    layers: Numbers,
    overhead_per_layer: Numbers,
    training_flop: Numbers,
    tokens: Numbers,
    global_batch: Numbers,
    device_count: Numbers,
    peak_flops: Numbers,
) -> Numbers:
    r"""Utilisation where an optimiser step holds little work for each device.

    .. math:: \frac{1}{u} = \frac{1}{u_0} + \frac{s \, L \, t_0}{x},
        \quad x = \frac{C}{D} \frac{B}{n \, P}

    Parameters
    ----------
    large_steps : u_0, utilisation were steps large [0..1].
    precision_speedup : s, throughput of the precision over that of the peak [ratio].
    layers : L, layers that a step passes through [count].
    overhead_per_layer : t_0, time that each layer adds to a step, whatever the work [s].
    training_flop, tokens : C [FLOP] and D [count] of the run.
    global_batch : B, tokens of one step over all devices [count].
    device_count : n, devices that share a step [count].
    peak_flops : P, dense peak of one device [FLOP/s]; x is the time of a step at the peak [s].

    Returns
    -------
    Utilisation [0..1], below u_0.

    Source: Fitted to tuned benchmark runs of six models, each submitter left out:
    docs/method/performance.md. Valid for pre-training on 8 to 11,616 devices; no law for adapters.

    >>> float(round(utilisation_of_steps(0.3, 1, 32, 2.8e-3, 4.8e22, 1e12, 4e6, 1024, 989e12), 4))
    0.2627
    """
    step_time = training_flop / tokens * global_batch / (device_count * peak_flops)
    waiting = precision_speedup * layers * overhead_per_layer / step_time
    return 1 / (1 / large_steps + waiting)


def utilisation_of_passes(
    large_passes: Numbers,
    precision_speedup: Numbers,
    pass_overhead: Numbers,
    training_flop: Numbers,
    tokens: Numbers,
    pass_tokens: Numbers,
    peak_flops: Numbers,
) -> Numbers:
    r"""Utilisation where a pass on a device holds little work, as in most fine-tunes.

    .. math:: \frac{1}{u} = \frac{1}{u_0} + \frac{s \, t_p}{x}, \quad x = \frac{C}{D} \frac{B}{P}

    Parameters
    ----------
    large_passes : u_0, utilisation were passes large [0..1].
    precision_speedup : s, throughput of the precision over that of the peak [ratio].
    pass_overhead : t_p, time of a forward and backward pass beside its arithmetic [s].
    training_flop, tokens : C [FLOP] and D [count] of the run.
    pass_tokens : B, tokens of one pass on one device [count].
    peak_flops : P, dense peak of one device [FLOP/s]; x is the time of a pass at the peak [s].

    Returns
    -------
    Utilisation [0..1], below u_0.

    Source: Fitted to published fine-tunes, each family left out: docs/method/fine-tuning.md. Valid
    for 0.3 to 400 billion parameters and 500 tokens a pass or more.

    >>> float(round(utilisation_of_passes(0.45, 1, 0.13, 4 * 0.6e9, 1, 4096, 989e12), 4))
    0.0654
    """
    pass_time = training_flop / tokens * pass_tokens / peak_flops
    return 1 / (1 / large_passes + precision_speedup * pass_overhead / pass_time)


def device_time_with_generation(device_time: Numbers, generation_share: Numbers) -> Numbers:
    r"""Device-time where the model generates what it is trained on, step by step.

    .. math:: T = \frac{T_\mathrm{train}}{1 - g}

    Parameters
    ----------
    device_time : T_train, devices x time in which weights are trained [s].
    generation_share : g, share of a step in which answers are generated [0..1].

    Returns
    -------
    Devices x time [s].

    Source: Definition: docs/glossary.md. Published shares: docs/method/fine-tuning.md.

    >>> device_time_with_generation(3600.0, 0.6)
    9000.0
    """
    return device_time / (1 - generation_share)


def device_time_with_startup(
    device_time: Numbers, device_count: Numbers, startup_time: Numbers
) -> Numbers:
    r"""Device-time of a job with its start: devices are reserved while weights are loaded.

    .. math:: T = T_\mathrm{work} + n \, t_0

    Parameters
    ----------
    device_time : T_work, devices x time in which they work [s].
    device_count : n, devices reserved [count].
    startup_time : t_0, to start, load and save [s].

    Returns
    -------
    Devices x time [s].

    Source: Definition: docs/glossary.md. Measured jobs: docs/method/fine-tuning.md.

    >>> device_time_with_startup(3600.0, 8, 60)
    4080.0
    """
    return device_time + device_count * startup_time


def busy_share(utilisation: Numbers, at_full_power: Numbers) -> Numbers:
    r"""Share of the time in which a device works and does not wait.

    .. math:: b = \min(1, u / u_\mathrm{full})

    Parameters
    ----------
    utilisation : u, of the run [0..1].
    at_full_power : u_full, at which a device draws what busy devices do [0..1].

    Returns
    -------
    Share of the time [0..1].

    Source: Definition: docs/method/energy.md.

    >>> float(busy_share(0.15, 0.3)), float(busy_share(0.4, 0.3))
    (0.5, 1.0)
    """
    return np.minimum(1.0, utilisation / at_full_power)
