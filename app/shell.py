"""What all pages share: the project, the chosen case, the key of an administrator, how charts and errors look."""

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import altair as alt
import pandas as pd
import streamlit as st

from gristmill.errors import GristmillError
from gristmill.paths import CasePaths, ProjectPaths, project_root
from gristmill.serving.keys.key import ADMIN, Key, KeyRefused
from gristmill.views.cases import NO_CASE, CaseState, choose_case, find_cases

CASE = "case"
"""Of the address's query, the session's state and the chooser alike: a link to a page keeps its case."""

ADMIN_KEY = "admin_key"
"""Of the session's state: what was entered as the key of an administrator, until it was used."""

P = ParamSpec("P")

_LOG = logging.getLogger("gristmill.app")


def root() -> Path:
    """Return the root of the project that the app was started in."""
    return project_root()


def paths(case: str) -> CasePaths:
    """Return where everything of a case lies."""
    return ProjectPaths(root()).case(case)


def choose() -> None:
    """Show the chooser of cases in the sidebar, and keep the chosen one in the address."""
    names = [case.name for case in find_cases(root())]
    if not names:
        return
    if st.session_state.get(CASE) not in names:
        st.session_state[CASE] = asked if (asked := st.query_params.get(CASE)) in names else names[0]
    st.sidebar.selectbox("Case", names, key=CASE, help="What is predicted: one case file in `configs/` each.")
    if st.query_params.get(CASE) != st.session_state[CASE]:
        st.query_params[CASE] = st.session_state[CASE]


def case_state() -> CaseState:
    """Return the chosen case, whether it is built or not; end the page with a sentence where the project has none."""
    asked = st.session_state.get(CASE) or st.query_params.get(CASE)
    chosen = choose_case(find_cases(root()), asked)
    if chosen is None:
        st.info(NO_CASE)
        st.stop()
    return chosen


def chosen_case() -> str:
    """Return the name of the chosen case; end the page with what to do where it is not built."""
    chosen = case_state()
    if not chosen.built:
        st.info(chosen.what_to_do)
        st.stop()
    return chosen.name


def admin() -> Key | None:
    """Show where to enter the key of an administrator, and return the key if it is one."""
    token = st.text_input(
        "Admin key",
        type="password",
        key=ADMIN_KEY,
        autocomplete="off",
        help="Make one: `gristmill keys create NAME --scope admin`.",
    )
    if not token:
        return None
    from gristmill.serving.keys.ring import KeyRing  # noqa: PLC0415

    try:
        ring = KeyRing(root())
        ring.refresh()
        key = ring.verify(token.strip())
        key.require(ADMIN)
    except (KeyRefused, GristmillError) as error:
        st.error(worded(str(error)))
        return None
    return key


@contextmanager
def told() -> Iterator[None]:
    """Say in a sentence what is wrong in the block, never with a traceback; what is our own fault goes into the log as well."""
    try:
        yield
    except GristmillError as error:
        st.error(worded(str(error)))
    except Exception as error:  # noqa: BLE001 - Streamlit's own ways to stop and run again are no Exception
        _LOG.exception("a page failed")
        st.error(f"This part of the page failed ({type(error).__name__}). The log of the app, where it was started, says why.")


def part(show: Callable[P, None]) -> Callable[P, None]:
    """Make a part of a page that is shown anew by itself when one of its widgets is used, and that says what is wrong in it."""

    @wraps(show)
    def shown(*args: P.args, **kwargs: P.kwargs) -> None:
        with told():
            show(*args, **kwargs)

    return st.fragment(shown)


def chart(made: alt.Chart | alt.LayerChart | alt.FacetChart, description: str, *, height: int = 260) -> None:
    """Show a chart over the whole width, with the sentence that a screen reader gives in its place."""
    st.altair_chart(made.properties(height=height), width="stretch", theme="streamlit", alt=description)


def service_url() -> str | None:
    """Return where the service runs that is asked for predictions; None where the app predicts by itself."""
    return os.environ.get("GRISTMILL_SERVICE_URL") or None


def plain(text: str) -> str:
    """Return a text as Markdown that shows it as it is: names and levels of a table may hold any sign."""
    return "".join(f"\\{letter}" if letter in _MARKS else letter for letter in text)


_MARKS = frozenset("\\`*_{}[]<>()#+-.!|~$:&")


def label(text: str) -> str:
    """Return a text as the label of a widget, which is Markdown to the eye and as it is to a screen reader: least is escaped."""
    return _MEANT.sub(r"\\\g<0>", text)


_MEANT = re.compile(r"[\\`*\[\]<>$:~]|(?<!\w)_|_(?!\w)")


def worded(text: str) -> str:
    """Return a sentence of ours as Markdown: what stands between grave accents is code, everything else is shown as it is."""
    parts = text.split("`")
    return "`".join(part if place % 2 and place < len(parts) - 1 else plain(part) for place, part in enumerate(parts))


def say(*sentences: str) -> None:
    """Show sentences in one paragraph; empty ones are left out."""
    st.markdown(" ".join(plain(sentence) for sentence in sentences if sentence))


def bullets(sentences: Iterable[str]) -> None:
    """Show a list of sentences."""
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences))


def table(rows: pd.DataFrame) -> None:
    """Show a small table as one of HTML, which a screen reader can walk through and a phone can scroll."""
    shown = rows.set_axis([plain(str(name)) for name in rows.columns], axis=1).map(lambda value: plain(str(value)))
    if not isinstance(rows.index, pd.RangeIndex):
        named = None if rows.index.name is None else plain(str(rows.index.name))
        shown = shown.rename(index=lambda value: plain(str(value))).rename_axis(named)
    st.table(shown, border="horizontal")
