"""Hybrids of state-space or recurrent layers with attention, mixtures and shared blocks."""

from __future__ import annotations

from joulecast.architectures import blocks, moe, parts
from joulecast.architectures.blocks import Mamba1
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import Style, assembled, feed_forward, frame
from joulecast.architectures.layout import Layout, Term
from joulecast.architectures.reading import Builder, attention, layout_of, read_heads
from joulecast.architectures.ssm import Spelling, read_mamba2, step_rank

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

#: As Bamba and Granite spell a Mamba-2 block, and as those after them do.
BAMBA_MAMBA = Spelling(
    heads="mamba_n_heads",
    head_dim="mamba_d_head",
    groups="mamba_n_groups",
    state="mamba_d_state",
    kernel="mamba_d_conv",
    chunk="mamba_chunk_size",
    conv_bias="mamba_conv_bias",
    bias="mamba_proj_bias",
    expand="mamba_expand",
)
_FALCON_MAMBA = BAMBA_MAMBA._replace(head_dim="", bias="", norm="mamba_rms_norm", expand="")
_NEMOTRON_MAMBA = Spelling(
    heads="mamba_num_heads", head_dim="mamba_head_dim", state="ssm_state_size", expand=""
)


def _bamba_mamba(config: Config, layers: int) -> Term:
    """Mamba-2 blocks as Bamba and Granite have them: the heads' width may be left open."""
    auto = config.get("mamba_d_head") in (None, "auto")
    said = BAMBA_MAMBA._replace(head_dim="") if auto else BAMBA_MAMBA
    return blocks.mamba2(config.hidden, read_mamba2(config, said), layers)


def jamba(config: Config) -> Layout:
    """Jamba: Mamba-1 with attention in every eighth layer, mixtures in every second."""
    hidden, layers = config.hidden, config.layers()
    full = moe.periodic(config, layers, "attn_layer_period", "attn_layer_offset")
    shape = Mamba1(
        int(config.number("mamba_expand") * hidden),
        config.size("mamba_d_state"),
        config.size("mamba_d_conv"),
        step_rank(config, "mamba_dt_rank"),
        conv_bias=config.flag("mamba_conv_bias"),
        bias=config.flag("mamba_proj_bias"),
    )
    style = Style(mixture=moe.jamba)
    terms = [
        *frame(config, style),
        *feed_forward(config, style),
        attention(config, full),
        blocks.mamba1(hidden, shape, layers - full, other=shape.rank + 2 * shape.state),
    ]
    config.ignore("sliding_window")
    config.must_be(mamba_inner_layernorms=True)
    return layout_of(config, terms)


def bamba(config: Config) -> Layout:
    """Bamba: Mamba-2 with attention in a few layers, dense blocks."""
    layers = config.layers()
    full = len(config.indices("attn_layer_indices", layers))
    style = Style(mlp_bias="mlp_bias")
    terms = [
        *frame(config, style),
        *feed_forward(config, style),
        attention(config, full, bias=config.flag("attention_bias")),
        _bamba_mamba(config, layers - full),
    ]
    return layout_of(config, terms)


def falcon_h1(config: Config) -> Layout:
    """Falcon-H1: attention and Mamba-2 side by side in every layer."""
    hidden, layers = config.hidden, config.layers()
    if config.flag("projectors_bias"):
        raise config.error("projectors_bias", True, "changes the model in a way we cannot count")
    heads, inner = config.size("mamba_n_heads"), config.optional_size("mamba_d_ssm")
    inner = inner or int(config.number("mamba_expand") * hidden)
    if inner % heads:
        raise config.error("mamba_n_heads", heads, f"does not divide a width of {inner}")
    config.must_be(mamba_proj_bias=False, mamba_use_mlp=True)
    config.ignore("mamba_expand", "mamba_d_head", "mamba_norm_before_gate")
    style = Style(mlp_bias="mlp_bias")
    terms = [
        *frame(config, style),
        *feed_forward(config, style),
        attention(config, layers, bias=config.flag("attention_bias")),
        blocks.mamba2(hidden, read_mamba2(config, _FALCON_MAMBA, inner), layers),
    ]
    return layout_of(config, terms)


_CONVOLUTIONS = {"conv": "conv", "full_attention": "attention"}


