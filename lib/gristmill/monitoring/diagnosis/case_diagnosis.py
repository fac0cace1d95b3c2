"""The diagnosis of a case's model: its test rows, a file of the window, and where the report goes."""

from dataclasses import dataclass
from pathlib import Path

from gristmill.config.loading import load_case
from gristmill.data.products import read_rows, replacing, write_json
from gristmill.data.sources.opening import open_source
from gristmill.errors import SourceError
from gristmill.monitoring.diagnosis.account import Diagnosis, as_page
from gristmill.monitoring.diagnosis.diagnosing import diagnose
from gristmill.paths import CasePaths
from gristmill.serving.predictor import Predictor

NAME = "diagnosis"


@dataclass(frozen=True)
class WrittenDiagnosis:
    """A diagnosis, and where it was written."""

    diagnosis: Diagnosis
    page: Path
    record: Path


def diagnose_case(paths: CasePaths, window: Path, model_reference: str) -> WrittenDiagnosis:
    """Diagnose a window and write ``diagnosis.html`` to the case's reports and ``diagnosis.json`` to its artifacts.

    Parameters
    ----------
    paths
        The case, which was built: its test rows are what the window is held against.
    window
        Labelled raw rows, in any format of file that a build reads.
    model_reference
        ``NAME@alias``, ``NAME/VERSION`` or a model directory.

    Raises
    ------
    SourceError
        The window, or the test rows of the last build, cannot be read.
    DataError
        Labels or columns are missing, or there are too few rows.
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
    found = diagnose(predictor.model, read_rows(test), open_source(str(window.absolute())).read(), limits)
    page, record = paths.reports / f"{NAME}.html", paths.artifacts / f"{NAME}.json"
    page.parent.mkdir(parents=True, exist_ok=True)
    with replacing(page) as temporary:
        temporary.write_text(as_page(found), encoding="utf-8")
    write_json(record, found.to_record())
    return WrittenDiagnosis(found, page, record)
