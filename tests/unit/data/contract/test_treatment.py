"""What 02 says about gaps and outliers, and which policies a table can have."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract.schema import infer
from gristmill.data.contract.treatment import limits_of, overview, settings, settings_in_words
from gristmill.errors import DataError


def test_quartiles_and_their_distance_set_the_limits():
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan, np.inf])
    assert limits_of(values, "iqr", 1.5, 0.01, 0.99) == (-2.0, 6.0)
    assert limits_of(values, "quantile", 3.0, 0.25, 0.75) == (1.0, 3.0)


@pytest.mark.parametrize("values", [[], [np.nan, np.inf], [5.0] * 9, [0.0] * 99 + [1.0]])
def test_a_column_whose_limits_would_coincide_has_none(values):
    for method in ("iqr", "quantile"):
        assert limits_of(np.array(values), method, 3.0, 0.01, 0.99) == (-np.inf, np.inf)


def test_a_policy_for_a_column_the_table_does_not_have_is_refused_with_the_nearest(customers, make_case):
    with pytest.raises(DataError, match=r"`features.columns` .* names the column 'spent', .* did you mean 'spend'"):
        infer(customers, make_case(features={"columns": {"spent": {"missing": "mean"}}}))


@pytest.mark.parametrize("hidden", ["customer", "y", "plan"])
def test_a_policy_for_a_column_the_model_does_not_see_is_refused(customers, make_case, hidden):
    case = make_case(id_columns=["customer"], features={"exclude": ["plan"], "columns": {hidden: {"indicator": False}}})
    with pytest.raises(DataError, match=f"names the column '{hidden}', which the model does not see"):
        infer(customers, case)


def test_a_policy_that_a_columns_kind_does_not_have_is_refused(customers, make_case):
    case = make_case(features={"columns": {"plan": {"missing": "median"}}})
    with pytest.raises(DataError, match=r"`features.columns.plan` of the case 'small': `missing: median` is not for a categorical"):
        infer(customers, case)


def test_the_overview_counts_gaps_infinities_and_outliers(customers, make_case):
    frame = customers.assign(visits=customers["visits"].astype(float))
    frame.loc[[1, 2, 3], "visits"] = [np.inf, -np.inf, 1000.0]
    frame.loc[:4, "plan"] = None
    case = make_case(features={"outliers": {"numeric": "clip"}, "columns": {"plan": {"missing": "most_frequent"}}})
    table = overview(frame, case, infer(frame, case))
    assert table.loc["visits", ["missing", "infinite", "outliers"]].tolist() == [2, 2, 1]
    assert table.loc["visits", "outliers are"] == "clipped beyond 3 interquartile ranges"
    assert table.loc["spend", "missing"] == 20
    assert table.loc["plan", ["missing", "a missing value becomes"]].tolist() == [
        5,
        "the most frequent value, and the model is told",
    ]
    assert pd.isna(table.loc["since", "outliers"])


def test_the_policy_is_said_in_words_and_as_parameters(make_case):
    features = make_case(features={"missing": {"numeric": "mean"}, "columns": {"a": {"outliers": "clip"}}}).features
    assert settings_in_words(features) == (
        "Missing values: numeric *mean*, categorical *level*, boolean *native*, date *native*, text *empty*. Outliers: *keep*; "
        "columns with a policy of their own: 1."
    )
    assert settings(features)["missing_numeric"] == "mean"
    assert settings(features)["columns_treated"] == "{'a': {'outliers': 'clip'}}"
