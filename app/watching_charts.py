"""The figures of the monitoring and models pages."""

import altair as alt
import pandas as pd

import shell

_TIME = alt.X("time:T", title="Time (UTC)", axis=alt.Axis(labelOverlap=True, labelAngle=0, grid=False))
_BELOW = alt.Legend(orient="bottom", title=None, columns=3, labelLimit=220)


def volume(frame: pd.DataFrame, description: str) -> None:
    """Draw predictions over time, stacked by version."""
    height = alt.Y("predictions:Q", title="Predictions", stack="zero")
    colour = alt.Color("version:N", legend=_BELOW)
    made = alt.Chart(frame).mark_area(interpolate="step-after", opacity=0.85).encode(_TIME, height, colour, tooltip=_told(frame))
    shell.chart(made, description)


def classes(frame: pd.DataFrame, description: str) -> None:
    """Draw the share of each class over time."""
    height = alt.Y("share:Q", title="Share of predictions", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    made = alt.Chart(frame).mark_line(point=len(frame) < 120).encode(
        _TIME, height, alt.Color("class:N", legend=_BELOW), alt.StrokeDash("class:N", legend=None), tooltip=_told(frame)
    )  # fmt: skip
    shell.chart(made, description)


def mean(frame: pd.DataFrame, column: str, title: str, description: str) -> None:
    """Draw one figure over time."""
    height = alt.Y(f"{column}:Q", title=title, scale=alt.Scale(zero=False))
    shell.chart(alt.Chart(frame).mark_line(point=len(frame) < 120).encode(_TIME, height, tooltip=_told(frame)), description)


def latency(frame: pd.DataFrame, description: str) -> None:
    """Draw the quantiles of the answer time."""
    height = alt.Y("milliseconds:Q", title="Milliseconds", scale=alt.Scale(type="symlog"))
    colour = alt.Color("quantile:N", sort=["p50", "p95", "p99"], legend=_BELOW)
    dash = alt.StrokeDash("quantile:N", sort=["p50", "p95", "p99"], legend=None)
    shell.chart(alt.Chart(frame).mark_line().encode(_TIME, height, colour, dash, tooltip=_told(frame)), description)


def confidence(frame: pd.DataFrame, description: str) -> None:
    """Draw how sure the answers were."""
    across = alt.X(
        "from:Q", bin="binned", title="Confidence: probability of the class that was answered", axis=alt.Axis(format="%")
    )
    height = alt.Y("predictions:Q", title="Predictions")
    shell.chart(alt.Chart(frame).mark_bar().encode(across, alt.X2("to:Q"), height, tooltip=_told(frame)), description)


def intervals(frame: pd.DataFrame, column: str, title: str, description: str) -> None:
    """Draw figures with their intervals, a line each."""
    down = alt.Y(f"{column}:N", title=None, sort=None, axis=alt.Axis(labelLimit=240))
    base = alt.Chart(frame).encode(down, tooltip=_told(frame))
    spread = base.mark_rule(strokeWidth=3).encode(alt.X("low:Q", title=title, scale=alt.Scale(zero=False)), alt.X2("high:Q"))
    points = base.mark_point(filled=True, size=110, opacity=1).encode(alt.X("value:Q"))
    shell.chart(spread + points, description, height=60 + 34 * len(frame))


def distances(frame: pd.DataFrame, description: str) -> None:
    """Draw how far each column is from the training rows, the farthest on top."""
    across = alt.X("psi:Q", title="Distance from the training rows (PSI)")
    down = alt.Y("column:N", title=None, sort="-x", axis=alt.Axis(labelLimit=180))
    colour = alt.Color("drifted:N", legend=_BELOW, sort=["within limits", "drifted"])
    shown = frame.assign(drifted=frame["drifted"].map({True: "drifted", False: "within limits"}))
    made = alt.Chart(shown).mark_bar().encode(across, down, colour, tooltip=_told(shown))
    shell.chart(made, description, height=60 + 22 * len(shown))


def _told(frame: pd.DataFrame) -> list[alt.Tooltip]:
    """Return what a pointer is told: every column, moments and figures as people read them."""
    told = []
    for name in frame.columns:
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            told.append(alt.Tooltip(f"{name}:T", format="%Y-%m-%d %H:%M"))
        elif pd.api.types.is_float_dtype(frame[name]):
            told.append(alt.Tooltip(f"{name}:Q", format=".3~g"))
        else:
            told.append(alt.Tooltip(name))
    return told
