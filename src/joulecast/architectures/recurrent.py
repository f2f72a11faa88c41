"""Recurrent nets, described by a small config of our own.

    {"model_type": "rnn", "cell": "LSTM", "emb": 1500, "hidden": 1500, "layers": 2,
     "vocab": 10000, "tie": false}

`out` turns the language model into a classifier with so many classes: one output per sequence.
"""

from __future__ import annotations

from joulecast.architectures import blocks, parts
from joulecast.architectures.config import Config
from joulecast.architectures.layout import Layout, Term
from joulecast.architectures.reading import Builder

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def rnn(config: Config) -> Layout:
    """LSTM, GRU or a plain cell, between an embedding and a head."""
    cell = config.get("cell", or_default="LSTM")
    gates = GATES.get(cell.upper()) if isinstance(cell, str) else None
    if gates is None:
        raise config.error("cell", cell, "is not a known cell", list(GATES))
    width, hidden = config.size("emb"), config.size("hidden")
    layers, vocab = config.layers("layers"), config.size("vocab")
    tied = config.flag("tie")
    classes = config.optional_size("out")
    bidirectional = config.flag("bidirectional")
    ways = 2 if bidirectional else 1
    if tied and width != hidden:
        raise config.error("tie", tied, f"needs emb = hidden, not {width} and {hidden}")
    if classes is not None and tied:
        raise config.error("tie", tied, "a classifier has no head to tie")
    terms = [_layer(gates, width, hidden, ways, 1)]
    if layers > 1:
        terms.append(_layer(gates, ways * hidden, hidden, ways, layers - 1))
    embedding = blocks.table("embedding", vocab, width)
    if classes is not None:
        head = blocks.linear("head", ways * hidden, classes, bias=True, stream="sequence")
        terms += [embedding, head]
    elif bidirectional:
        raise config.error("bidirectional", True, "a language model reads one way")
    elif tied:
        terms += blocks.embedding_and_head(vocab, hidden, tied=True, head_bias=True)
    else:
        terms += [embedding, blocks.linear("head", hidden, vocab, bias=True)]
    return Layout(tuple(terms), (64,))


def _layer(gates: int, inputs: int, hidden: int, ways: int, layers: int) -> Term:
    """`layers` recurrent layers; each gate has a bias from the input and one from the state."""
    matrix = float(parts.recurrent_weights(gates, inputs, hidden))
    return Term("recurrent", matrix, 2 * gates * hidden, times=ways * layers)


FAMILIES: dict[str, Builder] = {"rnn": rnn}
