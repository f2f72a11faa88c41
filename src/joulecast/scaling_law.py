"""How loss falls with size, data, repeats and experts.  Formulas only.

Loss is the cross-entropy of the next token [nats].  N and D are parameters and tokens; E, A, B,
alpha and beta the five constants of a law, whose loss has a part for the size and one for the data:

    L = E + A / N^alpha + B / D^beta
"""

from __future__ import annotations

import numpy as np

from joulecast.arrays import Numbers


def loss_part(size: Numbers, coefficient: Numbers, exponent: Numbers) -> Numbers:
    r"""Loss that a finite model, or finite data, leaves above the irreducible.

    .. math:: p = A / N^{\alpha} \quad \text{or} \quad p = B / D^{\beta}

    Parameters
    ----------
    size : N or D [count].
    coefficient : A or B [nats].
    exponent : alpha or beta [1].

    Returns
    -------
    Part of the loss [nats].  Valid inside the fitted range of the constants.

    Source: Hoffmann et al. 2022, arXiv:2203.15556, equation 2.

    >>> round(loss_part(70e9, 482.01, 0.3478), 4)
    0.0815
    """
    return coefficient * size**-exponent


def size_of_part(part: Numbers, coefficient: Numbers, exponent: Numbers) -> Numbers:
    r"""Parameters, or tokens, that leave a given part of the loss: `loss_part` turned round.

    .. math:: N = (A / p)^{1/\alpha} \quad \text{or} \quad D = (B / p)^{1/\beta}

    Parameters
    ----------
    part : p, above 0 [nats].
    coefficient : A or B [nats].
    exponent : alpha or beta [1].

    Returns
    -------
    N or D [count].  Valid inside the fitted range of the constants.

    Source: Hoffmann et al. 2022, arXiv:2203.15556, equation 2, solved for one size.

    >>> f"{size_of_part(0.0815, 482.01, 0.3478):.2g}"
    '7e+10'
    """
    return (coefficient / part) ** (1 / exponent)


def loss(
    params: Numbers,
    tokens: Numbers,
    irreducible_loss: Numbers,
    params_coefficient: Numbers,
    tokens_coefficient: Numbers,
    params_exponent: Numbers,
    tokens_exponent: Numbers,
) -> Numbers:
    r"""Loss of a model of N parameters after D tokens, each seen once.

    .. math:: L = E + A / N^{\alpha} + B / D^{\beta}

    Parameters
    ----------
    params : N, all parameters [count].
    tokens : D, tokens processed [count].
    irreducible_loss : E [nats].
    params_coefficient, tokens_coefficient : A and B [nats].
    params_exponent, tokens_exponent : alpha and beta [1].

    Returns
    -------
    L, cross-entropy per token on text like the training text [nats].  Valid inside the fitted
    range of the constants; losses of laws with other tokenisers or data cannot be compared.

    Source: Hoffmann et al. 2022, arXiv:2203.15556, equation 2; constants of Besiroglu et al. 2024,
    arXiv:2404.10102, in the example.

    >>> round(loss(70e9, 1.4e12, 1.8172, 482.01, 2085.43, 0.3478, 0.3658), 3)
    1.974
    """
    return (
        irreducible_loss
        + loss_part(params, params_coefficient, params_exponent)
        + loss_part(tokens, tokens_coefficient, tokens_exponent)
    )


def perplexity(loss: Numbers) -> Numbers:
    r"""Perplexity of a loss: the number of equally likely tokens it is worth.

    .. math:: P = e^L

    Parameters
    ----------
    loss : L [nats per token].

    Returns
    -------
    P [tokens].  Tied to the tokeniser and text of the law: a coarser tokeniser has fewer, harder
    tokens, so perplexities of different tokenisers cannot be compared.

    Source: Jelinek et al. 1977, doi:10.1121/1.2016299.

    >>> round(float(perplexity(2.0)), 2)
    7.39
    """
    return np.exp(loss)


def coefficient_from_centred(log_part: Numbers, exponent: Numbers, centre: Numbers) -> Numbers:
    r"""A or B from the log of its part of the loss at a size amid the data.

    .. math:: A = e^{a} \, N_0^{\alpha}, \qquad a = \ln A - \alpha \ln N_0

    Parameters
    ----------
    log_part : a, log of the part of the loss at the centre [ln nats].
    exponent : alpha or beta [1].
    centre : N_0 or D_0 [count].

    Returns
    -------
    Coefficient [nats].  Around the centre a and alpha hardly depend on one another, so their
    uncertainty survives rounding; A and alpha do not.

    Source: Draper and Smith 1998, Applied Regression Analysis, on centring.

    >>> round(float(coefficient_from_centred(-1.02959, 0.3478, 1e9)), 0)
    482.0
    """
    return np.exp(log_part) * centre**exponent


