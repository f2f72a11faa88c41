"""Real configs, as they lie on the Hub, and the shape of the answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from arch_tests.tables import DATA

from joulecast.architectures import read_architecture
from joulecast.errors import JoulecastError

PUBLISHED = [json.loads(line) for line in (DATA / "published.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["model"])
def test_published_configs_are_read_with_all_their_keys(row: dict[str, Any]) -> None:
    """Totals as the model pages state them; routing biases kept outside parameters aside."""
    counted = read_architecture(row["config"]).count()
    tolerance = 0.015 if row["rounded"] else 1e-6
    assert counted.params_total == pytest.approx(row["params"], rel=tolerance)
    assert counted.forward_flop_per_token > 0


def test_the_answer_has_the_keys_of_the_contract() -> None:
    answer = read_architecture({"model_type": "mixtral"}).count(4096).to_dict()
    assert list(answer)[:9] == [
        "schema_version", "params_total", "params_active", "forward_flop_per_token",
        "train_flop_per_token", "flop_per_6n", "flop_unit", "breakdown", "warnings",
    ]  # fmt: skip
    assert answer["breakdown"].keys() == {
        "embedding", "head", "norms", "attention", "router", "experts",
    }  # fmt: skip
    assert json.loads(json.dumps(answer)) == answer


@pytest.mark.parametrize(
    ("model_type", "unit"),
    [
        ("llama", "token"),
        ("t5", "token"),
        ("bert", "token"),
        ("whisper", "decoder_token"),
        ("vit", "image_token"),
        ("dit", "sample"),
    ],
)
def test_units(model_type: str, unit: str) -> None:
    assert read_architecture({"model_type": model_type}).count().flop_unit == unit


def test_file_folder_and_mapping_are_the_same(tmp_path: Path) -> None:
    config = {"model_type": "llama", "num_hidden_layers": 3}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    counts = [read_architecture(source).count(100) for source in (config, path, tmp_path)]
    assert counts[0] == counts[1] == counts[2]


def codes(config: dict[str, Any], seq_len: int | tuple[int, int] | None = None) -> list[str]:
    return [notice.code for notice in read_architecture(config).count(seq_len).warnings]


def test_what_is_assumed_is_said() -> None:
    assert codes({"model_type": "llama"}, 2048) == []
    assert codes({"model_type": "llama"}) == ["seq_len_assumed"]
    assert codes({"model_type": "t5"}, 512) == ["seq_len_assumed"]
    assert codes({"model_type": "t5"}, (512, 114)) == []
    assert codes({"model_type": "whisper"}, 448) == []
    assert codes({"model_type": "vit"}) == ["classes_assumed"]
    assert codes({"model_type": "vit", "num_labels": 10}, 50) == ["seq_len_fixed"]
    assert codes({"model_type": "dit"}, 1) == ["seq_len_fixed"]
    assert codes({"model_type": "llama", "fused": True}, 8) == ["key_ignored"]
    assert codes({"model_type": "bert", "architectures": ["BertModel"]}, 8) == ["head_assumed"]
    assert codes({"model_type": "deepseek_v3", "num_nextn_predict_layers": 1}, 8) == [
        "multi_token_prediction"
    ]


def test_the_text_part_of_a_model_for_several_inputs() -> None:
    inner = {"model_type": "llama", "num_hidden_layers": 2}
    whole = {"model_type": "llava", "text_config": inner, "tie_word_embeddings": True}
    counted = read_architecture(whole).count(64)
    assert [notice.code for notice in counted.warnings] == ["text_part_only"]
    tied = read_architecture({**inner, "tie_word_embeddings": True}).count(64)
    assert counted.params_total == tied.params_total


def test_absent_keys_take_the_defaults_of_the_library() -> None:
    assert read_architecture({"model_type": "bert"}).count(512).params_total == 109_514_298
    assert read_architecture({"model_type": "gpt2"}).count(1024).params_total == 124_439_808
    # Given as null is not the same as absent: Mistral 0.2 has no window.
    window = read_architecture({"model_type": "mistral"}).count(8192)
    none = read_architecture({"model_type": "mistral", "sliding_window": None}).count(8192)
    assert window.forward_flop_per_token < none.forward_flop_per_token


def test_a_classifier_reads_its_state_once_per_sequence() -> None:
    config = {
        "model_type": "rnn",
        "cell": "LSTM",
        "emb": 100,
        "hidden": 128,
        "layers": 1,
        "vocab": 20_000,
        "out": 2,
    }
    counted = read_architecture(config).count(200)
    gates = 4 * (100 * 128 + 128 * 128)
    assert counted.params_total == 20_000 * 100 + gates + 8 * 128 + 128 * 2 + 2
    assert counted.forward_flop_per_token == pytest.approx(2 * gates + 2 * 128 * 2 / 200)


def test_further_tokens_cost_what_megatron_says() -> None:
    """One module in DeepSeek-V3: 4.1 % more training, about 11.5 B more weights."""
    model = read_architecture({"model_type": "deepseek_v3"})
    plain, more = model.count(4096), model.count(4096, mtp_depth=1)
    gain = more.train_flop_per_token / plain.train_flop_per_token - 1
    assert gain == pytest.approx(0.041, abs=0.001)
    assert more.params_total - plain.params_total == pytest.approx(11.5e9, rel=0.02)
    with pytest.raises(
        JoulecastError, match="no modules that predict further tokens are known of llama"
    ):
        read_architecture({"model_type": "llama"}).count(mtp_depth=1)
    with pytest.raises(JoulecastError, match="must be a whole number from 0 to 64"):
        model.count(mtp_depth=-1)
