"""Make tests/data/architectures/classes.jsonl: parameters of classes with other parts.

    python tools/build_class_cases.py

Needs torch and transformers, which the package does not.  Each case is a small config that names
its class (a decoder or encoder alone, a head for pretraining or for classes) and what it holds.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "tests" / "data" / "architectures" / "classes.jsonl"

PAIR: dict[str, Any] = {
    "d_model": 64, "encoder_layers": 2, "decoder_layers": 3, "encoder_ffn_dim": 96,
    "decoder_ffn_dim": 80, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "vocab_size": 500, "max_position_embeddings": 64,
}  # fmt: skip
SOUND = {**PAIR, "max_target_positions": 64, "max_source_positions": 100}
T5: dict[str, Any] = {
    "d_model": 64, "d_kv": 12, "d_ff": 96, "num_layers": 3, "num_decoder_layers": 2, "num_heads": 4,
    "vocab_size": 500,
}  # fmt: skip
GATED = {**T5, "feed_forward_proj": "gated-gelu"}
BERT: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 96,
    "vocab_size": 500, "max_position_embeddings": 64,
}  # fmt: skip
NARROW = {**BERT, "embedding_size": 32}
WINDOW = {**BERT, "num_key_value_heads": 2, "sliding_window": 8}

CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("bart", "BartForCausalLM", PAIR),
    ("bart", "BartForConditionalGeneration", PAIR),
    ("mbart", "MBartForCausalLM", PAIR),
    ("pegasus", "PegasusForCausalLM", PAIR),
    ("plbart", "PLBartForCausalLM", PAIR),
    ("marian", "MarianForCausalLM", PAIR),
    ("blenderbot", "BlenderbotForCausalLM", PAIR),
    ("blenderbot-small", "BlenderbotSmallForCausalLM", PAIR),
    ("whisper", "WhisperForCausalLM", SOUND),
    ("whisper", "WhisperForConditionalGeneration", SOUND),
    ("whisper", "WhisperForAudioClassification", {**SOUND, "classifier_proj_size": 32}),
    *((kind, f"{name}EncoderModel", said) for kind, name in (
        ("t5", "T5"), ("mt5", "MT5"), ("umt5", "UMT5")) for said in (T5, GATED)),
    ("t5", "T5ForConditionalGeneration", {**T5, "is_gated_act": True}),
    ("bert", "BertForPreTraining", BERT),
    ("bert", "BertForMaskedLM", BERT),
    ("megatron-bert", "MegatronBertForPreTraining", BERT),
    ("albert", "AlbertForPreTraining", NARROW),
    ("albert", "AlbertForMaskedLM", NARROW),
    ("electra", "ElectraForPreTraining", NARROW),
    ("electra", "ElectraForMaskedLM", NARROW),
    ("llama", "LlamaForCausalLM", {**BERT, "is_causal": False, "num_key_value_heads": 2}),
    ("qwen2_moe", "Qwen2MoeForCausalLM", {
        **BERT, "num_key_value_heads": 2, "num_experts": 4, "num_experts_per_tok": 2,
        "moe_intermediate_size": 32, "shared_expert_intermediate_size": 0}),
    ("smollm3", "SmolLM3ForCausalLM", {**WINDOW, "layer_types": ["sliding_attention"] * 3}),
]  # fmt: skip

SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 3}


def main() -> None:
    """Write the cases."""
    transformers = importlib.import_module("transformers")
    lines = [json.dumps({"transformers": transformers.__version__})]
    for kind, name, said in CASES:
        config = transformers.AutoConfig.for_model(kind, **{**SPECIAL, **said})
        model = getattr(transformers, name)(config)
        held = sum(weight.numel() for weight in model.parameters())
        case = {"config": {"model_type": kind, "architectures": [name], **said}, "params": held}
        lines.append(json.dumps(case))
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"wrote {len(lines) - 1} cases")


if __name__ == "__main__":
    main()
