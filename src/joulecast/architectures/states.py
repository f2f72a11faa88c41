"""Layers that carry a state along the sequence: Mamba, delta net, lightning, RG-LRU.

Formulas only.  A state holds no weights, so its products are given as FLOP F per token [FLOP]: a
part that every token pays (`_state_flop`, `_readout_flop`), and, where a chunk is worked on as a
square, a part for each token in the chunk (`_flop_per_key`).  What does hold weights gives W
[count].  Symbols, the same throughout:

    hidden     h    width of the model [count]
    inner      i    channels inside a block [count]
    width      w    channels of an RG-LRU [count]
    state      s    numbers of state per channel [count]
    kernel     k    length of the convolution [token]
    rank       r    width that the step sizes are unfolded from [count]
    heads      n    heads; of a delta net those of its values, of an RG-LRU diagonal blocks [count]
    head_dim   d    width of a head [count]
    groups     g    groups that share B and C [count]
    key_dim    d_k  width of a key [count]
    value_dim  d_v  width of a value [count]
"""

from __future__ import annotations

from joulecast.architectures.numbers import N


def mamba1_weights(hidden: N, inner: N, state: N, kernel: N, rank: N) -> N:
    r"""Matrices and convolution of a Mamba-1 block.

    .. math:: W = 2 h i + k i + i (r + 2 s) + r i + i h

    Source: Gu and Dao 2023 (Mamba), arXiv:2312.00752, sections 3.2 to 3.6.

    >>> mamba1_weights(2560, 5120, 16, 4, 160)
    41144320
    """
    steps = inner * (rank + 2 * state) + rank * inner
    return 2 * hidden * inner + kernel * inner + steps + inner * hidden


def mamba1_readout_flop(inner: N, state: N) -> N:
    r"""Reading the state of a Mamba-1 block: one product with C per channel.

    .. math:: F = 2 \, i \, s

    The scan itself is elementwise, about 9 i s more, and not counted.

    Source: Gu and Dao 2023 (Mamba), arXiv:2312.00752, equation 2b.

    >>> mamba1_readout_flop(5120, 16)
    163840
    """
    return 2 * inner * state


def mamba2_weights(hidden: N, inner: N, heads: N, groups: N, state: N, kernel: N) -> N:
    r"""Matrices and convolution of a Mamba-2 block.

    .. math:: W = h (2 i + 2 g s + n) + k (i + 2 g s) + i h

    Source: Dao and Gu 2024 (Mamba-2), arXiv:2405.21060, section 7.1.

    >>> mamba2_weights(2560, 5120, 80, 1, 128, 4)
    40203264
    """
    shared = 2 * groups * state
    return hidden * (2 * inner + shared + heads) + kernel * (inner + shared) + inner * hidden


def ssd_flop_per_key(heads: N, head_dim: N, state: N) -> N:
    r"""Inside a chunk of Mamba-2: C times B, and the result times the inputs.

    .. math:: F = 2 n (s + d)

    With B and C unfolded to every head and the chunk worked on as a full square, as the reference
    code does.  Fused code may do less.

    Source: Dao and Gu 2024 (Mamba-2), arXiv:2405.21060, section 6.1 and listing 1.

    >>> ssd_flop_per_key(80, 64, 128)
    30720
    """
    return 2 * heads * (state + head_dim)


def ssd_state_flop(heads: N, head_dim: N, state: N) -> N:
    r"""Writing the state of a chunk of Mamba-2 and reading it in the next.

    .. math:: F = 4 n \, s \, d

    Passing states from chunk to chunk is a scan and not counted.

    Source: Dao and Gu 2024 (Mamba-2), arXiv:2405.21060, section 6.2 and listing 1.

    >>> ssd_state_flop(80, 64, 128)
    2621440
    """
    return 4 * heads * state * head_dim


def delta_flop_per_key(heads: N, key_dim: N, value_dim: N) -> N:
    r"""Inside a chunk of the gated delta rule: two products of keys and one with the values.

    .. math:: F = 2 n (2 d_k + d_v)

    Solving the triangular system of the chunk, half of (d_k + d_v) 2 n more, is not a matrix
    product and not counted.

    Source: Yang et al. 2024 (Gated Delta Networks), arXiv:2412.06464, section 3.3; Yang et al.
    2024, arXiv:2406.06484, section 3.2.

    >>> delta_flop_per_key(32, 128, 128)
    24576
    """
    return 2 * heads * (2 * key_dim + value_dim)


def delta_state_flop(heads: N, key_dim: N, value_dim: N) -> N:
    r"""Reading the state of the delta rule twice and writing it once.

    .. math:: F = 6 n \, d_k \, d_v

    Source: Yang et al. 2024 (Gated Delta Networks), arXiv:2412.06464, section 3.3.

    >>> delta_state_flop(32, 128, 128)
    3145728
    """
    return 6 * heads * key_dim * value_dim


def lightning_state_flop(heads: N, head_dim: N) -> N:
    r"""Reading and writing the state of linear attention.

    .. math:: F = 4 n \, d^2

    Inside a block, attention as usual comes on top.

    Source: Qin et al. 2024 (Lightning Attention-2), arXiv:2401.04658; MiniMax 2025,
    arXiv:2501.08313.

    >>> lightning_state_flop(64, 128)
    4194304
    """
    return 4 * heads * head_dim * head_dim


def gated_lru_weights(width: N, heads: N) -> N:
    r"""Input and recurrence gates of an RG-LRU: two block-diagonal matrices.

    .. math:: W = 2 w^2 / n

    Source: De et al. 2024 (Griffin), arXiv:2402.19427, section 2.4.

    >>> gated_lru_weights(2560, 10)
    1310720
    """
    return 2 * width * (width // heads)
