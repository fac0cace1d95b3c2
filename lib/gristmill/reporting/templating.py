"""The HTML templates of all pages: escaped unless marked safe, their one style sheet inlined."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gristmill.reporting.wording import count, figure, interval, metric_label, share, shorten


@cache
def environment() -> Environment:
    """Return the environment that renders the package's templates."""
    made = Environment(
        loader=PackageLoader("gristmill.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(count=count, figure=figure, metric=metric_label, share=share, shorten=shorten)
    made.globals["interval"] = interval
    return made


@cache
def style_sheet(name: str) -> str:
    """Return the text of a style sheet of the package."""
    return files("gristmill.reporting").joinpath("templates", name).read_text(encoding="utf-8")


def render(template: str, **values: Any) -> str:
    """Return the page that ``template`` makes of ``values``, ending in one line break."""
    sheet = Markup(style_sheet("house.css"))  # noqa: S704 - our own file
    return environment().get_template(template).render(house_css=sheet, **values).rstrip() + "\n"
