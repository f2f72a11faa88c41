"""Names of known models: what is typed must say the model's own numbers."""

from __future__ import annotations

import pytest
from conftest import each

from joulecast.data.library import Library
from joulecast.errors import UnknownNameError

LIBRARY = Library.bundled()


@each("key", LIBRARY.model_ids)
def test_every_name_of_a_record_leads_to_it(key: str) -> None:
    record = LIBRARY.model(key)
    for name in (key, record.name, *record.aliases):
        for spelt in (name, name.upper(), name.replace("-", "_"), f" {name} "):
            assert LIBRARY.model(spelt).id == key, spelt


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("gpt2xl", "gpt2-xl"),
        ("Llama3.1-8B", "llama-3.1-8b"),
        ("qwen-2.5-7b", "qwen2.5-7b"),
        ("Pythia1.4B", "pythia-1.4b"),
        ("mixtral8x7b", "mixtral-8x7b"),
        ("deepseekv3", "deepseek-v3"),
    ],
)
def test_punctuation_may_be_left_out_between_words_and_numbers(typed: str, key: str) -> None:
    assert LIBRARY.model(typed).id == key


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("mamba2-8b", "mamba-2.8b"),
        ("mamba28b", "mamba-2.8b"),
        ("llama27b", "llama-2-7b"),
        ("llama-3.18b", "llama-3.1-8b"),
        ("llama31-8b", "llama-3.1-8b"),
        ("pythia-14b", "pythia-1.4b"),
        ("olmo27b", "olmo-2-7b"),
        ("gpt3175b", "gpt-3-175b"),
        ("phi15", "phi-1.5"),
    ],
)
def test_other_numbers_are_another_model(typed: str, first: str) -> None:
    with pytest.raises(UnknownNameError, match=f"^model: {typed}: unknown model; try {first}"):
        LIBRARY.model(typed)
