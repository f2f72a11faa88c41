"""Where the least compute, or the least carbon, lies: how size and data share it.  Formulas only.

The laws are those of `scaling_law`, with the loss L = E + A / N^alpha + B / D^beta.  Symbols, the
same throughout:

    params              N      all parameters [count]
    tokens              D      tokens trained on [count]
    served_tokens       S      rho T, tokens served times emissions per FLOP over training's [count]
    gap                 l      L - E, loss above the irreducible one, above 0 [nats]
    params_coefficient  A      of the part of the loss that the size leaves [nats]
    tokens_coefficient  B      of the part that the data leave [nats]
    params_exponent     alpha  of the size [1]
    tokens_exponent     beta   of the data [1]
"""

from __future__ import annotations

import numpy as np

from joulecast.arrays import Numbers


def optimal_params(
    flop: Numbers,
    params_coefficient: Numbers,
    tokens_coefficient: Numbers,
    params_exponent: Numbers,
    tokens_exponent: Numbers,
) -> Numbers:
    r"""Parameters of the lowest loss for a given training compute C = 6 N D.

    .. math:: N^* = \left(\frac{\alpha A}{\beta B}\right)^{1/(\alpha+\beta)}
              \left(\frac{C}{6}\right)^{\beta/(\alpha+\beta)}

    Parameters
    ----------
    flop : C [FLOP].

    Returns
    -------
    N* [count].  Valid inside the fitted range of the constants, and for every token seen once.

    Source: Hoffmann et al. 2022, arXiv:2203.15556, equation 4.

    >>> f"{optimal_params(5.76e23, 482.01, 2085.43, 0.3478, 0.3658):.2g}"
    '7.2e+10'
    """
    both = params_exponent + tokens_exponent
    ratio = params_exponent * params_coefficient / (tokens_exponent * tokens_coefficient)
    return ratio ** (1 / both) * (flop / 6) ** (tokens_exponent / both)


def tokens_for_flop(flop: Numbers, params: Numbers) -> Numbers:
    r"""Tokens that a training compute pays for.

    .. math:: D = C / (6 N)

    Parameters
    ----------
    flop : C [FLOP].

    Returns
    -------
    D [count].  Valid where compute is 6 FLOP per parameter and token (docs/method/compute.md).

    Source: Kaplan et al. 2020, arXiv:2001.08361, section 2.1.

    >>> tokens_for_flop(6e23, 1e11)
    1000000000000.0
    """
    return flop / (6 * params)


def allocated_tokens(flop: Numbers, coefficient: Numbers, exponent: Numbers) -> Numbers:
    r"""Compute-optimal tokens by a law that gives the split alone, not the loss.

    .. math:: D^* = k \, C^{e}

    Parameters
    ----------
    flop : C [FLOP].
    coefficient : k [tokens].
    exponent : e [1].

    Returns
    -------
    D* [count].  Valid inside the range of compute the law was fitted on.

    Source: Grattafiori et al. 2024, arXiv:2407.21783, section 3.2.1; its constants stand in the
    example.

    >>> f"{allocated_tokens(3.8e25, 0.29, 0.53):.3g}"
    '1.05e+13'
    """
    return coefficient * flop**exponent


def params_for_tokens(
    tokens: Numbers,
    params_coefficient: Numbers,
    tokens_coefficient: Numbers,
    params_exponent: Numbers,
    tokens_exponent: Numbers,
) -> Numbers:
    r"""Parameters for which a number of tokens is compute-optimal.

    .. math:: N = \left(\frac{\alpha A}{\beta B} D^{\beta}\right)^{1/\alpha}

    Returns
    -------
    N [count].  Valid inside the fitted range of the constants.

    Source: Stationarity of Hoffmann et al. 2022, equation 4, solved for N.

    >>> f"{params_for_tokens(1.34e12, 482.01, 2085.43, 0.3478, 0.3658):.2g}"
    '7.3e+10'
    """
    ratio = params_exponent * params_coefficient / (tokens_exponent * tokens_coefficient)
    return (ratio * tokens**tokens_exponent) ** (1 / params_exponent)


def tokens_part_of_least_compute(
    gap: Numbers, params_exponent: Numbers, tokens_exponent: Numbers
) -> Numbers:
    r"""Part of the loss left to the data where a loss is reached with the least compute.

    .. math:: y = (L - E) \, \frac{\alpha}{\alpha + \beta}

    Returns
    -------
    y [nats]; `size_of_part` of y and of L - E - y are D* and N*.

    Source: Stationarity of 6 N D at fixed L: alpha A / N^alpha = beta B / D^beta (Hoffmann et al.
    2022, arXiv:2203.15556, equation 4).

    >>> round(tokens_part_of_least_compute(0.2, 0.3478, 0.3658), 4)
    0.0975
    """
    return gap * params_exponent / (params_exponent + tokens_exponent)


