"""Build src/joulecast/scores.npy: the table of standard-normal scores every range is drawn from.

    python tools/build_scores.py

A scrambled Sobol set of 4,096 points in one dimension per column, turned into normal scores.
Columns only ever get appended: dimension k of a Sobol set does not depend on those after it, and
each column is scrambled from its own number, so the draws of one input never change because
another was added.  A column with longer tails holds the draws of another one as scores of
Student's t with 4 degrees of freedom, level with the normal ones at 5, 50 and 95 %.  The file is
the same bytes on every machine with the SciPy named in the log.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import typer
from scipy import special, stats
from scipy.stats import qmc

from joulecast.uncertainty import COLUMNS, FARTHEST, NORMAL_OF, Z95

OUT = Path(__file__).parents[1] / "src" / "joulecast" / "scores.npy"
LOG2_DRAWS = 12
SEED = 20260


def table(columns: int = len(COLUMNS)) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Scores [column, draw] as shipped."""
    plain = qmc.Sobol(columns, scramble=False, bits=32).random_base2(LOG2_DRAWS)
    integers = np.round(plain * 2.0**32).astype(np.uint64)
    scores = np.empty((columns, 2**LOG2_DRAWS), dtype=np.float32)
    for column in range(columns):
        uniform = _owen_scrambled(integers[:, column], SEED + column)
        scores[column] = special.ndtri(uniform)
        if (normal := NORMAL_OF.get(COLUMNS[column])) is not None:
            like = special.ndtr(scores[COLUMNS.index(normal)].astype(np.float64))
            tailed = stats.t.ppf(like, 4) * (Z95 / stats.t.ppf(0.95, 4))
            scores[column] = np.clip(tailed, -FARTHEST, FARTHEST)
    return scores


def _owen_scrambled(
    points: np.ndarray[tuple[int, ...], np.dtype[np.uint64]], seed: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Nested uniform scramble (Owen 1995) of one dimension, 32 bits deep, from one seed.

    Bit b of a point is flipped by a coin that depends on the b bits before it.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    out = np.zeros_like(points)
    for bit in range(32):
        prefix = points >> np.uint64(32 - bit)
        _, groups = np.unique(prefix, return_inverse=True)
        coins = generator.integers(0, 2, size=int(groups.max()) + 1, dtype=np.uint64)
        mine = (points >> np.uint64(31 - bit)) & np.uint64(1)
        out = (out << np.uint64(1)) | (mine ^ coins[groups])
    return (out.astype(np.float64) + 0.5) / 2.0**32


def main(out: Path = OUT) -> None:
    """Write the table."""
    scores = table()
    np.save(out, scores)
    print(f"wrote {out}: {scores.shape[0]} columns x {scores.shape[1]} draws")


if __name__ == "__main__":
    typer.run(main)
