"""Gemma 4: wider heads in full layers, shared keys and values, inputs of their own per layer."""

from __future__ import annotations

from collections import Counter

from joulecast.architectures import blocks, moe
from joulecast.architectures.blocks import Experts, Heads
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import Style, frame
from joulecast.architectures.layout import CAUSAL, Layout, Mask, Term
from joulecast.architectures.reading import Builder, layout_of

_KINDS = {"full_attention": "full", "sliding_attention": "sliding"}


def gemma4(config: Config) -> Layout:
    """Gemma 4's text model."""
    hidden, layers = config.hidden, config.layers()
    config.must_be(use_bidirectional_attention="vision")
    kinds = config.kinds(
        "layer_types", layers, _KINDS, lambda at: "sliding" if (at + 1) % 6 else "full"
    )
    _check_heads_by_layer(config, kinds)
    kinds = [*kinds[:-1], "full"]  # the library turns the last layer into a full one
    shared = config.size("num_kv_shared_layers", 0, least=0)
    own = layers - shared
    if shared and set(kinds[:own]) != set(kinds):
        raise config.error(
            "num_kv_shared_layers", shared, "leaves no layer of each kind whose keys are shared"
        )
    inner = config.size("intermediate_size")
    wide = inner * (1 + config.flag("use_double_wide_mlp"))
    found = Counter((kind, at >= own) for at, kind in enumerate(kinds))
    terms = [
        *frame(config, Style(norms=4)),
        blocks.mlp(hidden, inner, 3, own),
        blocks.mlp(hidden, wide, 3, shared),
        *_mixtures(config, hidden, layers),
        *_layer_inputs(config, hidden, layers),
        *(
            _attention(config, hidden, kind, count, shares=shares)
            for (kind, shares), count in found.items()
        ),
    ]
    return layout_of(config, terms)


def _check_heads_by_layer(config: Config, kinds: list[str]) -> None:
    """The library saves the wider heads of full layers once more, layer by layer."""
    said, wide = config.get("per_layer_config", or_default={}), config.size("global_head_dim", 512)
    layers = {int(at): found for at, found in said.items()} if isinstance(said, dict) else {-1: 0}
    for at, found in layers.items():
        if found != {"head_dim": wide} or not 0 <= at < len(kinds) or kinds[at] != "full":
            config.must_be(per_layer_config={})


def _attention(config: Config, hidden: int, kind: str, layers: int, *, shares: bool) -> Term:
    """`layers` attentions of a kind; those that share keys and values make none."""
    query, kv = config.size("num_attention_heads"), config.size("num_key_value_heads")
    dim, mask = config.size("head_dim"), Mask("window", config.size("sliding_window"))
    merged = config.flag("attention_k_eq_v")
    wide = config.size("global_head_dim", 512)
    few = config.optional_size("num_global_key_value_heads")
    made = 2
    if kind == "full":
        dim, mask, made = wide, CAUSAL, 2 - merged  # one matrix makes both keys and values
        kv = few if few is not None and merged else kv
    if query % kv:
        raise config.error("num_key_value_heads", kv, f"does not divide {query} heads")
    made = 0 if shares else made
    bias = config.flag("attention_bias")
    return Term(
        "attention",
        matrix=hidden * dim * (2 * query + made * kv),
        other=dim * (2 - shares) + bias * (dim * (query + made * kv) + hidden),
        times=layers,
        per_key=Heads(query, kv, dim).score_flop,
        mask=mask,
    )


def _layer_inputs(config: Config, hidden: int, layers: int) -> list[Term]:
    """An embedding for every layer, gated into it."""
    width = config.size("hidden_size_per_layer_input", 0, least=0)
    if not width:
        config.ignore("vocab_size_per_layer_input")
        return []
    rows = config.size("vocab_size_per_layer_input")
    return [
        blocks.table("layer_inputs", rows, layers * width),
        Term("layer_inputs", matrix=3 * hidden * width, times=layers),
        blocks.norm(hidden, 1, layers),
        blocks.norm(width, 1, 1),
    ]


def _mixtures(config: Config, hidden: int, layers: int) -> list[Term]:
    """Experts beside the dense block of every layer, with three norms and two scales more."""
    keys = ("num_experts", "top_k_experts", "moe_intermediate_size")
    sizes = [config.optional_size(key) for key in keys]
    if not config.flag("enable_moe_block"):
        return []
    if None in sizes:
        raise config.error(
            "enable_moe_block", True, "needs num_experts, top_k_experts and moe_intermediate_size"
        )
    held, used = moe.routed(config, "num_experts", "top_k_experts")
    return [
        *blocks.mixture(hidden, Experts(held, used, config.size(keys[2])), layers),
        Term("router", other=hidden + held, times=layers),
        blocks.norm(hidden, 1, 3 * layers),
    ]


FAMILIES: dict[str, Builder] = {"gemma4_text": gemma4, "gemma4_unified_text": gemma4}
