"""Models: which versions there are, how they compare, which one serves, and who moved it; promotion and rollback."""

from collections.abc import Sequence

import streamlit as st

import release_forms
import shell
import watching_charts as charts
import words
from gristmill.reporting.wording import metric_label
from gristmill.views import reports
from gristmill.views.models import releasing, side_by_side
from gristmill.views.models.listing import Version, mark, read_versions
from gristmill.views.models.shelf import Shelf, Shown

CARD_HEIGHT = 900


@st.cache_resource(show_spinner=False)
def shelf(root: str) -> Shelf:  # noqa: ARG001 - one shelf a project
    """Return what was read of the registry, kept for all who look."""
    return Shelf()


def look(case: str) -> Shown:
    """Return the versions as they are known now."""
    root = shell.root()
    return shelf(str(root)).look(case, mark(root, case), lambda: read_versions(root, case))


@st.fragment(run_every=1.0)
def waiting(case: str) -> None:
    """Say that the registry is read, until it is; the page is there meanwhile."""
    shown = look(case)
    if shown.reading:
        st.caption("Reading the registry; this takes a few seconds. What is below goes on working.")
    else:
        st.rerun()


@shell.part
def compared(versions: Sequence[Version]) -> None:
    """Show versions side by side."""
    st.header("Versions")
    words.table(side_by_side.overview(versions).set_index("version"))
    chosen = st.multiselect("Compare", versions, default=versions[:3], format_func=lambda one: one.title, help="Beside each other.")
    if not chosen:
        st.info("Choose versions to compare.")
        return
    figure, metric = side_by_side.primary_figure(chosen), str(chosen[0].metrics.get("primary_metric") or "")
    if len(figure):
        name = metric_label(metric)
        charts.intervals(figure, "version", f"{name} on the test rows", f"{name} on the test rows with intervals, by version.")
    part = st.selectbox("Figures on", list(side_by_side.PARTS), format_func=side_by_side.PARTS.__getitem__)
    table = side_by_side.scores(chosen, part)
    if len(table):
        words.table(table)
    else:
        st.info("No figures were recorded for these rows.")
    st.caption("Value (interval); a star marks the best of a row. Versions may have been judged on other test rows.")


@shell.part
def one_version(versions: Sequence[Version]) -> None:
    """Show gates, lineage and card of a version."""
    st.header("One version")
    version = st.selectbox("Version", versions, format_func=lambda one: one.title)
    if version.problem:
        st.error(words.said(version.problem))
    gates, lineage, card = st.tabs(["Gates", "Lineage", "Model card"])
    with gates:
        words.say(f"Gates: {side_by_side.gates_words(version)}.")
        if version.gates:
            words.table(side_by_side.gate_table(version).set_index("gate"))
    with lineage:
        words.table(side_by_side.lineage(version).set_index("what"))
    with card:
        if version.card is None:
            st.info("This version has no model card.")
        elif st.toggle("Show the card", key=f"card of {version.number}"):
            page, title = version.card.read_text(encoding="utf-8"), f"Model card of version {version.number}"
            st.iframe(reports.framed(page, title), height=CARD_HEIGHT, alt=f"Frame with the {title.lower()}")
            st.download_button("Download the card", page, f"model_card_{version.number}.html", "text/html")


st.title("Models")
with shell.told():
    case = shell.chosen_case()
    words.say(releasing.now_serving(shell.root(), case))
    shown = look(case)
    told, progress = st.empty(), st.container()  # places of their own: what is below stays where it is when they fill and empty
    if shown.problem:
        told.error(words.said(shown.problem))
    if shown.reading:
        with progress:
            waiting(case)
    if shown.versions:
        compared(shown.versions)
        one_version(shown.versions)
        release_forms.show(case, shown.versions)
    elif shown.versions is not None:
        st.info(f"The registry has no version of {case} yet. A build registers one: `make run CASE={case}`.")
    st.header("Audit trail")
    trail = releasing.audit(shell.root(), case)
    if len(trail):
        words.table(trail.set_index("when"))
    else:
        st.info("Nothing was promoted or refused yet.")
