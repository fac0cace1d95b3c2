"""Monitoring: what the model was asked, how it answers, whether its rows are as they were, and how good it turns out to be."""

import os

import streamlit as st

import shell
import watching_charts as charts
from gristmill.config.loading import load_case
from gristmill.errors import LogUnavailable
from gristmill.monitoring.drift.report import DriftReport
from gristmill.paths import ProjectPaths
from gristmill.reporting.wording import count, figure, metric_label
from gristmill.views.monitoring import drift, firing, labels, looking, service
from gristmill.views.monitoring.overview import NOTHING, Overview, live, overview
from gristmill.views.monitoring.periods import PERIODS, period_of
from gristmill.views.monitoring.reading import LiveRows

SECONDS_KEPT = 30


@st.cache_data(ttl=SECONDS_KEPT, show_spinner=False)
def seen_of(case: str, period: str | None) -> Overview | None:
    """Return what the log says, read again when it is half a minute old."""
    return overview(shell.root(), case, period_of(period) if period else None)


@st.cache_data(ttl=SECONDS_KEPT, show_spinner=False)
def live_of(case: str, period: str, version: str) -> tuple[LiveRows, DriftReport]:  # noqa: ARG001 - part of what is kept
    """Return live rows and how they differ from the training rows."""
    seen = seen_of(case, period)
    assert seen is not None  # noqa: S101 - the page has looked
    return live(shell.root(), case, seen)


@st.cache_data(ttl=SECONDS_KEPT, show_spinner=False)
def service_of(url: str) -> service.ServiceState:
    """Return how the service is."""
    return service.ask(url, os.environ.get(service.KEY_VARIABLE, ""))


def alerts(case: str, state: service.ServiceState) -> None:
    """Say which alerts are firing, and what to do about each."""
    st.header("Alerts")
    samples = state.samples if state.state == "running" else None
    found, sentence = firing.standing(load_case(case, shell.root()), shell.root(), samples)
    (st.error if any(one.state == "firing" for one in found) else st.success if not found else st.warning)(sentence)
    for one in found:
        with st.expander(f"{one.state.capitalize()}: {one.rule.replace('_', ' ')} ({one.severity}, since {one.since})"):
            st.markdown(f"{one.words}\n\n{one.runbook or f'What to do: {one.url}'}")


def answers(seen: Overview, state: service.ServiceState, case: str) -> None:
    """Show traffic, classes, confidence, answer times and errors."""
    st.header("Traffic and answers")
    st.markdown(" ".join(seen.traffic.sentences))
    if seen.traffic.answered:
        st.subheader("Predictions over time")
        charts.volume(seen.traffic.volume, f"Predictions over time by version, {count(seen.traffic.answered)} in all.")
        st.subheader("What was answered")
        if seen.traffic.numbers:
            charts.mean(seen.traffic.classes, "mean", "Mean prediction", "The mean of the predicted numbers over time.")
        else:
            charts.classes(seen.traffic.classes, "The share of each predicted class over time.")
            st.subheader("How sure it was")
            charts.confidence(seen.traffic.confidence, "How many predictions were made with which confidence.")
            charts.mean(seen.traffic.mean_confidence, "confidence", "Mean confidence", "Mean confidence over time.")
        st.subheader("How fast it was")
        slow = ", ".join(f"{name} {figure(value, 1)} ms" for name, value in seen.traffic.overall.items())
        st.markdown(f"Half of the answers took at most the first of these, 95 and 99 of 100 the others: {slow}.")
        charts.latency(seen.traffic.latency, f"Answer times over time. Of the whole time: {slow}.")
    st.subheader("Errors")
    st.markdown("\n\n".join(state.sentences(case)))
    if state.state == "running" and len(found := service.requests_by_status(state.samples)):
        st.table(found.set_index("status"))


def rows(case: str, seen: Overview) -> None:
    """Show data quality and drift of live rows."""
    st.header("Data quality and drift")
    if not seen.version:
        st.info("There are no rows in this time to hold against the training rows.")
        return
    with st.spinner("Comparing live rows with the training rows..."):
        found, report = live_of(case, seen.period.name, seen.version)
    st.subheader("Data quality")
    st.markdown("\n".join(f"- {line}" for line in drift.quality_words(report, found)))
    with st.expander("Every column: what is missing, out of range, new"):
        st.dataframe(drift.quality_table(report), hide_index=True, width="stretch")
    st.subheader("Drift")
    (st.warning if report.alarm else st.info)(drift.drift_words(report))
    table = drift.drift_table(report)
    charts.distances(
        table.dropna(subset=["psi"]).head(15), "How far the columns are from the training rows; the table has the numbers."
    )
    with st.expander("Every column: how far it is from the training rows"):
        st.dataframe(table, hide_index=True, width="stretch")


def performance(case: str, seen: Overview) -> None:
    """Show how good the model is by late labels."""
    st.header("Performance with late labels")
    st.markdown(seen.labels.sentence)
    paths = ProjectPaths(shell.root()).case(case)
    if st.button(
        "Look at performance now", help="Runs `gristmill performance`: metrics with intervals, and estimates before labels."
    ):
        with st.status("Computing metrics with their intervals...") as status:
            st.markdown("\n".join(f"- {line}" for line in looking.look_now(paths)))
            status.update(label="Done", state="complete")
    record = labels.last_look(paths)
    if record is None:
        st.info(
            f"Nobody has looked at performance yet. The button does; so does `gristmill performance {case}`, every night from cron."
        )
        return
    st.markdown("\n".join(f"- {line}" for line in labels.look_words(record)))
    shown, name = labels.primary_intervals(record), metric_label(record["metric"])
    if len(shown):
        charts.intervals(shown, "rows", name, f"{name} with intervals on {', '.join(shown['rows'])}.")
    if record["metrics"]:
        st.dataframe(labels.beside_offline(record), hide_index=True, width="stretch")


st.title("Monitoring")
with shell.told():
    case = shell.chosen_case()
    try:
        first = seen_of(case, None)
    except LogUnavailable as error:
        st.info(f"{NOTHING}\n\n{error}")
        st.stop()
    if first is None:
        st.info(NOTHING)
        st.stop()
    names = [one.name for one in PERIODS]
    period = st.selectbox("Period", names, index=names.index(first.period.name), help="What is shown below is of this time.")
    seen = (first if period == first.period.name else seen_of(case, period)) or first
    state = service_of(shell.service_url() or service.DEFAULT_URL)
    for column, (label, value) in zip(st.columns(len(seen.figures)), seen.figures.items(), strict=True):
        column.metric(label, value)
    with shell.told():
        alerts(case, state)
    with shell.told():
        answers(seen, state, case)
    with shell.told():
        rows(case, seen)
    with shell.told():
        performance(case, seen)
