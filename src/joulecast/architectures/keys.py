"""How many keys a query sees, on average over a sequence.  Formulas only.

Each gives K, mean keys per query [count]; `padding` alone gives a ratio.  Symbols, the same
throughout:

    length   S   tokens in the sequence [count]
    window   w   tokens a query may see, itself included [count]; more than S is S
    reach    h   tokens seen on either side of the query [count]
    chunk    c   tokens in a chunk [count]; n whole ones and a rest of r make up S
    block    b   tokens in a block [count]; n whole ones and a rest of r make up S
"""

from __future__ import annotations

import numpy as np

from joulecast.architectures.numbers import N


def causal(length: N) -> N:
    r"""Keys under a causal mask: a query sees itself and all before it.

    .. math:: K = (S + 1) / 2

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3; the mean of 1..S.

    >>> causal(4096)
    2048.5
    """
    return (length + 1) / 2


def causal_window(length: N, window: N) -> N:
    r"""Keys under a causal mask that reaches back over a window.

    .. math:: K = w - w (w - 1) / (2 S), \quad w \le S

    Source: Beltagy et al. 2020 (Longformer), arXiv:2004.05150, section 3.1; Jiang et al. 2023
    (Mistral), arXiv:2310.06825, section 2.

    >>> float(causal_window(8192, 4096)), float(causal_window(100, 4096))
    (3072.25, 50.5)
    """
    reach: N = np.minimum(window, length)
    return reach - reach * (reach - 1) / (2 * length)


def causal_chunk(length: N, chunk: N) -> N:
    r"""Keys where a query sees its own chunk only, up to itself: (c + 1) / 2 where c divides S.

    .. math:: K = \frac{n \, c (c + 1) + r (r + 1)}{2 S}, \quad S = n c + r

    Source: Meta 2025 (Llama 4), the model's published code: attention_chunk_size.

    >>> float(causal_chunk(32768, 8192))
    4096.5
    """
    rest = length % chunk
    return (length // chunk * chunk * (chunk + 1) + rest * (rest + 1)) / (2 * length)


def both_ways(length: N) -> N:
    r"""Keys without a mask, or the full square that some count for a causal mask too.

    .. math:: K = S

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1.

    >>> both_ways(512)
    512.0
    """
    return length * 1.0


def both_ways_window(length: N, reach: N) -> N:
    r"""Keys where a query sees itself and some tokens on either side.

    .. math:: K = 2 h + 1 - h (h + 1) / S, \quad h \le S - 1

    Source: Beltagy et al. 2020 (Longformer), arXiv:2004.05150, section 3.1; Warner et al. 2024
    (ModernBERT), arXiv:2412.13663, section 2.1.

    >>> float(both_ways_window(8192, 64)), float(both_ways_window(10, 64))
    (128.4921875, 10.0)
    """
    side: N = np.minimum(reach, length - 1)
    return 2 * side + 1 - side * (side + 1) / length


def blocks(length: N, block: N) -> N:
    r"""Keys where every query meets the whole of its own block, the last one as long as it is.

    .. math:: K = (n b^2 + r^2) / S, \quad S = n b + r

    Source: Qin et al. 2024 (Lightning Attention-2), arXiv:2401.04658, algorithm 1.

    >>> float(blocks(4096, 256))
    256.0
    """
    rest = length % block
    return (length // block * block * block + rest * rest) / length


def padding(length: N, chunk: N) -> N:
    r"""How much longer a sequence is once filled up to whole chunks [ratio].

    .. math:: \lceil S / c \rceil \, c / S

    Source: Dao and Gu 2024 (Mamba-2), arXiv:2405.21060, section 6; the authors' reference code.

    >>> float(padding(512, 256)), float(padding(64, 256))
    (1.0, 4.0)
    """
    return -(-length // chunk) * chunk / length
