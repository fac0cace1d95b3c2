"""The diagnosis of a case's model: its test rows, a window from the log or a file, and where the report goes."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from gristmill.config.loading import load_case
from gristmill.data.products import read_rows, replacing, write_json
from gristmill.data.sources.opening import open_source
from gristmill.errors import SourceError
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.monitoring.diagnosis.account import Diagnosis, as_page
from gristmill.monitoring.diagnosis.diagnosing import diagnose
from gristmill.monitoring.diagnosis.logged_window import Span, logged_window
from gristmill.paths import CasePaths
from gristmill.serving.predictor import Predictor

NAME = "diagnosis"


@dataclass(frozen=True)
class WrittenDiagnosis:
    """A diagnosis, and where it was written."""

    diagnosis: Diagnosis
    page: Path
    record: Path


def diagnose_case(paths: CasePaths, window: Path | Span, model_reference: str, labels: str | None = None) -> WrittenDiagnosis:
    """Diagnose a window and write ``diagnosis.html`` to the case's reports and ``diagnosis.json`` to its artifacts.

    Parameters
    ----------
    paths
        The case, which was built: its test rows are what the window is held against.
    window
        Labelled raw rows, in any format of file that a build reads; or the time in which rows were served.
    model_reference
        ``NAME@alias``, ``NAME/VERSION`` or a model directory.
    labels
        URI of a table of labels of served rows, if they do not come by feedback.

    Raises
    ------
    SourceError
        The window, or the test rows of the last build, cannot be read.
    LogUnavailable
        There is no prediction log, or it cannot be read.
    DataError
        Nothing was served, labels or columns are missing, or there are too few rows.
    RegistryError, ArtifactError
        There is no such model, or it is not what its manifest says.
    """
    limits = load_case(paths.name, paths.root).monitoring.drift
    predictor = Predictor.named(model_reference, paths.project)
    test = paths.artifacts / "test.parquet"
    if not test.is_file():
        raise SourceError(
            f"Expected the test rows of {paths.name!r} at {test}, found none. Build it: ploomber build --env--case {paths.name}"
        )
    rows = _rows(paths, predictor.model, window, labels)
    where = f"served {window.words}" if isinstance(window, Span) else window.name
    found = replace(diagnose(predictor.model, read_rows(test), rows, limits), window=where)
    page, record = paths.reports / f"{NAME}.html", paths.artifacts / f"{NAME}.json"
    page.parent.mkdir(parents=True, exist_ok=True)
    with replacing(page) as temporary:
        temporary.write_text(as_page(found), encoding="utf-8")
    write_json(record, found.to_record())
    return WrittenDiagnosis(found, page, record)


def _rows(paths: CasePaths, model: FittedModel, window: Path | Span, labels: str | None) -> pd.DataFrame:
    """Return the rows of the window."""
    if isinstance(window, Path):
        return open_source(str(window.absolute())).read()
    table = None if labels is None else open_source(labels, root=paths.root).read()
    return logged_window(paths, model, window, table)
