"""Pages made of one Markdown text, such as the model card."""

from markupsafe import Markup

from gristmill.reporting.markdown import to_html, with_anchors
from gristmill.reporting.templating import render, style_sheet


def markdown_page(text: str, *, title: str, case: str = "", root_href: str = "../index.html") -> str:
    """Return a whole HTML page in the house look, with the sections of the text listed beside it.

    Parameters
    ----------
    text
        Markdown; raw HTML in it is shown as text, so that names from data are safe.
    title
        Title of the page in the browser and in the path at its top.
    case
        Name of the case; links to its index when given.
    root_href
        Where the index of all cases is, seen from the page.
    """
    html, sections = with_anchors(to_html(text))
    return render(
        "report.html.j2",
        report_css=Markup(style_sheet("report.css")),  # noqa: S704 - our own file
        home=root_href,
        title=title,
        case=case,
        stage_label=title,
        facts={"title": title, "case": case},
        lines=[],
        error="",
        blocks=[{"kind": "prose", "html": html}],
        sections=sections,
        has_code=False,
        stages=[],
        before=None,
        after=None,
    )
