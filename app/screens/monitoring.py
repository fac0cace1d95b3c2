"""Monitoring: what the model was asked, how it answers, whether its rows are as they were, and how good it turns out to be."""

import os

import streamlit as st

import served_rows
import shell
import watching_charts as charts
import words
from gristmill.config.loading import load_case
from gristmill.errors import LogUnavailable
from gristmill.paths import ProjectPaths
from gristmill.reporting.wording import count
from gristmill.views.monitoring import firing, service, weekly
from gristmill.views.monitoring.overview import NOTHING, Overview, overview
from gristmill.views.monitoring.periods import PERIODS, period_of

SECONDS_KEPT = 30


@st.cache_data(ttl=SECONDS_KEPT, show_spinner=False)
def seen_of(case: str, period: str | None) -> Overview | None:
    """Return what the log says, read again when it is half a minute old."""
    return overview(shell.root(), case, period_of(period) if period else None)


@st.cache_data(ttl=SECONDS_KEPT, show_spinner=False)
def service_of(url: str) -> service.ServiceState:
    """Return how the service is."""
    return service.ask(url, os.environ.get(service.KEY_VARIABLE, ""))


@shell.part
def alerts(case: str, state: service.ServiceState) -> None:
    """Say which alerts are firing, and what to do about each."""
    st.header("Alerts")
    samples = state.samples if state.state == "running" else None
    found, sentence = firing.standing(load_case(case, shell.root()), shell.root(), samples)
    (st.error if any(one.state == "firing" for one in found) else st.success if not found else st.warning)(words.said(sentence))
    for one in found:
        with st.expander(f"{one.state.capitalize()}: {one.rule.replace('_', ' ')} ({one.severity}, since {one.since})"):
            st.markdown(f"{one.words}\n\n{one.runbook or f'What to do: {one.url}'}")


@shell.part
def recommended(case: str) -> None:
    """Show what the last weekly report advises."""
    found = weekly.advice(ProjectPaths(shell.root()).case(case))
    if found is None:
        st.markdown(f"`gristmill monitor {case}` looks at quality, drift and performance together, and says what to do.")
        return
    (st.success if found.quiet else st.warning)(words.said(f"{found.headline} (Weekly report until {found.until}.)"))
    with st.expander("Why, and what to run"):
        words.bullets(found.reasons)
        st.code("\n".join(found.commands), language="sh", wrap_lines=True)


@shell.part
def answers(seen: Overview, state: service.ServiceState, case: str) -> None:
    """Show traffic, classes, confidence, answer times and errors."""
    st.header("Traffic and answers")
    words.say(*seen.traffic.sentences)
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
        words.say(said := seen.traffic.times_in_words)
        if seen.traffic.timed:
            charts.latency(seen.traffic.latency, f"Answer times over time. {said}")
    st.subheader("Errors")
    words.say(*state.sentences(case))
    if state.state == "running" and len(found := service.requests_by_status(state.samples)):
        words.table(found.set_index("status"))


st.title("Monitoring")
with shell.told():
    case = shell.chosen_case()
    try:
        first = seen_of(case, None)
    except LogUnavailable as error:
        st.info(words.said(f"{NOTHING} {error}"))
        st.stop()
    if first is None:
        st.info(words.said(NOTHING))
        st.stop()
    names = [one.name for one in PERIODS]
    period = st.selectbox("Period", names, index=names.index(first.period.name), help="What is shown below is of this time.")
    seen = (first if period == first.period.name else seen_of(case, period)) or first
    state = service_of(shell.service_url() or service.DEFAULT_URL)
    for column, (label, value) in zip(st.columns(len(seen.figures)), seen.figures.items(), strict=True):
        column.metric(label, value)
    recommended(case)
    alerts(case, state)
    answers(seen, state, case)
    served_rows.rows(case, seen)
    served_rows.performance(case, seen)
