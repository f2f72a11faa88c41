"""What a trained language model draws when it is used.  Formulas only.

A token is generated in four parts: the weights are fetched from memory, once for all requests that
run together (the batch); so is what each request keeps of its own context (the cache); the
arithmetic is done; and every device waits for the software between steps.  Each part is a time per
token on one device, the factors `k` say what the fitted devices need over what their peaks
promise, as a share of their rated power:

    E = f P_rated [k_mem (V_weights / (W B) + V_cache / W) + k_comp 2 N_a / F + k_wait n]

Energies are of the devices alone until `site_energy`.  Fitted on models of 8 to 480 billion
parameters served with vLLM on 1 to 8 H100 or B200, at 7 to 4,095 requests in flight
(docs/method/use-phase.md).  Symbols, the same throughout:

    params            N    all weights [count]
    active_params     N_a  weights that a token uses [count]
    bytes_per_param   b    of a weight as it is served, 2 at 16 bits [B]
    weight_bytes      V_w  weights fetched for one step of a batch [B]
    batch             B    requests in flight, which share that fetch; at least 1 [count]
    context           L    tokens before the one generated, averaged over an answer [count]
    size_coefficient  c    bytes a token leaves in a model of 1e9 active parameters [B]
    cache_bytes       V_c  keys and values fetched to generate one token [B]
    rated_power       P    of one device [W]
    memory_factor     k_m  share of the power drawn over share of the bandwidth reached [1]
    bandwidth         W    of the memory of one device [B/s]
    compute_factor    k_c  share of the power drawn over share of the peak reached [1]
    peak              F    dense 16-bit peak of one device, whatever the precision served [FLOP/s]
    waiting_time      k_o  per token and device, at rated power [s]
    device_count      G    devices that hold the model together [count]
    prompt_tokens     n_p  of one request [count]
    output_tokens     n_o  of one request; tokens of reasoning are output [count]
    per_request       x    energy or emissions of one [J or kg]
    rate              r    requests in a time [1/s]
    training          M    emissions of training [kg]
"""

from __future__ import annotations

from joulecast.arrays import Numbers


def share_of_weights(active_share: Numbers, batch: Numbers) -> Numbers:
    r"""Share of all weights that at least one token of a batch needs.

    .. math:: s = 1 - (1 - N_a / N)^B

    Parameters
    ----------
    active_share : N_a / N, active over all parameters, in (0, 1] [1].

    Returns
    -------
    s [1]: the active share at B = 1, and all weights once every expert is hit; 1 for a dense model.
    Takes the tokens of a batch to choose their experts independently and evenly.

    Source: Expectation of a union of independent draws; joulecast.

    >>> round(share_of_weights(0.1, 8), 3), share_of_weights(1.0, 8)
    (0.57, 1.0)
    """
    return 1 - (1 - active_share) ** batch


def weight_bytes(
    params: Numbers, active_params: Numbers, bytes_per_param: Numbers, batch: Numbers
) -> Numbers:
    r"""Bytes of weights fetched for one step of a batch.

    .. math:: V_w = b N s(N_a / N, B)

    Returns
    -------
    V_w [B].  Valid where the weights are spread over the devices, each fetched once a step.

    Source: Pope et al. 2022, arXiv:2211.05102, section 2, with the experts hit in place of all.

    >>> weight_bytes(70e9, 70e9, 2.0, 64)
    140000000000.0
    """
    return bytes_per_param * params * share_of_weights(active_params / params, batch)


def cache_bytes(active_params: Numbers, context: Numbers, size_coefficient: Numbers) -> Numbers:
    r"""Bytes of keys and values fetched to generate one token.

    .. math:: V_c = c\,(N_a / 10^9)^{1/3} L

    Parameters
    ----------
    context : L, tokens before this one: the prompt and on average half of the output [count].

    Returns
    -------
    V_c [B].  For decoders with grouped queries and a cache of 16 bits; four to eight times more
    without grouping, far less with windows, latent attention or a recurrent state.

    Source: Size of a cache, 2 x layers x key heads x their width, as a power of the size;
    joulecast.

    >>> f"{cache_bytes(8e9, 1000, 6e4):.3g}"
    '1.2e+08'
    """
    return size_coefficient * (active_params * 1e-9) ** (1 / 3) * context


