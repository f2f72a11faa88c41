"""From a model's config to its parameters and FLOP, term by term.

>>> from joulecast.architectures import read_architecture
>>> model = read_architecture({"model_type": "llama", "tie_word_embeddings": False})
>>> int(model.count(seq_len=2048).params_total)
6738415616
"""

from __future__ import annotations

from joulecast.architectures.layout import ModelCount, Notice
from joulecast.architectures.sources import Architecture, read_architecture

__all__ = ["Architecture", "ModelCount", "Notice", "read_architecture"]
