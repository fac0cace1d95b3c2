"""What a snapshot suggests: types, limits with room, nothing that next month's ordinary rows would trip over (R5)."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract.evolution import merged


def test_types_are_told_from_the_rows(bench, customers, make_case):
    frame = customers.assign(
        day=customers["since"].dt.strftime("%d.%m.%Y"), note=[f"customer number {n} wrote a letter" for n in range(200)]
    )
    terms = bench.infer(frame, make_case(id_columns=["customer"]))
    assert {name: column.type for name, column in terms.columns.items()} == {
        "customer": "category", "spend": "number", "visits": "integer", "plan": "category", "member": "boolean", "since": "date",
        "y": "category", "day": "date", "note": "text",
    }  # fmt: skip
    assert terms.columns["day"].format == "%d.%m.%Y"


def test_limits_have_room_and_only_warn(bench, customers, make_case):
    terms = bench.infer(customers, make_case(id_columns=["customer"]), snapshot="ab" * 32)
    assert terms.snapshot == "abababababab"
    assert all(column.require.stated == {} for column in terms.columns.values())
    spend = terms.columns["spend"].expect
    assert spend.minimum < customers["spend"].min() - 10
    assert spend.maximum > customers["spend"].max() + 10
    assert spend.missing == pytest.approx(0.16)
    assert terms.columns["visits"].expect.minimum == 0
    assert terms.columns["plan"].expect.levels == ("basic", "plus", "pro")
    assert terms.columns["customer"].expect.stated == {"missing": 0.0, "unique": True}
    assert terms.columns["y"].expect.stated == {"levels": ("no", "yes")}
    assert terms.table.expect.rows == 100


def test_levels_that_are_many_or_rare_are_not_listed(bench, make_case):
    frame = pd.DataFrame({"city": [f"town {n % 40}" for n in range(200)], "y": ["yes", "no"] * 100})
    assert bench.infer(frame, make_case()).columns["city"].expect.levels is None


@pytest.mark.parametrize("seed", range(5))
def test_another_sample_of_the_same_population_breaks_nothing(bench, make_case, seed):
    random = np.random.default_rng(seed)

    def month(rows):
        return pd.DataFrame(
            {
                "amount": random.normal(100, 15, rows), "count": random.poisson(4, rows), "share": random.random(rows),
                "plan": random.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]),
                "gap": np.where(random.random(rows) < 0.05, np.nan, random.normal(size=rows)),
                "y": random.choice(["yes", "no"], rows),
            }
        )  # fmt: skip

    terms = bench.infer(month(2_000), make_case(), tolerant=True)
    assert bench.broken(month(1_800), terms, make_case()) == {}


def test_accepting_expects_duplicates_and_outliers_as_they_are(bench, customers, make_case):
    frame = pd.concat([customers, customers.head(20)]).reset_index(drop=True)
    frame["spend"] = frame["spend"].mask(frame.index % 20 == 1, 10_000)
    assert {"no duplicates", "outliers"} <= {rule for rule, _ in bench.broken(frame, None, make_case())}
    terms = merged(None, bench.infer(frame, make_case(), tolerant=True), [])
    assert bench.broken(frame, terms, make_case()) == {}


def test_a_column_without_values_and_a_constant_have_no_range(bench, make_case):
    frame = pd.DataFrame({"none": pd.Series([None] * 60, dtype="float64"), "same": 3, "a": range(60), "y": ["yes", "no"] * 30})
    terms = bench.infer(frame, make_case())
    assert terms.columns["none"].expect.stated == {"missing": 1.0}
    assert terms.columns["same"].expect.stated == {"missing": 0.01}


def test_numbers_near_the_largest_there_is_are_described(bench, make_case):
    frame = pd.DataFrame({"a": [-1.7e308, 1.7e308, np.inf] * 20, "y": ["yes", "no"] * 30})
    assert bench.infer(frame, make_case()).columns["a"].expect.maximum is None


def test_limits_far_from_zero_have_the_room_of_the_range_and_no_more(bench, make_case):
    frame = pd.DataFrame({"longitude": [-121.55, -120.60] * 30, "y": ["yes", "no"] * 30})
    limits = bench.infer(frame, make_case()).columns["longitude"].expect
    assert (limits.minimum, limits.maximum) == (-122.1, -120.1)
