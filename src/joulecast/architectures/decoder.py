"""Decoders: attention and a feed-forward block or a mixture of experts in every layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from joulecast.architectures import blocks, moe, windows
from joulecast.architectures.blocks import Biases, Heads
from joulecast.architectures.config import Config
from joulecast.architectures.layout import Layout, Term

Switch = bool | str


@dataclass(frozen=True, slots=True)
class Style:
    """What one family of decoders does its own way; the config says the rest.

    A switch is on, off, or the name of the config's key that says so.  `inner` names the key of
    the width inside the feed-forward block, four times the model's where there is none.  `norm`
    is 1 for RMS, 2 for LayerNorm, 0 for one without weights; `norms` how many stand in a layer.
    `positions` is how many rows a learned table of positions has beyond the longest sequence.
    """

    inner: str = "intermediate_size"
    dense_inner: str = ""
    matrices: int = 3
    norm: int = 1
    norms: int = 2
    qk_norm: Literal["", "head", "heads", "width"] = ""
    qkv_bias: Switch = False
    out_bias: Switch = False
    mlp_bias: Switch = False
    head_bias: bool = False
    embedding_norm: bool = False
    positions: int | None = None
    sinks: bool = False
    scalars: int = 0
    masks: windows.Reader = windows.everywhere_causal
    mixture: moe.Reader | None = None
    pinned: tuple[tuple[str, object], ...] = ()


def switched(config: Config, switch: Switch) -> bool:
    """Whether it is on in this config."""
    return config.flag(switch) if isinstance(switch, str) else switch


def read_heads(config: Config, hidden: int) -> Heads:
    """Heads of an attention; a width of its own need not divide the model's."""
    query = config.size("num_attention_heads")
    if not config.knows("num_key_value_heads"):  # classes older than shared heads read neither
        config.agrees("num_key_value_heads", query)
        config.agrees("head_dim", hidden // query)
    kv = config.optional_size("num_key_value_heads") or query
    dim = config.optional_size("head_dim")
    if dim is None:
        if hidden % query:
            raise config.error("num_attention_heads", query, f"does not divide a width of {hidden}")
        dim = hidden // query
    if query % kv:
        raise config.error("num_key_value_heads", kv, f"does not divide {query} heads")
    return Heads(query, kv, dim)


def qk_norm_weights(style: Style, heads: Heads, kind: int) -> int:
    """Weights of the norms on queries and keys of one layer."""
    return {
        "": 0,
        "head": 2 * heads.dim,
        "heads": (heads.query + heads.kv) * heads.dim,  # a vector for each head
        "width": (heads.query + heads.kv) * heads.dim,  # one across all heads
    }[style.qk_norm] * kind


def attention_terms(config: Config, style: Style, hidden: int, layers: int) -> list[Term]:
    """Attention of all layers, one term per kind of mask."""
    heads = read_heads(config, hidden)
    bias = Biases(switched(config, style.qkv_bias), switched(config, style.out_bias))
    other = qk_norm_weights(style, heads, style.norm) + style.sinks * heads.query
    return [
        blocks.attention(hidden, heads, count, mask=mask, bias=bias, other=other)
        for mask, count in style.masks(config, layers).items()
        if count
    ]


def feed_forward_terms(config: Config, style: Style, hidden: int, layers: int) -> list[Term]:
    """Feed-forward blocks of all layers, dense or mixtures."""
    terms: list[Term] = []
    dense = layers
    bias = switched(config, style.mlp_bias)
    if style.mixture is not None:
        mixture = style.mixture(config, layers)
        dense = layers - mixture.layers
        if mixture.layers:  # routed experts have no such bias, shared ones are blocks like others
            experts = replace(mixture.experts, shared_bias=bias)
            terms += blocks.mixture(hidden, experts, mixture.layers)
    key = style.dense_inner or style.inner
    if not dense:
        config.ignore(key)
        return terms
    inner = config.size(key, 4 * hidden) if key else 4 * hidden
    return [*terms, blocks.mlp(hidden, inner, style.matrices, dense, bias=bias)]


def frame(config: Config, style: Style, hidden: int, layers: int) -> list[Term]:
    """Embedding, head, norms and positions: all that is not inside a layer's blocks."""
    vocab = config.size("vocab_size")
    tied = config.flag("tie_word_embeddings")
    terms = blocks.embedding_and_head(vocab, hidden, tied=tied, head_bias=style.head_bias)
    count = style.norms * layers + 1 + style.embedding_norm
    terms.append(blocks.norm(hidden, style.norm, count))
    if style.scalars:
        terms.append(Term("norms", other=style.scalars, held=layers, times=layers))
    if style.positions is not None:
        rows = config.size("max_position_embeddings") + style.positions
        terms.append(blocks.table("positions", rows, hidden))
    return terms


def lengths_of(config: Config, *, bound: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Default sequence length, and the longest one where a table of positions ends."""
    most = config.optional_size("max_position_embeddings")
    default = min(most or 4096, 4096)
    return (default,), (most,) if bound and most else ()


def decoder(style: Style) -> Callable[[Config], Layout]:
    """Build the reader of a family in this style."""

    def build(config: Config) -> Layout:
        hidden, layers = config.size("hidden_size"), config.layers()
        for key, value in (*style.pinned, ("add_cross_attention", False)):
            config.must_be(key, value)
        config.must_be("use_bidirectional_attention", False)
        terms = [
            *frame(config, style, hidden, layers),
            *attention_terms(config, style, hidden, layers),
            *feed_forward_terms(config, style, hidden, layers),
        ]
        default, longest = lengths_of(config, bound=style.positions is not None)
        return Layout(tuple(terms), default, longest=longest)

    return build
