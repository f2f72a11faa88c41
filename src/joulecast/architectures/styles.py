"""The decoders that differ only in style: one line or so per family."""

from __future__ import annotations

from functools import partial

from joulecast.architectures import moe, windows
from joulecast.architectures.decoder import Style

#: Blocks of GPT's kind: LayerNorm, two matrices, and biases on all.
_gpt = partial(Style, matrices=2, norm=2, qkv_bias=True, out_bias=True, mlp_bias=True)

#: Gated blocks with RMS norms, and one key for the biases of attention.
_gated = partial(Style, qkv_bias="attention_bias", out_bias="attention_bias")

_LLAMA = _gated(mlp_bias="mlp_bias")
_PARALLEL_GPT = Style(inner="n_inner", matrices=2, norm=2, norms=1, mlp_bias=True, head_bias=True)

STYLES: dict[str, Style] = {
    # Plain blocks with LayerNorm, biases and learned positions.
    "gpt2": _gpt(inner="n_inner", positions=0),
    "gptj": _PARALLEL_GPT,
    "codegen": _PARALLEL_GPT,
    "gpt_neo": _gpt(qkv_bias=False, positions=0, masks=windows.alternating_types),
    "gpt_neox": _gpt(qkv_bias="attention_bias", out_bias="attention_bias"),
    "bloom": _gpt(inner="", embedding_norm=True),
    "xglm": _gpt(inner="ffn_dim"),
    "biogpt": _gpt(positions=2),
    "persimmon": _gpt(qk_norm="head", pinned={"qk_layernorm": True}),
    "phi": _gpt(norms=1, head_bias=True, pinned={"qk_layernorm": False}),
    "starcoder2": _gpt(
        qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias", masks=windows.one_window
    ),
    "nemotron": _gated(matrices=2, norm=2, mlp_bias="mlp_bias"),
    "jais2": _gated(matrices=2, norm=2, mlp_bias="mlp_bias"),
    "nanochat": _gated(matrices=2, norm=0),
    # Gated blocks with RMS norms.
    "llama": _LLAMA,
    "granite": _LLAMA,
    "ernie4_5": Style(qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias"),
    "internlm3": _gated(out_bias="mlp_bias", mlp_bias="mlp_bias"),
    "cwm": Style(mlp_bias="mlp_bias", masks=windows.every_fourth_from_first),
    "hunyuan_v1_dense": _gated(qk_norm="head"),
    "helium": Style(qkv_bias="attention_bias", mlp_bias="mlp_bias"),
    "arcee": _gated(matrices=2, mlp_bias="mlp_bias"),
    "seed_oss": _gated(out_bias="attention_out_bias", mlp_bias="mlp_bias"),
    "glm": Style(qkv_bias="attention_bias"),
    "glm4": Style(qkv_bias="attention_bias", norms=4),
    "apertus": _gated(matrices=2, qk_norm="head", scalars=2, pinned={"hidden_act": "xielu"}),
    "olmo": _gated(norm=0),
    "olmo2": _gated(qk_norm="width"),
    "olmo3": _gated(qk_norm="width", masks=windows.every_nth_full(4)),
    "mistral": Style(masks=windows.one_window),
    "ministral": Style(masks=windows.one_window),
    "ministral3": Style(masks=windows.one_window),
    "phi3": Style(masks=windows.one_window),
    "qwen2": Style(qkv_bias=True, masks=windows.window_after),
    "qwen3": _gated(qk_norm="head", masks=windows.window_after),
    "smollm3": _gated(mlp_bias="mlp_bias", masks=windows.window_without_positions),
    "gemma": _gated(),
    "gemma2": _gated(norms=4, masks=windows.every_nth_full(2)),
    "vaultgemma": _gated(masks=windows.every_nth_full(2)),
    "gemma3_text": _gated(norms=4, qk_norm="head", masks=windows.every_nth_full(6)),
    "cohere": _gated(norms=1, pinned={"use_qk_norm": False}),
    "cohere_qk_norm": _gated(norms=1, qk_norm="heads"),
    "cohere2": _gated(norms=1, masks=windows.every_nth_full(4)),
    "exaone4": Style(qk_norm="head", masks=windows.every_nth_full_if_windowed),
    # Mixtures of experts.
    "mixtral": Style(masks=windows.one_window, mixture=moe.in_every_layer()),
    "phimoe": _gated(
        norm=2, masks=windows.one_window, mixture=moe.in_every_layer(),
        pinned={"lm_head_bias": False, "num_experts_per_tok": 2},  # the class takes two
    ),
    # As Mixtral; its routing bias is kept outside the parameters.
    "minimax_m2": Style(qk_norm="width", mixture=moe.in_every_layer()),
    "olmoe": _gated(qk_norm="width", mixture=moe.in_every_layer("num_experts")),
    "flex_olmo": _gated(qk_norm="width", mixture=moe.in_every_layer("num_experts")),
    "hunyuan_v1_moe": _gated(  # one shared expert as wide as the others
        qk_norm="head",
        mixture=moe.in_every_layer("num_experts", used="moe_topk", shared="intermediate_size"),
    ),
    "solar_open": Style(qkv_bias="attention_bias", mixture=moe.deepseek),
    "exaone_moe": Style(
        qk_norm="head", masks=windows.every_nth_full_if_windowed,
        mixture=moe.after_dense("num_experts", "num_shared_experts", every=""),
    ),
    "granitemoe": _gated(mixture=moe.in_every_layer()),
    "granitemoeshared": _gated(mixture=moe.in_every_layer(shared="shared_intermediate_size")),
    "qwen2_moe": Style(
        qkv_bias="qkv_bias", masks=windows.window_before,
        mixture=moe.qwen("num_experts", shared=True),
    ),
    "qwen3_moe": _gated(
        qk_norm="head", masks=windows.window_if_used,
        mixture=moe.qwen("num_local_experts", shared=False),
    ),
    "dots1": _gated(qk_norm="head", masks=windows.dots_windows, mixture=moe.deepseek),
    "glm4_moe": Style(qkv_bias="attention_bias", mixture=moe.deepseek),
    "glm4_moe_qk_norm": Style(qkv_bias="attention_bias", qk_norm="head", mixture=moe.deepseek),
    "ernie4_5_moe": Style(mixture=moe.ernie, pinned={"use_bias": False}),
    "gpt_oss": _gated(sinks=True, masks=windows.every_nth_full(2), mixture=moe.gpt_oss),
    "llama4_text": _gated(
        dense_inner="intermediate_size_mlp", masks=windows.chunks_with_positions,
        mixture=moe.llama4,
    ),
}  # fmt: skip
