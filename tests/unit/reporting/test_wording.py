import pytest

from gristmill.reporting.wording import called_positive, count, figure, interval, metric_label, plain, share, shorten


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.84631, "0.846"),
        (0.0000123, "0.000012"),
        (12.345, "12.35"),
        (123.45, "123.5"),
        (61234.4, "61\u2009234"),
        (7043, "7043"),
        (-0.5, "\u22120.500"),
        (float("nan"), "\u2013"),
        (None, "\u2013"),
        (True, "yes"),
        ("as is", "as is"),
    ],
)
def test_numbers_have_as_many_decimals_as_their_size_needs(value: object, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.8, "0.8"), (100.0, "100"), (0.95, "0.95"), (1000, "1000"), (20000.0, "20\u2009000")]
)
def test_limits_have_no_needless_zeros(value: float, text: str) -> None:
    assert plain(value) == text


def test_thousands_are_parted_from_five_digits_on() -> None:
    assert (count(9999), count(10000)) == ("9999", "10\u2009000")


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
