import pandas as pd

from gristmill.reporting.safe_html import safe
from gristmill.reporting.tables import align, scoped


def test_text_columns_are_marked_and_number_columns_are_not() -> None:
    html = align(pd.DataFrame({"size": [1.5, None], "name": ["a <b>", "1"]}).to_html())
    assert '<th class="t">name</th>' in html
    assert '<td class="t">a &lt;b&gt;</td>' in html
    assert '<td class="t">1</td>' in html
    assert "<td>1.5</td>" in html
    assert "<th>size</th>" in html


def test_the_marks_survive_what_makes_outputs_safe() -> None:
    html = pd.DataFrame({"name": ["x"]}).to_html()
    assert align(safe(html)).count('class="t"') == 2


def test_tables_with_spanning_cells_are_left_alone() -> None:
    frame = pd.DataFrame({"v": ["x", "y"]}, index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))
    assert align(frame.to_html()) == frame.to_html()


def test_other_html_is_left_alone() -> None:
    assert align("<p><td>x</td></p>") == "<p><td>x</td></p>"


def test_headers_say_what_they_head_and_empty_ones_are_cells() -> None:
    html = scoped(align(pd.DataFrame({"size": [1]}, index=pd.Index(["a"], name="key")).to_html()))
    assert '<th scope="col">size</th>' in html
    assert '<th scope="col">key</th>' in html
    assert '<th scope="row">a</th>' in html
    assert "<th></th>" not in html
    assert scoped('<thead><tr><th class="blank level0" >&nbsp;</th></tr></thead>') == (
        '<thead><tr><td class="blank level0" ></td></tr></thead>'
    )
    assert scoped(html) == html
