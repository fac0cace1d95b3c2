"""The app: six pages about one case. `make app` starts it."""

import streamlit as st

import shell

PAGES = (
    ("predict", "Predict", ":material/person_search:"),
    ("batch", "Batch", ":material/table_rows:"),
    ("monitoring", "Monitoring", ":material/monitoring:"),
    ("models", "Models", ":material/model_training:"),
    ("reports", "Reports", ":material/description:"),
    ("data", "Data", ":material/database:"),
)

st.set_page_config(page_title="Gristmill", page_icon=":material/agriculture:", layout="wide", initial_sidebar_state="auto")
page = st.navigation(
    [st.Page(f"pages/{file}.py", title=title, icon=icon, default=file == "predict") for file, title, icon in PAGES], expanded=True
)
with shell.told():
    shell.choose()
page.run()
