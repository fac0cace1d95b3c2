"""Data: the versions of a case's table, what they hold, how the checks went, the contract, and what changed in between."""

import streamlit as st

import shell
from gristmill.data.snapshots.history import Version
from gristmill.paths import CasePaths, ProjectPaths
from gristmill.views import data


def snapshots(paths: CasePaths, found: list[Version]) -> None:
    """Show the versions of the source, and what the columns of one hold."""
    st.header("Snapshots")
    if not found:
        st.info(f"No build has taken a snapshot of {paths.name} yet: `make run CASE={paths.name}`.")
        return
    st.dataframe(data.version_table(found, paths), hide_index=True, width="stretch")
    with st.expander("What the columns hold"):
        version = st.selectbox(
            "Version", found, format_func=data.title, index=next(i for i, one in enumerate(found) if one.current)
        )
        with st.spinner("Counting over all rows..."):
            st.dataframe(data.column_table(version, paths), hide_index=True, width="stretch")
        st.caption("Distinct values, medians and the commonest value are approximate in large tables.")


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
        words, moved = data.difference(old, new, paths)
    st.markdown("\n".join(f"- {line}" for line in words))
    if len(moved):
        st.dataframe(moved, hide_index=True, width="stretch")
        st.caption("Moved: from 0, distributed the same, to 1, nothing in common.")


def checks(paths: CasePaths) -> None:
    """Show how the checks of the last build went."""
    st.header("Validation")
    quality = data.quality(paths)
    if quality is None:
        st.info("The table of this case was not validated yet; a build does it.")
        return
    (st.success if quality.broken.empty and quality.leaks.empty else st.warning)(quality.sentence)
    if len(quality.broken):
        st.dataframe(quality.broken, hide_index=True, width="stretch")
    if len(quality.leaks):
        st.subheader("Leakage")
        st.dataframe(quality.leaks, hide_index=True, width="stretch")
    else:
        st.markdown("No column gives the target away, as far as the raw rows can tell.")


def contract(paths: CasePaths) -> None:
    """Show the contract, and on demand what the current rows would change in it."""
    st.header("Data contract")
    sentence, table = data.contract(paths)
    st.markdown(sentence)
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
    with shell.told():
        snapshots(paths, found)
    with shell.told():
        checks(paths)
    with shell.told():
        contract(paths)
    with shell.told():
        differences(paths, found)
