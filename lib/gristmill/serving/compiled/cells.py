"""The cells of rows in the form that every part of a compiled model reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass
class Cells:
    """The row-wise features of some rows.

    Attributes
    ----------
    numbers
        Numbers, flags and parts of dates; not-a-number where missing. Shape ``(n_rows, n_numbers)``.
    codes
        Place of each level in its feature's vocabulary; the length of the vocabulary for one that is not in it. Shape
        ``(n_rows, n_levels)``.
    """

    numbers: Floats
    codes: Places
