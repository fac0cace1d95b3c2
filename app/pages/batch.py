"""Batch."""

import streamlit as st

import shell

st.title("Batch")
with shell.told():
    case = shell.chosen_case()
    st.caption(f"Case {case}")
