"""Sequences packed with several documents, attention kept inside each."""

from __future__ import annotations

import re
from typing import Any

import pytest
from arch_tests.tables import config, rows
from arch_tests.test_laws import LENGTHS, Model, llamas
from conftest import each
from hypothesis import given
from hypothesis import strategies as st

from joulecast.answers.count import Convention
from joulecast.architectures import ModelCount, read_architecture
from joulecast.errors import JoulecastError

#: Model types whose work depends on the length through attention alone.
ATTENTION_ALONE = ("llama", "gemma2", "gpt_oss", "deepseek_v3", "llama4_text", "mixtral", "bert")


def count(
    model: Model, length: int, document: int | None, how: Convention = "causal"
) -> ModelCount:
    return read_architecture(model).count(length, how, document_len=document)


def one_sequence() -> list[dict[str, Any]]:
    """Small configs of all families that read one sequence of a length one may choose."""
    found = []
    for row in rows("counted.csv"):
        layout = read_architecture(config(row)).layout
        if len(layout.default) == 1 and not layout.fixed and config(row) not in found:
            found.append(config(row))
    return found


@each("model", one_sequence())
def test_in_every_family(model: Model) -> None:
    """Documents as long as the sequence change nothing; longer ones never cost less."""
    whole = count(model, 96, None)
    for document in (96, 97, 4096):
        packed = count(model, 96, document)
        assert packed.breakdown == whole.breakdown
        assert packed.params_total == whole.params_total
    chunks = {term.mask.size for term in read_architecture(model).layout.terms
              if term.mask.kind == "chunk"}  # fmt: skip
    # A document that begins another chunk sees less on average, as an unpacked one does.
    longest = min(chunks, default=96)
    flop = [count(model, 96, size).forward_flop_per_token for size in range(1, longest + 1, 5)]
    assert flop == sorted(flop) and flop[-1] <= whole.forward_flop_per_token


@given(llamas(), LENGTHS, LENGTHS, st.sampled_from(["causal", "full"]))
def test_a_document_costs_what_it_costs_alone(
    model: Model, length: int, document: int, how: Convention
) -> None:
    packed = count(model, length, document, how)
    alone = count(model, min(length, document), None, how)
    assert packed.breakdown == alone.breakdown


@pytest.mark.parametrize("model_type", ATTENTION_ALONE)
def test_the_same_with_windows_latents_chunks_and_mixtures(model_type: str) -> None:
    model = {"model_type": model_type, "num_nextn_predict_layers": 1}
    if model_type != "deepseek_v3":
        del model["num_nextn_predict_layers"]
    assert count(model, 512, 100).breakdown == count(model, 100, None).breakdown


@given(llamas(), st.lists(st.integers(1, 3000), min_size=1, max_size=20))
def test_mean_square_over_mean_stands_for_documents_of_all_lengths(
    model: Model, documents: list[int]
) -> None:
    """Drawn out: each document attends to itself, and the cost is shared by all tokens."""
    tokens = sum(documents)
    each = [read_architecture(model).count(length).forward_flop_per_token for length in documents]
    true = sum(length * flop for length, flop in zip(documents, each, strict=True)) / tokens
    effective = sum(length * length for length in documents) / tokens
    below, above = int(effective), int(effective) + 1
    flop = [count(model, tokens + 1, size).forward_flop_per_token for size in (below, above)]
    assert flop[0] * (1 - 1e-9) <= true <= flop[1] * (1 + 1e-9)


def test_states_work_through_the_packed_sequence_as_it_comes() -> None:
    """A Mamba-2 chunk holds several documents; only attention beside it is cut."""
    packed = count({"model_type": "mamba2"}, 512, 64)
    assert packed.breakdown == count({"model_type": "mamba2"}, 512, None).breakdown
    assert [notice.code for notice in packed.warnings] == ["documents_apart"]
    assert "change nothing" in packed.warnings[0].message


def test_further_tokens_are_predicted_inside_a_document_too() -> None:
    model = read_architecture({"model_type": "deepseek_v3"})
    packed = model.count(4096, mtp_depth=1, document_len=512)
    assert packed.breakdown == model.count(512, mtp_depth=1).breakdown


def test_it_is_said_with_the_number() -> None:
    (notice,) = count({"model_type": "llama"}, 8192, 1024).warnings
    assert notice.message == (
        "attention is counted inside documents of 1,024 tokens, "
        "not across the whole sequence of 8,192"
    )
    assert count({"model_type": "llama"}, 1024, 8192).warnings == ()


@pytest.mark.parametrize(
    ("model_type", "document", "said"),
    [
        ("llama", 0, "document_len: 0: must be a whole number of tokens; try 1024"),
        ("llama", 1.5, "document_len: 1.5: must be a whole number of tokens; try 1024"),
        ("t5", 64, "document_len: 64: is for models that read one sequence of any length; "
                   "try --seq-len ENC:DEC of one document"),
        ("vit", 64, "document_len: 64: is for models that read one sequence of any length; "
                    "try leaving it out"),
    ],
)  # fmt: skip
def test_refusals(model_type: str, document: Any, said: str) -> None:
    with pytest.raises(JoulecastError, match=f"^{re.escape(said)}$"):
        read_architecture({"model_type": model_type}).count(document_len=document)
