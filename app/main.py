"""The app: six pages about one case. `make app` starts it."""

from pathlib import Path

import streamlit as st

import shell

# The folder of the pages must not be called `pages`: Streamlit would take its files for an app of their own, and whoever opens
# the address of a page first would get it without navigation and case.
PAGES = (
    ("predict", "Predict", ":material/person_search:"),
    ("batch", "Batch", ":material/table_rows:"),
    ("monitoring", "Monitoring", ":material/monitoring:"),
    ("models", "Models", ":material/model_training:"),
    ("reports", "Reports", ":material/description:"),
    ("data", "Data", ":material/database:"),
)

# A file: Streamlit would fetch a named icon from the network.
st.set_page_config(
    page_title="Gristmill", page_icon=str(Path(__file__).with_name("icon.png")), layout="wide", initial_sidebar_state="auto"
)
page = st.navigation(
    [st.Page(f"screens/{file}.py", title=title, icon=icon, default=file == "predict") for file, title, icon in PAGES], expanded=True
)
with shell.told():
    shell.choose()
page.run()
