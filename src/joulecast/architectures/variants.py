"""Decoders whose config needs more than a style: switches that change the shape of a layer."""

from __future__ import annotations

from dataclasses import replace

from joulecast.architectures import blocks
from joulecast.architectures.blocks import Biases, Experts, Heads
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import (
    Style,
    attention_terms,
    decoder,
    feed_forward_terms,
    frame,
    lengths_of,
    read_heads,
)
from joulecast.architectures.layout import Layout, Term
from joulecast.architectures.styles import STYLES


def cohere(config: Config) -> Layout:
    """Command R; the larger ones normalise queries and keys."""
    name = "cohere_qk_norm" if config.flag("use_qk_norm") else "cohere"
    return decoder(STYLES[name])(config)


def glm4_moe(config: Config) -> Layout:
    """GLM-4.5; the larger ones normalise queries and keys."""
    if config.given("num_nextn_predict_layers"):
        config.warn(
            "multi_token_prediction", "the modules that predict further tokens are left out"
        )
    config.ignore("num_nextn_predict_layers")
    name = "glm4_moe_qk_norm" if config.flag("use_qk_norm") else "glm4_moe"
    return decoder(STYLES[name])(config)


def gpt_bigcode(config: Config) -> Layout:
    """StarCoder: GPT-2 with one key and value head."""
    hidden, layers = config.size("hidden_size"), config.layers()
    config.must_be("add_cross_attention", False)
    heads = read_heads(config, hidden)
    if config.flag("multi_query"):
        heads = Heads(heads.query, 1, heads.dim)
    style = STYLES["gpt2"]
    attention = blocks.attention(hidden, heads, layers, bias=Biases(qkv=True, out=True))
    ff = feed_forward_terms(config, style, hidden, layers)
    default, longest = lengths_of(config, bound=True)
    terms = (*frame(config, style, hidden, layers), attention, *ff)
    return Layout(terms, default, longest=longest)


