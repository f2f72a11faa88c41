"""Encoder-decoders: T5, BART and its kin, Whisper.

Each token crosses one of the two stacks.  A decoder's token also looks at the encoder, whose
tokens pay for the keys and values it looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from joulecast.architectures import blocks, parts
from joulecast.architectures.blocks import ALL_BIASES, Biases, Experts, Heads
from joulecast.architectures.config import Config
from joulecast.architectures.layout import BOTH, CAUSAL, Layout, Term
from joulecast.architectures.reading import Builder


def two_streams(lengths: tuple[int, ...]) -> dict[str, int]:
    """Encoder and decoder tokens; a single length is that of each."""
    return {"encoder": lengths[0], "decoder": lengths[-1], "sequence": 1}


def _heads(config: Config, key: str, width: int) -> Heads:
    count = config.heads(key, width)
    return Heads(count, count, width // count)


def _self_attention(
    width: int, heads: Heads, layers: int, stream: str, bias: Biases, *, key_bias: bool = True
) -> Term:
    return blocks.attention(
        width, heads, layers, mask=BOTH if stream == "encoder" else CAUSAL, bias=bias,
        key_bias=key_bias, part=f"{stream}_attention", stream=stream,
    )  # fmt: skip


def _feed_forward(
    width: int, inner: int, depth: int, stream: str, experts: Experts | None, sparse: int
) -> list[Term]:
    """Plain blocks of a stack, `sparse` of which are mixtures; biases where experts have them."""
    if experts is None:
        return [blocks.mlp(width, inner, 2, depth, bias=True, stream=stream)]
    return [
        blocks.mlp(width, inner, 2, depth - sparse, bias=experts.expert_bias, stream=stream),
        *blocks.mixture(width, replace(experts, width=inner), sparse, stream=stream),
    ]


def _relative(
    config: Config, feed_forward: Callable[[str, int], list[Term]], tables: int | None = 1
) -> Layout:
    """T5 and its kin: RMS norms, no biases, relative positions, tied embeddings throughout.

    `feed_forward` gives the blocks of a stack from its name and depth; there is a table of
    positions in so many layers of it, or in each.
    """
    width, count = config.size("d_model"), config.size("num_heads")
    encoders = config.layers("num_layers")
    decoders = config.layers("num_decoder_layers", encoders)
    heads = Heads(count, count, config.size("d_kv"))
    config.must_be(is_decoder=False, is_encoder_decoder=True)
    config.ignore("n_positions", "dense_act_fn")
    buckets = config.size("relative_attention_num_buckets")
    if config.class_name.endswith(ENCODER_CLASS):
        places = buckets * count * (encoders if tables is None else tables)
        config.ignore("tie_word_embeddings")
        alone = (
            blocks.table("embedding", config.size("vocab_size"), width),
            blocks.norm(width, 1, 2 * encoders + 1),
            blocks.attention(width, heads, encoders, mask=BOTH, part="encoder_attention"),
            *(replace(term, stream="token") for term in feed_forward("encoder", encoders)),
            blocks.table("positions", places, 1),
        )
        return Layout(alone, (512,))
    terms = [
        *_embedding(config),
        blocks.norm(width, 1, 2 * encoders + 1 + 3 * decoders + 1, stream="encoder"),
        *blocks.cross_attention(width, heads, decoders, bias=False),
    ]
    for stream, depth in (("encoder", encoders), ("decoder", decoders)):
        terms.append(_self_attention(width, heads, depth, stream, Biases()))
        terms += feed_forward(stream, depth)
        positions = buckets * count * (depth if tables is None else tables)
        terms.append(Term("positions", other=positions, stream=stream))
    return Layout(tuple(terms), (512, 512), streams=two_streams, per=("encoder", "decoder"))


def t5(config: Config) -> Layout:
    """T5, mT5 and umT5, whose blocks may be gated."""
    kind = config.get("feed_forward_proj", or_default="relu")
    if not isinstance(kind, str) or not kind:
        raise config.error("feed_forward_proj", kind, "is not a known choice", ["gated-gelu"])
    matrices = 3 if config.flag("is_gated_act", kind.startswith("gated-")) else 2
    width, inner = config.size("d_model"), config.size("d_ff")

    def blocks_of(stream: str, depth: int) -> list[Term]:
        return [blocks.mlp(width, inner, matrices, depth, stream=stream)]

    return _relative(config, blocks_of, None if config.model_type == "umt5" else 1)


def switch(config: Config) -> Layout:
    """Switch Transformer: T5 with one of many experts in some layers."""
    config.must_be(tie_word_embeddings=True, add_cross_attention=False)
    config.ignore("expert_capacity", "router_ignore_padding_tokens", "add_router_probs")
    config.ignore("router_dtype", "router_type")
    width, inner = config.size("d_model"), config.size("d_ff")
    held, router_bias = config.size("num_experts"), config.flag("router_bias")
    experts = Experts(held, 1, inner, matrices=2, router_bias=router_bias)

    def blocks_of(stream: str, depth: int) -> list[Term]:
        key = f"num_sparse_{stream}_layers"
        wanted = config.size(key, least=0)
        step = depth // wanted if wanted else depth
        if not step:
            raise config.error(key, wanted, f"is more than {depth} layers")
        if config.given(f"{stream}_sparse_step"):  # given, it wins over what follows from the rest
            step = config.size(f"{stream}_sparse_step", least=0)
        if not step:
            return _feed_forward(width, inner, depth, stream, experts, 0)
        sparse = depth if step == 1 else len(range(1, depth, step))
        return _feed_forward(width, inner, depth, stream, experts, sparse)

    return _relative(config, blocks_of)


def _stacks(config: Config, experts: Experts | None = None, *, key_bias: bool = True) -> list[Term]:
    """Layers of two stacks of depths, heads and widths of their own, biases on all but keys.

    `experts` stand in every so many layers of each stack, as wide as its own blocks.
    """
    width, decoders = config.size("d_model"), config.layers("decoder_layers")
    cross = _heads(config, "decoder_attention_heads", width)
    terms = blocks.cross_attention(width, cross, decoders, bias=True, key_bias=key_bias)
    for stream in ("encoder", "decoder"):
        depth, inner = config.layers(f"{stream}_layers"), config.size(f"{stream}_ffn_dim")
        heads = _heads(config, f"{stream}_attention_heads", width)
        terms.append(_self_attention(width, heads, depth, stream, ALL_BIASES, key_bias=key_bias))
        step = config.size(f"{stream}_sparse_step", least=0) if experts else 0
        terms += _feed_forward(width, inner, depth, stream, experts, depth // step if step else 0)
    return terms


def _embedding(config: Config) -> list[Term]:
    """Embedding and head of the decoder's words; a table of its own is read in the encoder."""
    tied = config.flag("tie_word_embeddings", True)
    vocab, width = config.size("vocab_size"), config.size("d_model")
    terms = blocks.embedding_and_head(vocab, width, tied=tied, stream="decoder")
    return [term if term.stream == "decoder" else replace(term, stream="encoder") for term in terms]


