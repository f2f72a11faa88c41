"""The class that a config names decides its parts; what the file says wins over a default."""

from __future__ import annotations

import json
from typing import Any

import pytest
from arch_tests.tables import DATA

from joulecast.architectures import read_architecture
from joulecast.errors import JoulecastError

CASES = [json.loads(line) for line in (DATA / "classes.jsonl").read_text("utf-8").splitlines()][1:]
LLAMA = {
    "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 96, "vocab_size": 500, "num_key_value_heads": 2,
}  # fmt: skip
T5 = {
    "model_type": "t5", "d_model": 64, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_heads": 4,
    "vocab_size": 500,
}  # fmt: skip


def params(config: dict[str, Any]) -> float:
    return read_architecture(config).count().params_total


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["config"]["architectures"][0]))
def test_a_class_holds_the_parts_that_the_library_makes(case: dict[str, Any]) -> None:
    assert params(case["config"]) == case["params"]


def test_a_decoder_alone_takes_no_flop_for_an_encoder() -> None:
    case = next(c for c in CASES if c["config"]["architectures"] == ["BartForCausalLM"])
    count = read_architecture(case["config"]).count(64)
    idle, flop = count.breakdown["cross_attention"]
    assert idle > 0
    assert flop == 0
    assert count.flop_unit == "token"
    assert count.seq_len == (64,)


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen3", "gemma"])
def test_a_decoder_that_is_not_causal_sees_all_of_its_sequence(kind: str) -> None:
    turned = read_architecture({**LLAMA, "model_type": kind, "is_causal": False})
    plain = read_architecture({**LLAMA, "model_type": kind})
    assert turned.count(512).forward_flop_per_token == pytest.approx(
        plain.count(512, attention="full").forward_flop_per_token
    )
    said = read_architecture({**LLAMA, "model_type": kind, "is_causal": True}).count(512)
    assert said.forward_flop_per_token == plain.count(512).forward_flop_per_token


@pytest.mark.parametrize("kind", ["t5", "mt5", "umt5"])
def test_a_head_that_the_file_unties_is_a_head_of_its_own(kind: str) -> None:
    """flan-t5-base holds 247,577,856 weights: 24,674,304 of them a head beside the embedding."""
    untied = params({**T5, "model_type": kind, "tie_word_embeddings": False})
    assert untied - params({**T5, "model_type": kind}) == 64 * 500


@pytest.mark.parametrize(("outside", "inside"), [(False, True), (True, False), (None, False)])
def test_the_whole_models_word_on_ties_governs_its_text_part(
    outside: bool | None, inside: bool
) -> None:
    text = {**LLAMA, "model_type": "gemma3_text", "tie_word_embeddings": inside}
    whole: dict[str, Any] = {"model_type": "gemma3", "text_config": text}
    if outside is not None:
        whole["tie_word_embeddings"] = outside
    tied = inside if outside is None else outside
    assert params(whole) == params({**text, "tie_word_embeddings": tied})


@pytest.mark.parametrize(
    ("kind", "held"), [("mistral3", 23_572_403_200), ("paligemma", 2_508_531_712)]
)
def test_a_wrapper_without_a_text_part_has_defaults_of_its_own(kind: str, held: int) -> None:
    """As AutoModelForCausalLM of the default text config has them, transformers 5.24.0."""
    assert params({"model_type": kind}) == held
    assert params({"model_type": kind, "vision_config": {}}) == held


def test_saves_of_the_library_count() -> None:
    """Keys that transformers 5.24.0 writes out in full."""
    assert params({"model_type": "gpt_bigcode", "num_key_value_heads": 1}) == 111_446_784
    assert params({"model_type": "glm4_moe", "num_attention_heads": 96}) == 103_481_200_640
    wide = {f"{at:02d}": {"head_dim": 512} for at in (5, 11, 17, 23, 29)}
    assert params({"model_type": "gemma4_text", "per_layer_config": wide}) == params(
        {"model_type": "gemma4_text"}
    )
    with pytest.raises(JoulecastError, match="per_layer_config"):
        params({"model_type": "gemma4_text", "per_layer_config": {"05": {"head_dim": 64}}})


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("llama", "lora_rank", 8),
        ("llama", "ffn_dim_multiplier", 1.3),
        ("starcoder2", "mlp_type", "default"),
        ("recurrent_gemma", "embeddings_scale_by_sqrt_dim", True),
        ("deepseek_v3", "mlp_bias", True),
    ],
)
def test_a_key_that_its_class_never_reads_is_passed_over_and_said(
    kind: str, key: str, value: object
) -> None:
    plain = read_architecture({"model_type": kind}).count()
    found = read_architecture({"model_type": kind, key: value}).count()
    assert found.params_total == plain.params_total
    said = [one.message for one in found.warnings if one.code == "key_ignored"]
    assert said == [f"{key} is not read by the class of {kind}"]


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("llama", {"num_hiden_layers": 3}, "num_hiden_layers: 3: may change the count"),
        ("bert", {"alibi_starting_size": 512}, "belongs to code of the file's own"),
        ("esm", {"vocab_size": 33, "add_bias_fnn": False}, "belongs to code of the file's own"),
        ("zamba2", {"attention_head_dim": 7}, "attention_head_dim: 7: contradicts"),
        ("recurrent_gemma", {"head_dim": 7}, "head_dim: 7: contradicts"),
    ],
)
def test_slips_and_bodies_of_other_code_are_refused(
    kind: str, more: dict[str, Any], words: str
) -> None:
    own = {"auto_map": {"AutoModelForMaskedLM": "modeling.Model"}}
    with pytest.raises(JoulecastError, match=words):
        read_architecture({"model_type": kind, **own, **more}).count()
