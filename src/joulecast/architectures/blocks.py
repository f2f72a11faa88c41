"""Shared parts: numbers in, terms out.  Every family builds its layers from these.

`layers` is how many times a token passes a part, `held` how many of it are in memory where these
are not as many.
"""

from __future__ import annotations

from dataclasses import dataclass

from joulecast.architectures import parts, states
from joulecast.architectures.layout import BOTH, CAUSAL, Mask, Term

#: Tokens in a chunk of the delta rule, as in the authors' code.
DELTA_CHUNK = 64


def norm(channels: int, kind: int, count: float, *, stream: str = "token") -> Term:
    """`count` norms; kind 1 holds a weight per channel (RMS), 2 a bias too (LayerNorm), 0 none."""
    return Term("norms", other=channels * kind, times=count, stream=stream)


def linear(
    part: str, n_in: int, n_out: int, *, bias: bool = False, stream: str = "token", times: int = 1
) -> Term:
    """One matrix."""
    return Term(part, matrix=n_in * n_out, other=n_out * bias, stream=stream, times=times)


def table(part: str, rows: int, width: int) -> Term:
    """Entries read by index and never multiplied."""
    return Term(part, other=rows * width)


def embedding_and_head(
    vocab: int, width: int, *, tied: bool, head_bias: bool = False, stream: str = "token"
) -> list[Term]:
    """Input embedding and output head; tied, the head's product uses the embedding's weights."""
    if tied:
        return [linear("embedding_and_head", width, vocab, bias=head_bias, stream=stream)]
    head = linear("head", width, vocab, bias=head_bias, stream=stream)
    return [table("embedding", vocab, width), head]


@dataclass(frozen=True, slots=True)
class Heads:
    """Attention heads: how many, for keys and values too, and how wide."""

    query: int
    kv: int
    dim: int

    @property
    def score_flop(self) -> float:
        """FLOP of a query and a key."""
        return float(parts.score_flop_per_key(self.query, self.dim, self.dim))


@dataclass(frozen=True, slots=True)
class Biases:
    """Which of an attention's matrices have a bias."""

    qkv: bool = False
    out: bool = False


#: Of encoders and their like, whose every matrix has one.
ALL_BIASES = Biases(qkv=True, out=True)


def attention(
    hidden: int,
    heads: Heads,
    layers: float,
    *,
    mask: Mask = CAUSAL,
    bias: Biases | None = None,
    other: int = 0,
    held: float | None = None,
    part: str = "attention",
    stream: str = "token",
    key_bias: bool = True,
    gated: bool = False,
) -> Term:
    """`layers` attentions; `other` are weights of norms on queries and keys, sinks and such.

    A gated one has an output gate as wide as its queries.
    """
    bias = bias or Biases()
    matrix = parts.attention_weights(hidden, heads.query, heads.kv, heads.dim)
    matrix += hidden * heads.query * heads.dim * gated
    kv_biases = (1 + key_bias) * heads.kv
    other += bias.qkv * heads.dim * (heads.query * (1 + gated) + kv_biases)
    other += bias.out * hidden
    return Term(
        part, matrix, other, layers, held, per_key=heads.score_flop, mask=mask, stream=stream
    )


def cross_attention(
    hidden: int, heads: Heads, layers: int, *, bias: bool, key_bias: bool = True
) -> list[Term]:
    """A decoder looking at an encoder: keys and values are made from the encoder's tokens."""
    inner = heads.query * heads.dim
    query = Term(
        "cross_attention",
        matrix=2 * hidden * inner,
        other=bias * (inner + hidden),
        times=layers,
        per_key=heads.score_flop,
        mask=BOTH,
        stream="decoder",
        keys_of="encoder",
    )
    keys = Term(
        "cross_attention",
        matrix=2 * hidden * inner,
        other=bias * (1 + key_bias) * inner,
        times=layers,
        stream="encoder",
    )
    return [query, keys]


def mlp(
    hidden: int,
    inner: int,
    matrices: int,
    layers: float,
    *,
    bias: bool = False,
    held: float | None = None,
    part: str = "mlp",
    stream: str = "token",
) -> Term:
    """`layers` feed-forward blocks of 2 matrices, or 3 with a gate."""
    weights = parts.mlp_weights(hidden, inner, matrices)
    biases = bias * ((matrices - 1) * inner + hidden)
    return Term(part, weights, biases, layers, held, stream=stream)


