"""Encoders that fill in masked words: BERT, RoBERTa, DistilBERT, ALBERT, ELECTRA, ModernBERT."""

from __future__ import annotations

from collections import Counter

from joulecast.architectures import blocks
from joulecast.architectures.blocks import Biases
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import read_heads
from joulecast.architectures.layout import BOTH, Layout, Mask, Term

_ALL = Biases(qkv=True, out=True)


def _masked_word_head(width_in: int, width: int) -> list[Term]:
    """A matrix and a norm before the output words."""
    return [
        blocks.linear("head_transform", width_in, width, bias=True),
        blocks.norm(width, 2, 1),
    ]


def _embedding(
    config: Config, width: int, *, types: bool = True, second_bias: bool = True
) -> list[Term]:
    """Words, positions and token types; untied, BERT's head holds its bias twice."""
    tied = config.flag("tie_word_embeddings", True)
    vocab, rows = config.size("vocab_size"), config.size("max_position_embeddings")
    terms = [
        *blocks.embedding_and_head(vocab, width, tied=tied, head_bias=True),
        blocks.table("positions", rows, width),
        blocks.norm(width, 2, 1),
    ]
    if not tied and second_bias:
        terms.append(blocks.table("head", vocab, 1))
    if types:
        kinds = config.size("type_vocab_size", least=0)
        terms.append(blocks.table("token_types", kinds, width))
    return terms


def _layers(config: Config, hidden: int, inner: int, held: int | None = None) -> list[Term]:
    """Post-norm layers with biases; `held` where they share weights."""
    layers = config.layers()
    held = layers if held is None else held
    heads = read_heads(config, hidden)
    attention = blocks.attention(hidden, heads, layers, mask=BOTH, bias=_ALL, held=held)
    return [
        attention,
        blocks.mlp(hidden, inner, 2, layers, bias=True, held=held),
        blocks.norm(hidden, 2, 2 * held),
    ]


def _lengths(config: Config, *, reserved: int = 0) -> tuple[tuple[int, ...], tuple[int, ...]]:
    longest = config.size("max_position_embeddings") - reserved
    return (min(longest, 4096),), (longest,)


def _refuse_decoder(config: Config) -> None:
    config.must_be("is_decoder", False)
    config.must_be("add_cross_attention", False)
    config.must_be("position_embedding_type", "absolute")


def bert(config: Config) -> Layout:
    """BERT with its head for masked words; Megatron-BERT has as many norms elsewhere."""
    _refuse_decoder(config)
    hidden = config.size("hidden_size")
    terms = [
        *_embedding(config, hidden),
        *_layers(config, hidden, config.size("intermediate_size")),
        *_masked_word_head(hidden, hidden),
    ]
    default, longest = _lengths(config)
    return Layout(tuple(terms), default, longest=longest)


def roberta(config: Config) -> Layout:
    """RoBERTa: as BERT; two rows of its table of positions are never used."""
    layout = bert(config)
    default, longest = _lengths(config, reserved=2)
    return Layout(layout.terms, default, longest=longest)


def distilbert(config: Config) -> Layout:
    """DistilBERT: as BERT without token types."""
    hidden = config.size("hidden_size")
    config.must_be("tie_weights_", True)
    terms = [
        *_embedding(config, hidden, types=False, second_bias=False),
        *_layers(config, hidden, config.size("hidden_dim")),
        *_masked_word_head(hidden, hidden),
    ]
    default, longest = _lengths(config)
    return Layout(tuple(terms), default, longest=longest)


