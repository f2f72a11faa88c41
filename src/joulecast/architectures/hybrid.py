"""Hybrids of state-space or recurrent layers with attention, mixtures and shared blocks."""

from __future__ import annotations

from joulecast.architectures import blocks, moe, parts
from joulecast.architectures.blocks import Biases, Mamba2
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import Style, feed_forward_terms, frame, read_heads
from joulecast.architectures.layout import Layout, Term
from joulecast.architectures.ssm import check_inner, default_length, step_rank

_MIXERS = {
    "mamba": "mamba",
    "linear_attention": "mamba",
    "attention": "attention",
    "full_attention": "attention",
}
_NEMOTRON = {**_MIXERS, "mlp": "mlp", "moe": "moe"}
_NEMOTRON_LETTERS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
_NEMOTRON_EXPERTS = (
    "n_routed_experts",
    "n_shared_experts",
    "moe_intermediate_size",
    "moe_shared_expert_intermediate_size",
    "moe_latent_size",
    "moe_shared_expert_overlap",
    "num_experts_per_tok",
)


def _mamba2_of(config: Config, hidden: int) -> Mamba2:
    """Read a Mamba-2 block as Bamba and Granite spell it."""
    heads, expand = config.size("mamba_n_heads"), config.number("mamba_expand")
    dim = config.get("mamba_d_head")
    auto = dim in (None, "auto")
    shape = Mamba2(
        heads=heads,
        head_dim=int(expand * hidden) // heads if auto else config.size("mamba_d_head"),
        groups=config.size("mamba_n_groups"),
        state=config.size("mamba_d_state"),
        kernel=config.size("mamba_d_conv"),
        chunk=config.size("mamba_chunk_size"),
        conv_bias=config.flag("mamba_conv_bias"),
        bias=config.flag("mamba_proj_bias"),
    )
    check_inner(config, shape, expand, hidden, "mamba_n_heads")
    return shape


def jamba(config: Config) -> Layout:
    """Jamba: Mamba-1 with attention in every eighth layer, mixtures in every second."""
    hidden, layers = config.size("hidden_size"), config.layers()
    period = config.size("attn_layer_period")
    offset = config.size("attn_layer_offset", least=0)
    if offset >= period:
        raise config.error("attn_layer_offset", offset, "must be below attn_layer_period")
    full = len(range(offset, layers, period))
    inner = int(config.number("mamba_expand") * hidden)
    state, rank = config.size("mamba_d_state"), step_rank(config, "mamba_dt_rank", hidden)
    style = Style(mixture=moe.jamba)
    mamba = blocks.mamba1(
        hidden,
        inner,
        state,
        config.size("mamba_d_conv"),
        rank,
        layers - full,
        conv_bias=config.flag("mamba_conv_bias"),
        bias=config.flag("mamba_proj_bias"),
        other=rank + 2 * state,
    )
    terms = [
        *frame(config, style, hidden, layers),
        *feed_forward_terms(config, style, hidden, layers),
        blocks.attention(hidden, read_heads(config, hidden), full),
        mamba,
    ]
    config.ignore("sliding_window")
    config.must_be("mamba_inner_layernorms", True)
    return Layout(tuple(terms), default_length(config))


def bamba(config: Config) -> Layout:
    """Bamba: Mamba-2 with attention in a few layers, dense blocks."""
    hidden, layers = config.size("hidden_size"), config.layers()
    full = len(config.indices("attn_layer_indices", layers))
    bias = config.flag("attention_bias")
    style = Style(mlp_bias="mlp_bias")
    terms = [
        *frame(config, style, hidden, layers),
        *feed_forward_terms(config, style, hidden, layers),
        blocks.attention(hidden, read_heads(config, hidden), full, bias=Biases(bias, bias)),
        blocks.mamba2(hidden, _mamba2_of(config, hidden), layers - full),
    ]
    return Layout(tuple(terms), default_length(config))


