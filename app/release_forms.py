"""The forms of the models page by which a release is moved: an admin key, a reason, a confirmation."""

from collections.abc import Sequence

import streamlit as st

import shell
import words
from gristmill.registry.versions import ALIASES
from gristmill.serving.keys.key import Key
from gristmill.views.models import releasing
from gristmill.views.models.listing import Version

OUTCOME = "release_outcome"
TRIED = "release_tried"
SURE = "sure"
"""How the keys of confirmations begin."""


def show(case: str, versions: Sequence[Version]) -> None:
    """Show what a person with an admin key may do, and what became of the last attempt."""
    st.header("Promote or roll back")
    place, outcome = st.empty(), st.session_state.get(f"{OUTCOME} of {case}")
    if outcome is not None:
        (place.success if outcome.done else place.warning)("\n\n".join(map(words.said, outcome.sentences)))
    forget()
    key = shell.admin()
    if key is None:
        st.markdown(
            "Whoever has a key with the scope `admin` may move the release from here. The key is neither stored nor logged, and "
            "asked for again at each move."
        )
        return
    promote, back = st.tabs(["Promote", "Roll back"])
    with promote:
        promotion(case, versions, key)
    with back:
        going_back(case, key)


def promotion(case: str, versions: Sequence[Version], key: Key) -> None:
    """Let an alias mean a version."""
    version = st.selectbox("Version to promote", versions, format_func=lambda one: one.title)
    alias = st.selectbox("What it is to be", ALIASES, help="The champion serves; a challenger is compared; staging is looked at.")
    words.bullets(releasing.expectation(version, alias))
    reason = st.text_input("Reason for the promotion", max_chars=1000, help="It is recorded with your key's name.")
    sure = st.checkbox(
        f"Yes, version {version.number} is to be the {alias} of {case}.", key=f"sure of {alias} {version.number} of {case}"
    )
    if st.button("Promote", type="primary", disabled=not sure) and sure:  # a browser may send what it does not show
        done(case, releasing.promote(shell.root(), case, version.number, alias, reason, key))


def going_back(case: str, key: Key) -> None:
    """Go back to a former champion."""
    former = releasing.former_champions(shell.root(), case)
    if not former:
        st.info("There is no former champion to go back to.")
        return
    to = st.selectbox("Go back to version", former, help="The first is the champion before the present one.")
    reason = st.text_input("Reason for the rollback", max_chars=1000, help="It has to be given, and is recorded.")
    sure = st.checkbox(f"Yes, {case} is to go back to version {to}.", key=f"sure to go back to {to} of {case}")
    allowed = sure and bool(reason.strip())
    if st.button("Roll back", type="primary", disabled=not allowed) and allowed:
        done(case, releasing.rollback(shell.root(), case, to, reason, key))


def forget() -> None:
    """Forget what was confirmed once it was tried, and the key once something was moved: before either is shown again."""
    moved = st.session_state.pop(TRIED, None)
    if moved is None:
        return
    for name in [one for one in st.session_state if str(one).startswith(f"{SURE} ")]:
        st.session_state[name] = False
    if moved:
        st.session_state[shell.ADMIN_KEY] = ""


def done(case: str, moved: releasing.Moved) -> None:
    """Keep what became of an attempt for the page that is drawn next, which shows how things stand now."""
    st.session_state[f"{OUTCOME} of {case}"] = moved
    st.session_state[TRIED] = moved.done
    st.rerun()
