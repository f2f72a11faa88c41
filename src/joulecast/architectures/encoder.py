"""Encoders that fill in masked words: BERT, RoBERTa, DistilBERT, ALBERT, ELECTRA, ModernBERT."""

from __future__ import annotations

from collections import Counter

from joulecast.architectures import blocks
from joulecast.architectures.blocks import ALL_BIASES
from joulecast.architectures.config import Config
from joulecast.architectures.layout import BOTH, Layout, Mask, Term
from joulecast.architectures.reading import (
    LONGEST_DEFAULT,
    Builder,
    attention,
    layout_of,
    read_heads,
)


def _masked_word_head(width_in: int, width: int) -> list[Term]:
    """A matrix and a norm before the output words."""
    return [blocks.linear("head_transform", width_in, width, bias=True), blocks.norm(width, 2, 1)]


def _embedding(config: Config, width: int, *, types: bool, second_bias: bool) -> list[Term]:
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


def _layers(
    config: Config, inner: str = "intermediate_size", held: int | None = None
) -> list[Term]:
    """Post-norm layers with biases; `held` where they share weights."""
    hidden, layers = config.hidden, config.layers()
    heads, width = read_heads(config), config.size(inner)
    return [
        blocks.attention(hidden, heads, layers, mask=BOTH, bias=ALL_BIASES, held=held),
        blocks.mlp(hidden, width, 2, layers, bias=True, held=held),
        blocks.norm(hidden, 2, 2 * (layers if held is None else held)),
    ]


def _refuse_decoder(config: Config) -> None:
    config.must_be(is_decoder=False, add_cross_attention=False, position_embedding_type="absolute")


def _encoder(
    config: Config, *, width: str = "hidden_size", inner: str = "intermediate_size",
    held: int | None = None, types: bool = True, second_bias: bool = True,
    projected: bool = False, reserved: int = 0,
) -> Layout:  # fmt: skip
    """BERT and its kin with their head for masked words.

    `width` and `inner` are the keys of the widths of the embeddings and inside the blocks;
    embeddings are `projected` to the layers' width always, or where it differs; `reserved` rows
    of the table of positions are never used.
    """
    hidden, embedded = config.hidden, config.size(width)
    if config.class_name.endswith("ForPreTraining") and config.known_as == "electra":
        return _discriminator(config, embedded, inner, reserved)
    terms = [
        *_embedding(config, embedded, types=types, second_bias=second_bias),
        *_layers(config, inner, held),
        *_masked_word_head(hidden, embedded),
    ]
    if projected or embedded != hidden:
        terms.append(blocks.linear("embedding_projection", embedded, hidden, bias=True))
    if config.class_name.endswith("ForPreTraining") and config.known_as in SENTENCE_HEADS:
        # Which of two sentences comes next, or first: read off the first token of a sequence.
        pooler = blocks.linear("pooler", hidden, hidden, bias=True, stream="sequence")
        terms += [pooler, blocks.linear("sentences", hidden, 2, bias=True, stream="sequence")]
    return layout_of(config, terms, bound=True, reserved=reserved)


#: Types whose class for pretraining has a head for sentences beside that for words.
SENTENCE_HEADS = ("bert", "megatron-bert", "albert")


def _discriminator(config: Config, embedded: int, inner: str, reserved: int) -> Layout:
    """ELECTRA's discriminator: of each token whether it was replaced; no output words."""
    hidden = config.hidden
    config.ignore("tie_word_embeddings")
    terms = [
        blocks.table("embedding", config.size("vocab_size"), embedded),
        blocks.table("positions", config.size("max_position_embeddings"), embedded),
        blocks.table("token_types", config.size("type_vocab_size", least=0), embedded),
        blocks.norm(embedded, 2, 1),
        *_layers(config, inner),
        blocks.linear("head_transform", hidden, hidden, bias=True),
        blocks.linear("head", hidden, 1, bias=True),
    ]
    if embedded != hidden:
        terms.append(blocks.linear("embedding_projection", embedded, hidden, bias=True))
    return layout_of(config, terms, bound=True, reserved=reserved)


def bert(config: Config) -> Layout:
    """BERT; Megatron-BERT has as many norms elsewhere."""
    _refuse_decoder(config)
    return _encoder(config)


