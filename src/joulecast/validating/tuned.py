"""One fit to tuned benchmark runs: shares of peak, gains of precisions, what a step costs.

    1/u = 1/u_0 + L t_0 / x,   ln u_0 = S + T + m + s + a (t - 2)

S is common to all, T a task's own, m the device's share of peak on the scale of its measured matrix
product, s the gain of the precision, t the years since the first device with FP8, held to 0..3, L
the layers, x the time of a step at the peak.  Every term has a value before the data and how far it
may move; errors beyond 1.5 standard deviations count less (Huber); entries of one submitter, cell
and device weigh as the root of their number.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from joulecast.arrays import Array
from joulecast.resolve.shares import ceiling_of, released

if TYPE_CHECKING:
    from joulecast.data.library import Library
    from joulecast.validating.entries import Entry

#: Noise of ln u, and the number of its standard deviations within which an error counts in full.
NOISE, HUBER = 0.10, 1.5

#: Device whose tuned share is held at its measured one: the scale of all others.
REFERENCE = "h100-sxm"

#: How far a tuned share may lie from a measured product, and from a class's assumed share.
MEASURED, OF_CLASS = 0.06, 0.12

#: Shares before any entry where the record's own is not the best guess: the B300 die at its own
#: peak, and the MI355X.
SHARE_BEFORE = {"gb300": 0.786 * 2250 / 2500, "mi350x": 0.622}

#: Tasks whose FLOP are counted with less certainty: padding, pictures, frozen weights.
LESS_SURE = ("bert", "stable_diffusion", "flux1", "llama2_70b_lora")

#: Tasks that train all weights of a large model from the start: the step law holds for these.
PRETRAINING = (
    "gpt3", "llama31_405b", "llama31_8b", "flux1", "deepseekv3_671b", "gpt_oss_20b",
)  # fmt: skip

USUAL_AGE, OLDEST = 2.0, 3.0


class _Before(NamedTuple):
    """A term before the data."""

    name: str
    mean: float
    room: float


class Tuned:
    """The fit; `predict` gives ln u, `share` what a device can use of its 16-bit peak.

    Entries of the `left_out` submitters are not seen; their devices and tasks have terms all the
    same, which stay where they start.
    """

    def __init__(
        self, entries: Sequence[Entry], library: Library, left_out: Iterable[str] = ()
    ) -> None:
        self.library = library
        self.since = released(library.device(REFERENCE).device)
        devices = sorted({entry.device for entry in entries} | {REFERENCE})
        tasks = sorted({entry.task for entry in entries})
        self.before = [*self._before(devices, tasks, entries)]
        entries = without(entries, left_out)
        self.at = {term.name: i for i, term in enumerate(self.before)}
        self.theta = self._fit(entries)

    def _before(
        self, devices: Sequence[str], tasks: Sequence[str], entries: Sequence[Entry]
    ) -> Iterator[_Before]:
        yield _Before("S", 0.0, 3.0)
        yield _Before("age", 0.10, 0.10)
        for name in devices:
            device = self.library.device(name).device
            share = SHARE_BEFORE.get(name, ceiling_of(self.library, device).value)
            room = MEASURED if device.matmul_share else OF_CLASS
            yield _Before(f"m:{name}", math.log(share), 0.01 if name == REFERENCE else room)
        fp8 = self.library.default("precision_speedup.fp8").value
        yield _Before("fp8", math.log(fp8), 0.03)
        yield _Before("fp8:gaudi2", 0.0, 0.25)
        yield _Before("fp8:bert", 0.0, 0.30)
        yield _Before("int8", math.log(1.25), 0.15)
        yield _Before("fp4/fp8", math.log(1.30), 0.15)
        for name in sorted({entry.device for entry in entries if entry.precision == "fp4"}):
            yield _Before(f"fp4:{name}", 0.0, 0.15)
        for task in tasks:
            yield _Before(f"T:{task}", 0.0, 0.5 if task in LESS_SURE else 0.15)
        yield _Before("t0", math.log(2.5e-3), 0.5)
        mixtures = {entry.task for entry in entries if entry.arch == "moe"}
        for task in tasks:
            yield _Before(f"t0:{task}", math.log(2.0) if task in mixtures else 0.0, 0.4)

    def _terms(self, entry: Entry) -> dict[str, float]:
        """Terms of ln u_0 and what they are multiplied by."""
        age = min(max(entry.year - self.since, 0.0), OLDEST) - USUAL_AGE
        terms = {"S": 1.0, f"T:{entry.task}": 1.0, "age": age}
        terms |= dict.fromkeys(self.of_speed(entry), 1.0)
        return {name: value for name, value in terms.items() if name in self.at}

    def of_speed(self, entry: Entry) -> list[str]:
        """Terms that are the device's and the precision's."""
        names = [f"m:{entry.device}"]
        if entry.precision in ("fp8", "fp4"):
            names += ["fp8", f"fp8:{entry.device}", f"fp8:{entry.task}"]
        if entry.precision == "fp4":
            names += ["fp4/fp8", f"fp4:{entry.device}"]
        if entry.precision == "int8":
            names.append("int8")
        return names

    def _design(self, entries: Sequence[Entry]) -> Array:
        """Coefficients of ln u_0 [entry, term]."""
        made = np.zeros((len(entries), len(self.before)))
        for row, entry in zip(made, entries, strict=True):
            for name, value in self._terms(entry).items():
                row[self.at[name]] = value
        return made

    def _waiting(self, entries: Sequence[Entry], theta: Array) -> Array:
        """L t_0 / x of each entry."""
        own = [self.at[f"t0:{entry.task}"] for entry in entries]
        ln_t0 = theta[self.at["t0"]] + theta[own]
        layers = np.array([entry.layers / entry.step_time for entry in entries])
        waiting: Array = layers * np.exp(ln_t0)
        return waiting

    def _fit(self, entries: Sequence[Entry]) -> Array:
        from scipy.optimize import least_squares

        design = self._design(entries)
        count = Counter((entry.submitter, entry.cell, entry.device) for entry in entries)
        weight = np.array([count[e.submitter, e.cell, e.device] ** -0.5 for e in entries])
        y = np.log([entry.utilisation for entry in entries])
        mean = np.array([term.mean for term in self.before])
        room = np.array([term.room for term in self.before])
        t0 = [[self.at["t0"], self.at[f"t0:{entry.task}"]] for entry in entries]
        rows = np.arange(len(entries))[:, None]

        def residual(theta: Array) -> Array:
            error = (y - self._of(design, self._waiting(entries, theta), theta)) / NOISE
            size = np.abs(error)
            far = np.sqrt(HUBER * (2 * np.maximum(size, HUBER) - HUBER))
            shrunk = np.sign(error) * np.where(size <= HUBER, size, far)
            return np.concatenate([weight * shrunk, (theta - mean) / room])

        def slopes(theta: Array) -> Array:
            waiting = self._waiting(entries, theta)
            inverse = np.exp(-design @ theta)
            error = (y + np.log(inverse + waiting)) / NOISE
            size = np.maximum(np.abs(error), HUBER)
            slope = HUBER / np.sqrt(HUBER * (2 * size - HUBER))
            moved = design * (inverse / (inverse + waiting))[:, None]
            moved[rows, t0] = -(waiting / (inverse + waiting))[:, None]
            return np.concatenate([-(weight * slope / NOISE)[:, None] * moved, np.diag(1 / room)])

        found: Array = least_squares(residual, mean, jac=slopes, method="lm").x
        return found

    @staticmethod
    def _of(design: Array, waiting: Array, theta: Array) -> Array:
        found: Array = -np.log(np.exp(-design @ theta) + waiting)
        return found

    def predict(self, entries: Sequence[Entry]) -> Array:
        """Ln u of entries, steps counted."""
        return self._of(self._design(entries), self._waiting(entries, self.theta), self.theta)

    def at_large_steps(self, entries: Sequence[Entry]) -> Array:
        """Ln u_0 of entries."""
        found: Array = self._design(entries) @ self.theta
        return found

    def share(self, entry: Entry) -> float:
        """Ln of the share of the 16-bit peak that a device can use at the entry's precision."""
        names = (name for name in self.of_speed(entry) if name in self.at and name != "fp8:bert")
        return math.fsum(float(self.theta[self.at[name]]) for name in names)

    def __getitem__(self, name: str) -> float:
        """A term."""
        return float(self.theta[self.at[name]])


