"""What is loaded or worked out once and kept for all pages and visitors: services, training rows, curves, reasons."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

import shell
from gristmill.config.case import Case
from gristmill.config.loading import load_case
from gristmill.serving.served.versions import ServedVersion
from gristmill.views.predict.embedded import EmbeddedService
from gristmill.views.predict.exploring import Explorer
from gristmill.views.predict.sample import TRAINING_ROWS, Sample, training_sample

SECONDS_BETWEEN_LOOKS = 0.5
ANSWERS_KEPT = 256


def case_file(name: str) -> Case:
    """Return a case as its file states it now."""
    return load_case(name, shell.root())


def service(case: Case) -> EmbeddedService:
    """Return the service inside the app, once it is ready; until then the page says what is going on, and looks again."""
    wanted = str(shell.root()), case.name, case.model_dump_json()
    found = _service(*wanted)
    if found.loading:
        _wait(found)
        st.stop()
    if found.failure:
        st.error(shell.worded(found.failure))
        if st.button("Try again"):
            _service.clear(*wanted)
            st.rerun()
        st.stop()
    return found


def explorer(case: Case, version: ServedVersion) -> Explorer:
    """Return what tries a version on training rows of the last build."""
    file = shell.paths(case.name).artifacts / TRAINING_ROWS
    changed = file.stat().st_mtime_ns if file.is_file() else 0
    return _explorer(
        str(shell.root()),
        case.model_dump_json(),
        f"{version.metrics_name} {version.predictor.manifest.digest}",
        changed,
        case,
        version,
    )


def reasons(tried: Explorer, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reasons for a row; see :meth:`Explorer.reasons`."""
    return _reasons(*_key(tried, row), tried)


def curve(tried: Explorer, row: Mapping[str, Any], column: str) -> pd.DataFrame:
    """Return the curve of a column; see :meth:`Explorer.curve`."""
    return _curve(*_key(tried, row), column, tried)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def _wait(found: EmbeddedService) -> None:
    if not found.loading:
        st.rerun()
    st.info("The model in production is being loaded. This takes a few seconds, once.", icon=":material/hourglass_top:")


@st.cache_resource(show_spinner=False, max_entries=8, on_release=EmbeddedService.close)
def _service(root: str, name: str, settings: str) -> EmbeddedService:  # noqa: ARG001 - by which it is kept
    return EmbeddedService(shell.root(), case_file(name))


@st.cache_resource(show_spinner=False, max_entries=8)
def _explorer(root: str, settings: str, version: str, changed: int, _case: Case, _version: ServedVersion) -> Explorer:  # noqa: ARG001
    sample: Sample | None = training_sample(shell.paths(_case.name), _version.predictor.model, _case.app.sample_rows)
    return Explorer(_version, sample, _case.app)


@st.cache_data(show_spinner=False, max_entries=ANSWERS_KEPT)
def _reasons(digest: str, row: str, _tried: Explorer) -> dict[str, Any]:  # noqa: ARG001
    return _tried.reasons(json.loads(row))


@st.cache_data(show_spinner=False, max_entries=ANSWERS_KEPT)
def _curve(digest: str, row: str, column: str, _tried: Explorer) -> pd.DataFrame:  # noqa: ARG001
    return _tried.curve(json.loads(row), column)


def _key(tried: Explorer, row: Mapping[str, Any]) -> tuple[str, str]:
    """Return what tells one version, as it is tried with some settings and training rows, and one row from others."""
    tried_as = (
        tried.version.predictor.manifest.digest,
        tried.app.model_dump_json(),
        0 if tried.sample is None else tried.sample.n_rows,
    )
    return json.dumps(tried_as), json.dumps(row, sort_keys=True)
