"""Data: the versions of a case's table, what they hold, how the checks went, the contract, and what changed in between."""

import streamlit as st

import shell
import words
from gristmill.data.snapshots.history import Version
from gristmill.paths import CasePaths, ProjectPaths
from gristmill.views import data


@shell.part
def snapshots(paths: CasePaths, found: list[Version]) -> None:
    """Show the versions of the source, and what the columns of one hold."""
    st.header("Snapshots")
    if not found:
        st.info(f"No build has taken a snapshot of {paths.name} yet: `make run CASE={paths.name}`.")
        return
    words.table(data.version_table(found, paths).set_index("version"))
    with st.expander("What the columns hold"):
        version = st.selectbox(
            "Version", found, format_func=data.title, index=next((i for i, one in enumerate(found) if one.current), 0)
        )
        with st.spinner("Counting over all rows..."):
            st.dataframe(data.column_table(version, paths), hide_index=True, width="stretch")
        st.caption("Distinct values, medians and the commonest value are approximate in large tables.")


@shell.part
def differences(paths: CasePaths, found: list[Version]) -> None:
    """Compare two versions."""
    st.header("Differences between versions")
    if len(found) < 2:
        st.info("There is one version of the data so far; a second one can be compared with it.")
        return
    left, right = st.columns(2)
    old = left.selectbox("From version", found, format_func=data.title, index=1)
    new = right.selectbox("To version", found, format_func=data.title, index=0)
    if old.digest == new.digest:
        st.info("Choose two different versions.")
        return
    with st.spinner("Comparing all rows..."):
        sentences, moved = data.difference(old, new, paths)
    words.bullets(sentences)
    if len(moved):
        words.table(moved.set_index("column").assign(moved=moved["moved"].map("{:.3f}".format).to_numpy()))
        st.caption("Moved: from 0, distributed the same, to 1, nothing in common.")


@shell.part
def checks(paths: CasePaths) -> None:
    """Show how the checks of the last build went."""
    st.header("Validation")
    quality = data.quality(paths)
    if quality is None:
        st.info("The table of this case was not validated yet; a build does it.")
        return
    (st.success if quality.broken.empty and quality.leaks.empty else st.warning)(words.said(quality.sentence))
    if len(quality.broken):
        words.table(quality.broken.set_index("rule"))
    if len(quality.leaks):
        st.subheader("Leakage")
        words.table(quality.leaks.set_index("rule"))
    else:
        st.markdown("No column gives the target away, as far as the raw rows can tell.")


@shell.part
def contract(paths: CasePaths) -> None:
    """Show the contract, and on demand what the current rows would change in it."""
    st.header("Data contract")
    sentence, table = data.contract(paths)
    words.say(sentence)
    if len(table):
        with st.expander(f"What it says of each of {len(table)} columns"):
            st.dataframe(table, hide_index=True, width="stretch")
    if st.button("Hold it against the current rows", help="As `gristmill contract diff`: nothing is written."):
        with st.spinner("Looking at all rows..."):
            lines = data.proposal(paths)
        st.code("\n".join(lines), language=None, wrap_lines=True)


st.title("Data")
with shell.told():
    paths = ProjectPaths(shell.root()).case(shell.case_state().name)
    found = data.versions(paths)
    snapshots(paths, found)
    checks(paths)
    contract(paths)
    differences(paths, found)
