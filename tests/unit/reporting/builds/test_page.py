import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.unit.reporting.builds.conftest import Builds, better, same
from tests.unit.reporting.pages import References

from gristmill.reporting.builds.chart import draw_history
from gristmill.reporting.builds.page import embedded, render_builds
from gristmill.reporting.site import write_site


def test_the_page_tells_of_each_build_what_it_came_to_and_how_to_use_it(builds: Builds) -> None:
    text = References(render_builds("churn", builds(better, same))).text
    for words in (
        "Build 3, 2026-02-02 12:00 UTC",
        "churn, version 3",
        "7,500 \u00d7 20",
        "gristmill score customers.csv scored.csv --model churn/3",
        "Read the model card",
        "5 of 6 gates passed",
        "ROC-AUC 0.871 0.849 0.839\u20130.859 0.906 0.890\u20130.920 0.500",
    ):
        assert words in text, words


def test_without_a_script_the_differences_of_the_last_two_builds_can_be_read(builds: Builds) -> None:
    page = render_builds("churn", builds(same, better))
    text = References(page).text
    assert "Build 2, 2026-02-02 12:00 UTC \u2192 Build 3" in text
    assert "training.budget_seconds 60.0 120.0" in text
    assert "better, by more than noise" in text
    assert "<b>new</b>" not in page


def test_the_chart_has_a_dot_for_each_build_and_marks_what_changed(builds: Builds) -> None:
    drawing = ET.fromstring(draw_history(builds(better, same), "roc_auc"))  # noqa: S314 - our own
    titles = [title.text for title in drawing.iter("title")]
    assert len(drawing.findall(".//circle")) == 3
    assert titles[1] == "Build 2, 2026-02-01 12:00 UTC: 0.906 0.890\u20130.920, promoted"
    assert titles[3:] == ["data changed at build 2", "code changed at build 2", "parameters changed at build 2"]
    heights = [float(dot.attrib["cy"]) for dot in drawing.findall(".//circle")]
    assert heights[1] == heights[2] < heights[0]


def test_embedded_json_cannot_end_its_element() -> None:
    text = embedded({"a": "</script><!-- &amp;"})
    assert not re.search("[<>&]", text)
    assert json.loads(text) == {"a": "</script><!-- &amp;"}


def test_the_site_of_a_case_without_builds_says_how_to_begin(project: Path) -> None:
    write_site(project, "churn")
    page = (project / "reports" / "churn" / "builds.html").read_text(encoding="utf-8")
    assert "ploomber build --env--case churn begins the history" in References(page).text


def test_index_and_case_lead_to_the_builds(builds: Builds, project: Path) -> None:
    builds(better)
    case = References(write_site(project, "churn").read_text(encoding="utf-8"))
    assert "Since build 1: data, code and parameters changed." in case.text
    index = References((project / "reports" / "index.html").read_text(encoding="utf-8"))
    assert [link for link in index.links if "#" in link and "builds" in link] == [
        "churn/builds.html#build-2",
        "churn/builds.html#build-1",
    ]
