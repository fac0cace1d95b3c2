"""What the explorer shows as HTML: figures with their text, tables, and sentences that a screen reader announces."""

import base64
import io
from html import escape

import pandas as pd

from gristmill.reporting.plots.style import SHARPNESS, HouseFigure


def picture(made: HouseFigure) -> str:
    """Return a figure as an image with its title as the alternative text."""
    buffer = io.BytesIO()
    made.savefig(buffer, format="png", dpi=100 * SHARPNESS, metadata={"Software": None})
    image = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img class="gm-figure" alt="{escape(made.title)}" src="data:image/png;base64,{image}">'


def announced(sentence: str) -> str:
    """Return a sentence that is read out when it changes."""
    return f'<p class="gm-said" role="status" aria-live="polite">{escape(sentence)}</p>'


def told(sentence: str) -> str:
    """Return a plain paragraph."""
    return f"<p>{escape(sentence)}</p>"


def table(frame: pd.DataFrame, caption: str) -> str:
    """Return a table for reading, with names and values as texts, that scrolls by itself where it is wider than the page."""
    if frame.empty:
        return told("There is nothing to show here.")
    names = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in frame.columns)
    head = f'<tr><th scope="col">{escape(str(frame.index.name or ""))}</th>{names}</tr>'
    body = "".join(
        f'<tr><th scope="row">{escape(str(name))}</th>' + "".join(f"<td>{escape(str(value))}</td>" for value in row) + "</tr>"
        for name, row in zip(frame.index, frame.to_numpy(), strict=True)
    )
    return (
        f'<div class="gm-scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="gm-table">'
        f"<caption>{escape(caption)}</caption><thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )
