"""What a model holds and what a token of it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from joulecast.answers.base import Noun
from joulecast.answers.shape import exact, shows
from joulecast.notices import Notice

Convention = Literal["causal", "full"]
Unit = Literal["token", "decoder_token", "image_token", "sample"]

#: Training passes: one forward, and a backward of two (gradients of inputs and of weights).
PASSES = 3


class CountedPart(NamedTuple):
    """A part of a counted architecture."""

    params: float
    forward_flop_per_token: float


@shows(
    "schema_version", "params_total", "params_active", "forward_flop_per_token",
    "train_flop_per_token", "flop_per_6n", "flop_unit", "breakdown", "warnings", "seq_len",
    "attention",
    rounded=exact,
    params_total=(float, lambda count: int(count.params_total)),
    params_active=(float, lambda count: int(count.params_active)),
    breakdown=(dict[str, CountedPart], lambda count: count.parts),
    seq_len=(str, lambda count: ":".join(map(str, count.seq_len))),
)  # fmt: skip
class ModelCount(Noun):
    """What a model holds and what a token of it costs, in one convention at one length."""

    params_total: float
    params_active: float
    forward_flop_per_token: float
    flop_unit: Unit
    breakdown: Mapping[str, tuple[float, float]]
    seq_len: tuple[int, ...]
    attention: Convention
    warnings: tuple[Notice, ...] = ()
    params_trained: float | None = None
    train_flop: float | None = None

    @property
    def train_flop_per_token(self) -> float:
        """Forward and backward, without recomputation; of frozen weights no gradients are made."""
        if self.train_flop is not None:
            return self.train_flop
        return PASSES * self.forward_flop_per_token

    @property
    def flop_per_6n(self) -> float:
        """Training FLOP over six times the active parameters; a whole sample for `sample`."""
        return self.train_flop_per_token / (6 * self.params_active)

    @property
    def parts(self) -> dict[str, CountedPart]:
        """The breakdown with its figures by name."""
        return {
            part: CountedPart(int(params), flop) for part, (params, flop) in self.breakdown.items()
        }

    def rows(self) -> list[dict[str, Any]]:
        """One row a part."""
        return [{"part": name, **part._asdict()} for name, part in self.parts.items()]
