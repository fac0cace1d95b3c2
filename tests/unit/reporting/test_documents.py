from tests.unit.reporting.conftest import HOSTILE
from tests.unit.reporting.pages import References

from gristmill.reporting.documents import markdown_page


def test_a_markdown_page_lists_its_sections_and_leads_to_its_case() -> None:
    page = References(markdown_page("# Card\n\n## Intended use\n\nText.\n\n## Data\n", title="Model card", case="churn"))
    assert [link for link in page.links if link.startswith("#") and link != "#content"] == ["#intended-use", "#data"]
    assert {"index.html", "../index.html"} <= set(page.links)


def test_raw_html_in_markdown_is_shown_as_text() -> None:
    page = References(markdown_page(f"| column |\n|---|\n| {HOSTILE} |\n", title=HOSTILE))
    assert page.text.count('<script>alert("x")</script>') >= 2
    assert "script" not in page.tags


def test_the_first_quotation_is_a_notice_in_its_tone_and_no_other() -> None:
    text = "> Good.\n\nText.\n\n> Said.\n"
    page = markdown_page(text, title="t", tone="bad")
    assert page.count('<div class="notice bad" role="note">') == page.count("<blockquote>") == 1
    assert page.index('class="notice bad"') < page.index("Good.") < page.index("Said.")
    assert markdown_page(text, title="t").count("<blockquote>") == 2
    assert 'class="notice' not in markdown_page("No quotation.", title="t", tone="bad")


def test_headings_may_stand_twice_and_still_have_anchors_of_their_own() -> None:
    page = References(markdown_page("## Data\n\n## Data\n", title="t"))
    assert [name for name in page.ids if name.startswith("data")] == ["data", "data-2"]
