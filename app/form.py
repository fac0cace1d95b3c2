"""Entries of the form of one row, as widgets that keyboard and screen reader know by the column's name."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import streamlit as st

import shell
from gristmill.evaluation.explanation.counterfactuals import Goal
from gristmill.metrics.scores import decide
from gristmill.views.predict.exploring import Explorer
from gristmill.views.predict.form import Field

COLUMNS = 4
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)


def row_form(case: str, fields: Sequence[Field]) -> dict[str, Any] | None:
    """Show the form, and return the row when it is sent, as it stands in JSON; else None."""
    with st.form(f"row:{case}", border=True):
        row = {}
        for first in range(0, len(fields), COLUMNS):  # line by line, so that the order is the same by keyboard and on a phone
            for field, column in zip(fields[first : first + COLUMNS], st.columns(COLUMNS), strict=False):
                with column:
                    row[field.name] = _entry(field, f"{case}:{field.name}")
        sent = st.form_submit_button("Predict", type="primary")
    return row if sent else None


def _entry(field: Field, key: str) -> Any:
    """Show one entry, and return its value."""
    label, help_ = shell.label(field.label), shell.plain(field.help) or None
    if field.kind == "choice":
        place = field.options.index(field.value) if field.value in field.options else None
        return st.selectbox(label, field.options, place, format_func=field.shown, key=key, help=help_)
    if field.kind in ("number", "whole"):
        _begin_with(key, field.value)
        step = 1 if field.kind == "whole" else None
        return st.number_input(label, value=None, step=step, key=key, help=help_)
    if field.kind == "date":
        _begin_with(key, date.fromisoformat(field.value[:10]) if field.value else None)
        chosen = st.date_input(label, None, EARLIEST, LATEST, key=key, help=help_)
        return chosen.isoformat() if isinstance(chosen, date) else None
    show = st.text_area if field.kind == "text" else st.text_input
    text = show(label, field.value or "", key=key, help=help_)
    return text or None


def _begin_with(key: str, value: Any) -> None:
    """Let an entry begin with a value and be emptied all the same, which Streamlit allows only of those that begin empty."""
    if key not in st.session_state:
        st.session_state[key] = value


def goal(explorer: Explorer, row: dict[str, Any]) -> Goal:
    """Show what may be sought, where there is a choice, and return what is."""
    model, said = explorer.version.predictor.model, explorer.said(row)
    if not model.classes:
        number = float(said[0])
        above = st.radio("The number is to be", ("at least", "at most"), horizontal=True, key=f"goal:{model.target}") == "at least"
        some = 0.1 * abs(number) or 1.0
        first = float(f"{number + some if above else number - some:.3g}")
        wanted = st.number_input(shell.label(model.target), value=first, key=f"goal:{above}:{number}")
        return explorer.beyond(wanted, above=above)
    code = int(decide(said[None, :], model.threshold)[0])
    others = [name for place, name in enumerate(model.classes) if place != code]
    if len(others) == 1:
        return explorer.other_class(others[0])
    return explorer.other_class(st.selectbox("Decision sought", others, key=f"goal:{model.classes[code]}"))