def lfm2(config: Config) -> Layout:
    """LFM2: short gated convolutions with attention in a few layers."""
    hidden, layers = config.hidden, config.layers()
    listed = config.get("full_attn_idxs") is not None
    at_full = config.indices("full_attn_idxs", layers) if listed else range(layers)
    kinds = config.kinds(
        "layer_types", layers, _CONVOLUTIONS, lambda at: "attention" if at in at_full else "conv"
    )
    inner = config.size("intermediate_size")
    multiple = config.size("block_multiple_of")
    if config.flag("block_auto_adjust_ff_dim"):
        inner = 2 * inner // 3
        if config.get("block_ffn_dim_multiplier") is not None:
            inner = int(config.number("block_ffn_dim_multiplier") * inner)
            inner = multiple * -(-inner // multiple)
    else:
        config.ignore("block_ffn_dim_multiplier")
    config.must_be(block_use_swiglu=True)
    for name in ("block_dim", "conv_dim", "conv_dim_out"):
        config.agrees(name, hidden)
    config.agrees("num_heads", config.size("num_attention_heads"))
    terms = [*frame(config, Style()), *_convolutions(config, kinds)]
    return layout_of(config, [*terms, blocks.mlp(hidden, inner, 3, layers)])


def lfm2_moe(config: Config) -> Layout:
    """LFM2-MoE: the same with mixtures after the first layers."""
    kinds = config.words("layer_types", config.layers(), _CONVOLUTIONS)
    if kinds is None:
        raise config.error("layer_types", None, "missing")
    return assembled(config, Style(mixture=moe.lfm2), _convolutions(config, kinds))


def _convolutions(config: Config, kinds: list[str]) -> list[Term]:
    """What mixes the tokens of an LFM2: attention and gated convolutions."""
    hidden, full = config.hidden, kinds.count("attention")
    kernel = float(parts.convolution_weights(config.size("conv_L_cache"), 1, hidden))
    return [
        attention(config, full, other=2 * read_heads(config).dim),
        Term(
            "convolutions",
            matrix=4 * hidden * hidden + kernel,  # input, two gates, output
            other=5 * hidden * config.flag("conv_bias"),
            times=len(kinds) - full,
        ),
    ]


def granite_hybrid(config: Config) -> Layout:
    """Granite 4: Mamba-2 with a little attention, mixtures with a shared block, or that alone."""
    layers = config.layers()
    full = (config.words("layer_types", layers, _MIXERS) or []).count("attention")
    bias = config.flag("attention_bias")
    shared = "shared_intermediate_size"
    config.size(shared)
    if config.size("num_local_experts", least=0):
        style = Style(mixture=moe.in_every_layer(shared=shared))
    else:
        style = Style(inner=shared)
        config.ignore("intermediate_size", "num_experts_per_tok")
    terms = [*frame(config, style), *feed_forward(config, style)]
    if full:
        terms.append(attention(config, full, bias=bias))
    if layers > full:
        terms.append(_bamba_mamba(config, layers - full))
    return layout_of(config, terms)


def nemotron_h(config: Config) -> Layout:
    """Nemotron-H: a list of blocks, each Mamba-2, attention, a plain MLP or a mixture."""
    hidden = config.hidden
    kinds = _nemotron_layers(config)
    config.agrees("attention_head_dim", read_heads(config).dim)
    bias = config.flag("mlp_bias")
    config.must_be(
        attention_bias=False,
        mamba_proj_bias=False,
        tie_word_embeddings=False,  # the library's class has no tied head
        num_nextn_predict_layers=0,
    )
    config.ignore("sliding_window", "mtp_layers_block_type", "expand")
    terms = frame(config, Style(norms=1), len(kinds))
    if count := kinds.count("attention"):
        terms.append(attention(config, count))
    if count := kinds.count("mlp"):
        inner = config.size("intermediate_size")
        terms.append(blocks.mlp(hidden, inner, 2, count, bias=bias))
    else:
        config.ignore("intermediate_size")
    if count := kinds.count("moe"):
        config.must_be(mlp_bias=False)
        terms += blocks.mixture(hidden, moe.nemotron(config, count).experts, count)
    else:
        config.ignore(*_NEMOTRON_EXPERTS)
    if count := kinds.count("mamba"):
        terms.append(blocks.mamba2(hidden, read_mamba2(config, _NEMOTRON_MAMBA), count))
    return layout_of(config, terms)


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


FAMILIES: dict[str, Builder] = {
    "jamba": jamba,
    "bamba": bamba,
    "falcon_h1": falcon_h1,
    "lfm2": lfm2,
    "lfm2_moe": lfm2_moe,
    "granitemoehybrid": granite_hybrid,
    "nemotron_h": nemotron_h,
}
