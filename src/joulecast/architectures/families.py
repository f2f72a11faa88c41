"""Every model type we can count, and its reader.

A family that differs from others by a few switches is a line in styles.py.  One with a layer of its
own is a function from its config to a layout, in the file of its kin, and a line in the FAMILIES at
that file's end.
"""

from __future__ import annotations

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
from joulecast.architectures.decoder import decoder
from joulecast.architectures.reading import Builder
from joulecast.architectures.styles import STYLES

#: Model type -> what reads its config.
BUILDERS: dict[str, Builder] = {
    **{name: decoder(style) for name, style in STYLES.items() if not name.endswith("_qk_norm")},
    "qwen2_vl_text": decoder(STYLES["qwen2"]),
    "qwen2_5_vl_text": decoder(STYLES["qwen2"]),
    "qwen3_vl_text": decoder(STYLES["qwen3"]),
    "qwen3_vl_moe_text": decoder(STYLES["qwen3_moe"]),
    **variants.FAMILIES,
    **latent.FAMILIES,
    **delta.FAMILIES,
    **gemma.FAMILIES,
    **ssm.FAMILIES,
    **hybrid.FAMILIES,
    **shared.FAMILIES,
    **encoder.FAMILIES,
    **encdec.FAMILIES,
    **vision.FAMILIES,
    **recurrent.FAMILIES,
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

#: Wrappers whose class has defaults of its own for a text part that the file does not say, where
#: they differ from those of the text type (transformers 5.24.0).
TEXT_DEFAULTS: dict[str, dict[str, object]] = {
    "mistral3": {
        "vocab_size": 131072, "hidden_size": 5120, "intermediate_size": 32768,
        "num_hidden_layers": 40, "head_dim": 128, "sliding_window": None,
    },
    "paligemma": {
        "vocab_size": 257152, "hidden_size": 2048, "intermediate_size": 16384,
        "num_hidden_layers": 18, "num_attention_heads": 8, "num_key_value_heads": 1,
        "use_bidirectional_attention": True,
    },
}  # fmt: skip
