"""How much arithmetic the run needs.  Formulas only; FLOP and tokens are counts."""

from __future__ import annotations

from joulecast.arrays import Numbers


def active_params(params: Numbers) -> Numbers:
    r"""Parameters a token passes through, where every token passes through all.

    .. math:: N_\mathrm{active} = N

    Parameters
    ----------
    params
        N, all weights [count].

    Returns
    -------
    Weights used per token [count].  Not valid for mixtures of experts.

    References
    ----------
    Definition: docs/glossary.md.

    >>> active_params(7e9)
    7000000000.0
    """
    return params * 1.0


def training_flop(
    flop_per_param_token: Numbers, active_params: Numbers, tokens: Numbers
) -> Numbers:
    r"""Training FLOP from counts alone.

    .. math:: C = k \, N_\mathrm{active} \, D

    Parameters
    ----------
    flop_per_param_token
        k [FLOP per parameter and token]: 6 for decoders (2 forward, 4 backward),
        about 3.3 for encoder-decoders, whose tokens cross half the weights,
        6.2 for vision transformers per image token.
    active_params
        Weights a token passes through [count].
    tokens
        Tokens processed, repeats counted [count].

    Returns
    -------
    Model FLOP, forward and backward, without recomputation [FLOP].

    Valid for dense decoders of 1B parameters and more at sequences up to 8k
    within 0.95 to 1.10; attention, a mixture of experts counted with all its
    experts, shared blocks and long contexts break it.

    References
    ----------
    Kaplan et al. 2020, arXiv:2001.08361, section 2.1; Hoffmann et al. 2022,
    arXiv:2203.15556, appendix F.

    >>> training_flop(6, 175e9, 300e9)
    3.15e+23
    """
    return flop_per_param_token * active_params * tokens


def executed_flop(training_flop: Numbers, recompute_factor: Numbers) -> Numbers:
    r"""FLOP the devices really execute.

    .. math:: C_\mathrm{executed} = r \, C

    Parameters
    ----------
    training_flop
        Model FLOP [FLOP].
    recompute_factor
        r [ratio]: 1 without activation recomputation, 4/3 with full (one more forward pass
        beside one forward and a backward of two).

    Returns
    -------
    Executed FLOP [FLOP].  Drives nothing but itself: hours follow from the model FLOP, whose
    utilisation already pays for recomputation.

    References
    ----------
    Korthikanti et al. 2022, arXiv:2205.05198, section 5 and appendix A.

    >>> executed_flop(3e23, 4 / 3)
    4e+23
    """
    return training_flop * recompute_factor
