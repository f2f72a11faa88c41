"""What a formula takes and gives: a number, or an array of them (draws, a sweep)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = float | Array
