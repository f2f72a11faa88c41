"""What must hold for any model, whatever its numbers."""

from __future__ import annotations

from typing import Any

import pytest
from arch_tests.tables import config, rows
from conftest import each
from hypothesis import given
from hypothesis import strategies as st

from joulecast.answers.count import Convention
from joulecast.architectures import ModelCount, keys, read_architecture

Model = dict[str, Any]
LENGTHS = st.integers(1, 200_000)


@st.composite
def llamas(draw: st.DrawFn) -> Model:
    heads = draw(st.integers(1, 16))
    return {
        "model_type": "llama",
        "hidden_size": heads * draw(st.integers(1, 128)),
        "intermediate_size": draw(st.integers(1, 4096)),
        "num_hidden_layers": draw(st.integers(1, 40)),
        "num_attention_heads": heads,
        "num_key_value_heads": 1,
        "vocab_size": draw(st.integers(1, 50_000)),
        "tie_word_embeddings": draw(st.booleans()),
    }


def count(model: Model, length: int, attention: Convention = "causal") -> ModelCount:
    return read_architecture(model).count(length, attention)


@given(llamas(), LENGTHS, st.sampled_from(["intermediate_size", "num_hidden_layers", "vocab_size"]))
def test_flop_and_parameters_grow_with_every_size(model: Model, length: int, size: str) -> None:
    larger = {**model, size: model[size] + 1}
    assert (
        count(larger, length).forward_flop_per_token > count(model, length).forward_flop_per_token
    )
    assert count(larger, length).params_total > count(model, length).params_total


@given(llamas(), LENGTHS)
def test_flop_grow_with_heads_their_width_and_the_length(model: Model, length: int) -> None:
    base = {**model, "head_dim": 16}
    flop = count(base, length).forward_flop_per_token
    assert count({**base, "head_dim": 17}, length).forward_flop_per_token > flop
    more = {**base, "num_attention_heads": base["num_attention_heads"] + 1}
    assert count(more, length).forward_flop_per_token > flop
    wider = {**base, "hidden_size": base["hidden_size"] + 1}
    assert count(wider, length).forward_flop_per_token > flop
    assert count(base, length + 1).forward_flop_per_token > flop


@each("row", rows("counted.csv"))
def test_flop_grow_with_the_vocabulary_in_every_family(row: dict[str, str]) -> None:
    model = config(row)
    if "vocab_size" not in model:  # pictures
        return
    larger = {**model, "vocab_size": model["vocab_size"] + 1}
    before, after = read_architecture(model).count(), read_architecture(larger).count()
    assert after.forward_flop_per_token > before.forward_flop_per_token
    assert after.params_total > before.params_total


@given(llamas(), LENGTHS)
def test_all_heads_as_key_heads_is_multi_head(model: Model, length: int) -> None:
    grouped = {**model, "num_key_value_heads": model["num_attention_heads"]}
    plain = {key: value for key, value in model.items() if key != "num_key_value_heads"}
    assert count(grouped, length).to_dict() == count(plain, length).to_dict()


@given(llamas(), LENGTHS)
def test_tied_and_untied_differ_by_the_embedding(model: Model, length: int) -> None:
    tied = count({**model, "tie_word_embeddings": True}, length)
    untied = count({**model, "tie_word_embeddings": False}, length)
    table = model["vocab_size"] * model["hidden_size"]
    assert untied.params_total - tied.params_total == table
    assert untied.forward_flop_per_token == tied.forward_flop_per_token


@given(llamas(), st.integers(1, 8), LENGTHS)
def test_all_experts_used_equals_the_dense_twin(model: Model, experts: int, length: int) -> None:
    """But for the router, which a dense model has not."""
    width = model["intermediate_size"]
    model = {key: value for key, value in model.items() if key != "intermediate_size"}
    mixture = {**model, "model_type": "mixtral", "sliding_window": None, "intermediate_size": width}
    mixture |= {"num_local_experts": experts, "num_experts_per_tok": experts}
    ours = count(mixture, length)
    dense = count({**model, "intermediate_size": experts * width}, length)
    router, router_flop = ours.breakdown["router"]
    assert ours.params_total - router == dense.params_total
    assert ours.params_active == ours.params_total
    assert ours.forward_flop_per_token - router_flop == pytest.approx(
        dense.forward_flop_per_token, rel=1e-12
    )