def falcon_h1(config: Config) -> Layout:
    """Falcon-H1: attention and Mamba-2 side by side in every layer."""
    hidden, layers = config.size("hidden_size"), config.layers()
    qkv = config.flag("attention_bias")
    out = config.flag("projectors_bias")
    if out:
        raise config.error("projectors_bias", True, "changes the model in a way we cannot count")
    heads, inner = config.size("mamba_n_heads"), config.optional_size("mamba_d_ssm")
    inner = inner or int(config.number("mamba_expand") * hidden)
    if inner % heads:
        raise config.error("mamba_n_heads", heads, f"does not divide a width of {inner}")
    shape = Mamba2(
        heads=heads,
        head_dim=inner // heads,
        groups=config.size("mamba_n_groups"),
        state=config.size("mamba_d_state"),
        kernel=config.size("mamba_d_conv"),
        chunk=config.size("mamba_chunk_size"),
        conv_bias=config.flag("mamba_conv_bias"),
        norm=config.flag("mamba_rms_norm"),
    )
    config.must_be("mamba_proj_bias", False)
    config.must_be("mamba_use_mlp", True)
    config.ignore("mamba_expand", "mamba_d_head", "mamba_norm_before_gate")
    style = Style(mlp_bias="mlp_bias")
    terms = [
        *frame(config, style, hidden, layers),
        *feed_forward_terms(config, style, hidden, layers),
        blocks.attention(hidden, read_heads(config, hidden), layers, bias=Biases(qkv, qkv)),
        blocks.mamba2(hidden, shape, layers),
    ]
    return Layout(tuple(terms), default_length(config))


_CONVOLUTIONS = {"conv": "conv", "full_attention": "attention"}


