"""Compressed files, opened with an eye on how far they unfold: a few kilobytes may hold a full disk."""

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from gristmill.errors import SourceError

FREE_BYTES = 1 << 26
"""What any compressed file may unfold to (64 MB)."""

MOST_TIMES = 200
"""Beyond that, how many times its own size; text shrinks 5 to 50 times, a bomb a thousand times."""


def _refuse_bomb(path: Path, unfolded: int) -> None:
    """Stop when ``path`` has unfolded to ``unfolded`` bytes and that is more than a table would."""
    if unfolded > max(FREE_BYTES, MOST_TIMES * path.stat().st_size):
        raise SourceError(
            f"{path} unfolds to more than {MOST_TIMES} times its size ({unfolded / 2**20:,.0f} MB so far), which no table of "
            "values does; it may be a trap. Unpack it yourself and name the unpacked file if you trust it."
        )


class _Watched(gzip.GzipFile):
    """A gzip stream that stops when it unfolds beyond reason."""

    def __init__(self, path: Path) -> None:
        super().__init__(filename=path, mode="rb")
        self._path = path

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size if size is not None else -1)
        _refuse_bomb(self._path, self.tell())
        return content

    def read1(self, size: int = -1) -> bytes:
        content = super().read1(size)
        _refuse_bomb(self._path, self.tell())
        return content


def open_bytes(path: Path) -> BinaryIO:
    """Open a plain or gzipped file for reading bytes.

    Raises
    ------
    SourceError
        While reading: the file unfolds to far more than a table would.
    """
    return _Watched(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def check_gzip(path: Path) -> None:
    """Unfold a gzipped file once, keeping nothing, before a reader that does not watch is given it.

    Raises
    ------
    SourceError
        It is cut off or damaged, or unfolds to far more than a table would.
    """
    try:
        with open_bytes(path) as file:
            while file.read(1 << 22):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> SourceError:
    """Return what to say of a gzipped file that does not unfold."""
    return SourceError(f"{path} cannot be unpacked: {error}. It is cut off or damaged; copy or write it again.")


def check_zip(path: Path) -> None:
    """Look at the sizes that a zip archive states; its reader gives no more than those.

    Raises
    ------
    zipfile.BadZipFile
        It is no such archive.
    SourceError
        It unfolds to far more than a table would.
    """
    with zipfile.ZipFile(path) as archive:
        _refuse_bomb(path, sum(member.file_size for member in archive.infolist()))
