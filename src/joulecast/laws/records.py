"""What a scaling law in hardware_specs must look like: constants, source, fitted range."""

# No postponed annotations here: the types of the fields are what records are read by.
from typing import Annotated

from joulecast.data.records import Basis, Record, Rule

Above0 = Annotated[float, Rule(gt=0)]
Span = tuple[Annotated[float, Rule(ge=0)], Above0]


class Fitted(Record):
    """Range of the runs a law was fitted on: lowest and highest; 0 where it was not stated."""

    params: Span | None = None
    tokens: Span | None = None
    flop: Span | None = None

    def check(self) -> None:
        """Lowest before highest."""
        for name, span in self.items():
            if span is not None and span[0] >= span[1]:
                raise ValueError(f"{name}: low, high out of order: {span[0]:g}, {span[1]:g}")


class Law(Record):
    """Base of all laws; the source and basis cover every number."""

    name: str
    source: str
    basis: Basis
    note: str = ""


class JointUncertainty(Record):
    """How the five constants of a loss law vary together, as a normal law.

    The coordinates are ln A - alpha ln(params), ln B - beta ln(tokens), ln E, alpha, beta.
    """

    source: str
    params: Above0
    tokens: Above0
    sd: tuple[Above0, Above0, Above0, Above0, Above0]
    correlation: tuple[tuple[float, ...], ...]

    def check(self) -> None:
        """`correlation` is one of five numbers."""
        rows, places = self.correlation, range(len(self.sd))
        if len(rows) != len(self.sd) or any(len(row) != len(self.sd) for row in rows):
            raise ValueError("correlation must have five rows of five numbers")
        if any(rows[i][i] != 1 or rows[i][j] != rows[j][i] for i in places for j in places):
            raise ValueError("correlation must be symmetric with ones on its diagonal")
        if any(abs(rows[i][j]) >= 1 for i in places for j in places if i != j):
            raise ValueError("correlations lie between -1 and 1")


class FiveConstants(Law):
    """Constants of L = E + A / N^alpha + B / D^beta [nats per token]."""

    irreducible_loss: Above0
    params_coefficient: Above0
    tokens_coefficient: Above0
    params_exponent: Above0
    tokens_exponent: Above0


class LossLaw(FiveConstants):
    """A loss law, with the losses that it answers for."""

    lowest_loss: Above0
    highest_loss: Above0
    fitted: Fitted
    uncertainty: JointUncertainty | None = None

    def check(self) -> None:
        """The losses it answers for lie above what no model gets below."""
        if not self.irreducible_loss < self.lowest_loss < self.highest_loss:
            raise ValueError("irreducible_loss, lowest_loss, highest_loss must rise in this order")


class AllocationLaw(Law):
    """Constants of D = tokens x (C / flop)^exponent: the compute-optimal split alone."""

    tokens: Above0
    flop: Above0
    exponent: Above0


class RepetitionLaw(Law):
    """Decay constants of repeated tokens and of parameters beyond what the data suffice for."""

    tokens_decay: Above0
    params_decay: Above0


class ExpertsLaw(FiveConstants):
    """Constants of the joint law of dense models and mixtures of experts."""

    params_coefficient_power: float
    tokens_coefficient_power: float
    params_exponent_slope: float
    tokens_exponent_slope: float
    experts_start: Above0
    experts_limit: Above0
    most_experts: Above0
    fitted: Fitted


#: Table of scaling_laws.toml -> what its laws are.
KINDS: dict[str, type[Law]] = {
    "loss": LossLaw,
    "allocation": AllocationLaw,
    "repetition": RepetitionLaw,
    "experts": ExpertsLaw,
}
