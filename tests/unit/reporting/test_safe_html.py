import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.reporting.pages import References

from gristmill.reporting.safe_html import safe


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>",
        '<img src=x onerror="run()">',
        '<link rel="stylesheet" href="http://x/y.css">',
        "<style>@import 'http://x/y.css';</style>",
        '<div style="background: url(http://x/y.png)"></div>',
        '<iframe srcdoc="<script>x</script>"></iframe>',
        '<a href="javascript:run()">x</a>',
        '<svg><image href="http://x/y.png"/></svg>',
        '<object data="http://x/y.swf"></object>',
        '<meta http-equiv="refresh" content="0; url=http://x">',
    ],
)
def test_what_runs_or_loads_is_removed(html: str) -> None:
    made = safe(html)
    assert References(made).remote == []
    assert not any(word in made for word in ("script", "run()", "http"))


def test_tables_with_classes_and_local_styles_stay_as_they_are() -> None:
    html = '<style>#T td { color: red; }</style><table class="dataframe" id="T"><tr><td>a &lt; b &amp; c</td></tr></table>'
    assert safe(html) == html


def test_a_link_to_read_stays_and_an_embedded_image_too() -> None:
    html = '<a href="https://example.org">read</a><img src="data:image/png;base64,AA">'
    assert safe(html) == html


@given(st.text(alphabet="<>/=\"' abcsriptonlihref:;&#", max_size=60))
def test_no_text_makes_a_script_or_a_remote_reference(text: str) -> None:
    page = References(safe(text))
    assert "script" not in page.tags
    assert page.remote == []
