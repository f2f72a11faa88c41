"""From a model's config to its parameters and FLOP, term by term.

>>> from joulecast.architectures import read_architecture
>>> model = read_architecture({"model_type": "llama", "tie_word_embeddings": False})
>>> int(model.count(seq_len=2048).params_total)
6738415616
"""

from __future__ import annotations

from joulecast.answers.count import ModelCount
from joulecast.architectures.sources import Architecture, read_architecture
from joulecast.notices import Notice

__all__ = ["Architecture", "ModelCount", "Notice", "read_architecture"]
