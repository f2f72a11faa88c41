"""Every model type we can count, and its reader."""

from __future__ import annotations

from collections.abc import Callable

from joulecast.architectures import (
    delta,
    encdec,
    encoder,
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
    "cohere": variants.cohere,
    "glm4_moe": variants.glm4_moe,
    "gpt_bigcode": variants.gpt_bigcode,
    "falcon": variants.falcon,
    "mpt": variants.mpt,
    "dbrx": variants.dbrx,
    "opt": variants.opt,
    "stablelm": variants.stablelm,
    "deepseek_v2": latent.deepseek,
    "deepseek_v3": latent.deepseek,
    "qwen3_next": delta.qwen3_next,
    "qwen3_5_text": delta.qwen3_5,
    "qwen3_5_moe_text": delta.qwen3_5_moe,
    "minimax": delta.minimax,
    "mamba": ssm.mamba,
    "falcon_mamba": ssm.mamba,
    "mamba2": ssm.mamba2,
    "rwkv": ssm.rwkv,
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
    "whisper": encdec.whisper,
    "vit": vision.vit,
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
    "gemma3_text_model": "gemma3_text",
    "mistral3_text": "mistral",
    "qwen2_vl_text": "qwen2",
    "qwen2_5_vl_text": "qwen2",
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
    "llava": "llama",
    "llava_next": "llama",
    "idefics3": "llama",
    "mistral3": "mistral",
    "paligemma": "gemma",
    "kimi_vl": "deepseek_v3",
}
