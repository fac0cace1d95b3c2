"""Batch: a whole table in, predictions out, and for each row that has none the reason."""

from pathlib import Path

import streamlit as st

import kept
import shell
from gristmill.config.case import Case
from gristmill.reporting.wording import share
from gristmill.serving.served.versions import ServedVersion
from gristmill.views.batch.uploads import CSV, FORMATS, PARQUET, ScoredUpload, VisitFolder, head, score_upload, template
from gristmill.views.predict.asking import possible_level

MIME = {CSV: "text/csv", PARQUET: "application/vnd.apache.parquet"}
FORMAT_NAMES = {CSV: "CSV, for a spreadsheet program", PARQUET: "Parquet"}


def page() -> None:
    """Show the page."""
    case = kept.case_file(shell.chosen_case())
    version = kept.service(case).version()
    st.caption(
        f"Version {version.label} of {case.name} predicts every row of a table. Like those of the command line, these predictions "
        "are not in the prediction log."
    )
    _columns(case, version)
    _upload(case, version)
    done: dict[str, tuple[VisitFolder, ScoredUpload]] = st.session_state.get("batches", {})
    if case.name in done:
        _result(case, done[case.name][1])
    else:
        st.info("Nothing is scored yet. Upload a table, and press Score.")


def _columns(case: Case, version: ServedVersion) -> None:
    """Show which columns a table needs, and offer one to begin with."""
    model = version.predictor.model
    with st.expander(f"The {len(model.feature_columns)} columns a table needs"):
        shell.say(f"In any order: {', '.join(model.feature_columns)}. Kept in the output if there: {', '.join(model.id_columns)}.")
        usual = {field.name: field.value for field in kept.explorer(case, version).fields}
        st.download_button(
            "Download an example (CSV)", template(model, usual), f"{case.name}_example.csv", MIME[CSV], on_click="ignore"
        )


def _upload(case: Case, version: ServedVersion) -> None:
    """Show where to upload a table, and score it when that is asked for."""
    level = possible_level(version, case.app.level)
    with st.form(f"batch:{case.name}"):
        upload = st.file_uploader(
            f"Table, CSV or Parquet, up to {st.get_option('server.maxUploadSize')} MB", [one[1:] for one in FORMATS],
            help="A larger one is scored on the command line: `gristmill score IN OUT`.",
        )  # fmt: skip
        suffix = st.radio("Output", FORMATS, format_func=FORMAT_NAMES.__getitem__, horizontal=True)
        kind = "sets of classes" if version.predictor.model.classes else "intervals"
        wanted = level is not None and st.checkbox(f"Add {kind} that hold the truth of {share(level)} of all rows")
        sent = st.form_submit_button("Score", type="primary")
    if not sent:
        return
    st.session_state.setdefault("batches", {}).pop(case.name, None)
    if upload is None:
        st.warning("Choose a table first.")
        return
    bar = st.progress(0.0, f"Reading {shell.plain(upload.name)} …")
    folder = VisitFolder()
    try:
        scored = score_upload(
            upload, upload.name, folder.path, version, suffix,
            level=level if wanted else None, most=case.app.batch_rows,
            progress=lambda part, rows: bar.progress(part, f"{rows:,} rows scored"),
        )  # fmt: skip
    finally:
        bar.empty()
    st.session_state["batches"][case.name] = folder, scored


def _result(case: Case, scored: ScoredUpload) -> None:
    st.header("The predictions")
    (st.warning if scored.bad else st.success)(shell.plain(scored.summary))
    shell.say(scored.sentence)
    if scored.escaped:
        st.caption(f"Cells that a spreadsheet program would run as formulas begin with an apostrophe now: {scored.escaped:,}.")
    _download("Download predictions", scored.output, scored.output_name)
    shown = head(scored.output, case.app.batch_rows_shown)
    st.dataframe(shown, hide_index=True, alt=f"The first {len(shown)} rows of the predictions.")
    if scored.quarantine is not None:
        st.header("Rows without a prediction")
        bad = head(scored.quarantine, case.app.batch_rows_shown)
        shell.say(
            f"The first {len(bad):,} of {scored.bad:,}:" if len(bad) < scored.bad else "Mend these and upload the table again."
        )
        shell.table(bad.drop(columns=["content"]))
        _download("Download these rows", scored.quarantine, scored.quarantine_name)


def _download(label: str, file: Path, name: str) -> None:
    st.download_button(label, file.read_bytes, name, MIME[file.suffix], on_click="ignore", key=f"download:{name}")


st.title("Batch")
with shell.told():
    page()
