"""The case file: what is accepted, what is refused, and in which words (R1, R59)."""

from pathlib import Path

import pytest

from gristmill.config.loading import load_case, load_stage_case, parse_case
from gristmill.errors import CaseFileError

MINIMAL = "name: small\ntask: binary\nsource: table.csv\ntarget: left\npositive_class: Yes\n"


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pipeline.yaml").touch()
    folder = tmp_path / "configs"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    return folder


def refusal(text: str) -> str:
    with pytest.raises(CaseFileError) as error:
        parse_case(text, "configs/small.yaml")
    return str(error.value)


def test_five_keys_are_a_whole_case():
    case = parse_case(MINIMAL, "configs/small.yaml")
    assert (case.source.uri, case.primary_metric, case.split_strategy, case.split.folds) == (
        "table.csv",
        "roc_auc",
        "stratified",
        5,
    )


def test_yes_is_a_class_and_not_a_boolean():
    assert parse_case(MINIMAL, "x").positive_class == "Yes"


@pytest.mark.parametrize(("written", "read"), [("1", "1"), ("true", "True"), ("0.5", "0.5"), ("'01'", "01")])
def test_a_class_is_read_as_its_text(written: str, read: str):
    assert parse_case(MINIMAL.replace("Yes", written), "x").positive_class == read


def test_an_unknown_key_is_refused_with_the_nearest_valid_one():
    assert "unknown key `traget`; did you mean 'target'?" in refusal(MINIMAL.replace("target", "traget"))


def test_an_unknown_key_deep_in_a_section_is_refused_with_the_nearest_valid_one():
    message = refusal(MINIMAL + "validation: {columns: {age: {minimun: 3}}}\n")
    assert "unknown key `validation.columns.age.minimun`; did you mean 'minimum'?" in message


def test_an_unknown_key_unlike_any_other_is_refused_with_all_valid_ones():
    assert "valid keys here: beta, capacity, cost_contact, cost_false_negative" in refusal(MINIMAL + "threshold: {zzz: 1}\n")


def test_every_problem_of_a_file_is_reported_at_once():
    message = refusal("name: small\ntask: binry\nsource: {}\n")
    assert message.count("\n  - ") == 3
    assert "`task`: input should be 'binary', 'multiclass' or 'regression', got 'binry'" in message


def test_a_key_that_stands_twice_is_refused():
    assert "configs/small.yaml:6: expected YAML, but the key 'name' stands twice" in refusal(MINIMAL + "name: other\n")


def test_broken_yaml_is_refused_with_its_line():
    assert refusal("name: [small\ntask: binary\n").startswith("configs/small.yaml:2: expected YAML")


