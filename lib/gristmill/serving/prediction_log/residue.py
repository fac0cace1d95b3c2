"""Whether the bytes of a file hold one of the texts given on the standard input, one a line: prints how many of them do."""

import sys
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 16 * 2**20


def residues(file: Path, marks: list[bytes]) -> int:
    """Return how many of ``marks`` stand in ``file``, wherever; the file is read in pieces."""
    found: set[bytes] = set()
    for piece in _pieces(file, max(map(len, marks), default=1)):
        found.update(mark for mark in marks if mark not in found and mark in piece)
    return len(found)


def _pieces(file: Path, longest: int) -> Iterator[bytes]:
    """Give pieces of a file that overlap, so that no mark is cut in all of them."""
    end = b""
    with file.open("rb") as opened:
        while read := opened.read(_CHUNK):
            piece = end + read
            yield piece
            end = piece[-(longest - 1) :] if longest > 1 else b""


if __name__ == "__main__":
    sys.stdout.write(f"{residues(Path(sys.argv[1]), sys.stdin.read().encode().splitlines())}\n")
