"""Holding the behaviour that a case file asks for against its table as soon as its columns are known, before any training."""

from pathlib import Path

from gristmill.config.loading import load_case
from gristmill.data.contract import behaviour
from gristmill.data.products import read_json
from gristmill.paths import ProjectPaths

STAGE = "02_validate"
"""The stage that finds out what the columns are."""


def require_behaviour(root: Path, case: str) -> None:
    """Refuse a case whose behaviour tests or critical segments name what its table does not have; nothing without a contract.

    Raises
    ------
    DataError
        The message names the key of the case file, and the nearest column, level or class.
    CaseFileError, ArtifactError
        The case file or the contract cannot be read.
    """
    contract = ProjectPaths(root).case(case).artifacts / "contract.json"
    stated = load_case(case, root).behaviour
    if contract.is_file() and (stated.tests or stated.critical_segments):
        behaviour.require(stated, read_json(contract))
