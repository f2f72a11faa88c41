"""What a run comes to: the chain followed for each of its parts, then for its use.

A plain run has one part, a fleet one for each entry.  Everything that answers a question follows
the chain here and nowhere else; a result of several parts is their sum, draw by draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from joulecast import units
from joulecast.arrays import Numbers
from joulecast.chain import Run, chain, repeat, use_chain
from joulecast.terms import EMBODIED_PARTS, PARTS, PROJECT_PARTS, RESULTS, TERMS

#: Results that do not grow with the number of runs: data are kept and moved for all of them.
INTENSIVE = (
    "utilisation",
    "eu_training_compute_flop",
    "storage_energy_kwh",
    "storage_kgco2e",
    "transfer_energy_kwh",
    "transfer_kgco2e",
)

#: What the utilisation of several parts follows from.
ACHIEVED = ("training_flop", "device_hours", "peak_flops")

#: Outcomes of training that its use is set against.
AGAINST = ("total_kgco2e", "training_flop")


def result_names() -> list[str]:
    """Results and the parts of them, each once."""
    tables = (PARTS, EMBODIED_PARTS, PROJECT_PARTS)
    return list(dict.fromkeys([*RESULTS, *(name for those in tables for name in those.values())]))


def source_of(name: str) -> str:
    """Result -> quantity of the chain: the utilisation shown is the one the run comes to."""
    return "achieved_utilisation" if name == "utilisation" else name


def size_of(name: str, runs: int) -> float:
    """What to divide a quantity of the chain by: the unit of the result, over so many runs."""
    return units.factor(TERMS[name].unit) / (1 if name in INTENSIVE else runs)


class Outcome:
    """The chain followed for `parts`, over so many `runs` of the plan, and for the use if any.

    Numbers are floats, draws or whole axes, as they were given.
    """

    __slots__ = ("parts", "runs", "use")

    def __init__(self, parts: Sequence[Run], runs: int = 1, use: Run | None = None) -> None:
        self.parts, self.runs, self.use = tuple(parts), runs, use

    def base(self, name: str) -> Numbers | None:
        """A result of one run of the plan in base units; None where it cannot be known.

        Days of several parts are not added up: nobody says whether they run at the same time.
        """
        if len(self.parts) == 1:
            return self.parts[0].known.get(source_of(name))
        if name == "utilisation":
            return self._achieved()
        return None if name == "wall_clock_days" else self._added(name)

    def _achieved(self) -> Numbers | None:
        """Work done by all parts over what they could have done in their hours."""
        able = [run.known for run in self.parts if all(name in run.known for name in ACHIEVED)]
        if len(able) < len(self.parts):
            return None
        most = sum(known["device_hours"] * known["peak_flops"] for known in able)
        done: Numbers = sum(known["training_flop"] for known in able) / most
        return done

    def _added(self, name: str) -> Numbers | None:
        """A quantity of the chain over all parts; None where one of them does not have it."""
        try:
            return sum(run.known[name] for run in self.parts)
        except KeyError:
            return None

    def result(self, name: str) -> Numbers | None:
        """A result of all runs in its unit; None where it cannot be known."""
        found = self.base(name)
        return None if found is None else found / size_of(name, self.runs)

    def again(self, numbers: Sequence[Mapping[str, Numbers]], name: str) -> Numbers | None:
        """A result of all runs in its unit, by the same steps from other numbers of each part."""
        several = len(self.parts) > 1 and name == "utilisation"
        sources = ACHIEVED if several else (source_of(name),)
        steps = zip(self.parts, numbers, strict=True)
        return Outcome([Run(repeat(run, n, sources)) for run, n in steps], self.runs).result(name)

    def behind(self, name: str) -> list[set[str]]:
        """For each part the quantities that a result rests on, and the result."""
        source = source_of(name)
        return [run.behind(source) | {source} for run in self.parts]

    def used(self, numbers: Mapping[str, Numbers]) -> Outcome:
        """The same with the use, whose own numbers these are, set against all runs."""
        against = {
            name: total * self.runs for name in AGAINST if (total := self._added(name)) is not None
        }
        return Outcome(self.parts, self.runs, follow_use({**against, **numbers}))


def follow(parts: Sequence[Mapping[str, Numbers]], runs: int = 1) -> Outcome:
    """Follow the chain from the numbers of each part, in base units."""
    return Outcome([chain(numbers) for numbers in parts], runs)


def follow_use(numbers: Mapping[str, Numbers]) -> Run:
    """Follow the chain of the use from its numbers, in base units."""
    return use_chain(numbers)
