"""Zamba2 and RecurrentGemma: blocks that are held once and used often; a gated recurrence."""

from __future__ import annotations

from joulecast.architectures import blocks, parts, states
from joulecast.architectures.blocks import Biases, Heads, Mamba2
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import Style, frame
from joulecast.architectures.layout import CAUSAL, Layout, Mask, Term
from joulecast.architectures.ssm import check_inner, default_length

_ZAMBA = {"mamba": "mamba", "linear_attention": "mamba", "hybrid": "hybrid"}

#: Where the attention blocks stand if a config of 54 layers does not say.
_ZAMBA_DEFAULT = [
    "hybrid" if at in (6, 12, 18, 24, 30, 36, 42, 47, 51) else "mamba" for at in range(54)
]


def zamba2(config: Config) -> Layout:
    """Zamba2: Mamba-2 layers, and attention blocks that are held once and used at many depths."""
    hidden, layers = config.size("hidden_size"), config.layers()
    kinds = config.words("layers_block_type", layers, _ZAMBA)
    if kinds is None and layers == len(_ZAMBA_DEFAULT):
        kinds = _ZAMBA_DEFAULT
    if kinds is None:
        raise config.error("layers_block_type", None, "missing")
    uses = kinds.count("hybrid")
    held = min(config.size("num_mem_blocks"), uses)
    inner = config.optional_size("intermediate_size") or 4 * hidden
    config.must_be("add_bias_linear", False)
    config.must_be("use_conv_bias", True)
    config.must_be("tie_word_embeddings", True)  # untied, the library unties the shared blocks too
    config.must_be("use_long_context", False)
    config.must_be("use_shared_mlp_adapter", True)
    config.must_be("gated_linear_unit", True)
    config.agrees("ffn_hidden_size", inner)
    config.agrees("lora_rank", config.get("adapter_rank"))
    config.ignore("use_shared_block_lora")
    config.ignore("use_mem_rope", "use_mem_eff_path", "hybrid_layer_ids", "kv_channels")
    config.ignore("num_query_groups", "mamba_headdim", "attention_hidden_size", "head_dim")
    query = config.size("num_attention_heads")
    kv = config.optional_size("num_key_value_heads") or query
    wide, dim = 2 * hidden, 2 * hidden // query
    if wide % query or query % kv:
        raise config.error("num_attention_heads", query, f"does not divide a width of {wide}")
    rank = config.size("adapter_rank")
    terms = [
        *frame(config, Style(norms=1), hidden, layers),
        blocks.mamba2(hidden, _zamba_mamba(config, hidden), layers),
        Term(
            "shared_attention",
            matrix=wide * dim * (query + 2 * kv) + query * dim * hidden,
            other=wide + hidden,  # its two norms
            held=held,
            times=uses,
            per_key=float(parts.score_flop_per_key(query, dim, dim)),
            mask=CAUSAL,
        ),
        blocks.mlp(hidden, inner, 3, uses, held=held),
        Term("shared_output", matrix=hidden * hidden, held=uses, times=uses),
        Term("adapters", matrix=rank * (hidden + 2 * inner), held=uses, times=uses),
    ]
    if config.flag("use_shared_attention_adapter"):
        terms.append(Term("adapters", matrix=3 * 2 * rank * wide, held=uses, times=uses))
    return Layout(tuple(terms), default_length(config))


def _zamba_mamba(config: Config, hidden: int) -> Mamba2:
    heads, expand = config.size("n_mamba_heads"), config.number("mamba_expand")
    shape = Mamba2(
        heads=heads,
        head_dim=int(expand * hidden) // heads,
        groups=config.size("mamba_ngroups"),
        state=config.size("mamba_d_state"),
        kernel=config.size("mamba_d_conv"),
        chunk=config.size("chunk_size"),
    )
    check_inner(config, shape, expand, hidden, "n_mamba_heads")
    return shape


def recurrent_gemma(config: Config) -> Layout:
    """RecurrentGemma: two RG-LRU layers to one of attention with a window."""
    hidden, layers = config.size("hidden_size"), config.layers()
    known = {"recurrent": "recurrent", "attention": "attention"}
    kinds = config.words("block_types", 0, known) or ["recurrent", "recurrent", "attention"]
    full = (kinds * layers)[:layers].count("attention")
    recurrent = layers - full
    query = config.size("num_attention_heads")
    if hidden % query:
        raise config.error("num_attention_heads", query, f"does not divide a width of {hidden}")
    heads = Heads(query, config.optional_size("num_key_value_heads") or query, hidden // query)
    width = config.optional_size("lru_width") or hidden
    if width % query:
        raise config.error("lru_width", width, f"is not divided by {query} heads")
    kernel = config.size("conv1d_width")
    config.ignore("head_dim", "_block_types")
    qkv = config.flag("attention_bias")
    mask = Mask("window", config.size("attention_window_size"))
    matrix = 3 * hidden * width + states.gated_lru_weights(width, query)
    matrix += parts.convolution_weights(kernel, 1, width)
    inner = config.size("intermediate_size") // 2  # the key holds both halves of the gate
    terms = [
        *frame(config, Style(), hidden, layers),
        blocks.mlp(hidden, inner, 3, layers, bias=True),
        blocks.attention(hidden, heads, full, mask=mask, bias=Biases(qkv, True)),
        Term(
            "recurrent",
            matrix=float(matrix),
            other=2 * width + hidden + width + 3 * width,
            held=recurrent,
            times=recurrent,
        ),
    ]
    return Layout(tuple(terms), (4096,))