def _norms(config: Config, besides: int) -> Term:
    """Two norms in an encoder's layer, three in a decoder's, and some besides."""
    count = 2 * config.layers("encoder_layers") + 3 * config.layers("decoder_layers") + besides
    return blocks.norm(config.size("d_model"), 2, count, stream="encoder")


def bart(positions: int | None, norms: int, experts: Experts | None = None) -> Builder:
    """Build the reader of BART or one of its kin.

    `positions` is how many rows each learned table has beyond the longest sequence, None where
    positions are computed; `norms` counts those outside the layers.
    """

    def build(config: Config) -> Layout:
        width = config.size("d_model")
        config.must_be(share_encoder_decoder_embeddings=True, is_decoder=False)
        config.ignore("num_hidden_layers", "decoder_vocab_size", "normalize_before")
        config.ignore("normalize_embedding", "add_final_layer_norm", "add_bias_logits")
        config.ignore("static_position_embeddings", "extra_pos_embeddings")
        most = config.size("max_position_embeddings")
        if config.class_name.endswith(DECODER_CLASS):
            rows = 0 if positions is None else most + positions
            return _decoder_alone(config, norms // 2, rows, most)
        terms = [*_embedding(config), _norms(config, norms), *_stacks(config, experts)]
        if not config.flag("tie_word_embeddings", True):
            # Each stack has then a table of its own, beside a shared one that stands idle.
            rows = 2 * config.size("vocab_size")
            terms.append(Term("embedding", other=rows * width, stream="encoder"))
        if positions is not None:
            rows = 2 * (most + positions)
            terms.append(Term("positions", other=rows * width, stream="encoder"))
        length = min(most, 512)
        return Layout(
            tuple(terms), (length, length), streams=two_streams, per=("encoder", "decoder"),
            longest=(most, most) if positions is not None else (),
        )  # fmt: skip

    return build


#: How the name of a class of the decoder alone ends, and of the encoder alone.
DECODER_CLASS, ENCODER_CLASS = "ForCausalLM", "EncoderModel"


def _decoder_alone(
    config: Config, norms: int, rows: int, most: int, *, key_bias: bool = True
) -> Layout:
    """A decoder without its encoder: the weights that would look at one are held and idle."""
    width, layers = config.size("d_model"), config.layers("decoder_layers")
    tied, vocab = config.flag("tie_word_embeddings", True), config.size("vocab_size")
    inner = config.size("decoder_ffn_dim")
    heads = _heads(config, "decoder_attention_heads", width)
    idle = sum(
        term.params
        for term in blocks.cross_attention(width, heads, layers, bias=True, key_bias=key_bias)
    )
    config.ignore("encoder_layers", "encoder_ffn_dim", "encoder_attention_heads")
    terms = (
        *blocks.embedding_and_head(vocab, width, tied=tied),
        blocks.table("positions", rows, width),
        blocks.norm(width, 2, 3 * layers + norms),
        blocks.attention(
            width, heads, layers, bias=ALL_BIASES, key_bias=key_bias, part="decoder_attention"
        ),
        Term("cross_attention", other=idle),
        blocks.mlp(width, inner, 2, layers, bias=True),
    )
    longest = (most,) if rows else ()
    return Layout(terms, (min(most, 512),), longest=longest)


def nllb_moe(config: Config) -> Layout:
    """NLLB-MoE: as M2M-100, two of many experts in every fourth layer."""
    held = config.size("num_experts")
    if held < 2:
        raise config.error("num_experts", held, "must be at least 2, each token uses two")
    experts = Experts(
        held, 2, 0, matrices=2, expert_bias=True, router_bias=config.flag("router_bias")
    )
    config.must_be(second_expert_policy="all")
    config.ignore("expert_capacity", "router_ignore_padding_tokens", "batch_prioritized_routing")
    config.ignore("router_dtype", "normalize_router_prob_before_dropping")
    config.ignore("moe_eval_capacity_token_fraction", "moe_token_dropout")
    return bart(None, 2, experts)(config)


def _whisper_classifier(config: Config, terms: tuple[Term, ...], sources: int) -> Layout:
    """Whisper's encoder with a projection and a head for classes; per sample of sound."""
    width, layers = config.size("d_model"), config.layers("encoder_layers")
    narrow = config.size("classifier_proj_size")
    labels = config.get("id2label")
    classes = len(labels) if isinstance(labels, Mapping) else config.size("num_labels", 2)
    kept = [t for t in terms if t.stream == "encoder" and t.part not in LEFT_OF_ENCODER]
    alone = (
        *kept,
        Term("positions", other=sources * width, stream="encoder"),
        blocks.norm(width, 2, 2 * layers + 1, stream="encoder"),
        blocks.linear("projector", width, narrow, bias=True, stream="encoder"),
        blocks.linear("classifier", narrow, classes, bias=True, stream="sequence"),
    )

    def streams(_: tuple[int, ...]) -> dict[str, int]:
        return {"encoder": sources, "sequence": 1}

    return Layout(alone, (sources,), unit="sample", streams=streams, per=("sequence",), fixed=True)


#: Parts whose terms hold those of the decoder too.
LEFT_OF_ENCODER = ("positions", "norms", "cross_attention", "embedding")


def whisper(config: Config) -> Layout:
    """Whisper: two convolutions over sound, then an encoder-decoder; per decoder token."""
    width, mels = config.size("d_model"), config.size("num_mel_bins")
    sources = config.size("max_source_positions")
    targets = config.size("max_target_positions")
    config.must_be(use_weighted_layer_sum=False)
    config.ignore("classifier_proj_size", "num_hidden_layers", "id2label")
    if config.class_name.endswith(DECODER_CLASS):
        config.ignore("num_mel_bins", "max_source_positions")
        return _decoder_alone(config, 1, targets, targets, key_bias=False)
    first = float(parts.convolution_weights(3, mels, width))
    second = float(parts.convolution_weights(3, width, width))
    terms = (
        *_embedding(config),
        # Two frames of sound make one position: the first convolution works on twice as many.
        Term("convolutions", first, 2 * width, times=2, held=1, stream="encoder"),
        Term("convolutions", second, stream="encoder"),
        Term("positions", other=(sources + targets) * width, stream="encoder"),
        _norms(config, 2),
        *_stacks(config, key_bias=False),
    )

    if config.class_name.endswith("ForAudioClassification"):
        return _whisper_classifier(config, terms, sources)

    def streams(lengths: tuple[int, ...]) -> dict[str, int]:
        """Sound of a fixed length, unless one is given for it too."""
        encoder = sources if len(lengths) == 1 else lengths[0]
        return {"encoder": encoder, "decoder": lengths[-1]}

    return Layout(
        terms, (sources, targets), unit="decoder_token", streams=streams,
        per=("decoder",), longest=(sources, targets),
    )  # fmt: skip


FAMILIES: dict[str, Builder] = {
    "t5": t5,
    "mt5": t5,
    "umt5": t5,
    "switch_transformers": switch,
    # Learned positions, a norm after each embedding.
    "bart": bart(2, norms=2),
    "plbart": bart(2, norms=2),
    # As BART, with a norm after each stack.
    "mbart": bart(2, norms=4),
    # As BART, with as many positions as the longest sequence.
    "blenderbot-small": bart(0, norms=2),
    # Learned positions, or fixed tables of them (Pegasus); a norm after each stack only.
    "blenderbot": bart(0, norms=2),
    "pegasus": bart(0, norms=2),
    # Fixed tables of positions, norms inside the layers only.
    "marian": bart(0, norms=0),
    # M2M-100 and NLLB: computed positions, a norm after each stack.
    "m2m_100": bart(None, norms=2),
    "nllb-moe": nllb_moe,
    "whisper": whisper,
}
