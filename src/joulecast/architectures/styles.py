"""The decoders that differ only in style: one line or so per family."""

from __future__ import annotations

from joulecast.architectures import moe, windows
from joulecast.architectures.decoder import Style

_LLAMA = Style(qkv_bias="attention_bias", out_bias="attention_bias", mlp_bias="mlp_bias")
_NO_MLP_BIAS = Style(qkv_bias="attention_bias", out_bias="attention_bias")
_GPT = Style(
    inner="n_inner",
    matrices=2,
    norm=2,
    qkv_bias=True,
    out_bias=True,
    mlp_bias=True,
    positions=0,
)
_PARALLEL_GPT = Style(inner="n_inner", matrices=2, norm=2, norms=1, mlp_bias=True, head_bias=True)

STYLES: dict[str, Style] = {
    # Plain blocks with LayerNorm, biases and learned positions.
    "gpt2": _GPT,
    "gptj": _PARALLEL_GPT,
    "codegen": _PARALLEL_GPT,
    "gpt_neo": Style(
        matrices=2,
        norm=2,
        out_bias=True,
        mlp_bias=True,
        positions=0,
        masks=windows.alternating_types,
    ),
    "gpt_neox": Style(
        matrices=2, norm=2, qkv_bias="attention_bias", out_bias="attention_bias", mlp_bias=True
    ),
    "bloom": Style(
        inner="", matrices=2, norm=2, qkv_bias=True, out_bias=True, mlp_bias=True,
        embedding_norm=True,
    ),
    "xglm": Style(inner="ffn_dim", matrices=2, norm=2, qkv_bias=True, out_bias=True, mlp_bias=True),
    "biogpt": Style(
        matrices=2, norm=2, qkv_bias=True, out_bias=True, mlp_bias=True, positions=2
    ),
    "persimmon": Style(
        matrices=2, norm=2, qkv_bias=True, out_bias=True, mlp_bias=True, qk_norm="head",
        pinned=(("qk_layernorm", True),),
    ),
    "phi": Style(
        matrices=2, norm=2, norms=1, qkv_bias=True, out_bias=True, mlp_bias=True, head_bias=True,
        pinned=(("qk_layernorm", False),),
    ),
    "starcoder2": Style(
        matrices=2, norm=2, qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias",
        masks=windows.one_window,
    ),
    "nemotron": Style(
        matrices=2, norm=2, qkv_bias="attention_bias", out_bias="attention_bias",
        mlp_bias="mlp_bias",
    ),
    "jais2": Style(
        matrices=2, norm=2, qkv_bias="attention_bias", out_bias="attention_bias",
        mlp_bias="mlp_bias",
    ),
    "nanochat": Style(matrices=2, norm=0, qkv_bias="attention_bias", out_bias="attention_bias"),
    # Gated blocks with RMS norms.
    "llama": _LLAMA,
    "granite": _LLAMA,
    "ernie4_5": Style(qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias"),
    "internlm3": Style(
        qkv_bias="attention_bias", out_bias="mlp_bias", mlp_bias="mlp_bias"
    ),
    "cwm": Style(mlp_bias="mlp_bias", masks=windows.every_fourth_from_first),
    "hunyuan_v1_dense": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="head"
    ),
    "helium": Style(qkv_bias="attention_bias", mlp_bias="mlp_bias"),
    "arcee": Style(
        matrices=2, qkv_bias="attention_bias", out_bias="attention_bias", mlp_bias="mlp_bias"
    ),
    "seed_oss": Style(
        qkv_bias="attention_bias", out_bias="attention_out_bias", mlp_bias="mlp_bias"
    ),
    "glm": Style(qkv_bias="attention_bias"),
    "glm4": Style(qkv_bias="attention_bias", norms=4),
    "apertus": Style(
        matrices=2, qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="head",
        scalars=2, pinned=(("hidden_act", "xielu"),),
    ),
    "olmo": Style(norm=0, qkv_bias="attention_bias", out_bias="attention_bias"),
    "olmo2": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="width"
    ),
    "olmo3": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="width",
        masks=windows.every_nth_full(4),
    ),
    "mistral": Style(masks=windows.one_window),
    "ministral": Style(masks=windows.one_window),
    "ministral3": Style(masks=windows.one_window),
    "phi3": Style(masks=windows.one_window),
    "qwen2": Style(qkv_bias=True, masks=windows.window_after),
    "qwen3": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="head",
        masks=windows.window_after,
    ),
    "smollm3": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", mlp_bias="mlp_bias",
        masks=windows.window_without_positions,
    ),
    "gemma": _NO_MLP_BIAS,
    "gemma2": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", norms=4,
        masks=windows.every_nth_full(2),
    ),
    "vaultgemma": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", masks=windows.every_nth_full(2)
    ),
    "gemma3_text": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", norms=4, qk_norm="head",
        masks=windows.every_nth_full(6),
    ),
    "cohere": Style(
        norms=1, qkv_bias="attention_bias", out_bias="attention_bias",
        pinned=(("use_qk_norm", False),),
    ),
    "cohere_qk_norm": Style(
        norms=1, qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="heads"
    ),
    "cohere2": Style(
        norms=1, qkv_bias="attention_bias", out_bias="attention_bias",
        masks=windows.every_nth_full(4),
    ),
    "exaone4": Style(qk_norm="head", masks=windows.every_nth_full_if_windowed),
    # Mixtures of experts.
    "mixtral": Style(masks=windows.one_window, mixture=moe.in_every_layer),
    "phimoe": Style(
        norm=2, qkv_bias="attention_bias", out_bias="attention_bias", masks=windows.one_window,
        mixture=moe.in_every_layer,
        pinned=(("lm_head_bias", False), ("num_experts_per_tok", 2)),  # the class takes two
    ),
    "minimax_m2": Style(qk_norm="width", mixture=moe.minimax_m2),
    "olmoe": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="width", mixture=moe.olmoe
    ),
    "flex_olmo": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="width", mixture=moe.olmoe
    ),
    "hunyuan_v1_moe": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="head",
        mixture=moe.hunyuan,
    ),
    "solar_open": Style(qkv_bias="attention_bias", mixture=moe.deepseek),
    "exaone_moe": Style(
        qk_norm="head", masks=windows.every_nth_full_if_windowed, mixture=moe.exaone
    ),
    "granitemoe": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", mixture=moe.in_every_layer
    ),
    "granitemoeshared": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", mixture=moe.granite_shared
    ),
    "qwen2_moe": Style(
        qkv_bias="qkv_bias", masks=windows.window_before,
        mixture=moe.qwen("num_experts", shared=True),
    ),
    "qwen3_moe": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="head",
        masks=windows.window_if_used, mixture=moe.qwen("num_local_experts", shared=False),
    ),
    "dots1": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="head",
        masks=windows.dots_windows, mixture=moe.deepseek,
    ),
    "glm4_moe": Style(qkv_bias="attention_bias", mixture=moe.deepseek),
    "glm4_moe_qk_norm": Style(
        qkv_bias="attention_bias", qk_norm="head", mixture=moe.deepseek
    ),
    "ernie4_5_moe": Style(
        mixture=moe.ernie, pinned=(("use_bias", False),)
    ),
    "gpt_oss": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", sinks=True,
        masks=windows.every_nth_full(2), mixture=moe.gpt_oss,
    ),
    "llama4_text": Style(
        qkv_bias="attention_bias", out_bias="attention_bias", dense_inner="intermediate_size_mlp",
        masks=windows.chunks_with_positions, mixture=moe.llama4,
    ),
}  # fmt: skip
