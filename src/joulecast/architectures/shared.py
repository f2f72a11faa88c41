"""Zamba2 and RecurrentGemma: blocks that are held once and used often; a gated recurrence."""

from __future__ import annotations

from joulecast.architectures import blocks, parts, states
from joulecast.architectures.blocks import Biases, Heads
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import Style, frame
from joulecast.architectures.hybrid import BAMBA_MAMBA
from joulecast.architectures.layout import CAUSAL, Layout, Mask, Term
from joulecast.architectures.reading import Builder, layout_of
from joulecast.architectures.ssm import read_mamba2

_ZAMBA = {"mamba": "mamba", "linear_attention": "mamba", "hybrid": "hybrid"}
_ZAMBA_MAMBA = BAMBA_MAMBA._replace(
    heads="n_mamba_heads", head_dim="", groups="mamba_ngroups", chunk="chunk_size", conv_bias="",
    bias="",
)  # fmt: skip

#: Where the attention blocks stand if a config of 54 layers does not say.
_ZAMBA_DEFAULT = [
    "hybrid" if at in (6, 12, 18, 24, 30, 36, 42, 47, 51) else "mamba" for at in range(54)
]


def zamba2(config: Config) -> Layout:
    """Zamba2: Mamba-2 layers, and attention blocks that are held once and used at many depths."""
    hidden, layers = config.hidden, config.layers()
    kinds = config.words("layers_block_type", layers, _ZAMBA)
    if kinds is None and layers == len(_ZAMBA_DEFAULT):
        kinds = _ZAMBA_DEFAULT
    if kinds is None:
        raise config.error("layers_block_type", None, "missing")
    uses = kinds.count("hybrid")
    held = min(config.size("num_mem_blocks"), uses)
    inner = config.optional_size("intermediate_size") or 4 * hidden
    config.must_be(
        add_bias_linear=False,
        use_conv_bias=True,
        tie_word_embeddings=True,  # untied, the library unties the shared blocks too
        use_long_context=False,
        use_shared_mlp_adapter=True,
        gated_linear_unit=True,
    )
    config.agrees("ffn_hidden_size", inner)
    config.agrees("lora_rank", config.get("adapter_rank"))
    config.ignore("use_shared_block_lora")
    config.ignore("use_mem_rope", "use_mem_eff_path", "hybrid_layer_ids", "kv_channels")
    config.ignore("num_query_groups", "mamba_headdim", "attention_hidden_size")
    query = config.size("num_attention_heads")
    kv = config.optional_size("num_key_value_heads") or query
    wide, dim = 2 * hidden, 2 * hidden // query
    if wide % query or query % kv:
        raise config.error("num_attention_heads", query, f"does not divide a width of {wide}")
    for key in ("attention_head_dim", "head_dim"):
        config.agrees(key, dim)
    rank = config.size("adapter_rank")
    terms = [
        *frame(config, Style(norms=1)),
        blocks.mamba2(hidden, read_mamba2(config, _ZAMBA_MAMBA), layers),
        Term(
            "shared_attention",
            matrix=wide * dim * (query + 2 * kv) + query * dim * hidden,
            other=wide + hidden,  # its two norms
            times=uses,
            held=held,
            per_key=Heads(query, kv, dim).score_flop,
            mask=CAUSAL,
        ),
        blocks.mlp(hidden, inner, 3, uses, held=held),
        blocks.linear("shared_output", hidden, hidden, times=uses),
        blocks.linear("adapters", rank, hidden + 2 * inner, times=uses),
    ]
    if config.flag("use_shared_attention_adapter"):
        terms.append(blocks.linear("adapters", 3 * 2 * rank, wide, times=uses))
    return layout_of(config, terms)


def recurrent_gemma(config: Config) -> Layout:
    """RecurrentGemma: two RG-LRU layers to one of attention with a window."""
    hidden, layers = config.hidden, config.layers()
    known = {"recurrent": "recurrent", "attention": "attention"}
    kinds = config.words("block_types", 0, known) or ["recurrent", "recurrent", "attention"]
    full = (kinds * layers)[:layers].count("attention")
    query = config.heads("num_attention_heads", hidden)
    heads = Heads(query, config.optional_size("num_key_value_heads") or query, hidden // query)
    width = config.optional_size("lru_width") or hidden
    if width % query:
        raise config.error("lru_width", width, f"is not divided by {query} heads")
    config.agrees("head_dim", hidden // query)
    config.ignore("_block_types")
    biases = Biases(config.flag("attention_bias"), True)
    mask = Mask("window", config.size("attention_window_size"))
    matrix = 3 * hidden * width + states.gated_lru_weights(width, query)
    matrix += parts.convolution_weights(config.size("conv1d_width"), 1, width)
    inner = config.size("intermediate_size") // 2  # the key holds both halves of the gate
    other = 2 * width + hidden + width + 3 * width
    terms = [
        *frame(config, Style()),
        blocks.mlp(hidden, inner, 3, layers, bias=True),
        blocks.attention(hidden, heads, full, mask=mask, bias=biases),
        Term("recurrent", float(matrix), other, times=layers - full),
    ]
    return Layout(tuple(terms), (4096,))


FAMILIES: dict[str, Builder] = {"zamba2": zamba2, "recurrent_gemma": recurrent_gemma}
