"""Every model type we can count, and its reader."""

from __future__ import annotations

from collections.abc import Callable

from joulecast.architectures import (
    delta,
    encdec,
    encoder,
    gemma,
    hybrid,
    latent,
    recurrent,
    shared,
    ssm,
    variants,
    vision,
)
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import decoder
from joulecast.architectures.layout import Layout
from joulecast.architectures.styles import STYLES

Builder = Callable[[Config], Layout]

_OWN: dict[str, Builder] = {
    "qwen2_vl_text": decoder(STYLES["qwen2"]),
    "qwen2_5_vl_text": decoder(STYLES["qwen2"]),
    "qwen3_vl_text": decoder(STYLES["qwen3"]),
    "qwen3_vl_moe_text": decoder(STYLES["qwen3_moe"]),
    "gemma4_unified_text": gemma.gemma4,
    "cohere": variants.cohere,
    "glm4_moe": variants.glm4_moe,
    "gpt_bigcode": variants.gpt_bigcode,
    "falcon": variants.falcon,
    "mpt": variants.mpt,
    "dbrx": variants.dbrx,
    "opt": variants.opt,
    "bitnet": variants.bitnet,
    "gpt_neox_japanese": variants.gpt_neox_japanese,
    "stablelm": variants.stablelm,
    "deepseek_v2": latent.deepseek,
    "deepseek_v3": latent.deepseek,
    "deepseek_v32": latent.deepseek_indexed,
    "glm_moe_dsa": latent.deepseek_indexed,
    "glm4_moe_lite": latent.glm4_moe_lite,
    "minicpm3": latent.dense,
    "youtu": latent.dense,
    "kimi_linear": delta.kimi_linear,
    "qwen3_next": delta.qwen3_next,
    "qwen3_5_text": delta.qwen3_5,
    "qwen3_5_moe_text": delta.qwen3_5_moe,
    "minimax": delta.minimax,
    "mamba": ssm.mamba,
    "falcon_mamba": ssm.mamba,
    "mamba2": ssm.mamba2,
    "rwkv": ssm.rwkv,
    "lfm2": hybrid.lfm2,
    "lfm2_moe": hybrid.lfm2_moe,
    "gemma4_text": gemma.gemma4,
    "jamba": hybrid.jamba,
    "bamba": hybrid.bamba,
    "falcon_h1": hybrid.falcon_h1,
    "granitemoehybrid": hybrid.granite_hybrid,
    "nemotron_h": hybrid.nemotron_h,
    "zamba2": shared.zamba2,
    "recurrent_gemma": shared.recurrent_gemma,
    "bert": encoder.bert,
    "roberta": encoder.roberta,
    "xlm-roberta": encoder.roberta,
    "camembert": encoder.roberta,
    "data2vec-text": encoder.roberta,
    "megatron-bert": encoder.bert,
    "esm": encoder.esm,
    "distilbert": encoder.distilbert,
    "electra": encoder.electra,
    "albert": encoder.albert,
    "modernbert": encoder.modernbert,
    "t5": encdec.t5,
    "mt5": encdec.t5,
    "umt5": encdec.t5,
    "bart": encdec.bart_layout,
    "mbart": encdec.mbart_layout,
    "m2m_100": encdec.m2m_layout,
    "pegasus": encdec.pegasus_layout,
    "marian": encdec.marian_layout,
    "blenderbot": encdec.blenderbot_layout,
    "blenderbot-small": encdec.blenderbot_small_layout,
    "plbart": encdec.bart_layout,
    "nllb-moe": encdec.nllb_moe,
    "switch_transformers": encdec.switch,
    "whisper": encdec.whisper,
    "vit": vision.vit,
    "deit": vision.deit,
    "dinov2": vision.dinov2,
    "dinov2_with_registers": vision.dinov2,
    "dit": vision.dit,
    "rnn": recurrent.rnn,
}

BUILDERS: dict[str, Builder] = {
    **{name: decoder(style) for name, style in STYLES.items() if not name.endswith("_qk_norm")},
    **_OWN,
}

#: Names that stand for another type's class, with the same keys.
SAME_AS = {
    "kimi_k2": "deepseek_v3",
    "gpt-sw3": "gpt2",
    "gemma3_text_model": "gemma3_text",
    "mistral3_text": "mistral",
    "DiTTransformer2DModel": "dit",
}

#: Types that hold a text model, and the type of that part where the config does not say it.
TEXT_PARTS = {
    "gemma3": "gemma3_text",
    "llama4": "llama4_text",
    "qwen3_5": "qwen3_5_text",
    "qwen3_5_moe": "qwen3_5_moe_text",
    "qwen2_vl": "qwen2_vl_text",
    "qwen2_5_vl": "qwen2_5_vl_text",
    "qwen3_vl": "qwen3_vl_text",
    "qwen3_vl_moe": "qwen3_vl_moe_text",
    "gemma4": "gemma4_text",
    "gemma4_unified": "gemma4_unified_text",
    "smolvlm": "llama",
    "llava": "llama",
    "llava_next": "llama",
    "idefics3": "llama",
    "mistral3": "mistral",
    "paligemma": "gemma",
    "kimi_vl": "deepseek_v3",
}
