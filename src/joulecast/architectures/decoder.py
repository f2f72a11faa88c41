"""Decoders: attention and a feed-forward block or a mixture of experts in every layer.

A family says its own way as a `Style`; one that mixes tokens in another way lists its terms itself
and takes `frame` and `feed_forward` from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from joulecast.architectures import blocks, moe, windows
from joulecast.architectures.blocks import Biases, Heads
from joulecast.architectures.config import Config
from joulecast.architectures.layout import Layout, Term
from joulecast.architectures.reading import Builder, layout_of, read_heads

Switch = bool | str


@dataclass(frozen=True, slots=True)
class Style:
    """What one family of decoders does its own way; the config says the rest.

    A switch is on, off, or the name of the config's key that says so.  `inner` names the key of
    the width inside the feed-forward block, four times the model's where there is none.  `norm`
    is 1 for RMS, 2 for LayerNorm, 0 for one without weights; `norms` how many stand in a layer.
    `positions` is how many rows a learned table of positions has beyond the longest sequence.
    `pinned` are keys with the one value that we can count.
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
    pinned: Mapping[str, object] = field(default_factory=dict)


def switched(config: Config, switch: Switch) -> bool:
    """Whether it is on in this config."""
    return config.flag(switch) if isinstance(switch, str) else switch


def qk_norm_weights(style: Style, heads: Heads) -> int:
    """Weights of the norms on queries and keys of one layer."""
    return {
        "": 0,
        "head": 2 * heads.dim,
        "heads": (heads.query + heads.kv) * heads.dim,  # a vector for each head
        "width": (heads.query + heads.kv) * heads.dim,  # one across all heads
    }[style.qk_norm] * style.norm


def attention_by_mask(config: Config, style: Style) -> list[Term]:
    """Attention of all layers, one term per kind of mask."""
    heads = read_heads(config)
    bias = Biases(switched(config, style.qkv_bias), switched(config, style.out_bias))
    other = qk_norm_weights(style, heads) + style.sinks * heads.query
    return [
        blocks.attention(config.hidden, heads, count, mask=mask, bias=bias, other=other)
        for mask, count in style.masks(config, config.layers()).items()
        if count
    ]


def feed_forward(config: Config, style: Style) -> list[Term]:
    """Feed-forward blocks of all layers, dense or mixtures."""
    terms: list[Term] = []
    hidden, layers = config.hidden, config.layers()
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


def frame(config: Config, style: Style, layers: int | None = None) -> list[Term]:
    """Embedding, head, norms and positions: all that is not inside a layer's blocks."""
    hidden, layers = config.hidden, layers or config.layers()
    vocab = config.size("vocab_size")
    tied = config.flag("tie_word_embeddings")
    terms = blocks.embedding_and_head(vocab, hidden, tied=tied, head_bias=style.head_bias)
    count = style.norms * layers + 1 + style.embedding_norm
    terms.append(blocks.norm(hidden, style.norm, count))
    if style.scalars:
        terms.append(Term("norms", other=style.scalars, times=layers))
    if style.positions is not None:
        rows = config.size("max_position_embeddings") + style.positions
        terms.append(blocks.table("positions", rows, hidden))
    return terms


def assembled(
    config: Config, style: Style, mixers: Iterable[Term] | None = None, **lengths: Any
) -> Layout:
    """Frame, what mixes tokens (attention in this style, if nothing else), feed-forward blocks."""
    terms = frame(config, style)
    terms += attention_by_mask(config, style) if mixers is None else mixers
    terms += feed_forward(config, style)
    return layout_of(config, terms, bound=style.positions is not None, **lengths)


def decoder(style: Style) -> Builder:
    """Build the reader of a family in this style."""

    def build(config: Config) -> Layout:
        config.must_be(**style.pinned, add_cross_attention=False)
        if config.known_as == "gemma":  # read_architecture turns its masks
            config.ignore("use_bidirectional_attention")
        else:
            config.must_be(use_bidirectional_attention=False)
        return assembled(config, style)

    return build
