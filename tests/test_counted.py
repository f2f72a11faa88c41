"""Architectures on the command line and in an estimate: exact counts in place of 6ND."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, fits

from joulecast import JoulecastError, Plan, estimate, model

LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "vocab_size": 128256, "max_position_embeddings": 131072, "tie_word_embeddings": False,
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA))
    return path


def flop(**plan: Any) -> float:
    quantity = estimate(Plan(**plan)).training_flop
    assert quantity is not None
    return quantity.value


def test_the_command_prints_the_counts(joulecast: Run, config: Path) -> None:
    done = joulecast("model", str(config), "--seq-len", "8192", "--json")
    answer = json.loads(done.stdout)
    fits(answer, "model")
    assert answer["params_total"] == 8_030_261_248
    assert answer["flop_per_6n"] == pytest.approx(1.068, abs=5e-4)
    parts = answer["breakdown"].values()
    assert sum(part["params"] for part in parts) == answer["params_total"]
    assert answer == model(config, seq_len=8192).to_dict()
    text = joulecast("model", str(config.parent), "--seq-len", "8k").stdout
    assert "8,030,261,248" in text and all(len(line) <= 80 for line in text.splitlines()[1:])


def test_an_estimate_counts_instead_of_6nd(joulecast: Run, config: Path) -> None:
    done = joulecast("estimate", str(config), "--tokens", "15T", "--seq-len", "8192", "--json")
    answer = json.loads(done.stdout)
    per_token = model(config, seq_len=8192).train_flop_per_token
    assert answer["results"]["training_flop"]["value"] == pytest.approx(15e12 * per_token)
    assert answer["plan"]["seq_len"] == 8192 and answer["plan"]["arch"] == "dense"
    assert "flop_per_param_token" not in {entry["name"] for entry in answer["assumptions"]}
    fits(answer, "estimate")


def test_an_assumed_length_is_said(config: Path) -> None:
    footprint = estimate(Plan(model=str(config), tokens=1e12))
    assert footprint.plan["seq_len"] == 4096
    assert "seq_len_assumed" in {notice.code for notice in footprint.warnings}


def test_phases_count_each_at_its_own_length(config: Path) -> None:
    phases = [{"tokens": 14e12, "seq_len": 8192}, {"tokens": 1e12, "seq_len": 131072}]
    whole = flop(model=str(config), phases=phases)
    apart = sum(flop(model=str(config), **phase) for phase in phases)
    assert whole == pytest.approx(apart)


def test_frozen_weights_skip_their_gradient(config: Path) -> None:
    plan = {"model": str(config), "tokens": 1e9, "seq_len": 2048}
    assert flop(**plan, trainable_params=1) == pytest.approx(flop(**plan) * 2 / 3)
    assert flop(**plan, trainable_params=8_030_261_248) == pytest.approx(flop(**plan))


def test_a_plan_file_may_name_a_config(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(f'[model]\nconfig = "{config}"\n[data]\ntokens = "1T"\nseq_len = 2048\n')
    assert estimate(Plan.read(path)).plan["model"] == str(config)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, "dense"),
        ({"model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2}, "moe"),
        ({"model_type": "bert"}, "encoder"),
        ({"model_type": "mamba"}, "ssm"),
        ({"model_type": "t5"}, "enc-dec"),
        ({"model_type": "whisper"}, "speech"),
        ({"model_type": "vit"}, "vision"),
    ],
)
def test_the_kind_of_model_is_told_from_the_config(
    tmp_path: Path, change: dict[str, Any], kind: str
) -> None:
    path = tmp_path / "config.json"
    whole = LLAMA if change.get("model_type", "llama") in ("llama", "mixtral") else {}
    path.write_text(json.dumps({**whole, **change}))
    assert estimate(Plan(model=str(path), tokens=1e9)).plan["arch"] == kind


def test_what_cannot_be_counted_is_refused_with_the_ways_on(joulecast: Run, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "resnet"}))
    for command in (("model", str(path)), ("estimate", str(path), "--tokens", "1B")):
        done = joulecast(*command)
        assert done.returncode == 2 and done.stdout == ""
        assert done.stderr.startswith("error: model_type: resnet: ")
        assert "--flop" in done.stderr and done.stderr.count("\n") == 1
    with pytest.raises(JoulecastError):
        model(path)
    missing = joulecast("model", str(tmp_path / "none.json"))
    assert missing.returncode == 2 and missing.stderr.count("\n") == 1


def test_packed_documents_and_further_tokens_reach_the_count(
    joulecast: Run, config: Path, tmp_path: Path
) -> None:
    whole = flop(model=str(config), tokens=1e12, seq_len=8192)
    packed = flop(model=str(config), tokens=1e12, seq_len=8192, document_len="1k")
    assert packed == pytest.approx(flop(model=str(config), tokens=1e12, seq_len=1024))
    assert packed < whole == flop(model=str(config), tokens=1e12, seq_len=8192, document_len=8192)
    asked = ("--seq-len", "8192", "--document-len", "1k", "--json")
    done = joulecast("model", str(config), *asked)
    answer = json.loads(done.stdout)
    assert answer["train_flop_per_token"] * 1e12 == pytest.approx(packed)
    assert [notice["code"] for notice in answer["warnings"]] == ["documents_apart"]

    deepseek = tmp_path / "deepseek.json"
    deepseek.write_text('{"model_type": "deepseek_v3", "num_nextn_predict_layers": 1}')
    text = joulecast("model", str(deepseek), "--seq-len", "4096").stdout
    assert "one adds 4.1% to training FLOP (--mtp-depth 1)" in " ".join(text.split())
    text = joulecast("model", str(deepseek), "--seq-len", "4096", "--mtp-depth", "1").stdout
    assert "further_tokens" in text and "multi_token_prediction" not in text
    plan = tmp_path / "plan.toml"
    done = joulecast(
        "estimate", str(deepseek), "--tokens", "1T", "--mtp-depth", "1", "--save", str(plan)
    )
    assert done.returncode == 0 and "mtp_depth = 1" in plan.read_text()
    again = Plan.read(plan)
    assert again.mtp_depth == 1
    gain = (
        estimate(again).training_flop,
        estimate(Plan(model=str(deepseek), tokens=1e12)).training_flop,
    )
    assert gain[0] and gain[1] and gain[0].value / gain[1].value == pytest.approx(1.041, abs=1e-3)


def test_phases_warn_of_the_lengths_they_are_counted_at(config: Path) -> None:
    def codes(*phases: dict[str, Any], **plan: Any) -> list[str]:
        footprint = estimate(Plan(model=str(config), phases=phases, **plan))
        return [
            n.code for n in footprint.warnings if n.code in ("seq_len_assumed", "documents_apart")
        ]

    assert codes({"tokens": 1e12}) == ["seq_len_assumed"]
    assert codes({"tokens": 1e12, "seq_len": 8192}, {"tokens": 1e9}) == ["seq_len_assumed"]
    assert codes({"tokens": 1e12, "seq_len": 8192}) == []
    long = {"tokens": 1e9, "seq_len": 131072}
    assert codes({"tokens": 1e12, "seq_len": 8192}, long, document_len=8192) == ["documents_apart"]


def test_samples_of_a_fixed_length_need_no_other(tmp_path: Path) -> None:
    """An image of ViT-B/16 is 197 tokens and 35.1 GFLOP forward; a sample of DiT is one."""
    vit = {
        "model_type": "vit", "hidden_size": 768, "num_hidden_layers": 12, "image_size": 224,
        "num_attention_heads": 12, "intermediate_size": 3072, "patch_size": 16,
    }  # fmt: skip
    dit = {
        "_class_name": "DiTTransformer2DModel", "num_attention_heads": 16, "num_layers": 2,
        "attention_head_dim": 72, "sample_size": 32, "patch_size": 2, "in_channels": 4,
        "out_channels": 8, "num_embeds_ada_norm": 1000, "norm_type": "ada_norm_zero",
    }  # fmt: skip
    for config, tokens in ((vit, 197), (dit, 1)):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config))
        count = model(config)
        footprint = estimate(Plan(model=str(path), samples=1e6, epochs=3, device="t4"))
        assert footprint.plan["tokens"] == 3e6 * tokens
        assert footprint.training_flop is not None
        assert footprint.training_flop.value == pytest.approx(
            3 * count.forward_flop_per_token * 3e6 * tokens
        )


def test_samples_of_sound_are_their_decoders_tokens(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "whisper"}))
    both, one = (
        estimate(Plan(model=str(path), samples=1e4, seq_len=length, device="t4"))
        for length in ("1500:100", 100)
    )
    assert both.training_flop == one.training_flop
    assert both.plan["tokens"] == 1e6