def tokens_part_of_least_carbon(
    gap: Numbers,
    served_tokens: Numbers,
    tokens_coefficient: Numbers,
    params_exponent: Numbers,
    tokens_exponent: Numbers,
) -> Numbers:
    r"""Part of the loss left to the data where training and serving together emit least.

    Least 6 N D + 2 N S at a given loss, with S the tokens served, each counted with the emissions
    of its FLOP over those of a training FLOP:

    .. math:: \frac{\alpha (l - y)}{\beta y} = 1 + \frac{S}{3}
              \left(\frac{y}{B}\right)^{1/\beta}, \qquad l = L - E

    Returns
    -------
    y [nats]; `size_of_part` of y and of l - y are D and N.  Six Newton steps in ln y, from the
    smaller of the solutions for little and for much serving, which lies above the root, so that
    no step overshoots; within 1e-12 for S up to 1e20.  S = 0 is the least compute.

    Source: Generalises Sardana et al. 2024, arXiv:2401.00448, section 2, to emissions.

    >>> round(float(tokens_part_of_least_carbon(0.2, 1e13, 2085.43, 0.3478, 0.3658)), 4)
    0.0594
    """
    served = served_tokens / 3 * tokens_coefficient ** (-1 / tokens_exponent)
    weight = np.maximum(served, 1e-200)
    ratio = params_exponent * gap / tokens_exponent
    least_compute = tokens_part_of_least_compute(gap, params_exponent, tokens_exponent)
    much_served = (ratio / weight) ** (tokens_exponent / (1 + tokens_exponent))
    log_y = np.log(np.minimum(least_compute, much_served))
    given = (gap, weight, params_exponent, tokens_exponent)
    log_y = nearer_tokens_part(log_y, *given)
    log_y = nearer_tokens_part(log_y, *given)
    log_y = nearer_tokens_part(log_y, *given)
    log_y = nearer_tokens_part(log_y, *given)
    log_y = nearer_tokens_part(log_y, *given)
    log_y = nearer_tokens_part(log_y, *given)
    return np.exp(log_y)


def nearer_tokens_part(
    log_part: Numbers,
    gap: Numbers,
    weight: Numbers,
    params_exponent: Numbers,
    tokens_exponent: Numbers,
) -> Numbers:
    r"""One Newton step of `tokens_part_of_least_carbon`, in u = ln y.

    .. math:: u - g / g', \quad g = \ln\frac{\alpha (l - e^u)}{\beta} - u
              - \ln(1 + q), \quad g' = -\frac{e^u}{l - e^u} - 1 - \frac{q}{\beta (1 + q)},
              \quad q = w \, e^{u/\beta}

    Parameters
    ----------
    log_part : u [ln nats].
    weight : w = S / 3 / B^(1/beta) [1].

    Returns
    -------
    The next u [ln nats].  g is concave and falls, so from above the root no step overshoots.

    Source: Newton's method (Press et al. 2007, Numerical Recipes, section 9.4).

    >>> round(float(nearer_tokens_part(-2.3, 0.2, 8.4e3, 0.3478, 0.3658)), 3)
    -2.927
    """
    part = np.exp(log_part)
    rest = gap - part
    served = weight * np.exp(log_part / tokens_exponent)
    value = np.log(params_exponent * rest / tokens_exponent) - log_part - np.log1p(served)
    slope = -part / rest - 1 - served / (1 + served) / tokens_exponent
    return log_part - value / slope


