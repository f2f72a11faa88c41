"""Shared parts: numbers in, terms out.  Every family builds its layers from these."""

from __future__ import annotations

from dataclasses import dataclass

from joulecast.architectures import parts, states
from joulecast.architectures.layout import BOTH, CAUSAL, Mask, Term


def norm(channels: int, kind: int, count: float, *, stream: str = "token") -> Term:
    """`count` norms; kind 1 holds a weight per channel (RMS), 2 a bias too (LayerNorm), 0 none."""
    return Term("norms", other=channels * kind, held=count, times=count, stream=stream)


def linear(part: str, n_in: int, n_out: int, *, bias: bool = False, **where: object) -> Term:
    """One matrix."""
    return Term(part, matrix=n_in * n_out, other=n_out * bias, **where)  # type: ignore[arg-type]


def table(part: str, rows: int, width: int) -> Term:
    """Entries read by index and never multiplied."""
    return Term(part, other=rows * width)


def embedding_and_head(
    vocab: int, width: int, *, tied: bool, head_bias: bool = False, stream: str = "token"
) -> list[Term]:
    """Input embedding and output head; tied, the head's product uses the embedding's weights."""
    if tied:
        bias = vocab * head_bias
        return [Term("embedding_and_head", matrix=vocab * width, other=bias, stream=stream)]
    head = linear("head", width, vocab, bias=head_bias, stream=stream)
    return [table("embedding", vocab, width), head]


@dataclass(frozen=True, slots=True)
class Heads:
    """Attention heads: how many, for keys and values too, and how wide."""

    query: int
    kv: int
    dim: int


@dataclass(frozen=True, slots=True)
class Biases:
    """Which of a layer's matrices have a bias."""

    qkv: bool = False
    out: bool = False
    mlp: bool = False


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
        part,
        matrix=matrix,
        other=other,
        held=layers if held is None else held,
        times=layers,
        per_key=parts.score_flop_per_key(heads.query, heads.dim, heads.dim),
        mask=mask,
        stream=stream,
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
        held=layers,
        times=layers,
        per_key=parts.score_flop_per_key(heads.query, heads.dim, heads.dim),
        mask=BOTH,
        stream="decoder",
        keys_of="encoder",
    )
    keys = Term(
        "cross_attention",
        matrix=2 * hidden * inner,
        other=bias * (1 + key_bias) * inner,
        held=layers,
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
    stream: str = "token",
) -> Term:
    """`layers` feed-forward blocks of 2 matrices, or 3 with a gate."""
    return Term(
        "mlp",
        matrix=parts.mlp_weights(hidden, inner, matrices),
        other=bias * ((matrices - 1) * inner + hidden),
        held=layers if held is None else held,
        times=layers,
        stream=stream,
    )


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


def mixture(hidden: int, experts: Experts, layers: int) -> list[Term]:
    """`layers` mixtures of experts: router, routed and shared experts."""
    narrow = experts.latent or hidden
    bias = experts.expert_bias * ((experts.matrices - 1) * experts.width + hidden)
    terms = [
        Term(
            "router",
            matrix=parts.router_weights(hidden, experts.held),
            other=experts.router_bias * experts.held,
            held=layers,
            times=layers,
        ),
        Term(
            "experts",
            matrix=parts.mlp_weights(narrow, experts.width, experts.matrices),
            other=bias,
            held=layers * experts.held,
            times=layers * experts.used,
        ),
    ]
    if experts.latent:
        terms.append(Term("experts", matrix=2 * hidden * narrow, held=layers, times=layers))
    if experts.shared_width:
        matrix = parts.mlp_weights(hidden, experts.shared_width, experts.matrices)
        gate = hidden * experts.shared_gate
        inner = (experts.matrices - 1) * experts.shared_width
        shared = Term(
            "shared_experts",
            matrix=matrix + gate,
            other=experts.shared_bias * (inner + hidden),
            held=layers,
            times=layers,
        )
        terms.append(shared)
    return terms


def mamba1(
    hidden: int,
    inner: int,
    state: int,
    kernel: int,
    rank: int,
    layers: int,
    *,
    conv_bias: bool,
    bias: bool,
    other: int = 0,
) -> Term:
    """`layers` Mamba-1 blocks, without the norm before them."""
    biases = conv_bias * inner + bias * (2 * inner + hidden)
    return Term(
        "mamba",
        matrix=float(states.mamba1_weights(hidden, inner, state, kernel, rank)),
        other=biases + inner * (state + 2) + other,  # A, D and the bias of the step sizes
        held=layers,
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
    inner, heads = shape.inner, shape.heads
    shared = 2 * shape.groups * shape.state
    other = 3 * heads + inner * shape.norm + shape.conv_bias * (inner + shared)
    other += shape.bias * (2 * inner + shared + heads + hidden)
    return Term(
        "mamba",
        matrix=float(
            states.mamba2_weights(hidden, inner, heads, shape.groups, shape.state, shape.kernel)
        ),
        other=other,
        held=layers,
        times=layers,
        flop=states.ssd_state_flop(heads, shape.head_dim, shape.state),
        per_key=states.ssd_flop_per_key(heads, shape.head_dim, shape.state),
        mask=Mask("tiles", shape.chunk),
    )
