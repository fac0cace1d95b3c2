import base64
from pathlib import Path
from typing import Any

import nbconvert
import nbformat
import pytest
from tests.unit.reporting.conftest import HOSTILE, notebook
from tests.unit.reporting.pages import References

from gristmill.reporting.notebook_html import render_notebook
from gristmill.reporting.stage_report import StageRun, describe_run, render_stage_report, stage_label

RUN = StageRun("churn", "02_validate", finished="2026-01-31 12:00 UTC", seconds=6.4)


def shown(*outputs: dict[str, Any]) -> References:
    return References(render_stage_report(notebook(outputs=list(outputs)), RUN))


def data(**by_type: Any) -> dict[str, Any]:
    types = {"html": "text/html", "markdown": "text/markdown", "text": "text/plain", "png": "image/png", "svg": "image/svg+xml"}
    return {"output_type": "display_data", "data": {types[name]: value for name, value in by_type.items()}, "metadata": {}}


def test_a_report_leads_to_the_index_and_to_its_neighbours() -> None:
    links = shown().links
    assert {"index.html", "../index.html", "01_ingest.html", "03_explore.html", "#what-the-rows-are-like"} <= set(links)


def test_code_is_folded_away_and_neighbouring_cells_are_folded_into_one() -> None:
    book = notebook()
    book["cells"].insert(2, {"cell_type": "code", "source": "b = 2\nc = 3", "outputs": []})
    page = References(render_stage_report(book, RUN))
    assert page.tags.count("details") == 2
    assert "code \u00b7 3 lines" in page.text


def test_the_head_tells_the_index_what_the_stage_answers() -> None:
    page = render_stage_report(notebook(), RUN)
    assert '<meta name="gristmill-question" content="Are these rows what the case expects?">' in page
    assert '<meta name="gristmill-state" content="done">' in page


def test_a_script_in_an_output_is_dropped_and_a_table_kept() -> None:
    html = '<table><tr><td onclick="run()">kept</td></tr></table><script src="http://x/y.js">bad()</script>'
    page = shown(data(html=html, text="plain"))
    assert "kept" in page.text
    assert "bad()" not in page.text
    assert page.remote == []


def test_markup_in_computed_markdown_is_shown_as_text() -> None:
    page = shown(data(markdown=f"The column **{HOSTILE}** costs 5 $ and $x$."))
    assert '<script>alert("x")</script>' in page.text
    assert "costs 5 $ and $x$." in page.text


def test_an_image_of_another_machine_is_not_loaded() -> None:
    assert shown(data(markdown="![a](http://example.org/a.png)"), data(html='<img src="//x/y.png">')).remote == []


def test_a_figure_is_embedded_with_its_alternative_text() -> None:
    image = data(png=base64.b64encode(b"png").decode(), text="figure")
    image["metadata"] = {"image/png": {"alt": 'ROC "curve"', "width": 700}}
    page = render_stage_report(notebook(outputs=[image]), RUN)
    assert 'alt="ROC &#34;curve&#34;" width="700"' in page


@pytest.mark.parametrize("said", ["<Figure size 640x480 with 1 Axes>", "<IPython.core.display.Image object at 0x7f>", ""])
def test_a_figure_without_a_title_is_named_after_its_section(said: str) -> None:
    image = {"output_type": "display_data", "data": {"image/png": "aGk=", "text/plain": said}}
    assert 'alt="Figure under What the rows are like"' in render_stage_report(notebook(outputs=[image]))


def test_a_table_can_be_scrolled_by_keyboard_and_is_named_after_its_section() -> None:
    page = render_stage_report(notebook(outputs=[{"output_type": "display_data", "data": {"text/html": "<table></table>"}}]))
    assert 'tabindex="0" role="group" aria-label="Table under What the rows are like, scrolls' in page


def test_a_stage_that_stopped_names_its_error_at_the_top_and_at_its_cell() -> None:
    error = {
        "output_type": "error",
        "ename": "DataError",
        "evalue": "no <rows>",
        "traceback": ["\x1b[0;31mDataError\x1b[0m: no <rows>"],
    }
    page = shown(error)
    assert page.text.index("stopped with an error. DataError: no <rows>") < page.text.rindex("What the rows are like")
    assert "error" in page.ids
    assert "\x1b" not in page.text


def test_messages_of_libraries_are_folded_and_printed_text_is_not() -> None:
    page = shown(
        {"output_type": "stream", "name": "stderr", "text": ["warned"]}, {"output_type": "stream", "name": "stdout", "text": "said"}
    )
    assert "messages of the libraries warned" in page.text
    assert page.text.rindex("said") > 0


def test_an_empty_notebook_is_still_a_page() -> None:
    page = References(render_stage_report({"cells": [], "metadata": {}}))
    assert "Notebook" in page.text
    assert page.remote == []


def test_case_stage_and_times_come_from_what_papermill_wrote() -> None:
    record = {"output_path": "/p/reports/churn/05_train_linear.ipynb", "end_time": "2026-01-31T12:00:09.5+00:00", "duration": 4.2}
    run = describe_run({"metadata": {"papermill": record}})
    assert (run.case, run.stage, run.finished, run.seconds) == ("churn", "05_train_linear", "2026-01-31 12:00 UTC", 4.2)


@pytest.mark.parametrize(("stage", "label"), [("05_train_linear", "05 Train linear"), ("quickstart", "quickstart")])
def test_a_stage_is_written_with_its_number_first(stage: str, label: str) -> None:
    assert stage_label(stage) == label


def test_ploomber_finds_the_exporter_by_its_name() -> None:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title")])
    page, _ = nbconvert.export(nbconvert.get_exporter("gristmill"), made)
    assert References(page).text.count("Title") >= 2


def test_a_notebook_left_by_a_failed_task_can_be_rendered(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4}', encoding="utf-8")
    render_notebook(tmp_path / "a.ipynb", tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