def roberta(config: Config) -> Layout:
    """RoBERTa: as BERT; two rows of its table of positions are never used."""
    _refuse_decoder(config)
    return _encoder(config, reserved=2)


def distilbert(config: Config) -> Layout:
    """DistilBERT: as BERT without token types."""
    config.must_be(tie_weights_=True)
    return _encoder(config, inner="hidden_dim", types=False, second_bias=False)


def electra(config: Config) -> Layout:
    """ELECTRA's generator: embeddings narrower than the layers."""
    _refuse_decoder(config)
    return _encoder(config, width="embedding_size", second_bias=False)


def albert(config: Config) -> Layout:
    """ALBERT: the same layer at every depth."""
    _refuse_decoder(config)
    config.must_be(inner_group_num=1)
    held = config.size("num_hidden_groups")
    return _encoder(config, width="embedding_size", held=held, projected=True)


def esm(config: Config) -> Layout:
    """ESM-2: protein residues for words, norms before the blocks."""
    config.must_be(is_decoder=False, add_cross_attention=False, is_folding_model=False)
    hidden, layers = config.hidden, config.layers()
    learned = config.choice("position_embedding_type", ["absolute", "rotary"]) == "absolute"
    vocab, rows = config.size("vocab_size"), config.size("max_position_embeddings")
    tied, before = config.flag("tie_word_embeddings", True), config.flag("emb_layer_norm_before")
    config.ignore("token_dropout")
    terms = [
        *blocks.embedding_and_head(vocab, hidden, tied=tied, head_bias=True),
        *_layers(config),
        *_masked_word_head(hidden, hidden),
        blocks.norm(hidden, 2, 1 + before),
        # Contacts are read off all attention maps, for one figure a pair, and not in pretraining.
        blocks.table("contacts", layers * read_heads(config).query + 1, 1),
    ]
    if learned:
        terms.append(blocks.table("positions", rows, hidden))
    return layout_of(config, terms, bound=learned, reserved=2)  # two rows are never used


def modernbert(config: Config) -> Layout:
    """ModernBERT: windows in two layers of three, gated blocks, no token types."""
    hidden, layers = config.hidden, config.layers()
    every = config.size("global_attn_every_n_layers", 3)
    kinds = config.kinds(
        "layer_types",
        layers,
        {"full_attention": "full", "sliding_attention": "sliding"},
        lambda at: "sliding" if at % every else "full",
    )
    masks = {"full": BOTH, "sliding": Mask("both_window", config.size("local_attention") // 2)}
    bias, mlp_bias = config.flag("attention_bias"), config.flag("mlp_bias")
    tied, head_bias = config.flag("tie_word_embeddings", True), config.flag("decoder_bias")
    dense_bias = config.flag("classifier_bias")
    vocab, inner = config.size("vocab_size"), config.size("intermediate_size")
    terms = [
        *blocks.embedding_and_head(vocab, hidden, tied=tied, head_bias=head_bias),
        # One before each block but the first, one after the embedding, at the end, in the head.
        blocks.norm(hidden, 1 + config.flag("norm_bias"), 2 * layers - 1 + 3),
        blocks.linear("head_transform", hidden, hidden, bias=dense_bias),
        blocks.mlp(hidden, inner, 3, layers, bias=mlp_bias),
    ]
    for kind, count in Counter(kinds).items():
        terms.append(attention(config, count, mask=masks[kind], bias=bias))
    config.ignore(
        "sparse_prediction",
        "sparse_pred_ignore_index",
        "reference_compile",
        "repad_logits_with_grad",
        "deterministic_flash_attn",
    )
    length = min(config.size("max_position_embeddings"), LONGEST_DEFAULT)
    return Layout(tuple(terms), (length,))


FAMILIES: dict[str, Builder] = {
    "bert": bert,
    "roberta": roberta,
    "xlm-roberta": roberta,
    "camembert": roberta,
    "data2vec-text": roberta,
    "megatron-bert": bert,
    "esm": esm,
    "distilbert": distilbert,
    "electra": electra,
    "albert": albert,
    "modernbert": modernbert,
}
