"""What cannot be counted is refused in one clear line, never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulecast.architectures import read_architecture
from joulecast.architectures.families import BUILDERS
from joulecast.errors import JoulecastError

WAYS = "try --params with --active-params, --flop, joulecast.model_from_torch, which counts a real module"
CANNOT = f"changes the model in a way we cannot count; {WAYS}"
UNKNOWN = f"is not one we can count from a config; {WAYS}"

#: (model type, keys, the message)
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("resnet", {}, f"model_type: resnet: {UNKNOWN}"),
    ("unet", {"sample_size": 64}, f"model_type: unet: {UNKNOWN}"),
    ("lama", {}, f"model_type: lama: {UNKNOWN.replace('try ', 'try llama, ')}"),
    ("llama", {"hidden_size": -4096}, "hidden_size: -4096: must be at least 1"),
    ("llama", {"hidden_size": 0}, "hidden_size: 0: must be at least 1"),
    ("llama", {"hidden_size": "4096"}, "hidden_size: 4096: must be a whole number"),
    ("llama", {"hidden_size": True}, "hidden_size: True: must be a whole number"),
    ("llama", {"hidden_size": float("nan")}, "hidden_size: nan: must be a whole number"),
    ("llama", {"hidden_size": None}, "hidden_size: missing"),
    ("llama", {"num_attention_heads": 33}, "num_attention_heads: 33: does not divide a width of 4096"),
    ("llama", {"num_attention_heads": -32}, "num_attention_heads: -32: must be at least 1"),
    ("llama", {"num_key_value_heads": 5}, "num_key_value_heads: 5: does not divide 32 heads"),
    ("llama", {"num_hidden_layers": 10**9}, "num_hidden_layers: 1000000000: must be at most 10000 layers"),
    ("llama", {"vocab_size": 10**30}, f"vocab_size: {10**30}: is larger than that of any model; check it"),
    ("llama", {"tie_word_embeddings": "yes"}, "tie_word_embeddings: yes: must be true or false"),
    ("llama", {"num_hiden_layers": 24}, "num_hiden_layers: 24: may change the count of 'llama' and is not understood; try num_hidden_layers, hidden_act, hidden_size"),
    ("mixtral", {"num_experts_per_token": 4}, "num_experts_per_token: 4: may change the count of 'mixtral' and is not understood; try num_experts_per_tok, num_experts, num_local_experts"),
    ("gpt_oss", {"experts_per_token": 8}, "experts_per_token: 8: contradicts a value of 4 that follows from others"),
    ("gpt2", {"add_cross_attention": True}, f"add_cross_attention: True: {CANNOT}"),
    ("gpt2", {"n_embd": 768, "hidden_size": 1024}, "hidden_size: 1024: contradicts n_embd = 768"),
    ("gpt2", {"num_key_value_heads": 4}, "num_key_value_heads: 4: contradicts a value of 12 that follows from others"),
    ("gemma2", {"layer_types": ["full_attention"]}, "layer_types: 1 names: must name all 26 layers"),
    ("gemma2", {"layer_types": "sliding"}, "layer_types: sliding: must be a list with one name per layer"),
    ("gemma2", {"num_hidden_layers": 1, "layer_types": ["linear"]}, "layer_types: linear: is a kind of layer we cannot count; try full_attention, attention, sliding_attention, chunked_attention"),
    ("llama", {"num_hidden_layers": 1, "layer_types": ["sliding_attention"]}, "layer_types: sliding_attention: is a kind of layer we cannot count; try full_attention, attention"),
    ("mixtral", {"num_experts_per_tok": 9}, "num_experts_per_tok: 9: uses more experts than the 8 there are"),
    ("qwen3_moe", {"mlp_only_layers": [99]}, "mlp_only_layers: 99: is not one of the layers 0 to 23"),
    ("deepseek_v3", {"moe_layer_freq": 2}, f"moe_layer_freq: 2: {CANNOT}"),
    ("deepseek_v2", {"num_experts_per_tok": None}, "num_experts_per_tok: missing"),
    ("mamba2", {"num_heads": 7}, "num_heads: 7: times a width of 64 is 448, expected 8192"),
    ("nemotron_h", {"hybrid_override_pattern": "MX"}, "hybrid_override_pattern: MX: must be of the letters M*-E"),
    ("nemotron_h", {"num_hidden_layers": 3, "hybrid_override_pattern": "M-"}, "num_hidden_layers: 3: but 2 layers are named"),
    ("bert", {"is_decoder": True}, f"is_decoder: True: {CANNOT}"),
    ("bert", {"position_embedding_type": "relative_key"}, f"position_embedding_type: relative_key: {CANNOT}"),
    ("vit", {"patch_size": 15}, "patch_size: 15: does not divide an image of 224"),
    ("dit", {"cross_attention_dim": 768}, f"cross_attention_dim: 768: {CANNOT}"),
    ("rnn", {}, "emb: missing"),
    ("rnn", {"cell": "QRNN"}, "cell: QRNN: is not a known cell; try LSTM, GRU, RNN"),
    ("rnn", {"cell": "GRU", "emb": 3, "hidden": 4, "layers": 1, "vocab": 10, "tie": True}, "tie: True: needs emb = hidden, not 3 and 4"),
    ("llava", {"text_config": [1]}, "text_config: [1]: must be an object"),
    ("clip", {"text_config": {"model_type": "clip_text_model"}}, f"model_type: clip_text_model: {UNKNOWN}"),
    ("gemma3", {"text_config": {"hidden_size": -1}}, "hidden_size: -1: must be at least 1"),
    ("mpt", {"attn_config": {"attn_type": "multiquery_attention"}}, f"attn_type: multiquery_attention: {CANNOT}"),
    ("jamba", {"attn_layer_offset": 9}, "attn_layer_offset: 9: must be below attn_layer_period"),
    ("falcon", {"num_attention_heads": 70}, "num_attention_heads: 70: does not divide a width of 4544"),
    ("mpt", {"expansion_ratio": 8}, f"expansion_ratio: 8: {CANNOT}"),
    ("phimoe", {"num_experts_per_tok": 4}, f"num_experts_per_tok: 4: {CANNOT}"),
    ("apertus", {"hidden_act": "silu"}, f"hidden_act: silu: {CANNOT}"),
    ("ernie4_5_moe", {"use_bias": True}, f"use_bias: True: {CANNOT}"),
    ("zamba2", {"tie_word_embeddings": False}, f"tie_word_embeddings: False: {CANNOT}"),
    ("nemotron_h", {"layers_block_type": ["mlp"], "tie_word_embeddings": True}, f"tie_word_embeddings: True: {CANNOT}"),
    ("nemotron_h", {"layers_block_type": ["moe"], "mlp_bias": True}, f"mlp_bias: True: {CANNOT}"),
    ("t5", {"is_encoder_decoder": False}, f"is_encoder_decoder: False: {CANNOT}"),
    ("bitnet", {"head_dim": 64, "num_attention_heads": 20}, "head_dim: 64: needs heads as wide as the model"),
    ("lfm2_moe", {}, "layer_types: missing"),
    ("glm4_moe_lite", {"first_k_dense_replace": 3}, "first_k_dense_replace: 3: contradicts a value of 1 that follows from others"),
    ("glm_moe_dsa", {"num_hidden_layers": 1, "indexer_types": ["shared"]}, "indexer_types: shared: is a kind of layer we cannot count; try full"),
    ("kimi_linear", {"num_hidden_layers": 2, "linear_attn_config": {"full_attn_layers": [1], "kda_layers": [1]}}, "kda_layers: [1]: must name all 2 layers, from 1"),
    ("gemma4_text", {"num_hidden_layers": 6, "num_kv_shared_layers": 2}, "num_kv_shared_layers: 2: leaves no layer of each kind whose keys are shared"),
    ("gemma4_text", {"enable_moe_block": True}, "enable_moe_block: True: needs num_experts, top_k_experts and moe_intermediate_size"),
    ("gemma4_text", {"use_bidirectional_attention": "all"}, f"use_bidirectional_attention: all: {CANNOT}"),
    ("nllb-moe", {"num_experts": 1}, "num_experts: 1: must be at least 2, each token uses two"),
    ("switch_transformers", {"num_sparse_encoder_layers": 13}, "num_sparse_encoder_layers: 13: is more than 12 layers"),
    ("longformer", {}, f"model_type: longformer: {UNKNOWN}"),
    ("gpt_neo", {"attention_types": [[["global"], 3]]}, "attention_types: [[['global'], 3]]: must name all 24 layers"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model_type", "keys", "message"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)]
)
def test_refused_in_one_line(model_type: str, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(JoulecastError) as refusal:
        read_architecture({"model_type": model_type, **keys})
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON: "),
        ("", "is not JSON: "),
        ("[1, 2]", "must be a JSON object"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"a":' * 100_000, "is nested too deeply"),
        ("{}", "model_type: missing: not the config of a model; try --params"),
        ('{"model_type": ["llama"]}', "model_type: ['llama']: must be a name"),
        ('{"model_type": "llama", "hidden_size": NaN}', "hidden_size: nan: must be a whole number"),
        ('{"model_type": "llama", "hidden_size": Infinity}', "hidden_size: inf: must be a whole"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    for source in (path, tmp_path, str(path)):
        with pytest.raises(JoulecastError) as refusal:
            read_architecture(source)
        assert message in str(refusal.value)
        assert "\n" not in str(refusal.value)


def test_files_that_are_not_there_not_text_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(JoulecastError, match=r"config: .*: no such file; try hf:org/name"):
        read_architecture(tmp_path / "nothing.json")
    with pytest.raises(JoulecastError, match="no such file"):
        read_architecture(tmp_path)
    path = tmp_path / "config.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(JoulecastError, match="cannot be read: is not text"):
        read_architecture(path)
    path.write_text(" " * 9_000_000)
    with pytest.raises(JoulecastError, match="too large for the config of a model"):
        read_architecture(path)


@pytest.mark.parametrize(
    ("model_type", "length", "message"),
    [
        ("llama", 0, "--seq-len: 0: must be a whole number of tokens; try 4096"),
        ("llama", -5, "--seq-len: -5: must be a whole number of tokens; try 4096"),
        ("llama", 10**12, "is longer than any sequence; check its unit"),
        ("llama", (512, 128), "--seq-len: 512:128: is two lengths, but the model reads one sequence"),
        ("gpt2", 2048, "--seq-len: 2048: is longer than the model's 1024 positions; try 1024"),
        ("whisper", (3000, 100), "--seq-len: 3000: is longer than the model's 1500 positions; try 1500"),
    ],
)  # fmt: skip
def test_lengths(model_type: str, length: Any, message: str) -> None:
    with pytest.raises(JoulecastError) as refusal:
        read_architecture({"model_type": model_type}).count(length)
    assert message in str(refusal.value)


def test_an_unknown_convention_is_refused() -> None:
    with pytest.raises(JoulecastError, match=r"--attention: half: .* try causal, full"):
        read_architecture({"model_type": "llama"}).count(attention="half")  # type: ignore[arg-type]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "intermediate_size", "vocab_size", "head_dim", "layer_types", "sliding_window",
        "tie_word_embeddings", "num_experts_per_tok", "expand", "attn_config", "text_config",
        "architectures", "id2label", "block_types", "no_rope_layers", "mlp_only_layers",
        "num_layers", "d_model", "attention_types", "sliding_window_pattern", "max_position_embeddings",
    ]
)  # fmt: skip


@given(st.sampled_from(sorted(BUILDERS)), st.dictionaries(KEYS, JSON, max_size=4))
def test_any_rubbish_is_counted_or_refused(model_type: str, rubbish: dict[str, Any]) -> None:
    try:
        counted = read_architecture({"model_type": model_type, **rubbish}).count()
    except JoulecastError as refusal:
        assert "\n" not in str(refusal)
    else:
        assert 0 < counted.params_active <= counted.params_total
        assert counted.forward_flop_per_token > 0
