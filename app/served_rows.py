"""What the monitoring page says of served rows: their quality, their drift, and how good the model turned out to be on them."""

import streamlit as st

import shell
import watching_charts as charts
import words
from gristmill.paths import ProjectPaths
from gristmill.reporting.wording import metric_label
from gristmill.views.monitoring import drift, labels, looking
from gristmill.views.monitoring.overview import Overview, live
from gristmill.views.monitoring.reading import Held

SECONDS_KEPT = 60


@st.cache_data(ttl=SECONDS_KEPT, show_spinner=False)
def live_of(case: str, period: str, version: str, _seen: Overview) -> Held:  # noqa: ARG001 - what it is kept by
    """Return live rows and how they differ from the training rows."""
    return live(shell.root(), case, _seen)


@shell.part
def rows(case: str, seen: Overview) -> None:
    """Show data quality and drift of live rows."""
    st.header("Data quality and drift")
    if not seen.version:
        st.info("There are no rows in this time to hold against the training rows.")
        return
    with st.spinner("Comparing live rows with the training rows..."):
        held = live_of(case, seen.period.name, seen.version, seen)
    st.subheader("Data quality")
    words.bullets(drift.quality_words(held))
    with st.expander("Every column: what is missing, out of range, new"):
        st.dataframe(drift.quality_table(held.columns), hide_index=True, width="stretch")
    st.subheader("Drift")
    (st.warning if held.drift.alarm else st.info)(words.said(drift.drift_words(held.drift)))
    table = drift.drift_table(held.drift)
    charts.distances(
        table.dropna(subset=["psi"]).head(15), "How far the columns are from the training rows; the table has the numbers."
    )
    with st.expander("Every column: how far it is from the training rows"):
        st.dataframe(table, hide_index=True, width="stretch")


@shell.part
def performance(case: str, seen: Overview) -> None:
    """Show how good the model is by late labels."""
    st.header("Performance with late labels")
    words.say(seen.labels.sentence)
    paths = ProjectPaths(shell.root()).case(case)
    if st.button(
        "Look at performance now", help="Runs `gristmill performance`: metrics with intervals, and estimates before labels."
    ):
        with st.status("Computing metrics with their intervals...") as status:
            words.bullets(looking.look_now(paths))
            status.update(label="Done", state="complete")
    record = labels.last_look(paths)
    if record is None:
        st.info(
            f"Nobody has looked at performance yet. The button does; so does `gristmill performance {case}`, every night from cron."
        )
        return
    words.bullets(labels.look_words(record))
    shown, name = labels.primary_intervals(record), metric_label(record["metric"])
    if len(shown):
        charts.intervals(shown, "rows", name, f"{name} with intervals on {', '.join(shown['rows'])}.")
    if record["metrics"]:
        words.table(labels.beside_offline(record).set_index("metric"))