def mean_context(prompt_tokens: Numbers, output_tokens: Numbers) -> Numbers:
    r"""Tokens before the one generated, averaged over an answer.

    .. math:: L = n_p + n_o / 2

    Returns
    -------
    L [count].

    Source: Mean of an arithmetic series.

    >>> mean_context(300, 400)
    500.0
    """
    return prompt_tokens + output_tokens / 2


def weights_energy(
    rated_power: Numbers,
    memory_factor: Numbers,
    weight_bytes: Numbers,
    bandwidth: Numbers,
    batch: Numbers,
) -> Numbers:
    r"""Energy of the devices, per generated token, to fetch the weights.

    .. math:: E_w = P k_m V_w / (W B)

    Returns
    -------
    E_w [J].  Any number of devices: they share the bytes and each adds its power.

    Source: Pope et al. 2022, arXiv:2211.05102, section 2; factor fitted, docs/method/use-phase.md.

    >>> round(weights_energy(700.0, 1.2, 140e9, 3.35e12, 64), 3)
    0.549
    """
    return rated_power * memory_factor * weight_bytes / (bandwidth * batch)


def cache_energy(
    rated_power: Numbers, memory_factor: Numbers, cache_bytes: Numbers, bandwidth: Numbers
) -> Numbers:
    r"""Energy of the devices, per generated token, to fetch keys and values of its own context.

    .. math:: E_c = P k_m V_c / W

    Returns
    -------
    E_c [J], whatever the batch: nobody else needs these bytes.

    Source: Pope et al. 2022, arXiv:2211.05102, section 2; factor fitted, docs/method/use-phase.md.

    >>> round(cache_energy(700.0, 1.2, 2.4e8, 3.35e12), 3)
    0.06
    """
    return rated_power * memory_factor * cache_bytes / bandwidth


def arithmetic_energy(
    rated_power: Numbers, compute_factor: Numbers, active_params: Numbers, peak: Numbers
) -> Numbers:
    r"""Energy of the devices for one token's arithmetic, be it read or generated.

    .. math:: E_a = P k_c\, 2 N_a / F

    Returns
    -------
    E_a [J].  Attention to long contexts is left out.

    Source: Kaplan et al. 2020, arXiv:2001.08361, section 2.1; factor fitted,
    docs/method/use-phase.md.

    >>> round(arithmetic_energy(700.0, 2.2, 70e9, 989.4e12), 3)
    0.218
    """
    return rated_power * compute_factor * 2 * active_params / peak


def waiting_energy(rated_power: Numbers, waiting_time: Numbers, device_count: Numbers) -> Numbers:
    r"""Energy of all devices, per generated token, while they wait for software and one another.

    .. math:: E_o = P k_o G

    Returns
    -------
    E_o [J].  Fitted on 1 to 8 devices in one node.

    Source: joulecast; fitted, docs/method/use-phase.md.

    >>> round(waiting_energy(700.0, 3e-5, 4), 3)
    0.084
    """
    return rated_power * waiting_time * device_count


def output_token_energy(
    weights_energy: Numbers,
    cache_energy: Numbers,
    arithmetic_energy: Numbers,
    waiting_energy: Numbers,
) -> Numbers:
    r"""Energy of the devices to generate one token.

    .. math:: E = E_w + E_c + E_a + E_o

    Parameters
    ----------
    weights_energy, cache_energy, arithmetic_energy, waiting_energy : The four parts [J].

    Returns
    -------
    E [J].

    Source: Sum of parts.

    >>> round(output_token_energy(0.55, 0.06, 0.22, 0.08), 2)
    0.91
    """
    return weights_energy + cache_energy + arithmetic_energy + waiting_energy


