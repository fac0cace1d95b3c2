"""Pages made of one Markdown text, such as the model card."""

from markupsafe import Markup

from gristmill.reporting.markdown import to_html, with_anchors
from gristmill.reporting.templating import render, style_sheet


def markdown_page(text: str, *, title: str, case: str = "", root_href: str = "../index.html", tone: str = "") -> str:
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
    tone
        ``good``, ``warn`` or ``bad``: the first quotation of the text is a notice in that colour.
    """
    html, sections = with_anchors(_noticed(to_html(text), tone))
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
        blocks=[{"kind": "prose", "html": html, "under": ""}],
        sections=sections,
        has_code=False,
        stages=[],
        before=None,
        after=None,
    )


def _noticed(html: Markup, tone: str) -> Markup:
    """Return a text with its first quotation as a notice in a colour, or as it was where no tone is given."""
    if not tone:
        return html
    opened = str(html).replace("<blockquote>", f'<div class="notice {tone}" role="note">', 1)
    return Markup(opened.replace("</blockquote>", "</div>", 1))  # noqa: S704 - as safe as it came
