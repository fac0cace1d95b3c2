"""Charts of the pages: made here, shown by :func:`shell.chart`."""

import altair as alt
import pandas as pd

from gristmill.evaluation.explanation.effects import value_text
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.reporting.plots.style import BLUE, ORANGE
from gristmill.views.predict.exploring import OUTPUT, SAID, VALUE

SHARE = ".0%"


def reasons_chart(table: pd.DataFrame, title: str, *, shares: bool) -> alt.Chart:
    """Return bars of reasons: to the right what raises the answer, to the left what lowers it."""
    colours = alt.Scale(domain=["raises", "lowers"], range=[ORANGE, BLUE])
    made: alt.Chart = (
        alt.Chart(table)
        .mark_bar()
        .encode(
            x=alt.X("contribution:Q", title=title, axis=alt.Axis(format="+.0%" if shares else "+~s", tickCount=5)),
            y=alt.Y("reason:N", sort=None, title=None, axis=alt.Axis(labelLimit=200, labelOverlap=False)),
            color=alt.Color("direction:N", title=None, scale=colours, legend=alt.Legend(orient="top")),
            tooltip=["reason", alt.Tooltip("contribution:Q", format="+.1%" if shares else "+.4~g")],
        )
    )
    return made


def curve_chart(
    curve: pd.DataFrame, column: str, chosen: object, model: FittedModel, *, levels: bool
) -> alt.LayerChart | alt.FacetChart:
    """Return what the model says over the values of one column, with the chosen value marked, and the threshold if there is one."""
    shown = curve.assign(at=curve[VALUE].map(value_text) if levels else curve[VALUE])
    several = len(model.classes) > 2
    base = alt.Chart(shown).encode(
        x=alt.X("at:N" if levels else "at:Q", title=column, sort=None, scale=alt.Undefined if levels else alt.Scale(nice=False)),
        y=alt.Y(
            f"{SAID}:Q",
            title=said_title(model),
            scale=alt.Scale(domain=[0, 1]) if model.classes else alt.Scale(zero=False),
            axis=alt.Axis(format=SHARE) if model.classes else alt.Undefined,
        ),
        color=alt.Color(f"{OUTPUT}:N", title=None, legend=alt.Legend(orient="top") if several else None),
        tooltip=[alt.Tooltip("at", title=column), OUTPUT, alt.Tooltip(f"{SAID}:Q", format=".1%" if model.classes else ".4~g")],
    )
    marked = base.properties(data=shown[shown[VALUE] == chosen])
    layers = [base.mark_point(filled=True, size=70) if levels else base.mark_line(), marked.mark_point(size=260, strokeWidth=3)]
    if len(model.classes) == 2 and model.threshold is not None:
        limit = alt.Chart(pd.DataFrame({SAID: [model.threshold], "name": ["threshold"]}))
        layers.append(limit.mark_rule(strokeDash=[5, 4], color="gray").encode(y=f"{SAID}:Q", tooltip=["name", SAID]))
    return alt.layer(*layers)


def said_title(model: FittedModel) -> str:
    """Return what the model says, as the title of an axis."""
    if len(model.classes) == 2:
        return f"probability of {model.classes[1]}"
    return "probability" if model.classes else model.target
