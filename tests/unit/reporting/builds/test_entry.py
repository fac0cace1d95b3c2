import json
from typing import Any

from tests.unit.reporting.builds.conftest import RUN


def test_a_build_is_remembered_with_data_code_parameters_metrics_and_gates(entry: dict[str, Any]) -> None:
    assert entry["data"]["rows"] == 7043
    assert entry["data"]["types"]["column 3"] == "float64"
    assert entry["code"] == {"version": "c0ffee" * 8, "changed": True, "lock": "beef" * 16, "parts": dict(RUN.code)}
    assert entry["parameters"]["threshold.cost_contact"] == 10.0
    assert entry["parameters"]["sensitive_features"] == ["female", "senior_citizen"]
    assert entry["metrics"]["test"]["roc_auc"] == [0.846, 0.824, 0.868]
    assert entry["metrics"]["train"]["roc_auc"] == [0.871, None, None]
    assert (entry["model"]["version"], entry["model"]["promoted"], entry["model"]["chosen"]) == (3, True, "ensemble")
    assert [gate["passed"] for gate in entry["gates"]] == [True] * 6 + [None]
    assert entry["seconds"] == {"06_select": 20.04, "11_register": 6.0}


def test_a_build_is_plain_json_of_a_bounded_size(entry: dict[str, Any]) -> None:
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry
    assert len(json.dumps(entry)) < 20_000


def test_texts_and_lists_of_names_are_cut(fill: Any) -> None:
    from gristmill.paths import ProjectPaths  # noqa: PLC0415
    from gristmill.reporting.builds.entry import MOST_LETTERS, MOST_NAMES, entry_of  # noqa: PLC0415
    from gristmill.reporting.record import read_record  # noqa: PLC0415

    root = fill(selection={"chosen": "x", "reason": "y" * 9000}, snapshot={"columns": {f"c{n}": "a" for n in range(5000)}})
    made = entry_of(read_record(ProjectPaths(root), "churn"), RUN)
    assert len(made["model"]["reason"]) == MOST_LETTERS
    assert (made["data"]["columns"], len(made["data"]["types"])) == (5000, MOST_NAMES)
