"""Decoders whose config needs more than a style: switches that change the shape of a layer."""

from __future__ import annotations

from dataclasses import replace

from joulecast.architectures import blocks, moe
from joulecast.architectures.blocks import ALL_BIASES, Biases, Experts, Heads
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import (
    Style,
    assembled,
    attention_by_mask,
    decoder,
    feed_forward,
    frame,
)
from joulecast.architectures.layout import Layout, Term
from joulecast.architectures.reading import Builder, layout_of, read_heads
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
    config.must_be(add_cross_attention=False)
    query = config.heads("num_attention_heads", config.hidden)
    kv = 1 if config.flag("multi_query") else query
    config.agrees("num_key_value_heads", kv)
    heads = Heads(query, kv, config.hidden // query)
    attention = blocks.attention(config.hidden, heads, config.layers(), bias=ALL_BIASES)
    return assembled(config, STYLES["gpt2"], [attention])


def falcon(config: Config) -> Layout:
    """Falcon: parallel blocks, one or a few key and value heads."""
    hidden = config.hidden
    query = config.heads("num_attention_heads", hidden)
    new, parallel = config.flag("new_decoder_architecture"), config.flag("parallel_attn")
    kv = config.optional_size("num_kv_heads") or query
    multi = config.flag("multi_query")
    if not new:
        kv = 1 if multi else query
    if query % kv:
        raise config.error("num_kv_heads", kv, f"does not divide {query} heads")
    given = config.optional_size("num_ln_in_parallel_attn")
    norms = 2 if not parallel or (given or 1 + new) == 2 else 1
    style = Style(inner="ffn_hidden_size", matrices=2, norm=2, norms=norms, mlp_bias="bias")
    bias = config.flag("bias")
    heads = Heads(query, kv, hidden // query)
    attention = blocks.attention(hidden, heads, config.layers(), bias=Biases(bias, bias))
    return assembled(config, style, [attention])


def mpt(config: Config) -> Layout:
    """MPT: no biases, norms without them, attention in a config of its own."""
    config.must_be(no_bias=True)
    inner = config.part("attn_config", {"attn_type": "multihead_attention"})
    inner.must_be(attn_type="multihead_attention", qk_ln=False, prefix_lm=False)
    inner.ignore("attn_impl", "softmax_scale", "attn_uses_sequence_id")
    inner.finish()
    config.ignore("learned_pos_emb", "embedding_fraction", "norm_type")
    config.must_be(expansion_ratio=4)  # the library's class takes four whatever it says
    attention = blocks.attention(config.hidden, read_heads(config), config.layers())
    return assembled(config, Style(inner="", matrices=2), [attention], length="max_seq_len")


def dbrx(config: Config) -> Layout:
    """DBRX: sixteen experts, attention and experts in configs of their own."""
    hidden, layers = config.hidden, config.layers()
    inner = config.part("attn_config", {"kv_n_heads": 1})
    query, kv = config.size("num_attention_heads"), inner.size("kv_n_heads")
    if hidden % query or query % kv:
        raise config.error("n_heads", query, f"does not divide a width of {hidden}, or {kv} it")
    inner.finish()
    given = config.part(
        "ffn_config",
        {"hidden_size": 6144, "ffn_hidden_size": 3584, "moe_num_experts": 4, "moe_top_k": 1},
    )
    held, used = moe.routed(given, "moe_num_experts", "moe_top_k")
    experts = Experts(held, used, given.size("ffn_hidden_size"))
    given.ignore(
        "hidden_size", "ffn_act_fn", "moe_normalize_expert_weights", "uniform_expert_assignment"
    )
    given.finish()
    terms = [
        *frame(config, Style()),
        blocks.attention(hidden, Heads(query, kv, hidden // query), layers),
        *blocks.mixture(hidden, experts, layers),
    ]
    return layout_of(config, terms, length="max_seq_len")


def opt(config: Config) -> Layout:
    """OPT: learned positions two rows longer, an embedding that may be narrower."""
    hidden, layers = config.hidden, config.layers()
    width = config.size("word_embed_proj_dim", hidden)
    first = config.flag("do_layer_norm_before", True)
    removed = config.flag("_remove_final_layer_norm")
    bias, affine = config.flag("enable_bias", True), config.flag("layer_norm_elementwise_affine")
    tied = config.flag("tie_word_embeddings")
    style = Style(inner="ffn_dim", matrices=2, qkv_bias=bias, out_bias=bias, mlp_bias=bias)
    terms = [
        *blocks.embedding_and_head(config.size("vocab_size"), width, tied=tied),
        blocks.table("positions", config.size("max_position_embeddings") + 2, hidden),
        blocks.norm(hidden, 2 * affine, 2 * layers + (first and not removed)),
        *attention_by_mask(config, style),
        *feed_forward(config, style),
    ]
    if width != hidden:
        terms.append(blocks.linear("embedding_projection", width, 2 * hidden))
    return layout_of(config, terms, bound=True)


def bitnet(config: Config) -> Layout:
    """BitNet: a norm more before each output matrix; weights of two bits multiply all the same."""
    style = Style(qkv_bias="attention_bias", out_bias="attention_bias")
    layout = decoder(style)(config)
    if read_heads(config).dim * config.size("num_attention_heads") != config.hidden:
        raise config.error("head_dim", config.get("head_dim"), "needs heads as wide as the model")
    width = config.hidden + config.size("intermediate_size")
    return replace(layout, terms=(*layout.terms, blocks.norm(width, 1, config.layers())))


def gpt_neox_japanese(config: Config) -> Layout:
    """GPT-NeoX Japanese: no biases but one, after the last attention."""
    hidden = config.hidden
    style = Style(norm=2)
    inner = config.size("intermediate_multiple_size") * hidden
    terms = [
        *frame(config, style),
        *attention_by_mask(config, style),
        blocks.mlp(hidden, inner, 2, config.layers()),
        Term("attention", other=hidden),
    ]
    return layout_of(config, terms)


def stablelm(config: Config) -> Layout:
    """StableLM: LayerNorm, an optional parallel block, optional norms per head without biases."""
    parallel, normed = config.flag("use_parallel_residual"), config.flag("qk_layernorm")
    style = Style(norm=2, norms=1 if parallel else 2, qkv_bias="use_qkv_bias")
    layout = decoder(style)(config)
    if not normed:
        return layout
    heads = read_heads(config)
    norm = blocks.norm((heads.query + heads.kv) * heads.dim, 1, config.layers())
    return replace(layout, terms=(*layout.terms, norm))


FAMILIES: dict[str, Builder] = {
    "cohere": cohere,
    "glm4_moe": glm4_moe,
    "gpt_bigcode": gpt_bigcode,
    "falcon": falcon,
    "mpt": mpt,
    "dbrx": dbrx,
    "opt": opt,
    "bitnet": bitnet,
    "gpt_neox_japanese": gpt_neox_japanese,
    "stablelm": stablelm,
}
