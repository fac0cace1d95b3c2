"""Served rows held against the data contract that people own."""

import tempfile
from pathlib import Path
from typing import Any

from gristmill.data.contract import terms_file
from gristmill.data.contract.validation import validate_rows
from gristmill.monitoring.watched import Watched


def agreed(watched: Watched) -> dict[str, Any] | None:
    """Return which rules of a case's data contract served rows break; None where it has no contract file, or no row was served.

    Returns
    -------
    dict
        ``file``; ``rules``, how many were looked at; ``broken``, the verdicts on those that are broken
        (:class:`gristmill.data.contract.checks.Check`), those that would stop a build first.

    Raises
    ------
    CaseFileError
        The contract file is wrong.
    DataError
        A row holds a value that its column cannot hold.
    """
    terms = terms_file.read(watched.paths)
    if terms is None or not len(watched.own):
        return None
    model, features = watched.offline.model, watched.own.features
    known = [str(column["name"]) for column in model.contract["columns"]]
    names = [name for name in known if name in features.columns and name != model.target]
    with tempfile.TemporaryDirectory(prefix="gristmill-window-") as folder:
        path = Path(folder) / "rows.parquet"
        model.contracted(features[names], names).to_parquet(path, index=False)
        found = validate_rows(path, terms, watched.case)
    broken = sorted((one for one in found if not one.passed), key=lambda one: one.severity)
    return {"file": terms_file.shown(watched.paths), "rules": len(found), "broken": [one.to_dict() for one in broken]}
