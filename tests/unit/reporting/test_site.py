from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.unit.reporting.conftest import CASE_FILE, HOSTILE, products
from tests.unit.reporting.pages import References

from gristmill.config.stages import READS
from gristmill.paths import ProjectPaths
from gristmill.reporting import site
from gristmill.reporting.record import read_record
from gristmill.reporting.site import write_site
from gristmill.reporting.summary import fairness_rows
from gristmill.reporting.wording import UNKNOWN

Fill = Callable[..., Path]


def case_page(root: Path, statuses: dict[str, str] | None = None) -> References:
    return References(write_site(root, "churn", statuses).read_text(encoding="utf-8"))


def test_every_page_loads_nothing_from_the_network(fill: Fill) -> None:
    root = fill()
    write_site(root, "churn")
    pages = list((root / "reports").rglob("*.html"))
    assert len(pages) == len(READS) + 5
    assert {page.name: References(page.read_text(encoding="utf-8")).remote for page in pages} == {page.name: [] for page in pages}


def test_the_headline_states_the_primary_metric_with_its_interval_and_baseline(fill: Fill) -> None:
    text = case_page(fill()).text
    assert "ROC-AUC 0.846 0.824\u20130.868 (95 % interval) baseline 0.500" in text
    assert text.index("ROC-AUC") < text.index("PR-AUC") < text.index("Brier")


def test_every_stage_of_the_picture_leads_to_its_report(fill: Fill) -> None:
    links = case_page(fill()).links
    assert all(links.count(f"{stage}.html") == 2 for stage in READS)  # once in the picture, once in the table


def test_links_within_the_site_lead_to_files_that_exist(fill: Fill) -> None:
    root = fill()
    index = write_site(root, "churn")
    reports = root / "reports"
    for page in (
        index,
        reports / "index.html",
        reports / "search.html",
        index.with_name("design.html"),
        index.with_name("builds.html"),
    ):
        local = [link for link in References(page.read_text(encoding="utf-8")).links if not link.startswith("#")]
        assert [link for link in local if not (page.parent / link.partition("#")[0]).is_file()] == []


def test_a_promoted_model_is_said_to_be_in_production(fill: Fill) -> None:
    page = case_page(fill())
    assert "\u2713 In production: version 3" in page.text
    assert "6 of 6 passed" in page.text


def test_a_failed_gate_is_named_with_value_and_limit(fill: Fill) -> None:
    registration = products()["registration"]
    registration["gates"][4].update(passed=False, value=0.61)
    text = case_page(fill(registration=registration)).text
    assert "\u2717 1 gate failed" in text
    assert "Disparate impact is 0.61 where the limit is \u2265 0.8" in text


def test_a_gate_says_in_words_what_is_compared_and_which_way(fill: Fill) -> None:
    assert "Completeness What completeness means 0.998 \u2265 0.95" in case_page(fill()).text


def test_without_a_registration_the_gates_of_the_metrics_are_shown(fill: Fill) -> None:
    assert "Completeness 0.998 0.95" in case_page(fill(without=("registration",))).text


def test_a_gate_that_was_not_measured_is_not_counted_as_passed(fill: Fill) -> None:
    text = case_page(fill()).text
    assert "Throughput Not by a build. not measured" in text
    assert "6 of 6 passed" in text


def test_a_failed_stage_is_named_and_those_after_it_have_no_report(fill: Fill) -> None:
    later = tuple(stage for stage in READS if stage >= "08")
    root = fill(without=(*later, "metrics", "registration", "explanation", "fairness"))
    text = case_page(root, {"07_evaluate": "errored", **dict.fromkeys(later, "aborted")}).text
    assert "\u2717 Stopped at 07 Evaluate" in text
    assert "07 Evaluate stopped with an error" in text
    assert text.count("no report yet") == len(later)


def test_a_stage_that_was_not_reached_says_that_its_report_is_older(fill: Fill) -> None:
    page = case_page(fill(), {"07_evaluate": "errored", "08_explain": "aborted"})
    assert "not reached; its report is of an earlier build" in page.text
    assert page.links.count("08_explain.html") == 2