class StepLaw:
    """The step law at the shares and gains of a fit: one level for all, t_0 by kind of model.

    `predict` gives ln u.  What is not a decoder has the default's step.
    """

    KINDS = ("dense", "moe", "diffusion")
    START = np.log([0.6, 2.5e-3, 5e-3, 2.5e-3])
    ROOM = np.array([2.0, 0.7, 0.7, 0.7])
    NOISE = 0.12

    def __init__(self, entries: Sequence[Entry], tuned: Tuned, steps: bool = True) -> None:
        self.tuned, self.steps = tuned, steps
        default = tuned.library.default
        self.age_slope = default("utilisation.age_slope").value
        pictures = default("utilisation.kind.other").value
        self.not_decoder = math.log(pictures * default("utilisation.field.images").value)
        self.theta = self._fit(entries)

    def _reach(self, entry: Entry) -> float:
        age = min(max(entry.year - self.tuned.since, 0.0), OLDEST) - USUAL_AGE
        step = self.not_decoder if entry.arch == "diffusion" else 0.0
        return self.tuned.share(entry) + step + self.age_slope * age

    def predict(self, entries: Sequence[Entry], theta: Array | None = None) -> Array:
        """Ln u of entries."""
        level, *ln_t0 = self.theta if theta is None else theta
        large = np.exp(np.array([self._reach(entry) for entry in entries]) + level)
        kinds = [self.KINDS.index(entry.arch) for entry in entries]
        waits = np.array([entry.layers / entry.step_time for entry in entries])
        waits = waits * np.exp(np.array(ln_t0)[kinds]) * self.steps
        found: Array = -np.log(1 / large + waits)
        return found

    def _fit(self, entries: Sequence[Entry]) -> Array:
        from scipy.optimize import least_squares

        y = np.log([entry.utilisation for entry in entries])
        count = Counter((entry.submitter, entry.task, entry.device) for entry in entries)
        weight = np.array([count[e.submitter, e.task, e.device] ** -0.5 for e in entries])

        def residual(theta: Array) -> Array:
            error = (y - self.predict(entries, theta)) / self.NOISE
            size = np.abs(error)
            far = np.sqrt(HUBER * (2 * np.maximum(size, HUBER) - HUBER))
            shrunk = np.sign(error) * np.where(size <= HUBER, size, far)
            return np.concatenate([weight * shrunk, (theta - self.START) / self.ROOM])

        found: Array = least_squares(residual, self.START, method="lm").x
        return found


def without(entries: Iterable[Entry], submitters: Iterable[str]) -> list[Entry]:
    """Entries of others."""
    left = set(submitters)
    return [entry for entry in entries if entry.submitter not in left]