@dataclass(frozen=True, slots=True)
class Experts:
    """One mixture: experts held and used, their width, and what every token passes besides."""

    held: int
    used: int
    width: int
    matrices: int = 3
    shared_width: int = 0
    shared_gate: bool = False
    shared_bias: bool = False
    router_bias: bool = False
    expert_bias: bool = False
    latent: int = 0


def mixture(hidden: int, experts: Experts, layers: int, *, stream: str = "token") -> list[Term]:
    """`layers` mixtures of experts: router, routed and shared experts."""
    narrow = experts.latent or hidden
    biases = experts.expert_bias * ((experts.matrices - 1) * experts.width + hidden)
    terms = [
        Term(
            "router",
            matrix=parts.router_weights(hidden, experts.held),
            other=experts.router_bias * experts.held,
            times=layers,
            stream=stream,
        ),
        Term(
            "experts",
            matrix=parts.mlp_weights(narrow, experts.width, experts.matrices),
            other=biases,
            times=layers * experts.used,
            held=layers * experts.held,
            stream=stream,
        ),
    ]
    if experts.latent:
        terms.append(Term("experts", matrix=2 * hidden * narrow, times=layers, stream=stream))
    if experts.shared_width or experts.shared_gate:
        inner = experts.shared_width
        matrix = parts.mlp_weights(hidden, inner, experts.matrices) + hidden * experts.shared_gate
        biases = experts.shared_bias * ((experts.matrices - 1) * inner + hidden)
        terms.append(Term("shared_experts", matrix, biases, layers, stream=stream))
    return terms


@dataclass(frozen=True, slots=True)
class Mamba1:
    """The shape of a Mamba-1 block."""

    inner: int
    state: int
    kernel: int
    rank: int
    conv_bias: bool = True
    bias: bool = False


def mamba1(hidden: int, shape: Mamba1, layers: int, *, other: int = 0) -> Term:
    """`layers` Mamba-1 blocks, without the norm before them; `other` are norms inside."""
    inner, state = shape.inner, shape.state
    biases = shape.conv_bias * inner + shape.bias * (2 * inner + hidden)
    return Term(
        "mamba",
        matrix=float(states.mamba1_weights(hidden, inner, state, shape.kernel, shape.rank)),
        other=biases + inner * (state + 2) + other,  # A, D and the bias of the step sizes
        times=layers,
        flop=states.mamba1_readout_flop(inner, state),
    )


@dataclass(frozen=True, slots=True)
class Mamba2:
    """The shape of a Mamba-2 block."""

    heads: int
    head_dim: int
    groups: int
    state: int
    kernel: int
    chunk: int
    conv_bias: bool = True
    bias: bool = False
    norm: bool = True

    @property
    def inner(self) -> int:
        """Channels inside."""
        return self.heads * self.head_dim


def mamba2(hidden: int, shape: Mamba2, layers: int) -> Term:
    """`layers` Mamba-2 blocks, without the norm before them."""
    inner, heads, state = shape.inner, shape.heads, shape.state
    shared = 2 * shape.groups * state
    other = 3 * heads + inner * shape.norm + shape.conv_bias * (inner + shared)
    other += shape.bias * (2 * inner + shared + heads + hidden)
    return Term(
        "mamba",
        matrix=float(
            states.mamba2_weights(hidden, inner, heads, shape.groups, state, shape.kernel)
        ),
        other=other,
        times=layers,
        flop=states.ssd_state_flop(heads, shape.head_dim, state),
        per_key=states.ssd_flop_per_key(heads, shape.head_dim, state),
        mask=Mask("tiles", shape.chunk),
    )


def delta_net(
    matrix: float, other: int, layers: int, *, heads: int, key_dim: int, value_dim: int
) -> Term:
    """`layers` gated delta nets of so many weights; their states are as wide as their heads."""
    return Term(
        "delta_net",
        matrix,
        other,
        layers,
        flop=states.delta_state_flop(heads, key_dim, value_dim),
        per_key=states.delta_flop_per_key(heads, key_dim, value_dim),
        mask=Mask("tiles", DELTA_CHUNK),
    )