@pytest.mark.parametrize("absent", sorted(products()))
def test_a_product_that_is_absent_leaves_a_page_that_can_be_read(fill: Fill, absent: str) -> None:
    page = case_page(fill(without=(absent,)))
    assert page.text.count("churn") > 1
    assert "None" not in page.text


def test_without_any_product_the_page_says_where_each_part_comes_from(project: Path) -> None:
    text = case_page(project).text
    assert "Not built yet" in text
    for words in ("no test metrics yet. Stage 07 Evaluate", "not evaluated yet. Stage 11 Register", "Stage 06 Select writes it"):
        assert words in text


def test_a_product_that_is_not_json_counts_as_absent(fill: Fill) -> None:
    root = fill()
    (root / "artifacts" / "churn" / "selection.json").write_text("{half", encoding="utf-8")
    assert "No model was chosen yet" in case_page(root).text


def test_names_with_markup_are_shown_and_never_run(fill: Fill) -> None:
    registration, selection = products()["registration"], products()["selection"]
    registration["gates"][0]["name"] = HOSTILE
    selection.update(reason=HOSTILE, chosen=HOSTILE, weights={HOSTILE: 1.0})
    explanation = {"shap": [{"feature": HOSTILE, "mean_abs": 1.0}]}
    page = case_page(fill(registration=registration, selection=selection, explanation=explanation))
    assert page.text.count('<script>alert("x")</script>') >= 4
    assert "script" not in page.tags


def test_an_infinite_disparity_is_told_apart_from_one_that_is_unknown(fill: Fill) -> None:
    infinite = {"value": None, "feature": "female", "groups": ["0", "1"]}
    unknown = {"value": None, "feature": "region", "groups": []}
    root = fill(fairness={"measures": {"error_ratio": infinite, "disparate_impact": unknown}})
    assert [row["value"] for row in fairness_rows(read_record(ProjectPaths(root), "churn"))] == ["infinite", UNKNOWN]
    assert "Error ratio infinite" in case_page(root).text


def test_the_same_products_give_the_same_bytes(fill: Fill) -> None:
    root = fill()
    first = write_site(root, "churn", {}).read_bytes()
    design = (root / "reports" / "churn" / "design.html").read_bytes()
    assert write_site(root, "churn", dict.fromkeys(READS, "skipped")).read_bytes() == first
    assert (root / "reports" / "churn" / "design.html").read_bytes() == design


def test_a_page_that_would_not_change_is_left_alone(fill: Fill) -> None:
    root = fill()
    stamp = write_site(root, "churn").stat().st_mtime_ns
    assert write_site(root, "churn").stat().st_mtime_ns == stamp


def test_builds_of_two_cases_may_write_a_page_over_all_cases_at_once(tmp_path: Path) -> None:
    page = tmp_path / "reports" / "index.html"
    texts = [str(number) * 100_000 for number in range(4)]
    with ThreadPoolExecutor(len(texts)) as pool:
        list(pool.map(lambda text: site._write(page, text), texts * 10))
    assert page.read_text(encoding="utf-8") in texts
    assert [file.name for file in page.parent.iterdir()] == ["index.html"]


def test_the_index_lists_every_case_and_how_it_stands(fill: Fill) -> None:
    root = fill()
    (root / "configs" / "later.yaml").write_text(CASE_FILE.replace("name: churn", "name: later"), encoding="utf-8")
    (root / "configs" / "wrong.yaml").write_text("name: wrong\nsorce: x\n", encoding="utf-8")
    write_site(root, "churn")
    page = References((root / "reports" / "index.html").read_text(encoding="utf-8"))
    assert "churn/index.html" in page.links
    assert "ploomber build --env--case later" in page.text
    assert "The case file is wrong" in page.text
    assert page.text.index("churn") < page.text.index("later")


def test_a_family_switched_off_is_drawn_as_off(fill: Fill) -> None:
    page = write_site(fill(), "churn").read_text(encoding="utf-8")
    assert page.count('<g class="off"') == 1
    assert page.count('<g class="done"') == len(READS) - 1


def test_provenance_names_data_code_model_and_test_uses(fill: Fill) -> None:
    text = case_page(fill()).text
    for words in (
        "Data version 9f86d081884c",
        "Code version c0ffeec0ffee and changes since",
        "Model churn, version 3",
        "Uses of the test rows 1",
    ):
        assert words in text
