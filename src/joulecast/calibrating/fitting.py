r"""How far a person's own runs move a default, and how wide its range then is.

A run tells :math:`y = \ln` (reached / expected).  It is a sum of *parts*, each the ignorance of
something that other runs may share (the cluster, the device, the kind of model), and of noise of
its own.  Two runs covary by the parts they share, and before any run is known all is as wide as the
default says: Student's t with :math:`\nu_0 = 4` degrees of freedom (docs/decisions/0018), which is
what a normal of unknown scale looks like whose variance has an inverse gamma prior.

With :math:`K` the covariance of the runs known, :math:`k` theirs with the next one and :math:`v`
its own variance, all on the default's scale, the next run is Student's t with

.. math::

    \mu = k^T K^{-1} y, \qquad
    s^2 = \frac{\nu_0 + y^T K^{-1} y}{\nu_0 + n} (v - k^T K^{-1} k), \qquad
    \nu = \nu_0 + n

(Gelman et al., Bayesian Data Analysis, 3rd ed. 2013, section 3.3: normal data with a conjugate
prior; unchecked; here with K in place of equal variances).  Without runs that is the default
itself; one run moves it by the share of the variance that runs share; many runs decide.

Families weigh one, as in the default's own fit: a run with m - 1 sisters has m times the noise.  An
error beyond twice its scale counts less (Huber 1964), so that a wrecked run moves little.  Valid
where runs are alike but for what the parts name, and as far as they lie near the runs to come.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from joulecast.arrays import Array
from joulecast.uncertainty import T90, T95, Z95

#: Degrees of freedom of the default's own range.
DEGREES = 4.0

#: Scales beyond which an error counts less.
HUBER = 2.0
ROUNDS = 5

#: More families than these are left out several at a time.
MOST_REFITS = 60

#: 90 % and 99.5 % points of a normal.
Z90, Z995 = 1.2815515655446004, 2.5758293035489004


class Case(NamedTuple):
    """A past run as the fit sees it: what it tells, its parts by name, and its own noise.

    Parts and noise are scales [ln] of Student's t with 4 degrees of freedom.
    """

    y: float
    family: str
    parts: Mapping[str, float]
    noise: float


class Expected(NamedTuple):
    """Student's t of what is to come: its median, its scale and its degrees of freedom."""

    median: float
    scale: float
    degrees: float

    @property
    def half_width(self) -> float:
        """From the median to the end of the 80 % range."""
        return self.scale * t_point(Z90, self.degrees)

    def ends(self, tails: str) -> tuple[float, float]:
        """5 % and 95 % points of a range with the tails of an answer's, level with this at 80 %.

        `tails` are those of Student's t with 4 degrees of freedom (``t``) or of a normal.
        """
        wide = T95 / T90 if tails == "t" else Z95 / Z90
        return self.median - wide * self.half_width, self.median + wide * self.half_width


class LeftOut(NamedTuple):
    """What was forecast of a case by a fit that saw none of its family."""

    error: float
    expected: Expected

    @property
    def inside(self) -> bool:
        """Whether it fell into the 80 % range."""
        return abs(self.error) <= self.expected.half_width

    @property
    def far(self) -> bool:
        """Whether it lies outside the 99 % range."""
        degrees = self.expected.degrees
        return abs(self.error) > self.expected.scale * t_point(Z995, degrees)


def t_point(z: float, degrees: float) -> float:
    """Quantile of Student's t at the probability that a normal has at `z`.

    Abramowitz and Stegun 1964, equation 26.7.5; within 0.1 % from 4 degrees of freedom on up to
    the 95 % point, within 3 % at the 99.5 % point.

    >>> round(t_point(Z90, 4), 2), round(t_point(Z90, 1e9), 4)
    (1.53, 1.2816)
    """
    n = degrees
    terms = (
        z,
        (z**3 + z) / (4 * n),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4),
    )
    return math.fsum(terms)


class Fit:
    """Past runs, and what they make of the next."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = tuple(cases)
        sisters = Counter(case.family for case in cases)
        self.families = len(sisters)
        self._y = np.array([case.y for case in cases])
        shared = np.array([[_shared(one.parts, other.parts) for other in cases] for one in cases])
        noise = np.array([case.noise**2 * sisters[case.family] for case in cases])
        less = np.ones_like(self._y)
        for _ in range(ROUNDS):
            self._inverse = np.linalg.inv(shared + np.diag(noise * less)) if cases else shared
            told = self._inverse @ self._y if cases else self._y
            self.stretch = math.sqrt((DEGREES + float(self._y @ told)) / (DEGREES + self.families))
            if not cases:
                break
            # What the parts leave of a run: K^-1 y is that over its noise.
            own = np.abs(told) * noise * less / np.sqrt(noise)
            less = np.maximum(1.0, own / (HUBER * self.stretch))
        self._told = told

    def expected(self, parts: Mapping[str, float], noise: float) -> Expected:
        """The next run with these parts and this noise."""
        own = sum(scale**2 for scale in parts.values()) + noise**2
        degrees = DEGREES + self.families
        if not self.cases:
            return Expected(0.0, math.sqrt(own), degrees)
        shared = np.array([_shared(parts, case.parts) for case in self.cases])
        known = float(shared @ self._inverse @ shared)
        scale = self.stretch * math.sqrt(max(own - known, noise**2))
        return Expected(float(shared @ self._told), scale, degrees)


def left_out(cases: Sequence[Case]) -> list[LeftOut]:
    """Each case by a fit that saw none of its family; of many families several are left out."""
    families = list(dict.fromkeys(case.family for case in cases))
    groups = min(len(families), MOST_REFITS)
    group_of = {family: i % groups for i, family in enumerate(families)}
    fits = [Fit([c for c in cases if group_of[c.family] != group]) for group in range(groups)]
    found = []
    for case in cases:
        expected = fits[group_of[case.family]].expected(case.parts, case.noise)
        found.append(LeftOut(case.y - expected.median, expected))
    return found


def typical_factor(errors: Sequence[float], families: Sequence[str]) -> float:
    """Exp of the mean size of errors, families of one weight."""
    from joulecast.validating import scoring

    return scoring.typical_factor(_array(errors), scoring.family_weights(families))


def _array(values: Sequence[float]) -> Array:
    return np.array(values, dtype=float)


def _shared(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum(scale * other[name] for name, scale in one.items() if name in other)