def lfm2(config: Config) -> Layout:
    """LFM2: short gated convolutions with attention in a few layers."""
    hidden, layers = config.size("hidden_size"), config.layers()
    kinds = config.words("layer_types", layers, _CONVOLUTIONS)
    at_full = config.indices("full_attn_idxs", layers)
    if kinds is None and config.get("full_attn_idxs") is None:
        kinds = ["attention"] * layers
    if kinds is None:
        kinds = ["attention" if at in at_full else "conv" for at in range(layers)]
    inner = config.size("intermediate_size")
    multiple = config.size("block_multiple_of")
    if config.flag("block_auto_adjust_ff_dim"):
        inner = 2 * inner // 3
        if config.get("block_ffn_dim_multiplier") is not None:
            inner = int(config.number("block_ffn_dim_multiplier") * inner)
            inner = multiple * -(-inner // multiple)
    else:
        config.ignore("block_ffn_dim_multiplier")
    config.must_be("block_use_swiglu", True)
    for name in ("block_dim", "conv_dim", "conv_dim_out"):
        config.agrees(name, hidden)
    config.agrees("num_heads", config.size("num_attention_heads"))
    terms = [*_convolutions(config, kinds), blocks.mlp(hidden, inner, 3, layers)]
    return Layout(tuple(terms), default_length(config))


def lfm2_moe(config: Config) -> Layout:
    """LFM2-MoE: the same with mixtures after the first layers."""
    hidden, layers = config.size("hidden_size"), config.layers()
    kinds = config.words("layer_types", layers, _CONVOLUTIONS)
    if kinds is None:
        raise config.error("layer_types", None, "missing")
    style = Style(mixture=moe.lfm2)
    terms = [
        *_convolutions(config, kinds),
        *feed_forward_terms(config, style, hidden, layers),
    ]
    return Layout(tuple(terms), default_length(config))


def _convolutions(config: Config, kinds: list[str]) -> list[Term]:
    """All but the feed-forward blocks of an LFM2: gated convolutions, attention, the frame."""
    hidden, full = config.size("hidden_size"), kinds.count("attention")
    heads, bias = read_heads(config, hidden), config.flag("conv_bias")
    kernel = float(parts.convolution_weights(config.size("conv_L_cache"), 1, hidden))
    short = len(kinds) - full
    return [
        *frame(config, Style(), hidden, len(kinds)),
        blocks.attention(hidden, heads, full, other=2 * heads.dim),
        Term(
            "convolutions",
            matrix=4 * hidden * hidden + kernel,  # input, two gates, output
            other=5 * hidden * bias,
            held=short,
            times=short,
        ),
    ]


def granite_hybrid(config: Config) -> Layout:
    """Granite 4: Mamba-2 with a little attention, mixtures with a shared block, or that alone."""
    hidden, layers = config.size("hidden_size"), config.layers()
    kinds = config.words("layer_types", layers, _MIXERS) or ["mamba"] * layers
    full = kinds.count("attention")
    bias = config.flag("attention_bias")
    terms = frame(config, Style(), hidden, layers)
    shared = config.size("shared_intermediate_size")
    if config.size("num_local_experts", least=0):
        mixture = moe.granite_shared(config, layers)
        terms += blocks.mixture(hidden, mixture.experts, layers)
    else:
        config.ignore("intermediate_size", "num_experts_per_tok")
        terms.append(blocks.mlp(hidden, shared, 3, layers))
    if full:
        heads = read_heads(config, hidden)
        terms.append(blocks.attention(hidden, heads, full, bias=Biases(bias, bias)))
    if layers > full:
        terms.append(blocks.mamba2(hidden, _mamba2_of(config, hidden), layers - full))
    return Layout(tuple(terms), default_length(config))


def nemotron_h(config: Config) -> Layout:
    """Nemotron-H: a list of blocks, each Mamba-2, attention, a plain MLP or a mixture."""
    hidden = config.size("hidden_size")
    kinds = _nemotron_layers(config)
    heads = read_heads(config, hidden)
    config.agrees("attention_head_dim", heads.dim)
    bias = config.flag("mlp_bias")
    config.must_be("attention_bias", False)
    config.must_be("mamba_proj_bias", False)
    config.must_be("tie_word_embeddings", False)  # the library's class has no tied head
    config.must_be("num_nextn_predict_layers", 0)
    config.ignore("sliding_window", "mtp_layers_block_type", "expand")
    terms = frame(config, Style(norms=1), hidden, len(kinds))
    if kinds.count("attention"):
        terms.append(blocks.attention(hidden, heads, kinds.count("attention")))
    if kinds.count("mlp"):
        inner = config.size("intermediate_size")
        terms.append(blocks.mlp(hidden, inner, 2, kinds.count("mlp"), bias=bias))
    else:
        config.ignore("intermediate_size")
    if kinds.count("moe"):
        config.must_be("mlp_bias", False)
        mixture = moe.nemotron(config, kinds.count("moe"))
        terms += blocks.mixture(hidden, mixture.experts, mixture.layers)
    else:
        config.ignore(*_NEMOTRON_EXPERTS)
    if kinds.count("mamba"):
        terms.append(blocks.mamba2(hidden, _nemotron_mamba(config), kinds.count("mamba")))
    return Layout(tuple(terms), default_length(config))


def _nemotron_layers(config: Config) -> list[str]:
    """Kinds of layers, as a list or as a string of letters."""
    written = config.layers() if config.given("num_hidden_layers") else 0
    letters = config.get("hybrid_override_pattern")
    kinds = config.words("layers_block_type", 0, _NEMOTRON)
    if kinds is None and letters is not None:
        if not isinstance(letters, str) or not set(letters) <= set(_NEMOTRON_LETTERS):
            raise config.error("hybrid_override_pattern", letters, "must be of the letters M*-E")
        kinds = [_NEMOTRON_LETTERS[letter] for letter in letters]
    if not kinds:
        raise config.error("layers_block_type", None, "missing", ["hybrid_override_pattern"])
    if written and written != len(kinds):
        raise config.error("num_hidden_layers", written, f"but {len(kinds)} layers are named")
    return kinds


def _nemotron_mamba(config: Config) -> Mamba2:
    return Mamba2(
        heads=config.size("mamba_num_heads"),
        head_dim=config.size("mamba_head_dim"),
        groups=config.size("n_groups"),
        state=config.size("ssm_state_size"),
        kernel=config.size("conv_kernel"),
        chunk=config.size("chunk_size"),
        conv_bias=config.flag("use_conv_bias"),
        bias=config.flag("use_bias"),
    )
