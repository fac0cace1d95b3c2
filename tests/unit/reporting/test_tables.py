import pandas as pd

from gristmill.reporting.safe_html import safe
from gristmill.reporting.tables import align


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
