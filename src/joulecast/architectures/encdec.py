"""Encoder-decoders: T5, BART and its kin, Whisper.

Each token crosses one of the two stacks.  A decoder's token also looks at the encoder, whose
tokens pay for the keys and values it looks at.
"""

from __future__ import annotations

from dataclasses import replace

from joulecast.architectures import blocks, parts
from joulecast.architectures.blocks import Biases, Experts, Heads
from joulecast.architectures.config import Config
from joulecast.architectures.layout import BOTH, CAUSAL, Layout, Mask, Term

_ALL = Biases(qkv=True, out=True)


def two_streams(lengths: tuple[int, ...]) -> dict[str, int]:
    """Encoder and decoder tokens; a single length is that of each."""
    return {"encoder": lengths[0], "decoder": lengths[-1], "sequence": 1}


def _heads(config: Config, key: str, width: int) -> Heads:
    count = config.size(key)
    if width % count:
        raise config.error(key, count, f"does not divide a width of {width}")
    return Heads(count, count, width // count)


def _self_attention(
    width: int, heads: Heads, layers: int, stream: str, bias: Biases, *, key_bias: bool = True
) -> Term:
    mask: Mask = BOTH if stream == "encoder" else CAUSAL
    return blocks.attention(
        width, heads, layers, mask=mask, bias=bias, key_bias=key_bias,
        part=f"{stream}_attention", stream=stream,
    )  # fmt: skip


def _feed_forward(
    width: int, inner: int, depth: int, stream: str, experts: Experts | None, sparse: int
) -> list[Term]:
    """Plain blocks of a stack, `sparse` of which are mixtures; biases where experts have them."""
    if experts is None:
        return [blocks.mlp(width, inner, 2, depth, bias=True, stream=stream)]
    dense = blocks.mlp(width, inner, 2, depth - sparse, bias=experts.expert_bias, stream=stream)
    mixture = blocks.mixture(width, replace(experts, width=inner), sparse)
    return [dense, *(replace(term, stream=stream) for term in mixture)]


def switch(config: Config) -> Layout:
    """Switch Transformer: T5 with one of many experts in some layers."""
    width, inner, vocab = config.size("d_model"), config.size("d_ff"), config.size("vocab_size")
    layers = config.layers("num_layers")
    depths = {"encoder": layers, "decoder": config.layers("num_decoder_layers", layers)}
    heads = Heads(config.size("num_heads"), config.size("num_heads"), config.size("d_kv"))
    for key, value in (("is_decoder", False), ("is_encoder_decoder", True)):
        config.must_be(key, value)
    config.must_be("tie_word_embeddings", True)
    config.must_be("add_cross_attention", False)
    config.ignore("expert_capacity", "router_ignore_padding_tokens", "add_router_probs")
    config.ignore("router_dtype", "n_positions", "dense_act_fn")
    held, buckets = config.size("num_experts"), config.size("relative_attention_num_buckets")
    experts = Experts(held, 1, inner, matrices=2, router_bias=config.flag("router_bias"))
    norms = 2 * depths["encoder"] + 3 * depths["decoder"] + 2
    terms = [
        *blocks.embedding_and_head(vocab, width, tied=True, stream="decoder"),
        blocks.norm(width, 1, norms, stream="encoder"),
        *blocks.cross_attention(width, heads, depths["decoder"], bias=False),
    ]
    for stream, depth in depths.items():
        wanted = config.size(f"num_sparse_{stream}_layers", least=0)
        step = depth // wanted if wanted else depth
        if not step:
            raise config.error(
                f"num_sparse_{stream}_layers", wanted, f"is more than {depth} layers"
            )
        sparse = depth if step == 1 else len(range(1, depth, step))
        terms.append(_self_attention(width, heads, depth, stream, Biases()))
        terms += _feed_forward(width, inner, depth, stream, experts, sparse)
        terms.append(Term("positions", other=buckets * heads.query, stream=stream))
    return Layout(tuple(terms), (512, 512), streams=two_streams, per=("encoder", "decoder"))


def t5(config: Config) -> Layout:
    """T5, mT5 and umT5: RMS norms, no biases, relative positions, tied embeddings throughout."""
    width, layers = config.size("d_model"), config.layers("num_layers")
    decoders = config.layers("num_decoder_layers", layers)
    count, inner = config.size("num_heads"), config.size("d_ff")
    heads = Heads(count, count, config.size("d_kv"))
    kind = config.get("feed_forward_proj", or_default="relu")
    if not isinstance(kind, str) or not kind:
        raise config.error("feed_forward_proj", kind, "is not a known choice", ["gated-gelu"])
    matrices = 3 if kind.startswith("gated-") else 2
    config.must_be("is_decoder", False)
    config.must_be("is_encoder_decoder", True)
    # The library ties T5's embeddings whatever the config says.
    config.ignore("tie_word_embeddings", "n_positions", "is_gated_act", "dense_act_fn")
    buckets = config.size("relative_attention_num_buckets")
    tables = 1 if config.model_type != "umt5" else None
    vocab = config.size("vocab_size")
    terms = [
        *blocks.embedding_and_head(vocab, width, tied=True, stream="decoder"),
        blocks.norm(width, 1, 2 * layers + 1 + 3 * decoders + 1, stream="encoder"),
        *blocks.cross_attention(width, heads, decoders, bias=False),
    ]
    for stream, depth in (("encoder", layers), ("decoder", decoders)):
        terms.append(_self_attention(width, heads, depth, stream, Biases()))
        terms.append(blocks.mlp(width, inner, matrices, depth, stream=stream))
        positions = buckets * count * (depth if tables is None else tables)
        terms.append(Term("positions", other=positions, stream=stream))
    return Layout(tuple(terms), (512, 512), streams=two_streams, per=("encoder", "decoder"))


def bart(
    config: Config,
    *,
    positions: int | None,
    embedding_norms: int,
    final_norms: int,
    experts: Experts | None = None,
) -> Layout:
    """BART and its kin.

    `positions` is how many rows each learned table has beyond the longest sequence, None where
    positions are computed; `embedding_norms` and `final_norms` count those outside the layers.
    `experts` stand in every so many layers of each stack, as wide as its own blocks.
    """
    width = config.size("d_model")
    tied = config.flag("tie_word_embeddings", True)
    config.must_be("share_encoder_decoder_embeddings", True)
    config.must_be("is_decoder", False)
    config.ignore("num_hidden_layers", "decoder_vocab_size", "normalize_before")
    config.ignore("normalize_embedding", "add_final_layer_norm", "add_bias_logits")
    config.ignore("static_position_embeddings", "extra_pos_embeddings")
    encoders, decoders = config.layers("encoder_layers"), config.layers("decoder_layers")
    most = config.size("max_position_embeddings")
    norms = 2 * encoders + 3 * decoders + embedding_norms + final_norms
    cross = _heads(config, "decoder_attention_heads", width)
    terms = [
        *blocks.embedding_and_head(config.size("vocab_size"), width, tied=tied, stream="decoder"),
        blocks.norm(width, 2, norms, stream="encoder"),
        *blocks.cross_attention(width, cross, decoders, bias=True),
    ]
    for stream, depth in (("encoder", encoders), ("decoder", decoders)):
        heads = _heads(config, f"{stream}_attention_heads", width)
        inner = config.size(f"{stream}_ffn_dim")
        terms.append(_self_attention(width, heads, depth, stream, _ALL))
        step = config.size(f"{stream}_sparse_step", least=0) if experts else 0
        sparse = depth // step if step else 0
        terms += _feed_forward(width, inner, depth, stream, experts, sparse)
    terms = [term if term.stream != "token" else _on_encoder(term) for term in terms]
    if not tied:  # each stack has then a table of its own, beside a shared one that stands idle
        terms.append(
            Term("embedding", other=2 * config.size("vocab_size") * width, stream="encoder")
        )
    if positions is not None:
        table = Term("positions", other=(most + positions) * width, held=2, times=2)
        terms.append(_on_encoder(table))
    length = min(most, 512)
    return Layout(
        tuple(terms), (length, length), streams=two_streams, per=("encoder", "decoder"),
        longest=(most, most) if positions is not None else (),
    )  # fmt: skip


def _on_encoder(term: Term) -> Term:
    """Put a table read by index into a stream that exists here; it costs nothing in any."""
    return Term(term.part, other=term.params, stream="encoder")


def bart_layout(config: Config) -> Layout:
    """BART: learned positions, a norm after each embedding."""
    return bart(config, positions=2, embedding_norms=2, final_norms=0)


def mbart_layout(config: Config) -> Layout:
    """mBART: as BART, with a norm after each stack."""
    return bart(config, positions=2, embedding_norms=2, final_norms=2)


def m2m_layout(config: Config) -> Layout:
    """M2M-100 and NLLB: computed positions, a norm after each stack."""
    return bart(config, positions=None, embedding_norms=0, final_norms=2)


def nllb_moe(config: Config) -> Layout:
    """NLLB-MoE: as M2M-100, two of many experts in every fourth layer."""
    held = config.size("num_experts")
    if held < 2:
        raise config.error("num_experts", held, "must be at least 2, each token uses two")
    experts = Experts(
        held, 2, 0, matrices=2, expert_bias=True, router_bias=config.flag("router_bias")
    )
    config.must_be("second_expert_policy", "all")
    config.ignore("expert_capacity", "router_ignore_padding_tokens", "batch_prioritized_routing")
    config.ignore("router_dtype", "normalize_router_prob_before_dropping")
    config.ignore("moe_eval_capacity_token_fraction", "moe_token_dropout")
    return bart(config, positions=None, embedding_norms=0, final_norms=2, experts=experts)


def pegasus_layout(config: Config) -> Layout:
    """Pegasus: fixed tables of positions, a norm after each stack."""
    return bart(config, positions=0, embedding_norms=0, final_norms=2)


def marian_layout(config: Config) -> Layout:
    """Marian: fixed tables of positions, norms inside the layers only."""
    return bart(config, positions=0, embedding_norms=0, final_norms=0)


def blenderbot_layout(config: Config) -> Layout:
    """Blenderbot: learned positions, a norm after each stack only."""
    return bart(config, positions=0, embedding_norms=0, final_norms=2)


def blenderbot_small_layout(config: Config) -> Layout:
    """Blenderbot, small: as BART, with as many positions as the longest sequence."""
    return bart(config, positions=0, embedding_norms=2, final_norms=0)


def whisper(config: Config) -> Layout:
    """Whisper: two convolutions over sound, then an encoder-decoder; per decoder token."""
    width, mels = config.size("d_model"), config.size("num_mel_bins")
    encoders, decoders = config.layers("encoder_layers"), config.layers("decoder_layers")
    sources = config.size("max_source_positions")
    targets = config.size("max_target_positions")
    config.must_be("use_weighted_layer_sum", False)
    config.ignore("classifier_proj_size", "num_hidden_layers")
    first = float(parts.convolution_weights(3, mels, width))
    second = float(parts.convolution_weights(3, width, width))
    tied = config.flag("tie_word_embeddings", True)
    cross = _heads(config, "decoder_attention_heads", width)
    head = blocks.embedding_and_head(config.size("vocab_size"), width, tied=tied, stream="decoder")
    terms = [
        *[term if term.stream == "decoder" else _on_encoder(term) for term in head],
        # Two frames of sound make one position: the first convolution works on twice as many.
        Term("convolutions", matrix=first, other=2 * width, times=2, stream="encoder"),
        Term("convolutions", matrix=second, stream="encoder"),
        Term("positions", other=(sources + targets) * width, stream="encoder"),
        blocks.norm(width, 2, 2 * encoders + 3 * decoders + 2, stream="encoder"),
        *blocks.cross_attention(width, cross, decoders, bias=True, key_bias=False),
    ]
    for stream, depth in (("encoder", encoders), ("decoder", decoders)):
        heads = _heads(config, f"{stream}_attention_heads", width)
        inner = config.size(f"{stream}_ffn_dim")
        terms.append(_self_attention(width, heads, depth, stream, _ALL, key_bias=False))
        terms.append(blocks.mlp(width, inner, 2, depth, bias=True, stream=stream))

    def streams(lengths: tuple[int, ...]) -> dict[str, int]:
        """Sound of a fixed length, unless one is given for it too."""
        encoder = sources if len(lengths) == 1 else lengths[0]
        return {"encoder": encoder, "decoder": lengths[-1]}

    return Layout(
        tuple(terms), (sources, targets), unit="decoder_token", streams=streams,
        per=("decoder",), longest=(sources, targets),
    )  # fmt: skip
