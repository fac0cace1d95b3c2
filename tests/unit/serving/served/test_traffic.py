"""Which version answers whom (R34)."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gristmill.serving.served.traffic import CHALLENGER, CHAMPION, LineUp, point, sticky_key

ONE: Any = SimpleNamespace(version=1)
TWO: Any = SimpleNamespace(version=2)


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_who_is_with_the_challenger_stays_there_when_its_share_grows(user: str, first: float, second: float):
    low, high = sorted((first, second))
    before, after = (LineUp("m", 1, ONE, TWO, share).answering(user)[0] for share in (low, high))
    assert (before, after) != (CHALLENGER, CHAMPION)


@given(st.text())
def test_a_share_of_all_is_everybody_and_the_shadow_answers_nobody(user: str):
    assert LineUp("m", 1, ONE, TWO, 1.0).answering(user) == (CHALLENGER, TWO)
    assert LineUp("m", 1, ONE, TWO, 1.0, shadow=True).answering(user) == (CHAMPION, ONE)
    assert LineUp("m", 1, ONE).answering(user) == (CHAMPION, ONE)


def test_users_are_spread_evenly_and_otherwise_for_another_model():
    points = [point(f"user {number}", "m") for number in range(4000)]
    tenths = [sum(1 for one in points if tenth <= 10 * one < tenth + 1) for tenth in range(10)]
    assert min(tenths) > 330
    assert max(tenths) < 470
    assert point("user 1", "m") != point("user 1", "n")


def test_a_user_is_the_header_else_what_names_the_first_row_else_the_request():
    row = {"shop": 7, "customer": "a", "tenure": 1}
    assert sticky_key("mine", [row], ["customer"], "request") == "mine"
    assert sticky_key(None, [row, {}], ["shop", "customer"], "request") == "7\x1fa"
    assert sticky_key(None, [{"customer": None}], ["customer"], "request") == "request"


def test_a_user_is_the_same_however_the_number_of_the_id_is_written():
    assert {
        sticky_key(None, [{"customer": value}], ["customer"], "request") for value in (987654, 987654.0, 9.87654e5, "987654")
    } == {"987654"}


def test_versions_are_told_with_their_roles():
    assert LineUp("m", 1, ONE, TWO).versions == {1: (CHAMPION, ONE), 2: (CHALLENGER, TWO)}
    assert LineUp("m", 1, ONE, ONE).versions == {1: (CHAMPION, ONE)}
