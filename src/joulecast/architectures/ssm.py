"""Models of state-space or recurrent layers alone: Mamba-1, Falcon-Mamba, Mamba-2, RWKV-4."""

from __future__ import annotations

import math

from joulecast.architectures import blocks
from joulecast.architectures.blocks import Mamba2
from joulecast.architectures.config import Config
from joulecast.architectures.layout import Layout, Term


def mamba(config: Config) -> Layout:
    """Mamba and Falcon-Mamba, whose extra norms hold no weights."""
    hidden, layers = config.size("hidden_size"), config.layers()
    inner = config.optional_size("intermediate_size") or int(config.number("expand") * hidden)
    config.ignore("expand", "mixer_rms_eps", "pad_vocab_size_multiple", "fused_add_norm")
    config.agrees("d_model", hidden)
    config.agrees("d_inner", inner)
    config.agrees("n_layer", layers)
    rank = step_rank(config, "time_step_rank", hidden)
    block = blocks.mamba1(
        hidden,
        inner,
        config.size("state_size"),
        config.size("conv_kernel"),
        rank,
        layers,
        conv_bias=config.flag("use_conv_bias"),
        bias=config.flag("use_bias"),
    )
    return Layout((block, *_frame(config, hidden, layers)), (4096,))


def step_rank(config: Config, name: str, hidden: int) -> int:
    """Width of the step sizes; "auto" is a sixteenth of the model's."""
    return math.ceil(hidden / 16) if config.get(name) == "auto" else config.size(name)


def _frame(config: Config, hidden: int, layers: int) -> list[Term]:
    tied = config.flag("tie_word_embeddings")
    vocab = config.size("vocab_size")
    return [
        *blocks.embedding_and_head(vocab, hidden, tied=tied),
        blocks.norm(hidden, 1, layers + 1),
    ]


def mamba2(config: Config) -> Layout:
    """Mamba-2."""
    hidden, layers = config.size("hidden_size"), config.layers()
    shape = Mamba2(
        heads=config.size("num_heads"),
        head_dim=config.size("head_dim"),
        groups=config.size("n_groups"),
        state=config.size("state_size"),
        kernel=config.size("conv_kernel"),
        chunk=config.size("chunk_size"),
        conv_bias=config.flag("use_conv_bias"),
        bias=config.flag("use_bias"),
    )
    check_inner(config, shape, config.number("expand"), hidden, "num_heads")
    config.ignore("time_step_rank")
    block = blocks.mamba2(hidden, shape, layers)
    return Layout((block, *_frame(config, hidden, layers)), (4096,))


def check_inner(config: Config, shape: Mamba2, expand: float, hidden: int, heads_key: str) -> None:
    """Heads times their width must be the width inside, and groups must divide the heads."""
    if shape.inner != int(expand * hidden):
        raise config.error(
            heads_key,
            shape.heads,
            f"times a width of {shape.head_dim} is {shape.inner}, expected {int(expand * hidden)}",
        )
    if shape.heads % shape.groups:
        raise config.error(heads_key, shape.heads, f"is not divided by {shape.groups} groups")


def default_length(config: Config) -> tuple[int, ...]:
    """Read the length of a sequence where none is given."""
    return (min(config.size("max_position_embeddings", 4096), 4096),)


def rwkv(config: Config) -> Layout:
    """RWKV-4: a recurrence without matrices between matrices."""
    hidden, layers = config.size("hidden_size"), config.layers()
    width = config.optional_size("attention_hidden_size") or hidden
    inner = config.optional_size("intermediate_size") or 4 * hidden
    tied = config.flag("tie_word_embeddings")
    time_mix = Term(
        "time_mix",
        matrix=4 * hidden * width,
        other=2 * width + 3 * hidden,
        held=layers,
        times=layers,
    )
    channel_mix = Term(
        "channel_mix",
        matrix=2 * hidden * inner + hidden * hidden,
        other=2 * hidden,
        held=layers,
        times=layers,
    )
    terms = [
        *blocks.embedding_and_head(config.size("vocab_size"), hidden, tied=tied),
        time_mix,
        channel_mix,
        blocks.norm(hidden, 2, 2 * layers + 2),
    ]
    return Layout(tuple(terms), (config.size("context_length", 1024),))
