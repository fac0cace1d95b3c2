"""The figure of what acting from each probability on is worth, and how many rows it acts on."""

import pandas as pd

from gristmill.reporting.plots.style import (
    BLUE,
    GREY,
    LIGHT,
    ORANGE,
    HouseFigure,
    canvas,
    grid_lines,
    house_style,
    number_axis,
    percent_axis,
)
from gristmill.reporting.wording import figure, share


@house_style
def amounts(curve: pd.DataFrame, threshold: float, *, what: str, own: float) -> HouseFigure:
    """Return the amount per 1,000 rows, above the share of the rows acted on, along the threshold.

    Parameters
    ----------
    curve
        ``threshold``, ``amount`` and ``share``, by rising threshold.
    threshold
        The one that is looked at.
    what
        What the amount is, such as ``Profit``.
    own
        The threshold that the model has of its own, drawn as a grey line.
    """
    at = curve.iloc[(curve["threshold"] - threshold).abs().argmin()]
    best = curve["amount"].min() if what == "Cost" else curve["amount"].max()
    title = f"{what} {figure(float(at['amount']))} per 1,000 rows; {figure(float(best))} at best"
    made, (above, below) = canvas(title, 4.2, rows=2, height_ratios=[3, 2], sharex=True)
    for axes, column in ((above, "amount"), (below, "share")):
        axes.axvline(own, color=LIGHT, linewidth=1.4)
        axes.plot(curve["threshold"], curve[column], color=BLUE)
        axes.axvline(threshold, color=ORANGE, linewidth=1.2)
        axes.scatter(threshold, at[column], color=ORANGE, s=42, zorder=3)
        axes.tick_params(axis="y", labelcolor=GREY)
        grid_lines(axes, "y")
    above.axhline(0, color=LIGHT, linewidth=1)
    below.annotate(share(float(at["share"])), (threshold, at["share"]), xytext=(8, 4), textcoords="offset points", color=ORANGE)
    number_axis(above.yaxis)
    percent_axis(below.yaxis)
    above.set_ylabel(f"{what.lower()} per 1,000 rows")
    below.set(xlabel="act from this probability on (grey: the model's own threshold)", ylabel="rows acted on", ylim=(0, 1.05))
    return made
