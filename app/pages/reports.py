"""Reports: what each stage of the build found, the model card, the design and the monitoring, to read and to take away."""

import streamlit as st

import shell
from gristmill.views import reports

HEIGHT = 1000

st.title("Reports")
with shell.told():
    case = shell.case_state().name
    found = reports.documents(shell.root(), case)
    if not found:
        st.info(f"There are no reports of {case} yet. A build writes them: `make run CASE={case}`.")
        st.stop()
    groups = [group for group in reports.GROUPS if any(one.group == group for one in found)]
    left, right = st.columns(2)
    group = left.selectbox("About", groups)
    of_group = [one for one in found if one.group == group]
    document = right.selectbox("Report", of_group, format_func=lambda one: one.title, key=f"report about {group}")
    st.subheader(document.title)
    if document.question:
        st.markdown(document.question)
    if document.failed:
        st.error(f"This stage stopped with an error: {document.failed}")
    page = reports.read(document)
    st.download_button(
        "Download this report", page, document.name.replace("/", "_"), "text/html", help="One file that needs no network."
    )
    st.caption(f"Written {document.written}; {document.size}." if document.written else f"{document.size}.")
    st.iframe(reports.framed(page, f"{document.title}, report"), height=HEIGHT, alt=f"Frame with the report {document.title}")
