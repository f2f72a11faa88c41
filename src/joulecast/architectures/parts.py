"""Weights and arithmetic of the parts that models are made of.  Formulas only.

A matrix of n by m weights costs 2 n m FLOP for each token that passes it: one multiplication and
one addition per weight.  So a formula gives weights W [count] wherever there are any, and FLOP F
per token [FLOP] only for products that no weight takes part in.  Symbols, the same throughout:

    weights     W      weights of matrices, biases left out [count]
    hidden      h      width of the model; of a recurrent layer, that of its state [count]
    inner       f      width inside a feed-forward block [count]
    matrices    m      matrices of one: 2 (up, down), or 3 with a gate (SwiGLU, GeGLU) [count]
    experts     E      experts held; all are scored, few are run [count]
    heads       n      query heads; sharing keys between them saves memory, not arithmetic [count]
    kv_heads    n_kv   key and value heads: n (multi-head), fewer (grouped), 1 (multi-query) [count]
    head_dim    d      width of a head [count]
    query_dim   d_qk   width of a query and a key [count]
    value_dim   d_v    width of a value [count]
    rank        q      width of the latent that queries are unfolded from [count]
    kv_rank     r      width of the latent that keys and values are unfolded from [count]
    nope_dim    d_n    part of a key without rotary positions [count]
    rope_dim    d_r    part of a key with rotary positions [count]
    channels    c      channels of an image [count]
    patch       p      edge of a patch [pixel]
    kernel      k      length of a convolution's kernel [token]
    inputs      c_in   channels that each output reads; of a recurrent layer, its inputs [count]
    outputs     c_out  channels out [count]
    gates       g      gates of a recurrent cell: 4 in an LSTM, 3 in a GRU, 1 in a plain one [count]
"""

from __future__ import annotations

from joulecast.architectures.numbers import N


def weight_flop(weights: N) -> N:
    r"""Forward FLOP of a token in matrices of so many weights.

    .. math:: F = 2 W

    Source: Kaplan et al. 2020, arXiv:2001.08361, section 2.1.

    >>> weight_flop(4096 * 11008)
    90177536
    """
    return 2 * weights


def attention_weights(hidden: N, heads: N, kv_heads: N, head_dim: N) -> N:
    r"""Query, key, value and output matrices; the key and value heads may be fewer.

    .. math:: W = h \, d \, (2 n + 2 n_\mathrm{kv})

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2; Shazeer 2019, arXiv:1911.02150;
    Ainslie et al. 2023 (GQA), arXiv:2305.13245.

    >>> attention_weights(4096, 32, 8, 128)
    41943040
    """
    return hidden * head_dim * (2 * heads + 2 * kv_heads)


def score_flop_per_key(heads: N, query_dim: N, value_dim: N) -> N:
    r"""Attention between one query and one key: a dot product and a share of the weighted sum.

    .. math:: F = 2 n \, (d_{qk} + d_v)

    Per query and key; times the mean keys per query it is the cost of a token.

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 1; Chowdhery et al. 2022 (PaLM),
    arXiv:2204.02311, appendix B.

    >>> score_flop_per_key(32, 128, 128)
    16384
    """
    return 2 * heads * (query_dim + value_dim)


def latent_attention_weights(
    hidden: N, heads: N, kv_rank: N, nope_dim: N, rope_dim: N, value_dim: N
) -> N:
    r"""Key, value and output matrices of multi-head latent attention.

    .. math:: W = h (r + d_r) + r \, n (d_n + d_v) + n \, d_v \, h

    The queries come on top: latent_query_weights.

    Source: DeepSeek-AI 2024 (DeepSeek-V2), arXiv:2405.04434, section 2.1 and appendix C.

    >>> latent_attention_weights(7168, 128, 512, 128, 64, 128)
    138346496
    """
    return (
        hidden * (kv_rank + rope_dim)
        + kv_rank * heads * (nope_dim + value_dim)
        + heads * value_dim * hidden
    )


def latent_query_weights(hidden: N, rank: N, heads: N, query_dim: N) -> N:
    r"""Query matrices of multi-head latent attention, down to a rank and up again.

    .. math:: W = h \, q + q \, n \, d_{qk}

    Source: DeepSeek-AI 2024 (DeepSeek-V2), arXiv:2405.04434, section 2.1.2.

    >>> latent_query_weights(7168, 1536, 128, 192)
    48758784
    """
    return hidden * rank + rank * heads * query_dim


def mlp_weights(hidden: N, inner: N, matrices: N) -> N:
    r"""A feed-forward block, or one expert of a mixture.

    .. math:: W = m \, h \, f

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.3; Shazeer 2020, arXiv:2002.05202.

    >>> mlp_weights(4096, 11008, 3)
    135266304
    """
    return matrices * hidden * inner


def router_weights(hidden: N, experts: N) -> N:
    r"""The matrix that scores the experts of a mixture for a token.

    .. math:: W = h \, E

    Source: Shazeer et al. 2017, arXiv:1701.06538, section 2.1; Fedus et al. 2021,
    arXiv:2101.03961.

    >>> router_weights(4096, 8)
    32768
    """
    return hidden * experts


def patch_weights(channels: N, patch: N, hidden: N) -> N:
    r"""The convolution that turns each patch of an image into a token.

    .. math:: W = c \, p^2 \, h

    Source: Dosovitskiy et al. 2020 (ViT), arXiv:2010.11929, section 3.1.

    >>> patch_weights(3, 16, 768)
    589824
    """
    return channels * patch * patch * hidden


def convolution_weights(kernel: N, inputs: N, outputs: N) -> N:
    r"""A convolution along the sequence; a depthwise one has one input per output.

    .. math:: W = k \, c_\mathrm{in} \, c_\mathrm{out}

    Met once by every position of the output.

    Source: Radford et al. 2022 (Whisper), arXiv:2212.04356, section 2.2; Gu and Dao 2023 (Mamba),
    arXiv:2312.00752, section 3.4.

    >>> convolution_weights(3, 128, 1280)
    491520
    """
    return kernel * inputs * outputs


def recurrent_weights(gates: N, inputs: N, hidden: N) -> N:
    r"""The matrices of one recurrent layer.

    .. math:: W = g \, (c_\mathrm{in} \, h + h^2)

    Source: Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; Cho et al. 2014,
    arXiv:1406.1078.

    >>> recurrent_weights(4, 1500, 1500)
    18000000
    """
    return gates * (inputs * hidden + hidden * hidden)
