"""Numbers as people write them into delimited text, as numbers."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

_COMMA = r"^[+-]?([1-9][0-9]{0,2}(\.[0-9]{3})+|0|[1-9][0-9]*)(,[0-9]+)?$"
"""A number with a comma before its fraction, and points between thousands or none."""


def numbers_of(texts: "pa.Array", *, comma: bool = False) -> tuple["pa.Array", NDArray[np.int64]]:
    """Return texts as numbers, correctly rounded, and the places of those that are none (they are missing in the numbers).

    Parameters
    ----------
    texts
        Arrow array of text.
    comma
        Whether a comma stands before fractions.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    trimmed = pc.utf8_trim_whitespace(texts)
    trimmed = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    if comma:
        trimmed = _with_point(trimmed)
    for wanted in (pa.int64(), pa.float64()):
        try:
            return trimmed.cast(wanted), np.empty(0, dtype=np.int64)
        except pa.ArrowInvalid:
            continue
    known = pd.to_numeric(trimmed.to_pandas(), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    missing = trimmed.is_null().to_numpy(zero_copy_only=False)
    written_nan = pc.fill_null(pc.equal(pc.utf8_lower(trimmed), "nan"), pa.scalar(False))  # noqa: FBT003
    written_nan = written_nan.to_numpy(zero_copy_only=False)
    bad = np.isnan(known) & ~missing & ~written_nan
    return _exactly(trimmed, known, bad | missing), np.flatnonzero(bad)


def misfits(texts: "pa.Array", *, comma: bool) -> int:
    """Return how many texts are no numbers."""
    return len(numbers_of(texts, comma=comma)[1])


def _exactly(texts: "pa.Array", known: NDArray[np.float64], left_out: NDArray[np.bool_]) -> "pa.Array":
    """Return numbers as Arrow reads them, which rounds correctly, and as pandas does where Arrow cannot."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    try:
        return pc.if_else(pa.array(left_out), None, texts).cast(pa.float64())
    except pa.ArrowInvalid:
        return pa.array(known, mask=left_out)


def _with_point(texts: "pa.Array") -> "pa.Array":
    """Return numbers that are written with a comma as if with a point; what is none of these becomes text that is no number."""
    import pyarrow.compute as pc  # noqa: PLC0415

    fits = pc.match_substring_regex(texts, _COMMA)
    plain = pc.replace_substring(pc.replace_substring(texts, ".", ""), ",", ".")
    return pc.if_else(fits, plain, pc.binary_join_element_wise("no number: ", texts, ""))
