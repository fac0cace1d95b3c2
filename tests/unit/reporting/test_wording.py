import pytest

from gristmill.reporting.wording import apart, called_positive, count, figure, interval, metric_label, moment, plain, share, shorten


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.84631, "0.846"),
        (0.0000123, "0.000012"),
        (12.345, "12.35"),
        (123.45, "123.5"),
        (61234.4, "61,234"),
        (7043, "7,043"),
        (-0.5, "\u22120.500"),
        (float("nan"), "\u2013"),
        (None, "\u2013"),
        (True, "yes"),
        ("as is", "as is"),
    ],
)
def test_numbers_have_as_many_decimals_as_their_size_needs(value: object, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.8, "0.8"), (100.0, "100"), (0.95, "0.95"), (1000, "1,000"), (20000.0, "20,000")])
def test_limits_have_no_needless_zeros(value: float, text: str) -> None:
    assert plain(value) == text


def test_thousands_are_parted_by_commas() -> None:
    assert (count(999), count(9999), count(10000), count(-8295)) == ("999", "9,999", "10,000", "\u22128,295")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-11-21T14:40:58+00:00", "2026-11-21 14:40 UTC"),
        ("2026-11-21T14:40:58+02:00", "2026-11-21 12:40 UTC"),
        ("2026-11-21", "2026-11-21 00:00 UTC"),
        ("long ago", "long ago"),
    ],
)
def test_times_are_written_for_people(value: str, text: str) -> None:
    assert moment(value) == text


def test_a_number_is_written_apart_from_what_it_is_compared_with() -> None:
    assert apart(0.79996, 0.8) == ("0.79996", "0.8")
    assert apart(1.0, 1.0) == ("1", "1")


def test_an_unknown_end_leaves_no_interval() -> None:
    assert interval(0.1, None) == ""
    assert interval(0.1, 0.2) == "0.100\u20130.200"


@pytest.mark.parametrize(
    ("value", "digits", "text"), [(0.265, 1, "26.5 %"), (0.00001, 0, "<1 %"), (0, 0, "0 %"), (None, 0, "\u2013")]
)
def test_shares_are_percentages(value: object, digits: int, text: str) -> None:
    assert share(value, digits) == text


@pytest.mark.parametrize(
    ("name", "label"), [("roc_auc", "ROC-AUC"), ("success_roc_auc", "Success ROC-AUC"), ("disparate_impact", "Disparate impact")]
)
def test_metrics_have_their_established_names(name: str, label: str) -> None:
    assert metric_label(name) == label


def test_long_names_lose_their_middle_and_line_breaks() -> None:
    assert shorten("a\nb") == "a b"
    assert len(shorten("x" * 90, 32)) == 32
    assert shorten("start " + "x" * 90 + " end").endswith(" end")


def test_a_threshold_beyond_every_probability_calls_no_row_positive() -> None:
    assert called_positive(1.0) == "positive from a probability of 1.000 on"
    assert called_positive(1.0000000000000002) == "no row is called positive"
