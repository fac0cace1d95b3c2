"""The architecture of a case as a picture: the case file's own source, target and deployment on the parts of the system."""

import textwrap

from markupsafe import Markup

from gristmill.config.case import Case
from gristmill.reporting.templating import environment
from gristmill.reporting.wording import shorten

_BOX = (168, 92)
_GAP = (44, 40)


def draw_flow(case: Case) -> Markup:
    """Return the parts of the system, from the source to those who use the predictions, as SVG text."""
    upper = [
        ("Source", case.source.uri),
        ("Snapshot", "immutable Parquet, named by its hash"),
        ("Training DAG", "notebooks 01 to 11, one report each"),
        ("Registry", f"MLflow model {case.name}; gates move the champion alias"),
        ("Batch scoring", f"gristmill score; runs on {case.serving.deployment_target}"),
    ]
    lower = [
        ("Contract and splits", "what a row must be; which rows may train"),
        ("Tracking", "every trial, metric and figure of a build"),
        ("Model directory", "pipeline, contract, card, hashes"),
    ]
    boxes = [_box(title, text, index, 0) for index, (title, text) in enumerate(upper)]
    boxes += [_box(title, text, index, 1) for index, (title, text) in enumerate(lower, start=1)]
    arrows = [_across(index) for index in range(len(upper) - 1)] + [_down(index) for index in range(1, 4)]
    width = len(upper) * _BOX[0] + (len(upper) - 1) * _GAP[0] + 4
    made = (
        environment()
        .get_template("flow.svg.j2")
        .render(boxes=boxes, arrows=arrows, size=_BOX, width=width, height=2 * _BOX[1] + _GAP[1] + 4)
    )
    return Markup(made)  # noqa: S704 - the template escapes


def _corner(column: int, row: int) -> tuple[int, int]:
    """Return the upper left corner of a box."""
    return 2 + column * (_BOX[0] + _GAP[0]), 2 + row * (_BOX[1] + _GAP[1])


def _box(title: str, text: str, column: int, row: int) -> dict[str, object]:
    """Return what the template needs to draw one part."""
    x, y = _corner(column, row)
    return {"title": title, "lines": textwrap.wrap(shorten(text, 62), 25, break_long_words=True)[:3], "x": x, "y": y}


def _across(column: int) -> str:
    """Return the arrow from a part to the next one."""
    x, y = _corner(column, 0)
    return f"M{x + _BOX[0]} {y + _BOX[1] // 2}H{x + _BOX[0] + _GAP[0] - 5}"


def _down(column: int) -> str:
    """Return the arrow from a part to the one below it."""
    x, y = _corner(column, 0)
    return f"M{x + _BOX[0] // 2} {y + _BOX[1]}V{y + _BOX[1] + _GAP[1] - 5}"
