"""What families of all kinds read in the same way: heads, attention, the length of a sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from joulecast.architectures import blocks
from joulecast.architectures.blocks import Biases, Heads
from joulecast.architectures.config import Config
from joulecast.architectures.layout import CAUSAL, Layout, Mask, Term

Builder = Callable[[Config], Layout]

#: Families whose heads need not share out the width: it is divided without a rest.
FLOORED = ("glm4_moe",)

#: No model is counted at a longer sequence unless one is asked for.
LONGEST_DEFAULT = 4096


def read_heads(config: Config) -> Heads:
    """Heads of an attention; a width of its own need not divide the model's."""
    hidden, query = config.hidden, config.size("num_attention_heads")
    if not config.knows("num_key_value_heads"):  # classes older than shared heads read neither
        config.agrees("num_key_value_heads", query)
        config.agrees("head_dim", hidden // query)
    kv = config.optional_size("num_key_value_heads") or query
    floored = hidden // query if config.known_as in FLOORED else None
    dim = config.optional_size("head_dim") or floored
    dim = dim or hidden // config.heads("num_attention_heads", hidden)
    if query % kv:
        raise config.error("num_key_value_heads", kv, f"does not divide {query} heads")
    return Heads(query, kv, dim)


def attention(
    config: Config, layers: float, *, mask: Mask = CAUSAL, bias: bool = False, other: int = 0,
    gated: bool = False,
) -> Term:  # fmt: skip
    """`layers` attentions with the heads of the config; with biases on all matrices, or none."""
    return blocks.attention(
        config.hidden, read_heads(config), layers,
        mask=mask, bias=Biases(bias, bias), other=other, gated=gated,
    )  # fmt: skip


def layout_of(
    config: Config, terms: Iterable[Term], *, length: str = "max_position_embeddings",
    bound: bool = False, reserved: int = 0, further: tuple[Term, ...] = (),
) -> Layout:  # fmt: skip
    """Read the lengths of a model of one sequence: the default, and where positions end.

    `length` is the key that says how many positions there are, of which so many are `reserved`;
    they are `bound` to that where they stand in a table.
    """
    most = config.optional_size(length)
    default = LONGEST_DEFAULT if most is None else min(most - reserved, LONGEST_DEFAULT)
    longest = () if most is None or not bound else (most - reserved,)
    return Layout(tuple(terms), (default,), longest=longest, further=further)
