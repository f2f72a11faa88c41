"""Decoders that mix attention with linear attention: gated delta net and lightning attention."""

from __future__ import annotations

from joulecast.architectures import blocks, moe, parts, states
from joulecast.architectures.blocks import Experts
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import Style, feed_forward, frame
from joulecast.architectures.latent import latent_attention
from joulecast.architectures.layout import CAUSAL, Layout, Mask, Term
from joulecast.architectures.reading import Builder, attention, layout_of, read_heads
from joulecast.architectures.windows import FULL_ATTENTION

_KINDS = {"linear_attention": "linear", **FULL_ATTENTION}


def delta_net(config: Config, layers: int) -> Term:
    """`layers` gated delta nets."""
    hidden = config.hidden
    keys, values = config.size("linear_num_key_heads"), config.size("linear_num_value_heads")
    key_dim, value_dim = config.size("linear_key_head_dim"), config.size("linear_value_head_dim")
    kernel = config.size("linear_conv_kernel_dim")
    if values % keys:
        raise config.error("linear_num_value_heads", values, f"is not a multiple of {keys}")
    mixed, inner = 2 * keys * key_dim + values * value_dim, values * value_dim
    # Queries, keys, values, gate, beta and decay; a convolution; the output.
    matrix: float = hidden * (mixed + inner + 2 * values) + inner * hidden
    matrix += parts.convolution_weights(kernel, 1, mixed)
    other = 2 * values + value_dim
    return blocks.delta_net(
        float(matrix), other, layers, heads=values, key_dim=key_dim, value_dim=value_dim
    )


def _qwen(config: Config, style: Style) -> Layout:
    layers, every = config.layers(), config.size("full_attention_interval", 4)
    kinds = config.kinds(
        "layer_types", layers, _KINDS, lambda at: "linear" if (at + 1) % every else "full"
    )
    full = kinds.count("full")
    heads, bias = read_heads(config), config.flag("attention_bias")
    terms = [*frame(config, style), *feed_forward(config, style)]
    if full:  # the output gate doubles the queries: it is made by the same matrix
        terms.append(attention(config, full, bias=bias, other=2 * heads.dim, gated=True))
    if layers > full:
        terms.append(delta_net(config, layers - full))
    return layout_of(config, terms)


def qwen3_next(config: Config) -> Layout:
    """Qwen3-Next: three delta nets to one gated attention, mixtures in every layer."""
    return _qwen(config, Style(mixture=moe.qwen("num_experts", shared=True)))


def qwen3_5(config: Config) -> Layout:
    """Qwen3.5: the same with dense blocks."""
    return _qwen(config, Style())


def qwen3_5_moe(config: Config) -> Layout:
    """Qwen3.5 with a mixture in every layer."""
    config.must_be(mlp_only_layers=[])

    def every_layer(config: Config, layers: int) -> moe.Mixture:
        held, used = config.size("num_experts"), config.size("num_experts_per_tok")
        if used > held:
            raise config.error("num_experts_per_tok", used, f"uses more than {held} experts")
        shared = config.size("shared_expert_intermediate_size", least=0)
        width = config.size("moe_intermediate_size")
        return moe.Mixture(
            Experts(held, used, width, shared_width=shared, shared_gate=True), layers
        )

    return _qwen(config, Style(mixture=every_layer))


def kimi_linear(config: Config) -> Layout:
    """Kimi Linear: three delta nets with a decay per channel to one latent attention."""
    hidden, layers = config.hidden, config.layers()
    inner = config.part("linear_attn_config", {})
    kinds = _kimi_layers(config, inner, layers)
    full = kinds.count("full")
    config.ignore("mla_use_nope", "use_grouped_topk", "moe_router_activation_func")
    # The library's class has no tied head, and one dense layer where the config does not say.
    config.must_be(num_nextn_predict_layers=0, tie_word_embeddings=False)
    style = Style(mixture=moe.after_dense("num_local_experts", first=1))
    heads = inner.size("num_heads", config.size("linear_num_heads"))
    dim = inner.size("head_dim", config.size("linear_head_dim"))
    kernel = inner.size("short_conv_kernel_size", config.size("linear_conv_kernel_dim"))
    inner.finish()
    width = heads * dim
    # Queries, keys, values and output; a narrow pair of matrices for decay and for gate; beta.
    matrix: float = 4 * hidden * width + 2 * (hidden * dim + dim * width) + hidden * heads
    matrix += parts.convolution_weights(kernel, 1, 3 * width)
    terms = [
        *frame(config, style),
        *feed_forward(config, style),
        latent_attention(config, full),
        blocks.delta_net(
            float(matrix), width + heads + dim, layers - full,
            heads=heads, key_dim=dim, value_dim=dim,
        ),
    ]  # fmt: skip
    return layout_of(config, terms)


def _kimi_layers(config: Config, inner: Config, layers: int) -> list[str]:
    """Kinds of layers: as a list, as two lists of positions from 1, or every fourth."""
    kinds = config.words("layer_types", layers, _KINDS)
    full, linear = (
        {at - 1 for at in inner.indices(name, layers + 1)}
        for name in ("full_attn_layers", "kda_layers")
    )
    if kinds is not None:
        return kinds
    if not full and not linear:
        return ["full" if at and at % 4 == 0 else "linear" for at in range(layers)]
    if full & linear or full | linear != set(range(layers)):
        raise inner.error(
            "kda_layers", inner.get("kda_layers"), f"must name all {layers} layers, from 1"
        )
    return ["full" if at in full else "linear" for at in range(layers)]


def minimax(config: Config) -> Layout:
    """MiniMax-01: lightning attention between layers of attention, mixtures in every layer."""
    layers = config.layers()
    kinds = config.kinds(
        "layer_types", layers, _KINDS, lambda at: "full" if (at + 1) % 2 else "linear"
    )
    full = kinds.count("full")
    style = Style(mixture=moe.in_every_layer())
    window = config.optional_size("sliding_window", least=0)
    heads = read_heads(config)
    terms = [*frame(config, style), *feed_forward(config, style)]
    if full:
        terms.append(attention(config, full, mask=Mask("window", window) if window else CAUSAL))
    if layers > full:
        inner = heads.query * heads.dim
        terms.append(
            Term(
                "lightning_attention",
                matrix=5 * config.hidden * inner,  # queries, keys, values, gate, output
                other=inner,
                times=layers - full,
                flop=states.lightning_state_flop(heads.query, heads.dim),
                per_key=heads.score_flop,
                mask=Mask("blocks", config.size("block_size")),
            )
        )
    config.ignore("block_size")
    return layout_of(config, terms)


FAMILIES: dict[str, Builder] = {
    "kimi_linear": kimi_linear,
    "qwen3_next": qwen3_next,
    "qwen3_5_text": qwen3_5,
    "qwen3_5_moe_text": qwen3_5_moe,
    "minimax": minimax,
}
