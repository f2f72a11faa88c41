"""Transformers over patches of an image: ViT and the diffusion transformer DiT."""

from __future__ import annotations

from joulecast.architectures import blocks, parts
from joulecast.architectures.blocks import ALL_BIASES, Biases, Heads
from joulecast.architectures.config import Config
from joulecast.architectures.layout import BOTH, Layout, Term
from joulecast.architectures.reading import Builder, read_heads

#: Classes of ImageNet, the usual training of a classifier.
IMAGENET = 1000

#: Width of the sinusoids that a step of diffusion is given as.
STEP_WIDTH = 256


def vit(config: Config) -> Layout:
    """ViT with its classifier, per image token, the class token included."""
    return _patch_encoder(config, _plain_blocks(config), extra=1, table=1)


def deit(config: Config) -> Layout:
    """DeiT: a second token beside the class token, to be distilled from a teacher."""
    return _patch_encoder(config, _plain_blocks(config), extra=2, table=2)


def dinov2(config: Config) -> Layout:
    """DINOv2: a scale per channel after each block; classified by class token and mean patch."""
    hidden, layers = config.hidden, config.layers()
    with_registers = config.model_type == "dinov2_with_registers"
    registers = config.size("num_register_tokens", least=0) if with_registers else 0
    masked = with_registers or config.flag("use_mask_token")
    config.ignore("layerscale_value", "apply_layernorm", "reshape_hidden_states")
    inner = int(config.number("mlp_ratio") * hidden)
    matrices = 2
    if config.flag("use_swiglu_ffn"):
        inner, matrices = (inner * 2 // 3 + 7) // 8 * 8, 3
    terms = [
        blocks.mlp(hidden, inner, matrices, layers, bias=True),
        blocks.norm(hidden, 1, 2 * layers),  # the scales
        Term("positions", other=hidden * (registers + masked)),
    ]
    return _patch_encoder(config, terms, extra=1 + registers, table=1, pooled=2)


def _plain_blocks(config: Config) -> list[Term]:
    inner = config.size("intermediate_size")
    return [blocks.mlp(config.hidden, inner, 2, config.layers(), bias=True)]


def _patch_encoder(
    config: Config, inside: list[Term], *, extra: int, table: int, pooled: int = 1
) -> Layout:
    """Layers over patches and `extra` tokens; `table` of these have a row of positions too.

    `pooled` is how many vectors as wide as the model the classifier reads.
    """
    hidden, layers, edge = config.hidden, config.layers(), config.size("patch_size")
    heads = read_heads(config)
    patches = _patches(config, config.size("image_size"), edge)
    classes = _classes(config)
    patch = float(parts.patch_weights(config.size("num_channels"), edge, hidden))
    bias = Biases(qkv=config.flag("qkv_bias"), out=True)
    config.ignore("encoder_stride")
    terms = (
        # Every token but the extra ones comes from a patch.
        Term("patches", matrix=patch, other=hidden, stream="patch"),
        Term("positions", other=hidden * (patches + 2 * table)),
        blocks.attention(hidden, heads, layers, mask=BOTH, bias=bias),
        blocks.norm(hidden, 2, 2 * layers + 1),
        *inside,
        blocks.linear("head", pooled * hidden, classes, bias=True, stream="sequence"),
    )

    def streams(lengths: tuple[int, ...]) -> dict[str, int]:
        return {"token": lengths[0], "patch": patches, "sequence": 1}

    return Layout(terms, (patches + extra,), unit="image_token", streams=streams, fixed=True)


def _patches(config: Config, image: int, patch: int) -> int:
    if image % patch or image < patch:
        raise config.error("patch_size", patch, f"does not divide an image of {image}")
    return (image // patch) ** 2


def _classes(config: Config) -> int:
    names = config.get("id2label")
    if isinstance(names, dict) and names:
        return len(names)
    if config.given("num_labels"):
        return config.size("num_labels")
    config.warn("classes_assumed", f"no number of classes given; counted for {IMAGENET}")
    return IMAGENET


def dit(config: Config) -> Layout:
    """DiT: tokens of a latent image, each block steered by the step and the class; per sample.

    Counted as published, with one embedding of step and class for all blocks.  The table of
    positions is fixed, but held.
    """
    query, dim = config.size("num_attention_heads", 16), config.size("attention_head_dim", 72)
    hidden, layers = query * dim, config.layers("num_layers", 28)
    channels = config.size("in_channels", 4)
    out = config.size("out_channels", 2 * channels)
    sample, patch = config.size("sample_size", 32), config.size("patch_size", 2)
    classes = config.size("num_embeds_ada_norm", 1000)
    config.choice("norm_type", ["ada_norm_zero"], "ada_norm_zero")
    config.must_be(attention_bias=True, cross_attention_dim=None)
    config.ignore("upcast_attention", "norm_elementwise_affine", "norm_num_groups", "_class_name")
    tokens = _patches(config, sample, patch)
    heads = Heads(query, query, dim)
    terms = (
        Term("patches", matrix=channels * patch * patch * hidden, other=hidden),
        Term("positions", other=tokens * hidden),
        Term(
            "conditioning",
            matrix=STEP_WIDTH * hidden + hidden * hidden,
            other=2 * hidden + (classes + 1) * hidden,  # and a class for "none"
            stream="sequence",
        ),
        # Shift, scale and gate for attention and MLP, from step and class, once per sample.
        blocks.linear(
            "conditioning", hidden, 6 * hidden, bias=True, times=layers, stream="sequence"
        ),
        blocks.attention(hidden, heads, layers, mask=BOTH, bias=ALL_BIASES),
        blocks.mlp(hidden, 4 * hidden, 2, layers, bias=True),
        blocks.linear("conditioning", hidden, 2 * hidden, bias=True, stream="sequence"),
        blocks.linear("head", hidden, patch * patch * out, bias=True),
    )
    return Layout(terms, (tokens,), unit="sample", per=("sequence",), fixed=True)


FAMILIES: dict[str, Builder] = {
    "vit": vit,
    "deit": deit,
    "dinov2": dinov2,
    "dinov2_with_registers": dinov2,
    "dit": dit,
}
