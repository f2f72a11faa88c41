"""A model as a list of terms, and the sums over it.  Knows nothing of configs or families."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from joulecast.answers.count import Convention, ModelCount, Unit
from joulecast.architectures import keys, parts
from joulecast.notices import Notice

MaskKind = Literal["none", "causal", "window", "chunk", "both", "both_window", "blocks", "tiles"]


@dataclass(frozen=True, slots=True)
class Mask:
    """Which keys a query sees: a kind and the size that goes with it."""

    kind: MaskKind = "none"
    size: int = 0

    def mean_keys(self, length: int, convention: Convention) -> float:
        """Mean keys per query in a sequence of `length`."""
        if convention == "full" and self.kind not in ("blocks", "tiles"):
            return float(keys.both_ways(length))
        return float(_MEAN_KEYS[self.kind](length, self.size))


def _in_tiles(length: float, size: float) -> float:
    return size * keys.padding(length, size)


_MEAN_KEYS: dict[MaskKind, Callable[[float, float], float]] = {
    "causal": lambda length, _: keys.causal(length),
    "window": keys.causal_window,
    "chunk": keys.causal_chunk,
    "both": lambda length, _: keys.both_ways(length),
    "both_window": keys.both_ways_window,
    "blocks": keys.blocks,
    "tiles": _in_tiles,
}


NO_MASK = Mask()
CAUSAL = Mask("causal")
BOTH = Mask("both")


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a model, `held` times in memory and `times` times on a token's way.

    The two differ where experts are held but idle (held > times) or a block is used again
    (times > held); where `held` is None they do not.  `matrix` weights are multiplied, `other`
    ones (biases, norms, tables read by index) are not.  `flop` is arithmetic without weights that
    every token pays, `per_key` what it pays for each key it sees under `mask`, in the sequence
    named `keys_of`.
    """

    part: str
    matrix: float = 0
    other: float = 0
    times: float = 1
    held: float | None = None
    flop: float = 0
    per_key: float = 0
    mask: Mask = NO_MASK
    stream: str = "token"
    keys_of: str = ""

    @property
    def params(self) -> float:
        """All weights."""
        return (self.times if self.held is None else self.held) * (self.matrix + self.other)

    @property
    def active(self) -> float:
        """Weights on the way of one token."""
        used = self.times if self.held is None else min(self.held, self.times)
        return used * (self.matrix + self.other)

    def forward_flop(self, lengths: Mapping[str, int], convention: Convention) -> float:
        """Forward FLOP of one token of the term's own stream."""
        flop = parts.weight_flop(self.matrix) + self.flop * self._padding(lengths)
        if self.per_key:
            length = lengths[self.keys_of or self.stream]
            flop += self.per_key * self.mask.mean_keys(length, convention)
        return float(self.times * flop)

    def _padding(self, lengths: Mapping[str, int]) -> float:
        if self.mask.kind != "tiles":
            return 1.0
        return float(keys.padding(lengths[self.stream], self.mask.size))


def one_stream(lengths: tuple[int, ...]) -> dict[str, int]:
    """Build the streams of a model that reads one sequence."""
    return {"token": lengths[0], "sequence": 1}


@dataclass(frozen=True, slots=True)
class Layout:
    """A model's terms, and how its streams of tokens follow from the sequence lengths.

    `per` names the streams that one unit of the answer is a share of: FLOP of all streams of a
    sequence over the tokens of these.  `default` are the lengths where none are given; where they
    are `fixed` the config says them (patches of an image); `longest` is where positions end.
    `further` are the terms of one module that predicts a further token in training.
    """

    terms: tuple[Term, ...]
    default: tuple[int, ...]
    unit: Unit = "token"
    streams: Callable[[tuple[int, ...]], dict[str, int]] = one_stream
    per: tuple[str, ...] = ("token",)
    longest: tuple[int, ...] = ()
    fixed: bool = False
    further: tuple[Term, ...] = ()
    warnings: tuple[Notice, ...] = field(default=())

    def count(
        self, lengths: tuple[int, ...], convention: Convention, further: int = 0
    ) -> ModelCount:
        """Sum the terms for sequences of `lengths`, `further` tokens predicted besides the next."""
        terms = self.terms + self.further * further
        streams = self.streams(lengths)
        units = sum(streams[name] for name in self.per)
        sums: dict[str, tuple[float, float]] = {}
        for term in terms:
            share = streams[term.stream] / units
            flop = term.forward_flop(streams, convention) * share
            params, before = sums.get(term.part, (0.0, 0.0))
            sums[term.part] = params + term.params, before + flop
        return ModelCount(
            params_total=_total(params for params, _ in sums.values()),
            params_active=_total(term.active for term in terms),
            forward_flop_per_token=_total(flop for _, flop in sums.values()),
            flop_unit=self.unit,
            breakdown=sums,
            seq_len=lengths,
            attention=convention,
            warnings=self.warnings,
        )


def _total(numbers: Iterable[float]) -> float:
    return float(sum(numbers))
