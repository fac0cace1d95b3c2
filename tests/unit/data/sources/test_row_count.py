"""The line that says how far a long read is."""

import io

import pyarrow as pa

from gristmill.data.sources.row_count import counted

BATCHES = [pa.record_batch({"a": range(1_000)})] * 4


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_rows_so_far_and_is_left_clean():
    terminal, seconds = Terminal(), iter([0.0, 1.0, 2.0, 2.1, 4.0])
    assert list(counted(BATCHES, "shop.csv", terminal, lambda: next(seconds))) == BATCHES
    assert terminal.getvalue() == (
        "\r\x1b[Kshop.csv: 2,000 rows so far, 1,000 a second\r\x1b[Kshop.csv: 4,000 rows so far, 1,000 a second\r\x1b[K"
    )


def test_a_short_read_says_nothing():
    terminal = Terminal()
    assert len(list(counted(BATCHES, "shop.csv", terminal, lambda: 0.0))) == 4
    assert terminal.getvalue() == ""


def test_where_no_terminal_is_nothing_is_shown():
    stream, seconds = io.StringIO(), iter(range(100))
    assert len(list(counted(BATCHES, "shop.csv", stream, lambda: next(seconds)))) == 4
    assert stream.getvalue() == ""