@given(llamas(), st.integers(2, 64), st.integers(1, 2048))
def test_idle_experts_cost_memory_only(model: Model, experts: int, length: int) -> None:
    model = {**model, "model_type": "mixtral", "sliding_window": None, "num_experts_per_tok": 1}
    few, many = ({**model, "num_local_experts": held} for held in (experts, experts + 1))
    gain = count(many, length).params_active - count(few, length).params_active
    assert gain == model["hidden_size"] * model["num_hidden_layers"]  # one more row in each router


@given(llamas(), LENGTHS, st.integers(0, 1000))
def test_a_window_as_long_as_the_sequence_is_none(model: Model, length: int, more: int) -> None:
    windowed = {**model, "model_type": "mistral", "sliding_window": length + more}
    assert (
        count(windowed, length).to_dict()["breakdown"]
        == (count({**windowed, "sliding_window": None}, length).to_dict()["breakdown"])
    )


@given(llamas(), LENGTHS, st.integers(1, 5000))
def test_a_window_never_costs_more_nor_a_wider_one_less(
    model: Model, length: int, window: int
) -> None:
    flop = [
        count({**model, "model_type": "mistral", "sliding_window": size}, length)
        .forward_flop_per_token
        for size in (window, window + 1, None)
    ]  # fmt: skip
    assert flop[0] <= flop[1] <= flop[2]


@given(llamas(), st.integers(1, 50_000))
def test_attention_grows_linearly_with_the_length(model: Model, length: int) -> None:
    for attention in ("causal", "full"):
        flop = [
            count(model, size, attention).forward_flop_per_token
            for size in (length, 2 * length, 3 * length)
        ]
        assert flop[2] - flop[1] == pytest.approx(flop[1] - flop[0], rel=1e-6)


@given(llamas(), LENGTHS)
def test_the_two_conventions_meet_at_one_token_and_never_cross(model: Model, length: int) -> None:
    assert count(model, 1, "full").to_dict()["breakdown"] == count(model, 1).to_dict()["breakdown"]
    full, causal = count(model, length, "full"), count(model, length)
    assert full.forward_flop_per_token >= causal.forward_flop_per_token


@given(llamas(), LENGTHS)
def test_parts_add_up_and_training_is_three_passes(model: Model, length: int) -> None:
    counted = count(model, length)
    assert sum(flop for _, flop in counted.breakdown.values()) == counted.forward_flop_per_token
    assert sum(params for params, _ in counted.breakdown.values()) == counted.params_total
    assert counted.train_flop_per_token == 3 * counted.forward_flop_per_token
    assert counted.params_active <= counted.params_total