def falcon(config: Config) -> Layout:
    """Falcon: parallel blocks, one or a few key and value heads."""
    hidden, layers = config.size("hidden_size"), config.layers()
    query = config.size("num_attention_heads")
    if hidden % query:
        raise config.error("num_attention_heads", query, f"does not divide a width of {hidden}")
    new, parallel = config.flag("new_decoder_architecture"), config.flag("parallel_attn")
    multi = config.flag("multi_query")
    kv = config.optional_size("num_kv_heads") or query
    if not new:
        kv = 1 if multi else query
    if query % kv:
        raise config.error("num_kv_heads", kv, f"does not divide {query} heads")
    given = config.optional_size("num_ln_in_parallel_attn")
    norms = 2 if not parallel or (given or 1 + new) == 2 else 1
    style = Style(inner="ffn_hidden_size", matrices=2, norm=2, norms=norms, mlp_bias="bias")
    bias = config.flag("bias")
    heads = Heads(query, kv, hidden // query)
    attention = blocks.attention(hidden, heads, layers, bias=Biases(qkv=bias, out=bias))
    ff = feed_forward_terms(config, style, hidden, layers)
    default, _ = lengths_of(config, bound=False)
    return Layout((*frame(config, style, hidden, layers), attention, *ff), default)


def mpt(config: Config) -> Layout:
    """MPT: no biases, norms without them, attention in a config of its own."""
    hidden, layers = config.size("hidden_size"), config.layers()
    config.must_be("no_bias", True)
    inner = config.part("attn_config", {"attn_type": "multihead_attention"})
    inner.must_be("attn_type", "multihead_attention")
    inner.must_be("qk_ln", False)
    inner.must_be("prefix_lm", False)
    inner.ignore("attn_impl", "softmax_scale", "attn_uses_sequence_id")
    inner.finish()
    config.ignore("learned_pos_emb", "embedding_fraction", "norm_type", "max_seq_len")
    heads = read_heads(config, hidden)
    config.must_be("expansion_ratio", 4)  # the library's class takes four whatever it says
    style = Style(inner="", norms=2)
    terms = [
        *frame(config, style, hidden, layers),
        blocks.attention(hidden, heads, layers),
        blocks.mlp(hidden, 4 * hidden, 2, layers),
    ]
    most = config.size("max_seq_len", 4096)
    return Layout(tuple(terms), (min(most, 4096),))


def dbrx(config: Config) -> Layout:
    """DBRX: sixteen experts, attention and experts in configs of their own."""
    hidden, layers = config.size("hidden_size"), config.layers()
    inner = config.part("attn_config", {"kv_n_heads": 1})
    query, kv = config.size("num_attention_heads"), inner.size("kv_n_heads")
    if hidden % query or query % kv:
        raise config.error("n_heads", query, f"does not divide a width of {hidden}, or {kv} it")
    inner.finish()
    given = config.part(
        "ffn_config",
        {"hidden_size": 6144, "ffn_hidden_size": 3584, "moe_num_experts": 4, "moe_top_k": 1},
    )
    held, used = given.size("moe_num_experts"), given.size("moe_top_k")
    if used > held:
        raise given.error("moe_top_k", used, f"uses more experts than the {held} there are")
    experts = Experts(held, used, given.size("ffn_hidden_size"))
    given.ignore(
        "hidden_size", "ffn_act_fn", "moe_normalize_expert_weights", "uniform_expert_assignment"
    )
    given.finish()
    terms = [
        *frame(config, Style(), hidden, layers),
        blocks.attention(hidden, Heads(query, kv, hidden // query), layers),
        *blocks.mixture(hidden, experts, layers),
    ]
    return Layout(tuple(terms), (min(config.size("max_seq_len", 4096), 4096),))


def opt(config: Config) -> Layout:
    """OPT: learned positions two rows longer, an embedding that may be narrower."""
    hidden, layers = config.size("hidden_size"), config.layers()
    width = config.size("word_embed_proj_dim", hidden)
    first = config.flag("do_layer_norm_before", True)
    removed = config.flag("_remove_final_layer_norm")
    bias, affine = config.flag("enable_bias", True), config.flag("layer_norm_elementwise_affine")
    tied = config.flag("tie_word_embeddings")
    style = Style(inner="ffn_dim", matrices=2, qkv_bias=bias, out_bias=bias, mlp_bias=bias)
    norms = 2 * layers + (first and not removed)
    rows = config.size("max_position_embeddings") + 2
    terms = [
        *blocks.embedding_and_head(config.size("vocab_size"), width, tied=tied),
        blocks.table("positions", rows, hidden),
        blocks.norm(hidden, 2 * affine, norms),
        *attention_terms(config, style, hidden, layers),
        *feed_forward_terms(config, style, hidden, layers),
    ]
    if width != hidden:
        terms.append(blocks.linear("embedding_projection", width, 2 * hidden))
    default, longest = lengths_of(config, bound=True)
    return Layout(tuple(terms), default, longest=longest)


def bitnet(config: Config) -> Layout:
    """BitNet: a norm more before each output matrix; weights of two bits multiply all the same."""
    hidden, layers = config.size("hidden_size"), config.layers()
    style = Style(qkv_bias="attention_bias", out_bias="attention_bias")
    layout = decoder(style)(config)
    if read_heads(config, hidden).dim * config.size("num_attention_heads") != hidden:
        raise config.error("head_dim", config.get("head_dim"), "needs heads as wide as the model")
    norm = blocks.norm(hidden + config.size("intermediate_size"), 1, layers)
    return replace(layout, terms=(*layout.terms, norm))


def gpt_neox_japanese(config: Config) -> Layout:
    """GPT-NeoX Japanese: no biases but one, after the last attention."""
    hidden, layers = config.size("hidden_size"), config.layers()
    style = Style(norm=2)
    inner = config.size("intermediate_multiple_size") * hidden
    terms = (
        *frame(config, style, hidden, layers),
        *attention_terms(config, style, hidden, layers),
        blocks.mlp(hidden, inner, 2, layers),
        Term("attention", other=hidden),
    )
    return Layout(terms, lengths_of(config, bound=False)[0])


def stablelm(config: Config) -> Layout:
    """StableLM: LayerNorm, an optional parallel block, optional norms per head without biases."""
    parallel, normed = config.flag("use_parallel_residual"), config.flag("qk_layernorm")
    style = Style(norm=2, norms=1 if parallel else 2, qkv_bias="use_qkv_bias")
    layout = decoder(style)(config)
    if not normed:
        return layout
    heads, layers = read_heads(config, config.size("hidden_size")), config.layers()
    norm = blocks.norm((heads.query + heads.kv) * heads.dim, 1, layers)
    return replace(layout, terms=(*layout.terms, norm))
