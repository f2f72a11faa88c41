"""Adapters on models of many families, as PEFT itself counts them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulecast import JoulecastError, Plan, estimate
from joulecast.architectures import read_architecture
from joulecast.architectures.adapters import Adapter, adapter_of, trained_params

DATA = Path(__file__).parents[1] / "data" / "adapters.jsonl"
VERSIONS, *CASES = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]
LLAMA = read_architecture(CASES[0]["config"])


def config_of(case: dict[str, Any]) -> dict[str, Any]:
    return {"peft_type": "LORA", **case["adapter"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['config']['model_type']}")
def test_adapters_are_counted_to_the_last_weight(case: dict[str, Any]) -> None:
    architecture = read_architecture(case["config"])
    assert trained_params(architecture, adapter_of(config_of(case))).total == case["trained"]


def test_the_cases_are_of_many_families_and_of_each_trap() -> None:
    assert VERSIONS["versions"]["peft"] == "0.21.2"
    assert len(CASES) >= 45
    assert len({case["config"]["model_type"] for case in CASES}) >= 25
    said = [key for case in CASES for key in case["adapter"]]
    for trap in ("use_dora", "rank_pattern", "modules_to_save", "layers_to_transform", "bias"):
        assert trap in said


def test_llama_3_2_1b_with_rank_16_on_queries_and_values() -> None:
    config = {
        "model_type": "llama", "hidden_size": 2048, "num_hidden_layers": 16, "head_dim": 64,
        "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 8192,
        "vocab_size": 128256, "tie_word_embeddings": True,
    }  # fmt: skip
    found = trained_params(read_architecture(config), Adapter.of(16, "q_proj,v_proj"))
    assert found.total == 1_703_936
    assert found.by_name == {"q_proj": 16 * 16 * 4096, "v_proj": 16 * 16 * (2048 + 512)}


@given(rank=st.integers(1, 512), names=st.sets(st.sampled_from(["q_proj", "k_proj", "up_proj"])))
def test_adapters_of_several_modules_are_the_sum_of_each(rank: int, names: set[str]) -> None:
    def of(*those: str) -> int:
        return trained_params(LLAMA, Adapter(rank, those)).total if those else 0

    assert of(*names) == sum(of(name) for name in names)
    assert of(*names) == rank * sum(
        trained_params(LLAMA, Adapter(1, (name,))).total for name in names
    )


@pytest.mark.parametrize(
    ("adapter", "words"),
    [
        ({"peft_type": "PREFIX_TUNING"}, "peft_type: PREFIX_TUNING: is not a kind of adapter"),
        ({"target_modules": None}, "target_modules: are missing"),
        ({"target_modules": ["q_prj"]}, "lora_targets: q_prj: fits no module; try q_proj"),
        ({"target_modules": ["q_proj", "wq"]}, "lora_targets: wq: fits no module"),
        ({"r": 0, "target_modules": ["q_proj"]}, "r: 0: must be a whole number above 0"),
        (
            {"target_modules": ["q_proj"], "modules_to_save": ["lm_haed"]},
            "modules_to_save: lm_haed: is no module; try lm_head",
        ),
        (
            {"target_modules": ["q_proj"], "modules_to_save": ["norm"]},
            "modules_to_save: norm: fits norms of every layer too",
        ),
        (
            {"target_modules": ["q_proj"], "target_parameters": ["experts.gate_up_proj"]},
            "target_parameters: ['experts.gate_up_proj']: changes what is trained",
        ),
    ],
)
def test_what_is_not_counted_is_refused_in_a_line(adapter: dict[str, Any], words: str) -> None:
    with pytest.raises(JoulecastError) as caught:
        trained_params(LLAMA, adapter_of({"peft_type": "LORA", "r": 8, **adapter}))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_adapter_file_stands_for_its_model(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text(json.dumps(CASES[0]["config"]))
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({**config_of(CASES[0]), "base_model_name_or_path": str(base)})
    )
    said = {"tokens": 1e6, "seq_len": 128, "device": "rtx4090"}
    by_file = estimate(Plan(model=str(tmp_path), **said))
    named = estimate(
        Plan(model=str(base), method="lora", lora_rank=16, lora_targets="q_proj,v_proj", **said)
    )
    assert by_file.plan["method"] == "lora"
    assert by_file.plan["trainable_params"] == CASES[0]["trained"]
    assert by_file.training_flop == named.training_flop
    (tmp_path / "adapter_config.json").write_text(json.dumps(config_of(CASES[0])))
    with pytest.raises(JoulecastError, match="does not name the model it was made for"):
        estimate(Plan(model=str(tmp_path), **said))
    other = estimate(Plan(model=str(tmp_path), base=str(base), **said))
    assert other.training_flop == by_file.training_flop
    dpo = estimate(Plan(model=str(tmp_path), base=str(base), method="dpo", **said))
    assert dpo.training_flop is not None
    assert by_file.training_flop is not None
    assert dpo.training_flop.value > by_file.training_flop.value