def part_as_measured(part: Numbers, energy_factor: Numbers) -> Numbers:
    r"""Part of the energy, or a sum of parts, times what measurements show over the model.

    .. math:: E' = f E

    Parameters
    ----------
    part : E [J].
    energy_factor : f, measured over modelled energy: the generation of device and what the model
        leaves out, such as the quality of the software [1].

    Returns
    -------
    E' [J].

    Source: joulecast; spread of models left out, docs/method/use-phase.md.

    >>> part_as_measured(0.5, 1.2)
    0.6
    """
    return part * energy_factor


def site_energy(device_energy: Numbers, site_factor: Numbers, pue: Numbers) -> Numbers:
    r"""Energy of the site: devices, hosts, devices kept ready for peaks, cooling.

    .. math:: E_s = E\, m\, \mathrm{PUE}

    Parameters
    ----------
    device_energy : E, of the busy devices [J].
    site_factor : m, devices with hosts and idle reserve over the busy devices, at least 1 [1].
    pue : Energy of the facility over that of its IT, at least 1 [1].

    Returns
    -------
    E_s [J].

    Source: Boundary of Elsworth et al. 2025, arXiv:2508.15734.

    >>> round(site_energy(1.0, 1.6, 1.1), 2)
    1.76
    """
    return device_energy * site_factor * pue


def request_energy(
    output_token_energy: Numbers,
    output_tokens: Numbers,
    prompt_token_energy: Numbers,
    prompt_tokens: Numbers,
) -> Numbers:
    r"""Energy of one request: its prompt read in one pass, its answer token by token.

    .. math:: E_r = E n_o + E_p n_p

    Parameters
    ----------
    output_token_energy, prompt_token_energy : E and E_p, per token [J].

    Returns
    -------
    E_r [J].  A prompt read from a cache costs less.

    Source: Sum of parts; prompt and output apart as in Pope et al. 2022, arXiv:2211.05102.

    >>> request_energy(1.0, 400, 0.25, 200)
    450.0
    """
    return output_token_energy * output_tokens + prompt_token_energy * prompt_tokens


def requests_of_tokens(token_rate: Numbers, output_tokens: Numbers) -> Numbers:
    r"""Requests in a time, from tokens generated in it.

    .. math:: r = T / n_o

    Parameters
    ----------
    token_rate : T [1/s].

    Returns
    -------
    r [1/s].

    Source: Definition.

    >>> requests_of_tokens(4000.0, 400.0)
    10.0
    """
    return token_rate / output_tokens


def demand_over(rate: Numbers, per_request: Numbers, time: Numbers) -> Numbers:
    r"""Energy or emissions of all requests in a time.

    .. math:: X = r x t

    Parameters
    ----------
    time : t [s].

    Returns
    -------
    X [J or kg].

    Source: Definition.

    >>> demand_over(10.0, 500.0, 3.0)
    15000.0
    """
    return rate * per_request * time


def break_even_time(training: Numbers, rate: Numbers, per_request: Numbers) -> Numbers:
    r"""Time after which use has emitted as much as training.

    .. math:: t^* = M / (r x)

    Parameters
    ----------
    rate : r, requests in a time, constant [1/s].
    per_request : x, emissions of one request, above 0 [kg].

    Returns
    -------
    t* [s].  Demand and hardware stay as they are.

    Source: Definition.

    >>> break_even_time(1000.0, 10.0, 0.001)
    100000.0
    """
    return training / (rate * per_request)


def serving_ratio(
    output_token_emissions: Numbers,
    active_params: Numbers,
    training: Numbers,
    training_flop: Numbers,
) -> Numbers:
    r"""Emissions of a FLOP of generating over those of a FLOP of training.

    .. math:: \rho = \frac{x_o / 2 N_a}{M / C}

    Parameters
    ----------
    output_token_emissions : x_o, per generated token [kg].
    training_flop : C [FLOP].

    Returns
    -------
    rho [1]: what `optimum` weighs tokens served with.

    Source: Sardana et al. 2023, arXiv:2401.00448, with emissions in place of cost.

    >>> round(serving_ratio(1.4e-7, 70e9, 1e6, 6.3e24), 2)
    6.3
    """
    return (output_token_emissions / (2 * active_params)) / (training / training_flop)
