"""Predict: a row, what the model in production says of it, why, and what would change its mind."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

import charts
import form
import kept
import shell
from gristmill.config.case import Case
from gristmill.evaluation.explanation.effects import value_text
from gristmill.reporting.wording import share
from gristmill.views.predict import words
from gristmill.views.predict.answers import Answer
from gristmill.views.predict.asking import ask
from gristmill.views.predict.exploring import VALUE, Explorer

Row = dict[str, Any]


def page() -> None:
    """Show the page."""
    case = kept.case_file(shell.chosen_case())
    service = kept.service(case)
    version = service.version()
    explorer = kept.explorer(case, version)
    where = f"asked at {url}" if (url := shell.service_url()) else "asked in this app"
    st.caption(f"Version {version.label} of {case.name}, {where}. Every prediction is written to the prediction log.")
    sent = form.row_form(case.name, explorer.fields)
    said: dict[str, tuple[Row, Answer]] = st.session_state.setdefault("answers", {})
    if sent is not None:
        said.pop(case.name, None)
        said[case.name] = sent, ask(service, sent, case)
    if case.name not in said:
        st.info("Fill in what is known of the row, or leave the usual values, and press Predict.")
        return
    row, answer = said[case.name]
    known = service.version(answer.version)
    if known.label == answer.version:
        _sections(case, kept.explorer(case, known), row, answer)
    else:  # the release has moved on, or another service answers with a version that is not here
        _tiles(answer, known.predictor.model.target)
        st.info(words.other_version_words(answer, known))
        if answer.explanation is not None:
            _why(answer.explanation)


def _sections(case: Case, explorer: Explorer, row: Row, answer: Answer) -> None:
    _answer(answer, explorer)
    why = st.container()  # reasons take longest, and are worked out last
    if explorer.sample is None:
        st.info(f"What if, other decisions and similar rows need the training rows: `make run CASE={case.name}`.")
    else:
        for section in (_what_if, _other_decisions, _similar):
            section(explorer, row)
    with why, shell.told():
        _why(answer.explanation or _reasons(explorer, row))


def _answer(answer: Answer, explorer: Explorer) -> None:
    model = explorer.version.predictor.model
    _tiles(answer, model.target)
    shell.say(words.decision_words(answer, model), words.range_words(answer, model))
    for one in answer.noticed:
        st.warning(shell.plain(one.sentence), icon=":material/warning:")
    st.caption(f"In the prediction log as {answer.prediction_id}.")


def _tiles(answer: Answer, target: str) -> None:
    st.header("The answer")
    tiles = st.columns(3)
    tiles[0].metric(shell.label(target), shell.plain(words.value_words(answer.prediction)), border=True)
    if answer.confidence is not None:
        tiles[1].metric("Confidence", share(answer.confidence, 1), border=True, help="Probability of the class that was answered.")
    elif answer.ends is not None:
        tiles[1].metric(f"Interval at {share(answer.level)}", words.ends_words(answer.ends), border=True)
    tiles[2].metric("Answered by version", answer.version, border=True)


def _reasons(explorer: Explorer, row: Row) -> dict[str, Any]:
    with st.spinner("Working out the reasons …"):
        return kept.reasons(explorer, row)


def _why(explanation: Mapping[str, Any]) -> None:
    st.header("Why")
    sentences = words.reason_sentences(explanation)
    shell.bullets(sentences)
    table = words.reasons_table(explanation)
    made = charts.reasons_chart(table, words.contribution_title(explanation), shares=explanation["output"] is not None)
    shell.chart(made, " ".join(sentences), height=120 + 26 * len(table))  # room for the legend, the axis, and a line a reason


@shell.part
def _what_if(explorer: Explorer, row: Row) -> None:
    st.header("What if")
    model = explorer.version.predictor.model
    left, right = st.columns((1, 2))
    names = list(explorer.ranges)
    if not names:
        st.info("No column varies in the training rows, so that there is nothing to move.")
        return
    first = next((place for place, one in enumerate(explorer.ranges.values()) if not one.levels), 0)
    name = left.selectbox("Column to move", names, first, key="what_if:column")
    curve = kept.curve(explorer, row, name)
    points = curve[VALUE].drop_duplicates().tolist()
    now = row[name] if row[name] in points else points[len(points) // 2]
    chosen = left.select_slider(f"{shell.label(name)} moved to", points, now, format_func=value_text, key=f"what_if:{name}:{now}")
    with left:
        shell.say(words.moved_sentence(curve, name, chosen, model))
        st.caption("All other columns stay as they are. What is tried here is about nobody, and is not logged.")
    made = charts.curve_chart(curve, name, chosen, model, levels=bool(explorer.ranges[name].levels))
    with right:
        shell.chart(made, words.curve_sentence(curve, name, model))


@shell.part
def _other_decisions(explorer: Explorer, row: Row) -> None:
    st.header("What would change the decision" if explorer.version.predictor.model.classes else "What would change the number")
    goal = form.goal(explorer, row)
    found = explorer.other_decisions(row, goal)
    if explorer.reached(row, goal):
        st.info("The model says so of this row as it is: nothing has to change.")
    elif found:
        shell.bullets(words.change_sentence(one, explorer.version.predictor.model) for one in found)
    else:
        st.info(words.nothing_found(explorer.app.changed_at_once))
    if explorer.left_alone:
        left = shell.plain(", ".join(explorer.left_alone))
        st.caption(f"Left alone: {left}. This says what the model would answer, not what would happen.")


@shell.part
def _similar(explorer: Explorer, row: Row) -> None:
    st.header("Similar past rows")
    found, sample = explorer.similar(row), explorer.sample
    if found is None or sample is None:
        return
    target = explorer.version.predictor.model.target
    shell.say(words.outcome_sentence(found, target), words.sample_sentence(sample))
    shell.table(words.similar_table(found, explorer.frame(row), sample.ids, target))


st.title("Predict")
with shell.told():
    page()
