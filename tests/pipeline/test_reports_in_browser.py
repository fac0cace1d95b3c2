"""The reports of a real build in a real browser: accessible, whole on paper, small, and found by what they say."""

from pathlib import Path
from typing import Any

import pytest
from tests.app.accessibility import violations
from tests.chromium import browser  # noqa: F401 - fixture
from tests.pipeline.conftest import Build
from tests.unit.reporting.browsing import Visit, cut_on_paper, visit  # noqa: F401 - fixture

from gristmill.config.stages import READS
from gristmill.paths import ProjectPaths
from gristmill.reporting.builds.history import read_history

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LARGEST = 5_000_000


def pages(build: Build) -> list[Path]:
    """Return the pages that we write ourselves: all but the data profile and Data Docs."""
    own = [f"{stage}.html" for stage in READS] + ["index.html", "design.html", "builds.html", "model_card.html"]
    reports = ProjectPaths(build.root).reports
    return [*(build.reports / name for name in own), reports / "index.html", reports / "search.html"]


def test_the_reports_of_a_build_break_no_rule_of_accessibility_and_are_whole_on_paper(visit: Visit, sample_build: Build) -> None:  # noqa: F811
    page: Any = visit.page
    broken, cut, unnamed = {}, {}, {}
    for path in pages(sample_build):
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(media="screen", color_scheme="dark" if path.name > "06" else "light")
        page.goto(path.as_uri())
        broken[path.name] = violations(page)
        unnamed[path.name] = page.locator('img:not([alt]), img[alt=""], img[alt^="<"]').count()
        cut[path.name] = cut_on_paper(page)
    assert {name: found for name, found in broken.items() if found} == {}
    assert {name: found for name, found in cut.items() if found} == {}
    assert sum(unnamed.values()) == 0
    assert visit.remote == []


def test_no_report_is_large(sample_build: Build) -> None:
    sizes = {path.name: path.stat().st_size for path in (sample_build.root / "reports").rglob("*.html")}
    assert len(sizes) > len(READS)
    assert {name: size for name, size in sizes.items() if size >= LARGEST} == {}


def test_a_build_is_in_the_history_and_its_conclusions_are_found(visit: Visit, sample_build: Build) -> None:  # noqa: F811
    (build,) = read_history(ProjectPaths(sample_build.root).case("sample").build_history)
    assert build["ran"] == list(READS)
    measured = sample_build.json("metrics.json")["test"]["roc_auc"]["value"]
    assert build["metrics"]["test"]["roc_auc"][0] == pytest.approx(measured, abs=1e-5)
    assert {"06_select.ipynb", "gristmill.modeling.choice.candidates", "pipeline entry 06_select"} <= set(build["code"]["parts"])
    page: Any = visit.page
    page.goto((sample_build.root / "reports" / "search.html").as_uri() + "?q=06 select conclusion")
    first = page.locator("#found a").first
    assert first.locator(".where").inner_text() == "sample \u203a 06 Select"
    first.click()
    assert page.url.endswith("/sample/06_select.html#conclusion")