@pytest.mark.parametrize("text", ["", "- a list\n", "only text\n"])
def test_a_file_that_is_no_mapping_is_refused(text: str):
    assert "expected a mapping of keys" in refusal(text)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (MINIMAL.replace("positive_class: Yes\n", ""), "a binary task needs `positive_class`"),
        (MINIMAL.replace("binary", "multiclass"), "`positive_class` has no meaning for a multiclass task"),
        (MINIMAL + "id_columns: [left]\n", "the target 'left' cannot be an identifier"),
        (MINIMAL + "split: {strategy: time}\n", "`split.strategy: time` needs `time_column`"),
        (MINIMAL + "split: {strategy: group}\n", "`split.strategy: group` needs `group_column`"),
        (MINIMAL + "split: {n_splits: 5, validation_size: 0.2}\n", "either `n_splits` or `validation_size`"),
        (MINIMAL + "split: {test_size: 1.5}\n", "`split.test_size`: input should be less than 1, got 1.5"),
        (MINIMAL + "evaluation: {success_criteria: {rmse: 1}}\n", "metric 'rmse' is not one of a binary task"),
        (
            MINIMAL + "evaluation: {success_criteria: {roc_auc: 85}}\n",
            "success_criteria.roc_auc`: this metric is between 0 and 1, got 85",
        ),
        (
            MINIMAL + "evaluation: {success_criteria: {brier: 1.5}}\n",
            "success_criteria.brier`: this metric is between 0 and 1, got 1.5",
        ),
        (MINIMAL + "evaluation: {success_criteria: {mcc: -2}}\n", "success_criteria.mcc`: this metric is between -1 and 1, got -2"),
        (
            MINIMAL + "evaluation: {success_criteria: {log_loss: -0.1}}\n",
            "success_criteria.log_loss`: this metric is at least 0, got -0.1",
        ),
        (
            MINIMAL + "evaluation: {success_criteria: {roc_auc: .nan}}\n",
            "success_criteria.roc_auc`: input should be a finite number",
        ),
        (MINIMAL + "training: {budget_seconds: .inf}\n", "`training.budget_seconds`: input should be a finite number, got inf"),
        (MINIMAL + "validation: {columns: {age: {minimum: .nan}}}\n", "`validation.columns.age.minimum`: input should be a finite"),
        (MINIMAL + "training: {random_state: -1}\n", "`training.random_state`: input should be greater than or equal to 0"),
        (MINIMAL + "split: {random_state: 4294967296}\n", "`split.random_state`: input should be less than or equal to 4294967295"),
        (MINIMAL + "training: {families: []}\n", "name at least one family"),
        (MINIMAL + "threshold: {rule: capacity}\n", "`threshold`: rule `capacity` needs a number for `capacity`"),
        (MINIMAL + "threshold: {rule: fbeta}\n", "`threshold`: rule `fbeta` needs a number for `beta`"),
        (MINIMAL + "threshold: {rule: cost, cost_false_positive: 1}\n", "rule `cost` needs a number for `cost_false_negative`"),
        (MINIMAL + "threshold: {rule: cost, cost_false_positive: 0, cost_false_negative: 0}\n", "both costs are 0"),
        (MINIMAL + "threshold: {beta: 2}\n", "`beta` belongs to rule `fbeta`, and the rule is `f1`"),
        *[
            (
                MINIMAL + f"threshold: {{rule: capacity, capacity: {wrong}}}\n",
                "expected a whole number of rows from 1 on, or a share",
            )
            for wrong in ("0", "-3", "1.0", "200.5", "many", "true")
        ],
        (MINIMAL + "threshold: {max_disparity: 0.1}\n", "`threshold.max_disparity` needs `sensitive_features`"),
        (
            MINIMAL + "sensitive_features: [age]\nthreshold: {rule: fixed, max_disparity: 0.1}\n",
            "a fixed `value` cannot be moved to keep `max_disparity`",
        ),
        (MINIMAL + "threshold: {disparity: selection_rate}\n", "`disparity` says what `max_disparity` limits"),
        (
            MINIMAL.replace("binary", "multiclass").replace("positive_class: Yes\n", "threshold: {rule: youden}\n"),
            "`threshold` decides between two classes and has no meaning for a multiclass task",
        ),
        (MINIMAL + "serving: {max_row_ms: 0}\n", "`serving.max_row_ms`: input should be greater than 0"),
        (MINIMAL.replace("small", "Bad Name"), "`name`: string should match pattern"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(changed: str, sentence: str):
    assert sentence in refusal(changed)


@pytest.mark.parametrize(
    ("task", "refused", "allowed"),
    [
        ("binary", ["truth", "prediction", "probability", "prediction_set"], ["Truth", "probability_gold", "lower", "upper"]),
        ("multiclass", ["truth", "prediction", "probability_gold", "prediction_set"], ["probability", "lower"]),
        ("regression", ["truth", "prediction", "lower", "upper"], ["probability", "prediction_set"]),
    ],
)
def test_an_id_column_called_as_a_column_of_predictions_is_refused(task: str, refused: list[str], allowed: list[str]):
    case = MINIMAL if task == "binary" else MINIMAL.replace("binary", task).replace("positive_class: Yes\n", "")
    for name in refused:
        message = refusal(f"{case}id_columns: [key, {name}]\n")
        assert f"the id column '{name}' has the name of a column of predictions" in message
        assert "rename it in the table, or by `source.query`" in message
    assert parse_case(f"{case}id_columns: [{', '.join(allowed)}]\n", "x").id_columns == tuple(allowed)


@pytest.mark.parametrize(("written", "read"), [("200", 200), ("1", 1), ("0.1", 0.1)])
def test_a_capacity_is_a_number_of_rows_or_a_share(written: str, read: float):
    capacity = parse_case(MINIMAL + f"threshold: {{rule: capacity, capacity: {written}}}\n", "x").threshold.capacity
    assert (capacity, type(capacity)) == (read, type(read))


def test_criteria_at_the_ends_of_their_ranges_are_taken():
    several = MINIMAL.replace("binary", "multiclass").replace("positive_class: Yes\n", "")
    criteria = "evaluation: {success_criteria: {roc_auc: 1, mcc: -1, brier: 2, log_loss: 7}}\n"
    assert parse_case(several + criteria, "x").evaluation.success_criteria["brier"] == 2
    number = "name: small\ntask: regression\nsource: a.csv\ntarget: y\nevaluation: {success_criteria: {r2: %s}}\n"
    assert parse_case(number % -3, "x").evaluation.success_criteria["r2"] == -3
    assert "success_criteria.r2`: this metric is at most 1, got 1.5" in refusal(number % 1.5)


def test_a_stratified_regression_is_refused():
    text = "name: small\ntask: regression\nsource: a.csv\ntarget: y\nsplit: {strategy: stratified}\n"
    assert "use `random` for a regression task" in refusal(text)


def test_a_case_that_does_not_exist_is_answered_with_the_nearest_one(configs: Path):
    (configs / "churn.yaml").write_text(MINIMAL)
    with pytest.raises(CaseFileError, match=r"configs/chrun\.yaml, but there is none; did you mean 'churn'\?"):
        load_case("chrun")


def test_a_case_file_under_another_name_is_refused(configs: Path):
    (configs / "other.yaml").write_text(MINIMAL)
    with pytest.raises(CaseFileError, match=r"says `name: small`; the name must be that of the file, 'other'"):
        load_case("other")


def test_a_case_file_that_is_not_utf8_is_refused(configs: Path):
    (configs / "small.yaml").write_bytes(MINIMAL.replace("left", "gr\xf6\xdfe").encode("latin-1"))
    with pytest.raises(CaseFileError, match="cannot be read as UTF-8"):
        load_case("small")


def test_a_byte_order_mark_does_not_hide_the_first_key(configs: Path):
    (configs / "small.yaml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load_case("small").name == "small"


def test_outside_a_project_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CaseFileError, match="inside a Gristmill project"):
        load_case("churn")


def test_a_case_cannot_be_changed_after_it_was_read():
    with pytest.raises(ValueError, match="frozen"):
        parse_case(MINIMAL, "x").name = "other"  # type: ignore[misc]


def test_the_columns_hidden_from_a_model_are_named_once(configs: Path):
    text = (
        MINIMAL
        + "id_columns: [id]\nsensitive_features: [age]\nfeatures: {exclude: [id, note]}\nfairness: {exclude_from_model: true}\n"
    )
    assert parse_case(text, "x").non_feature_columns == ("left", "id", "note", "age")


def test_a_stage_sees_the_keys_it_declares(configs: Path):
    (configs / "small.yaml").write_text(MINIMAL)
    assert load_stage_case("small", "01_ingest").source.uri == "table.csv"


def test_a_stage_that_reads_an_undeclared_key_is_told_to_declare_it(configs: Path):
    (configs / "small.yaml").write_text(MINIMAL)
    with pytest.raises(AttributeError, match=r"01_ingest reads 'training' .*READS does not say so"):
        _ = load_stage_case("small", "01_ingest").training


def test_a_derived_value_counts_as_reading_its_keys(configs: Path):
    (configs / "small.yaml").write_text(MINIMAL)
    with pytest.raises(AttributeError, match="reads 'task'"):
        _ = load_stage_case("small", "01_ingest").primary_metric


def test_a_stage_that_does_not_exist_is_refused(configs: Path):
    (configs / "small.yaml").write_text(MINIMAL)
    with pytest.raises(CaseFileError, match="01_ingest"):
        load_stage_case("small", "99_dream")


def test_a_mitigation_that_is_not_known_is_refused_with_those_that_are():
    message = refusal(MINIMAL + "sensitive_features: [sex]\nfairness: {mitigation: fairer}\n")
    assert "`fairness.mitigation: fairer` is not one of those for a binary task: none, reweighing 0.5, reweighing 1" in message
    assert "gradient opportunity" in message


def test_a_mitigation_of_two_classes_is_refused_for_numbers_and_one_without_groups_always():
    numbers = MINIMAL.replace("binary", "regression").replace("positive_class: Yes\n", "") + "sensitive_features: [sex]\n"
    assert "for a regression task: none, reweighing 0.5" in refusal(numbers + "fairness: {mitigation: thresholds selection 1}\n")
    assert parse_case(numbers + "fairness: {mitigation: reweighing 0.5}\n", "x").fairness.mitigation == "reweighing 0.5"
    assert "needs `sensitive_features`" in refusal(MINIMAL + "fairness: {mitigation: reweighing 1}\n")
