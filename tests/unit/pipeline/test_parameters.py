"""A notebook's parameters are typed and strict."""

import pytest

from gristmill.errors import ParameterError
from gristmill.pipeline.definition import Cell
from gristmill.pipeline.parameters import check_parameters

CODE = 'upstream = None\ncase = "churn"\nrows = 10\nshare: float = 0.5\nnames: list[str] | None = None\nquick = False'
CELLS = [Cell("markdown", "# x", ()), Cell("code", CODE, ("parameters",)), Cell("code", "other = 1", ())]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"case": "x"},
        {"rows": 3},
        {"share": 1},
        {"share": 0.1},
        {"names": ["a"]},
        {"names": None},
        {"quick": True},
        {"upstream": {"a": 1}},
    ],
)
def test_what_fits_is_taken(given: dict):
    check_parameters("05_train_linear", CELLS, given)


def test_an_unknown_parameter_is_refused_with_those_that_exist():
    with pytest.raises(ParameterError, match=r"no parameter 'other' \(it has: upstream, case, rows, share, names, quick\)"):
        check_parameters("05_train_linear", CELLS, {"other": 1})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"case": 3}, "'case' of the notebook n must be str, got 3"),
        ({"rows": "3"}, "'rows' of the notebook n must be int, got '3'"),
        ({"rows": True}, "'rows' of the notebook n must be int, got True"),
        ({"share": "x"}, "'share' of the notebook n must be float"),
        ({"names": "a"}, "'names' of the notebook n must be list or None"),
        ({"quick": 1}, "'quick' of the notebook n must be bool"),
    ],
)
def test_an_ill_typed_parameter_is_refused(given: dict, expected: str):
    with pytest.raises(ParameterError, match=expected):
        check_parameters("n", CELLS, given)