def worth_of_repeats(used: Numbers, unique: Numbers, decay: Numbers) -> Numbers:
    r"""Worth, in fresh tokens, of tokens some of which are repeats.

    The same holds for parameters beyond those that the distinct tokens suffice for.

    .. math:: D' = U + U R^* (1 - e^{-R/R^*}), \qquad R = D / U - 1

    and D' = D where D is below U.

    Parameters
    ----------
    used : D, tokens processed (or parameters) [count].
    unique : U, distinct tokens (or the parameters they suffice for) [count].
    decay : R*, repetitions after which a further one is worth 1/e of a fresh pass [1].

    Returns
    -------
    D' [count], never above U (1 + R*).  Fitted on up to 9e9 parameters and 9e11 tokens; beyond
    about 60 epochs repeats were seen to harm, which this form does not know.

    Source: Muennighoff et al. 2023, arXiv:2305.16264, section 3.

    >>> [round(float(worth_of_repeats(epochs, 1.0, 15.39)), 2) for epochs in (0.5, 2.0, 4.0, 40.0)]
    [0.5, 1.97, 3.73, 15.17]
    """
    fresh = np.minimum(used, unique)
    repeats = used / fresh - 1
    return fresh * (1 - decay * np.expm1(-repeats / decay))


def repeats_for_worth(worth: Numbers, unique: Numbers, decay: Numbers) -> Numbers:
    r"""Tokens to process for a given worth of fresh ones: `worth_of_repeats` turned round.

    .. math:: D = U + U R^* \ln\frac{1}{1 - (D'/U - 1)/R^*}

    and D = D' where D' is below U.

    Parameters
    ----------
    worth : D' [count].
    unique : U [count].
    decay : R* [1].

    Returns
    -------
    D [count]; of the order of 700 R* U, standing for never, where D' is out of reach.

    Source: Muennighoff et al. 2023, arXiv:2305.16264, section 3, solved for D.

    >>> round(float(repeats_for_worth(3.7274, 1.0, 15.39)), 2)
    4.0
    """
    fresh = np.minimum(worth, unique)
    left = np.maximum(1 - (worth / fresh - 1) / decay, 1e-300)
    return fresh * (1 - decay * np.log(left))


def effective_experts(experts: Numbers, start: Numbers, limit: Numbers) -> Numbers:
    r"""Experts as a joint law counts them: saturating at both ends.

    .. math:: \frac{1}{\hat E} = \frac{1}{E - 1 + (1/E_s - 1/E_m)^{-1}} + \frac{1}{E_m}

    Parameters
    ----------
    experts : E, experts per layer, of which one is used for each token; 1 is a dense model [count].
    start : E_s, the effective number of a dense model [1].
    limit : E_m, which no number of experts exceeds [1].

    Returns
    -------
    Effective number of experts [1].

    Source: Clark et al. 2022, arXiv:2202.01169; Ludziejewski et al. 2025, arXiv:2502.05172,
    equation 4.

    >>> round(effective_experts(1.0, 2.0732, 290.4521), 4)
    2.0732
    """
    return 1 / (1 / (experts - 1 + 1 / (1 / start - 1 / limit)) + 1 / limit)


def coefficient_with_experts(coefficient: Numbers, experts: Numbers, power: Numbers) -> Numbers:
    r"""Coefficient of the Chinchilla form for a number of experts.

    .. math:: A = a \hat E^{\delta} \quad \text{or} \quad B = b \hat E^{\omega}

    Parameters
    ----------
    coefficient : a or b [nats].
    experts : Effective number of experts [1].
    power : delta or omega [1].

    Returns
    -------
    A or B [nats].  Fitted up to 32 experts, 2.7e9 active and 5e9 total parameters.

    Source: Ludziejewski et al. 2025, arXiv:2502.05172, equation 6 and table 3.

    >>> round(coefficient_with_experts(35.91, 2.0732, -0.2285), 2)
    30.4
    """
    return coefficient * experts**power


def exponent_with_experts(exponent: Numbers, experts: Numbers, slope: Numbers) -> Numbers:
    r"""Exponent of the Chinchilla form for a number of experts.

    .. math:: \alpha = \alpha_1 - \gamma \ln \hat E

    Parameters
    ----------
    exponent : alpha_1 or beta_1, positive [1].
    experts : Effective number of experts [1].
    slope : gamma or zeta, as printed: the paper writes the exponents with a minus [1].

    Returns
    -------
    alpha or beta [1].  Fitted up to 32 experts, 2.7e9 active and 5e9 total parameters.

    Source: Ludziejewski et al. 2025, arXiv:2502.05172, equation 6 and table 3.

    >>> round(float(exponent_with_experts(0.1889, 2.0732, 0.0098)), 4)
    0.1818
    """
    return exponent - slope * np.log(experts)