@given(st.integers(1, 300), st.integers(1, 300))
def test_mean_keys_are_those_of_a_mask_drawn_out(length: int, size: int) -> None:
    """The formulas against the masks themselves, position by position."""
    seen = range(length)
    window = sum(min(at + 1, size) for at in seen) / length
    assert keys.causal_window(length, size) == pytest.approx(window)
    chunk = sum(at % size + 1 for at in seen) / length
    assert keys.causal_chunk(length, size) == pytest.approx(chunk)
    both = sum(min(at + size, length - 1) - max(at - size, 0) + 1 for at in seen) / length
    assert keys.both_ways_window(length, size) == pytest.approx(both)
    block = sum(min(size, length - at // size * size) for at in seen) / length
    assert keys.blocks(length, size) == pytest.approx(block)
    assert keys.causal(length) == pytest.approx(sum(at + 1 for at in seen) / length)


@given(st.integers(1, 6), st.integers(1, 12))
def test_shared_blocks_cost_arithmetic_at_every_use(held: int, uses: int) -> None:
    model = {
        "model_type": "zamba2",
        "hidden_size": 64,
        "num_hidden_layers": uses,
        "layers_block_type": ["hybrid"] * uses,
        "num_mem_blocks": held,
        "num_attention_heads": 8,
        "n_mamba_heads": 8,
        "vocab_size": 100,
    }
    params, flop = count(model, 256).breakdown["shared_attention"]
    alone, once = count({**model, "num_mem_blocks": 1}, 256).breakdown["shared_attention"]
    assert params == min(held, uses) * alone
    assert flop == once


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_encoder_and_decoder_tokens_each_pay_their_own(encoder: int, decoder: int) -> None:
    model = read_architecture({"model_type": "t5"})
    counted = model.count((encoder, decoder))
    total = counted.forward_flop_per_token * (encoder + decoder)
    longer = model.count((encoder + 1, decoder))
    assert longer.forward_flop_per_token * (encoder + decoder + 1) > total
    assert counted.flop_per_6n < 1


_INDEXED = {
    "model_type": "deepseek_v32",
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "vocab_size": 500,
    "n_routed_experts": 8,
    "moe_intermediate_size": 32,
    "intermediate_size": 96,
}


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_an_indexer_saves_only_keys_that_it_drops(length: int, kept: int) -> None:
    """DeepSeek-V3.2 is V3 and an indexer, and no more than that where all keys are kept."""
    sparse = count({**_INDEXED, "index_topk": kept}, length)
    plain = count({**_INDEXED, "model_type": "deepseek_v3"}, length)
    params, flop = sparse.breakdown["indexer"]
    without = sparse.forward_flop_per_token - flop
    assert sparse.params_total - params == plain.params_total
    if kept >= length:
        assert without == pytest.approx(plain.forward_flop_per_token, rel=1e-12)
    else:
        assert without < plain.forward_flop_per_token


@given(st.integers(0, 11), st.integers(0, 11), LENGTHS)
def test_shared_keys_save_their_matrices_and_nothing_of_the_scores(
    shared: int, more: int, length: int
) -> None:
    model = {"model_type": "gemma4_text", "num_hidden_layers": 24, "hidden_size": 128}
    few, many = (
        count({**model, "num_kv_shared_layers": size}, length)
        for size in sorted((shared, min(shared + more, 11)))
    )
    saved = few.params_total - many.params_total
    assert saved >= 0
    flop = few.forward_flop_per_token - many.forward_flop_per_token
    norms = 256 * (min(shared + more, 11) - shared)  # at least; full layers have wider ones
    assert flop <= 2 * (saved - norms) * (1 + 1e-6)
    assert flop == pytest.approx(2 * saved, rel=0.01)


@given(st.integers(2, 64), st.integers(1, 500), st.integers(1, 500))
def test_experts_held_by_a_translator_cost_their_router_only(
    experts: int, encoder: int, decoder: int
) -> None:
    few, many = (
        read_architecture({"model_type": "nllb-moe", "num_experts": held}).count((encoder, decoder))
        for held in (experts, experts + 1)
    )
    assert many.params_total - few.params_total > 6 * 2 * 1024 * 4096
    router = 2 * 1024 * 3  # one row more in three layers of either stack
    assert many.forward_flop_per_token - few.forward_flop_per_token == pytest.approx(router)


@given(st.lists(st.sampled_from(["conv", "full_attention"]), min_size=1, max_size=16))
def test_short_convolutions_do_not_see_the_length(kinds: list[str]) -> None:
    model = {"model_type": "lfm2", "num_hidden_layers": len(kinds), "layer_types": kinds}
    short, long = (count(model, length).breakdown for length in (64, 4096))
    assert short["convolutions"] == long["convolutions"]
    grows = long["attention"][1] > short["attention"][1]
    assert grows == ("full_attention" in kinds)
