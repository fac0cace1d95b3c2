"""Models."""

import streamlit as st

import shell

st.title("Models")
with shell.told():
    case = shell.chosen_case()
    st.caption(f"Case {case}")