def optimal_tokens_under_cap(
    flop: Numbers,
    served_tokens: Numbers,
    params_coefficient: Numbers,
    tokens_coefficient: Numbers,
    params_exponent: Numbers,
    tokens_exponent: Numbers,
) -> Numbers:
    r"""Tokens of the lowest loss where training and serving share one allowance.

    Lowest L with 6 N D + 2 N S = M:

    .. math:: \alpha A \left(\frac{6 D + 2 S}{M}\right)^{\alpha} \frac{D}{D + S/3}
              = \beta B D^{-\beta}

    Parameters
    ----------
    flop : M, the allowance as training FLOP [FLOP].

    Returns
    -------
    D [count]; N follows from `params_under_cap`.  Eight Newton steps in ln D from the optimum
    without serving, which lies below the root of a concave rising function, so that no step
    overshoots; within 1e-12 for S up to 1e20.

    Source: The stationarity of `tokens_part_of_least_carbon` with the emissions fixed in place of
    the loss.

    >>> tokens = optimal_tokens_under_cap(1e24, 1e13, 482.01, 2085.43, 0.3478, 0.3658)
    >>> f"{tokens:.3g}"
    '3.29e+12'
    """
    balance = np.log(params_exponent * params_coefficient / (tokens_exponent * tokens_coefficient))
    constants = (params_coefficient, tokens_coefficient, params_exponent, tokens_exponent)
    start = tokens_for_flop(flop, optimal_params(flop, *constants))
    given = (flop, served_tokens, balance, params_exponent, tokens_exponent)
    log_d = nearer_tokens_under_cap(np.log(start), *given)
    log_d = nearer_tokens_under_cap(log_d, *given)
    log_d = nearer_tokens_under_cap(log_d, *given)
    log_d = nearer_tokens_under_cap(log_d, *given)
    log_d = nearer_tokens_under_cap(log_d, *given)
    log_d = nearer_tokens_under_cap(log_d, *given)
    log_d = nearer_tokens_under_cap(log_d, *given)
    log_d = nearer_tokens_under_cap(log_d, *given)
    return np.exp(log_d)


def nearer_tokens_under_cap(
    log_tokens: Numbers,
    flop: Numbers,
    served_tokens: Numbers,
    balance: Numbers,
    params_exponent: Numbers,
    tokens_exponent: Numbers,
) -> Numbers:
    r"""One Newton step of `optimal_tokens_under_cap`, in v = ln D.

    .. math:: v - h / h', \quad h = b + \alpha \ln\frac{6 D + 2 S}{M} + v
              - \ln(D + S/3) + \beta v, \quad h' = 1 + \beta - (1 - \alpha) \frac{D}{D + S/3}

    Parameters
    ----------
    log_tokens : v [ln count].
    flop : M [FLOP].
    balance : b = ln(alpha A / (beta B)) [1].

    Returns
    -------
    The next v [ln count].

    Source: Newton's method (Press et al. 2007, Numerical Recipes, section 9.4).

    >>> round(float(nearer_tokens_under_cap(28.0, 1e24, 1e13, -1.5153, 0.3478, 0.3658)), 2)
    28.78
    """
    tokens = np.exp(log_tokens)
    all_tokens = tokens + served_tokens / 3
    value = (
        balance
        + params_exponent * np.log(6 * all_tokens / flop)
        + (1 + tokens_exponent) * log_tokens
        - np.log(all_tokens)
    )
    slope = 1 + tokens_exponent - (1 - params_exponent) * tokens / all_tokens
    return log_tokens - value / slope


def params_under_cap(flop: Numbers, served_tokens: Numbers, tokens: Numbers) -> Numbers:
    r"""Parameters that an allowance for training and serving leaves room for.

    .. math:: N = \frac{M}{6 D + 2 S}

    Parameters
    ----------
    flop : M, the allowance as training FLOP [FLOP].

    Returns
    -------
    N [count].

    Source: `lifetime_flop` solved for N.

    >>> f"{params_under_cap(8e23, 1e12, 1e12):.3g}"
    '1e+11'
    """
    return flop / (6 * tokens + 2 * served_tokens)


def tokens_under_cap(flop: Numbers, served_tokens: Numbers, params: Numbers) -> Numbers:
    r"""Tokens that a model can be trained on where training and serving share a cap.

    .. math:: D = \frac{M}{6 N} - \frac{S}{3}

    Parameters
    ----------
    flop : M = 6 N D + 2 N S, as training FLOP of the same emissions [FLOP].
    params : N, below M / 2 S [count].

    Returns
    -------
    D [count].  Valid where serving takes 2 FLOP per parameter and token.

    Source: Sardana et al. 2024, arXiv:2401.00448, section 2, solved for the data.

    >>> f"{tokens_under_cap(1e24, 1e13, 4.6e10):.2g}"
    '2.9e+11'
    """
    return flop / (6 * params) - served_tokens / 3


def lifetime_flop(params: Numbers, tokens: Numbers, served_tokens: Numbers) -> Numbers:
    r"""Training and serving of a model, as training FLOP of the same emissions.

    .. math:: M = 6 N D + 2 N S

    Returns
    -------
    M [FLOP].  Serving is 2 FLOP per parameter and token; attention over long contexts is left out.

    Source: Sardana et al. 2024, arXiv:2401.00448, section 2 (there with rho = 1).

    >>> f"{lifetime_flop(1e11, 1e12, 1e12):.0e}"
    '8e+23'
    """
    return params * (6 * tokens + 2 * served_tokens)
