"""Decoders that mix attention with linear attention: gated delta net and lightning attention."""

from __future__ import annotations

from joulecast.architectures import blocks, moe, parts, states
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import (
    Style,
    feed_forward_terms,
    frame,
    lengths_of,
    read_heads,
)
from joulecast.architectures.latent import latent_attention
from joulecast.architectures.layout import Layout, Mask, Term

#: Tokens in a chunk of the delta rule, as in the authors' code.
DELTA_CHUNK = 64

_KINDS = {
    "linear_attention": "linear",
    "full_attention": "full",
    "attention": "full",
}


def delta_net(config: Config, hidden: int, layers: int) -> Term:
    """`layers` gated delta nets."""
    keys, values = config.size("linear_num_key_heads"), config.size("linear_num_value_heads")
    key_dim, value_dim = config.size("linear_key_head_dim"), config.size("linear_value_head_dim")
    kernel = config.size("linear_conv_kernel_dim")
    if values % keys:
        raise config.error("linear_num_value_heads", values, f"is not a multiple of {keys}")
    mixed, inner = 2 * keys * key_dim + values * value_dim, values * value_dim
    matrix: float = hidden * (
        mixed + inner + 2 * values
    )  # queries, keys, values, gate, beta and decay
    matrix += parts.convolution_weights(kernel, 1, mixed) + inner * hidden
    return Term(
        "delta_net",
        matrix=float(matrix),
        other=2 * values + value_dim,
        held=layers,
        times=layers,
        flop=states.delta_state_flop(values, key_dim, value_dim),
        per_key=states.delta_flop_per_key(values, key_dim, value_dim),
        mask=Mask("tiles", DELTA_CHUNK),
    )


def _qwen(config: Config, style: Style) -> Layout:
    hidden, layers = config.size("hidden_size"), config.layers()
    kinds = config.words("layer_types", layers, _KINDS)
    every = config.size("full_attention_interval", 4)
    if kinds is None:
        kinds = ["linear" if (at + 1) % every else "full" for at in range(layers)]
    full = kinds.count("full")
    heads = read_heads(config, hidden)
    bias = config.flag("attention_bias")
    # The output gate doubles the queries: it is made by the same matrix.
    biases = blocks.Biases(qkv=bias, out=bias)
    terms = [
        *frame(config, style, hidden, layers),
        *feed_forward_terms(config, style, hidden, layers),
    ]
    if full:
        terms.append(
            blocks.attention(hidden, heads, full, bias=biases, other=2 * heads.dim, gated=True)
        )
    if layers > full:
        terms.append(delta_net(config, hidden, layers - full))
    default, _ = lengths_of(config, bound=False)
    return Layout(tuple(terms), default)


def qwen3_next(config: Config) -> Layout:
    """Qwen3-Next: three delta nets to one gated attention, mixtures in every layer."""
    return _qwen(config, Style(mixture=moe.qwen("num_experts", shared=True)))


def qwen3_5(config: Config) -> Layout:
    """Qwen3.5: the same with dense blocks."""
    return _qwen(config, Style())


def qwen3_5_moe(config: Config) -> Layout:
    """Qwen3.5 with a mixture in every layer."""
    hidden, layers = config.size("hidden_size"), config.layers()
    del hidden
    config.must_be("mlp_only_layers", [])

    def every_layer(config: Config, count: int) -> moe.Mixture:
        held, used = config.size("num_experts"), config.size("num_experts_per_tok")
        if used > held:
            raise config.error("num_experts_per_tok", used, f"uses more than {held} experts")
        shared = config.size("shared_expert_intermediate_size", least=0)
        width = config.size("moe_intermediate_size")
        return moe.Mixture(
            blocks.Experts(held, used, width, shared_width=shared, shared_gate=shared > 0), layers
        )

    return _qwen(config, Style(mixture=every_layer))


def kimi_linear(config: Config) -> Layout:
    """Kimi Linear: three delta nets with a decay per channel to one latent attention."""
    hidden, layers = config.size("hidden_size"), config.layers()
    inner = config.part("linear_attn_config", {})
    kinds = _kimi_layers(config, inner, layers)
    full = kinds.count("full")
    style = Style(mixture=moe.kimi)
    for name in ("mla_use_nope", "use_grouped_topk", "moe_router_activation_func"):
        config.ignore(name)
    config.must_be("num_nextn_predict_layers", 0)
    config.must_be("tie_word_embeddings", False)  # the library's class has no tied head
    terms = [
        *frame(config, style, hidden, layers),
        *feed_forward_terms(config, style, hidden, layers),
        latent_attention(config, hidden, full),
    ]
    heads = inner.size("num_heads", config.size("linear_num_heads"))
    dim = inner.size("head_dim", config.size("linear_head_dim"))
    kernel = inner.size("short_conv_kernel_size", config.size("linear_conv_kernel_dim"))
    inner.finish()
    width = heads * dim
    # Queries, keys, values and output; a narrow pair of matrices for decay and for gate; beta.
    matrix = 4 * hidden * width + 2 * (hidden * dim + dim * width) + hidden * heads
    terms.append(
        Term(
            "delta_net",
            matrix=matrix + float(parts.convolution_weights(kernel, 1, 3 * width)),
            other=width + heads + dim,
            held=layers - full,
            times=layers - full,
            flop=states.delta_state_flop(heads, dim, dim),
            per_key=states.delta_flop_per_key(heads, dim, dim),
            mask=Mask("tiles", DELTA_CHUNK),
        )
    )
    return Layout(tuple(terms), lengths_of(config, bound=False)[0])


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
    hidden, layers = config.size("hidden_size"), config.layers()
    kinds = config.words("layer_types", layers, _KINDS)
    if kinds is None:
        kinds = ["full" if (at + 1) % 2 else "linear" for at in range(layers)]
    full = kinds.count("full")
    style = Style(mixture=moe.in_every_layer)
    heads = read_heads(config, hidden)
    window = config.optional_size("sliding_window", least=0)
    mask = Mask("window", window) if window else Mask("causal")
    terms = [
        *frame(config, style, hidden, layers),
        *feed_forward_terms(config, style, hidden, layers),
    ]
    if full:
        terms.append(blocks.attention(hidden, heads, full, mask=mask))
    if layers > full:
        inner = heads.query * heads.dim
        terms.append(
            Term(
                "lightning_attention",
                matrix=5 * hidden * inner,  # queries, keys, values, gate, output
                other=inner,
                held=layers - full,
                times=layers - full,
                flop=states.lightning_state_flop(heads.query, heads.dim),
                per_key=parts.score_flop_per_key(heads.query, heads.dim, heads.dim),
                mask=Mask("blocks", config.size("block_size")),
            )
        )
    else:
        config.ignore("block_size")
    default, _ = lengths_of(config, bound=False)
    return Layout(tuple(terms), default)