def esm(config: Config) -> Layout:
    """ESM-2: protein residues for words, norms before the blocks."""
    config.must_be("is_decoder", False)
    config.must_be("add_cross_attention", False)
    config.must_be("is_folding_model", False)
    hidden, layers = config.size("hidden_size"), config.layers()
    learned = config.choice("position_embedding_type", ["absolute", "rotary"]) == "absolute"
    vocab, rows = config.size("vocab_size"), config.size("max_position_embeddings")
    tied, before = config.flag("tie_word_embeddings", True), config.flag("emb_layer_norm_before")
    config.ignore("token_dropout")
    terms = [
        *blocks.embedding_and_head(vocab, hidden, tied=tied, head_bias=True),
        *_layers(config, hidden, config.size("intermediate_size")),
        *_masked_word_head(hidden, hidden),
        blocks.norm(hidden, 2, 1 + before),
        # Contacts are read off all attention maps, for one figure a pair, and not in pretraining.
        blocks.table("contacts", layers * read_heads(config, hidden).query + 1, 1),
    ]
    if learned:
        terms.append(blocks.table("positions", rows, hidden))
    longest = rows - 2  # two rows are never used
    return Layout(tuple(terms), (min(longest, 4096),), longest=(longest,) if learned else ())


def electra(config: Config) -> Layout:
    """ELECTRA's generator: embeddings narrower than the layers."""
    _refuse_decoder(config)
    hidden, width = config.size("hidden_size"), config.size("embedding_size")
    terms = [
        *_embedding(config, width, second_bias=False),
        *_layers(config, hidden, config.size("intermediate_size")),
        *_masked_word_head(hidden, width),
    ]
    if width != hidden:
        terms.append(blocks.linear("embedding_projection", width, hidden, bias=True))
    default, longest = _lengths(config)
    return Layout(tuple(terms), default, longest=longest)


def albert(config: Config) -> Layout:
    """ALBERT: the same layer at every depth."""
    _refuse_decoder(config)
    hidden, width = config.size("hidden_size"), config.size("embedding_size")
    config.must_be("inner_group_num", 1)
    terms = [
        *_embedding(config, width),
        *_layers(
            config, hidden, config.size("intermediate_size"), config.size("num_hidden_groups")
        ),
        *_masked_word_head(hidden, width),
        blocks.linear("embedding_projection", width, hidden, bias=True),
    ]
    default, longest = _lengths(config)
    return Layout(tuple(terms), default, longest=longest)


def modernbert(config: Config) -> Layout:
    """ModernBERT: windows in two layers of three, gated blocks, no token types."""
    hidden, layers = config.size("hidden_size"), config.layers()
    every = config.size("global_attn_every_n_layers", 3)
    kinds = config.words(
        "layer_types", layers, {"full_attention": "full", "sliding_attention": "sliding"}
    )
    if kinds is None:
        kinds = ["sliding" if at % every else "full" for at in range(layers)]
    bias, mlp_bias = config.flag("attention_bias"), config.flag("mlp_bias")
    norm = 1 + config.flag("norm_bias")
    window = Mask("both_window", config.size("local_attention") // 2)
    tied = config.flag("tie_word_embeddings", True)
    heads = read_heads(config, hidden)
    dense_bias = config.flag("classifier_bias")
    terms = [
        *blocks.embedding_and_head(
            config.size("vocab_size"), hidden, tied=tied, head_bias=config.flag("decoder_bias")
        ),
        # One before each block but the first, one after the embedding, at the end, in the head.
        blocks.norm(hidden, norm, 2 * layers - 1 + 3),
        blocks.linear("head_transform", hidden, hidden, bias=dense_bias),
        blocks.mlp(hidden, config.size("intermediate_size"), 3, layers, bias=mlp_bias),
    ]
    for kind, count in Counter(kinds).items():
        mask = BOTH if kind == "full" else window
        terms.append(blocks.attention(hidden, heads, count, mask=mask, bias=Biases(bias, bias)))
    config.ignore(
        "sparse_prediction",
        "sparse_pred_ignore_index",
        "reference_compile",
        "repad_logits_with_grad",
        "deterministic_flash_attn",
    )
    return Layout(tuple(terms), (min(config.size("max_position_embeddings"), 4096),))
