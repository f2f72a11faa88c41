"""Make tests/data/adapters.jsonl: how many weights PEFT trains, for models of many families.

    python tools/build_adapter_cases.py

Needs torch, transformers and peft, which the package does not; the file says their versions.  Each
case is a small config, an adapter, and the count over `requires_grad` after get_peft_model.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "tests" / "data" / "adapters.jsonl"

DECODER = {
    "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 96,
    "vocab_size": 500, "max_position_embeddings": 128,
}  # fmt: skip
GROUPED = {**DECODER, "num_key_value_heads": 2}
MIXTURE = {"num_local_experts": 4, "num_experts_per_tok": 2}

#: Model type, what its config says, and the adapters to put on it.
CASES: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    ("llama", GROUPED, [
        {"r": 16, "target_modules": ["q_proj", "v_proj"]},
        {"r": 8, "target_modules": "all-linear"},
        {"r": 8, "target_modules": "all-linear", "use_dora": True},
        {"r": 8, "target_modules": ["q_proj", "k_proj"], "rank_pattern": {"q_proj": 4}},
        {"r": 8, "target_modules": ["q_proj", "k_proj"],
         "rank_pattern": {"layers.1.self_attn.q_proj": 32, "k_proj": 2}},
        {"r": 8, "target_modules": ["down_proj"], "modules_to_save": ["embed_tokens", "lm_head"]},
        {"r": 8, "target_modules": r".*\.layers\.[02]\..*(q|o)_proj"},
        {"r": 8, "target_modules": ["q_proj"], "layers_to_transform": [1]},
        {"r": 8, "target_modules": ["q_proj"], "layers_to_transform": [0, 2],
         "layers_pattern": "layers"},
        {"r": 8, "target_modules": "all-linear", "exclude_modules": ["gate_proj"]},
        {"r": 8, "target_modules": ["model.layers.0.self_attn.q_proj"]},
        {"r": 8, "target_modules": ["embed_tokens", "q_proj"]},
        {"r": 8, "target_modules": ["lm_head"]},
        {"r": 4, "target_modules": ["q_proj"], "use_rslora": True, "lora_bias": True},
    ]),
    ("mistral", GROUPED, [{"r": 8, "target_modules": "all-linear"}]),
    ("qwen2", GROUPED, [
        {"r": 8, "target_modules": "all-linear"},
        {"r": 8, "target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"]},
    ]),
    ("qwen3", {**GROUPED, "head_dim": 24}, [{"r": 8, "target_modules": "all-linear"}]),
    ("gemma", {**GROUPED, "head_dim": 32}, [{"r": 8, "target_modules": "all-linear"}]),
    ("gemma2", {**GROUPED, "head_dim": 32}, [{"r": 8, "target_modules": ["o_proj", "up_proj"]}]),
    ("gemma3_text", {**GROUPED, "head_dim": 32}, [{"r": 8, "target_modules": "all-linear"}]),
    ("olmo2", GROUPED, [{"r": 8, "target_modules": "all-linear"}]),
    ("granite", GROUPED, [{"r": 8, "target_modules": "all-linear"}]),
    ("smollm3", GROUPED, [{"r": 8, "target_modules": "all-linear"}]),
    ("cohere", GROUPED, [{"r": 8, "target_modules": "all-linear"}]),
    ("starcoder2", GROUPED, [{"r": 8, "target_modules": "all-linear"}]),
    ("nemotron", GROUPED, [{"r": 8, "target_modules": "all-linear"}]),
    ("phi", GROUPED, [{"r": 8, "target_modules": "all-linear", "use_dora": True}]),
    ("phi3", {**GROUPED, "pad_token_id": 0}, [
        {"r": 8, "target_modules": "all-linear"},
        {"r": 8, "target_modules": ["qkv_proj"]},
    ]),
    ("glm4", {**GROUPED, "head_dim": 16, "pad_token_id": 0},
     [{"r": 8, "target_modules": "all-linear"}]),
    ("mixtral", {**GROUPED, **MIXTURE}, [
        {"r": 8, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]},
    ]),
    ("qwen3_moe", {**GROUPED, "num_experts": 4, "num_experts_per_tok": 2,
                   "moe_intermediate_size": 32, "head_dim": 16},
     [{"r": 8, "target_modules": ["q_proj", "v_proj"]}]),
    ("gpt2", {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 500, "n_positions": 64}, [
        {"r": 8, "target_modules": ["c_attn"], "fan_in_fan_out": True},
        {"r": 8, "target_modules": "all-linear", "fan_in_fan_out": True},
        {"r": 8, "target_modules": ["c_proj"], "fan_in_fan_out": True, "bias": "lora_only"},
    ]),
    ("gptj", {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 500, "n_positions": 64,
              "rotary_dim": 8}, [{"r": 8, "target_modules": "all-linear"}]),
    ("gpt_neox", DECODER, [
        {"r": 8, "target_modules": ["query_key_value"]},
        {"r": 8, "target_modules": "all-linear"},
    ]),
    ("opt", {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 96,
             "vocab_size": 500, "max_position_embeddings": 64, "word_embed_proj_dim": 64}, [
        {"r": 8, "target_modules": ["q_proj", "v_proj"]},
        {"r": 8, "target_modules": "all-linear"},
    ]),
    ("bloom", {"hidden_size": 64, "n_layer": 2, "n_head": 4, "vocab_size": 500},
     [{"r": 8, "target_modules": "all-linear"}]),
    ("mpt", {"d_model": 64, "n_layers": 2, "n_heads": 4, "vocab_size": 500, "max_seq_len": 64},
     [{"r": 8, "target_modules": "all-linear"}]),
    ("t5", {"d_model": 64, "d_kv": 12, "d_ff": 96, "num_layers": 2, "num_heads": 4,
            "vocab_size": 500}, [
        {"r": 8, "target_modules": ["q", "v"]},
        {"r": 8, "target_modules": "all-linear"},
    ]),
    ("mt5", {"d_model": 64, "d_kv": 12, "d_ff": 96, "num_layers": 2, "num_decoder_layers": 3,
             "num_heads": 4, "vocab_size": 500, "feed_forward_proj": "gated-gelu"},
     [{"r": 8, "target_modules": "all-linear"}]),
    ("bart", {"d_model": 64, "encoder_layers": 2, "decoder_layers": 3, "encoder_ffn_dim": 96,
              "decoder_ffn_dim": 80, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
              "vocab_size": 500, "max_position_embeddings": 64}, [
        {"r": 8, "target_modules": ["q_proj", "v_proj"]},
        {"r": 8, "target_modules": "all-linear"},
    ]),
    ("whisper", {"d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 96,
                 "decoder_ffn_dim": 96, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
                 "vocab_size": 500, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
                 "decoder_start_token_id": 3}, [
        {"r": 32, "target_modules": ["q_proj", "v_proj"]},
        {"r": 8, "target_modules": ["fc1", "fc2"]},
    ]),
    ("bert", DECODER, [
        {"r": 8, "target_modules": ["query", "value"]},
        {"r": 8, "target_modules": ["query"], "bias": "lora_only"},
    ]),
    ("roberta", DECODER, [{"r": 8, "target_modules": ["query", "key", "value"]}]),
    ("electra", {**DECODER, "embedding_size": 64}, [{"r": 8, "target_modules": ["key"]}]),
    ("distilbert", {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 96, "vocab_size": 500},
     [{"r": 8, "target_modules": ["q_lin", "lin1"]}]),
]  # fmt: skip

CLASSES = {
    "t5": "AutoModelForSeq2SeqLM", "mt5": "AutoModelForSeq2SeqLM", "bart": "AutoModelForSeq2SeqLM",
    "whisper": "AutoModelForSpeechSeq2Seq", "bert": "AutoModelForMaskedLM",
    "roberta": "AutoModelForMaskedLM", "electra": "AutoModelForMaskedLM",
    "distilbert": "AutoModelForMaskedLM",
}  # fmt: skip


def main() -> None:
    """Write the cases."""
    names = ("torch", "transformers", "peft")  # not what the package installs
    torch, transformers, peft = map(importlib.import_module, names)
    versions = {m.__name__: m.__version__ for m in (torch, transformers, peft)}
    lines = [json.dumps({"versions": versions})]
    for kind, said, adapters in CASES:
        for adapter in adapters:
            config = transformers.AutoConfig.for_model(kind, **{"pad_token_id": 0, **said})
            auto = getattr(transformers, CLASSES.get(kind, "AutoModelForCausalLM"))
            task = "SEQ_2_SEQ_LM" if kind in ("t5", "mt5", "bart") else None
            lora = peft.LoraConfig(task_type=task, **adapter)
            model = peft.get_peft_model(auto.from_config(config), lora)
            trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
            case = {"config": {"model_type": kind, **said}, "adapter": adapter, "trained": trained}
            lines.append(json.dumps(case))
            print(kind, adapter, trained)
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
