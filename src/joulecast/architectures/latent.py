"""Multi-head latent attention: DeepSeek-V2, V3 and what is built like them."""

from __future__ import annotations

from dataclasses import replace

from joulecast.architectures import blocks, moe, parts
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import Style, assembled
from joulecast.architectures.layout import CAUSAL, Layout, Mask, Term
from joulecast.architectures.reading import Builder


def latent_attention(config: Config, layers: int, mask: Mask = CAUSAL) -> Term:
    """Attention whose keys and values are unfolded from a latent."""
    hidden, heads = config.hidden, config.size("num_attention_heads")
    kv_rank, q_rank = config.size("kv_lora_rank"), config.optional_size("q_lora_rank")
    nope, rope = config.size("qk_nope_head_dim"), config.size("qk_rope_head_dim")
    value = config.size("v_head_dim", hidden // heads)
    bias = config.flag("attention_bias")
    # Widths that follow from those above, and heads that share nothing.
    config.ignore("head_dim", "qk_head_dim", "num_key_value_heads")
    matrix = parts.latent_attention_weights(hidden, heads, kv_rank, nope, rope, value)
    other = kv_rank + bias * (kv_rank + rope + hidden)
    if q_rank is None:
        matrix += hidden * heads * (nope + rope)
    else:
        matrix += parts.latent_query_weights(hidden, q_rank, heads, nope + rope)
        other += q_rank * (1 + bias)
    per_key = float(parts.score_flop_per_key(heads, nope + rope, value))
    return Term("attention", float(matrix), other, layers, per_key=per_key, mask=mask)


def warn_of_further(config: Config) -> None:
    """Say that modules which predict further tokens are left out, as in published counts."""
    key = "num_nextn_predict_layers"
    if config.given(key) and config.size(key, least=0):
        config.warn(
            "multi_token_prediction", "the modules that predict further tokens are left out"
        )
    config.ignore(key)


def dense(config: Config) -> Layout:
    """MiniCPM3 and Youtu: latent attention, dense blocks."""
    style = Style(mlp_bias="mlp_bias")
    return assembled(config, style, [latent_attention(config, config.layers())])


def glm4_moe_lite(config: Config) -> Layout:
    """GLM-4.7-Flash: one dense layer unless the config names them."""
    if config.get("mlp_layer_types") is None:
        config.agrees("first_k_dense_replace", 1)
    mixers = [latent_attention(config, config.layers())]
    warn_of_further(config)
    return assembled(config, Style(mixture=moe.after_dense(first=1)), mixers)


def indexed_attention(config: Config, layers: int) -> list[Term]:
    """Latent attention to the few keys that a light indexer picks from all before.

    DeepSeek-AI 2025, DeepSeek-V3.2: the indexer scores every key with its own small heads.
    """
    kept = config.size("index_topk")
    heads, dim = config.size("index_n_heads"), config.size("index_head_dim")
    rank = config.size("q_lora_rank")
    config.words("layer_types", layers, {"indexed_attention": "indexed"})
    config.words("indexer_types", layers, {"full": "full"})
    config.warn(
        "sparse_attention",
        f"attention is counted to the {kept} keys that the indexer keeps, the indexer to all",
    )
    indexer = Term(
        "indexer",
        matrix=rank * heads * dim + config.hidden * (dim + heads),
        other=2 * dim,
        times=layers,
        per_key=float(2 * heads * (dim + 1)),  # a dot product, and the weight of each head
        mask=CAUSAL,
    )
    return [latent_attention(config, layers, Mask("window", kept)), indexer]


def deepseek_indexed(config: Config) -> Layout:
    """DeepSeek-V3.2 and GLM-5."""
    mixers = indexed_attention(config, config.layers())
    warn_of_further(config)
    return assembled(config, Style(mixture=moe.deepseek), mixers)


def deepseek(config: Config) -> Layout:
    """DeepSeek-V2, V3, Kimi-K2: latent attention, dense first layers, then mixtures."""
    warn_of_further(config)
    # V2 alone has a key for the biases of its blocks.
    style = Style(
        mixture=moe.deepseek, mlp_bias="mlp_bias" if config.known_as == "deepseek_v2" else False
    )
    mixers = [latent_attention(config, config.layers())]
    return assembled(config, style, mixers, further=_further(config))


def _further(config: Config) -> tuple[Term, ...]:
    """One module that predicts a further token: a layer, a projection, and the shared head.

    DeepSeek-AI 2024 (DeepSeek-V3), arXiv:2412.19437, section 2.2.
    """
    hidden, vocab = config.hidden, config.size("vocab_size")
    parts_of_layer = [
        latent_attention(config, 1),
        *blocks.mixture(hidden, moe.deepseek(config, config.layers()).experts, 1),
        blocks.norm(hidden, 1, 5),  # two in the layer, one on each input, one before the head
        blocks.linear("projection", 2 * hidden, hidden),
        Term("head", matrix=vocab * hidden, held=0),
    ]
    return tuple(replace(term, part="further_tokens") for term in parts_of_layer)


FAMILIES: dict[str, Builder] = {
    "deepseek_v2": deepseek,
    "deepseek_v3": deepseek,
    "deepseek_v32": deepseek_indexed,
    "glm_moe_dsa": deepseek_indexed,
    "glm4_moe_lite": glm4_moe_lite,
    "minicpm3": dense,
    "youtu": dense,
}
