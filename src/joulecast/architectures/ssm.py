"""Models of state-space or recurrent layers alone: Mamba-1, Falcon-Mamba, Mamba-2, RWKV-4."""

from __future__ import annotations

import math
from typing import NamedTuple

from joulecast.architectures import blocks
from joulecast.architectures.blocks import Mamba1, Mamba2
from joulecast.architectures.config import Config
from joulecast.architectures.decoder import Style, frame
from joulecast.architectures.layout import Layout, Term
from joulecast.architectures.reading import LONGEST_DEFAULT, Builder

#: Head, norms before each layer and after the last.
_FRAME = Style(norms=1)


class Spelling(NamedTuple):
    """Keys by which a family's config says the shape of its Mamba-2 blocks; "" where it does not.

    Without `head_dim` the heads share out the width inside; `expand` is that width over the
    model's, and without it the width is taken as it is.
    """

    heads: str = "num_heads"
    head_dim: str = "head_dim"
    groups: str = "n_groups"
    state: str = "state_size"
    kernel: str = "conv_kernel"
    chunk: str = "chunk_size"
    conv_bias: str = "use_conv_bias"
    bias: str = "use_bias"
    norm: str = ""
    expand: str = "expand"


def read_mamba2(config: Config, said: Spelling, inner: int = 0) -> Mamba2:
    """Read the shape of a Mamba-2 block; `inner` is the width inside where no key expands it."""
    heads = config.size(said.heads)
    if said.expand:
        inner = int(config.number(said.expand) * config.hidden)
    shape = Mamba2(
        heads=heads,
        head_dim=config.size(said.head_dim) if said.head_dim else inner // heads,
        groups=config.size(said.groups),
        state=config.size(said.state),
        kernel=config.size(said.kernel),
        chunk=config.size(said.chunk),
        conv_bias=not said.conv_bias or config.flag(said.conv_bias),
        bias=bool(said.bias) and config.flag(said.bias),
        norm=not said.norm or config.flag(said.norm),
    )
    if said.expand and shape.inner != inner:
        why = f"times a width of {shape.head_dim} is {shape.inner}, expected {inner}"
        raise config.error(said.heads, heads, why)
    if said.expand and heads % shape.groups:
        raise config.error(said.heads, heads, f"is not divided by {shape.groups} groups")
    return shape


def step_rank(config: Config, name: str) -> int:
    """Width of the step sizes; "auto" is a sixteenth of the model's."""
    return math.ceil(config.hidden / 16) if config.get(name) == "auto" else config.size(name)


def mamba(config: Config) -> Layout:
    """Mamba and Falcon-Mamba, whose extra norms hold no weights."""
    hidden, layers = config.hidden, config.layers()
    inner = config.optional_size("intermediate_size") or int(config.number("expand") * hidden)
    config.ignore("expand", "mixer_rms_eps", "pad_vocab_size_multiple", "fused_add_norm")
    config.agrees("d_model", hidden)
    config.agrees("d_inner", inner)
    config.agrees("n_layer", layers)
    shape = Mamba1(
        inner,
        config.size("state_size"),
        config.size("conv_kernel"),
        step_rank(config, "time_step_rank"),
        conv_bias=config.flag("use_conv_bias"),
        bias=config.flag("use_bias"),
    )
    terms = (blocks.mamba1(hidden, shape, layers), *frame(config, _FRAME))
    return Layout(terms, (LONGEST_DEFAULT,))


def mamba2(config: Config) -> Layout:
    """Mamba-2."""
    shape = read_mamba2(config, Spelling())
    config.ignore("time_step_rank")
    terms = (blocks.mamba2(config.hidden, shape, config.layers()), *frame(config, _FRAME))
    return Layout(terms, (LONGEST_DEFAULT,))


def rwkv(config: Config) -> Layout:
    """RWKV-4: a recurrence without matrices between matrices."""
    hidden, layers = config.hidden, config.layers()
    width = config.optional_size("attention_hidden_size") or hidden
    inner = config.optional_size("intermediate_size") or 4 * hidden
    tied = config.flag("tie_word_embeddings")
    mixed = 2 * hidden * inner + hidden * hidden
    terms = (
        *blocks.embedding_and_head(config.size("vocab_size"), hidden, tied=tied),
        Term("time_mix", matrix=4 * hidden * width, other=2 * width + 3 * hidden, times=layers),
        Term("channel_mix", matrix=mixed, other=2 * hidden, times=layers),
        blocks.norm(hidden, 2, 2 * layers + 2),
    )
    return Layout(terms, (config.size("context_length", 1024),))


FAMILIES: dict[str, Builder] = {
    "mamba": mamba,
    "falcon_mamba": mamba,
    "mamba2": mamba2,
    "rwkv": rwkv,
}
