"""LightGBM's own library, called directly: its Python package takes longer to ask for one row than the trees take to answer.

Only the functions of its C interface (``LightGBM/c_api.h``, version 4) that answer are used. A text is looked through by
:func:`gristmill.modeling.families.lightgbm_text.verify` before LightGBM, which trusts whatever it reads, gets it.
"""

import ctypes
import functools
import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.errors import ArtifactError

FLOAT64, RAW, ROW_MAJOR = 1, 1, 1
"""Constants of the C interface: the type of the numbers, the kind of answer, the order of the matrix."""

FEW_ROWS = 2_000
"""Rows up to which one thread answers: waking a second one costs more than it saves."""

Floats = NDArray[np.float64]


@functools.cache
def _library() -> ctypes.CDLL:
    """Return the library that the installed package brings."""
    found = importlib.util.find_spec("lightgbm")
    folders = [Path(folder) for folder in (found.submodule_search_locations or ())] if found else []
    for path in (folder / part / name for folder in folders for part in ("lib", "bin") for name in _NAMES):
        if path.is_file():
            library = ctypes.CDLL(str(path))
            library.LGBM_GetLastError.restype = ctypes.c_char_p
            return library
    raise ArtifactError("The model has trees, which LightGBM's library answers for, and it is not installed. Run `make setup`.")


_NAMES = ("lib_lightgbm.so", "lib_lightgbm.dylib", "lib_lightgbm.dll")


class Trees:
    """A model of LightGBM, ready to answer rows; several threads may ask at a time.

    Parameters
    ----------
    text
        The model's text, looked through.
    n_columns, n_outputs
        Columns it reads, and numbers it answers for a row.

    Raises
    ------
    ArtifactError
        LightGBM refuses the text, or is not installed.
    """

    def __init__(self, text: str, n_columns: int, n_outputs: int) -> None:
        self._library = _library()
        self._handle, self._fast = ctypes.c_void_p(), ctypes.c_void_p()
        self.n_columns, self.n_outputs = n_columns, n_outputs
        rounds = ctypes.c_int()
        self._call("LGBM_BoosterLoadModelFromString", text.encode(), ctypes.byref(rounds), ctypes.byref(self._handle))
        self._call(
            "LGBM_BoosterPredictForMatSingleRowFastInit", self._handle, RAW, 0, -1, FLOAT64, ctypes.c_int32(n_columns),
            b"num_threads=1", ctypes.byref(self._fast),
        )  # fmt: skip
        self._own = threading.local()
        self._ask = self._library.LGBM_BoosterPredictForMatSingleRowFast

    def one(self, row: Floats) -> Floats:
        """Return the raw answers for one row, shape ``(n_outputs,)``."""
        own = self._own
        try:
            given, said, places = own.buffers
        except AttributeError:  # the first row of this thread; the places keep what they point to alive
            given, said, length = np.empty(self.n_columns), np.empty(self.n_outputs), ctypes.c_int64()
            places = (self._fast, given.ctypes.data_as(ctypes.c_void_p), ctypes.byref(length), said.ctypes.data_as(ctypes.c_void_p))
            own.buffers = given, said, places
        given[:] = row
        if self._ask(*places):
            self._refuse()
        return np.array(said)

    def many(self, X: Floats, n_threads: int = 1) -> Floats:
        """Return the raw answers for rows, shape ``(n_rows, n_outputs)``."""
        table = np.ascontiguousarray(X, dtype=np.float64)
        said, length = np.empty((len(table), self.n_outputs)), ctypes.c_int64()
        self._call(
            "LGBM_BoosterPredictForMat", self._handle, table.ctypes.data_as(ctypes.c_void_p), FLOAT64,
            ctypes.c_int32(len(table)), ctypes.c_int32(self.n_columns), ROW_MAJOR, RAW, 0, -1,
            f"num_threads={n_threads}".encode(), ctypes.byref(length), said.ctypes.data_as(ctypes.c_void_p),
        )  # fmt: skip
        return said

    def _call(self, name: str, *arguments: Any) -> None:
        """Call a function of the library."""
        if getattr(self._library, name)(*arguments):
            self._refuse()

    def _refuse(self) -> None:
        """Raise what the library says is wrong."""
        said = self._library.LGBM_GetLastError().decode(errors="replace")
        raise ArtifactError(f"LightGBM cannot answer for the trees of the model: {said}. Build the case again.")

    def __del__(self) -> None:
        """Give the memory back."""
        library = getattr(self, "_library", None)
        if library is not None:
            if self._fast:
                library.LGBM_FastConfigFree(self._fast)
            if self._handle:
                library.LGBM_BoosterFree(self._handle)
