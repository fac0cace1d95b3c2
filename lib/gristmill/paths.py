"""Where everything of a project lies.

No other module spells a folder's name. Paths are absolute, so that a notebook works from whichever folder its kernel starts in.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from gristmill.environment import PROJECT_MARK, find_project_root
from gristmill.errors import CaseFileError


def project_root(start: Path | None = None) -> Path:
    """Return the project's root: the nearest folder at or above ``start`` that holds ``pipeline.yaml``.

    Parameters
    ----------
    start
        Folder to begin at; the working directory when omitted.

    Raises
    ------
    CaseFileError
        No folder above ``start`` is a Gristmill project.
    """
    begin = Path(start or Path.cwd())
    root = find_project_root(os.fspath(begin))
    if root is None:
        raise CaseFileError(
            f"Expected to be inside a Gristmill project (a folder with {PROJECT_MARK}), but neither {str(begin)!r} nor a folder "
            "above it is one. Change into the project's folder and run the command again."
        )
    return Path(root)


@dataclass(frozen=True)
class ProjectPaths:
    """The folders that all cases of a project share."""

    root: Path

    @property
    def configs(self) -> Path:
        """Case files, one a use case."""
        return self.root / "configs"

    @property
    def snapshots(self) -> Path:
        """Immutable, content-addressed raw tables."""
        return self.root / "data" / "snapshots"

    @property
    def reports(self) -> Path:
        """Rendered reports of all cases, and the index over them."""
        return self.root / "reports"

    @property
    def mlruns(self) -> Path:
        """The embedded MLflow store: its database and artifacts."""
        return self.root / "mlruns"

    @property
    def state(self) -> Path:
        """What outlives a build: locks, build history, the ledger of test-set uses."""
        return self.root / "state"

    @property
    def cases(self) -> list[str]:
        """Names of all cases that have a case file, sorted."""
        return sorted(path.stem for path in self.configs.glob("*.yaml"))

    def case(self, name: str) -> "CasePaths":
        """Return the paths of one case."""
        return CasePaths(root=self.root, name=name)


@dataclass(frozen=True)
class CasePaths:
    """The files and folders of one case."""

    root: Path
    name: str

    @property
    def project(self) -> ProjectPaths:
        """The folders shared with the other cases."""
        return ProjectPaths(self.root)

    @property
    def case_file(self) -> Path:
        """The case file, ``configs/<case>.yaml``."""
        return self.project.configs / f"{self.name}.yaml"

    @property
    def contract_file(self) -> Path:
        """The data contract, ``configs/contracts/<case>.yaml``; a case may have none."""
        return self.project.configs / "contracts" / f"{self.name}.yaml"

    @property
    def history(self) -> Path:
        """Which snapshots of the case's source were taken or restored, one JSON line each."""
        return self.root / "data" / "history" / f"{self.name}.jsonl"

    @property
    def splits(self) -> Path:
        """Which row of the case's source is on which side, one folder a line of splits."""
        return self.root / "data" / "splits" / self.name

    @property
    def argument(self) -> str:
        """What follows a command of ``gristmill data`` to name the table whose snapshots are meant."""
        return self.name

    @property
    def own_test(self) -> "OwnTestPaths":
        """The same case, with the history of its own test table (``split.test_source``) in place of its source's."""
        return OwnTestPaths(root=self.root, name=self.name)

    @property
    def artifacts(self) -> Path:
        """Products of the last build."""
        return self.root / "artifacts" / self.name

    def search(self, family: str) -> Path:
        """Trials of a family, kept for a build that is to go on after a kill."""
        return self.project.state / "search" / self.name / family

    @property
    def timings(self) -> Path:
        """What each stage took when it last ran."""
        return self.project.state / "builds" / self.name / "timings.json"

    @property
    def build_history(self) -> Path:
        """Every completed build of the case that is remembered, one JSON line each."""
        return self.project.state / "builds" / self.name / "history.jsonl"

    @property
    def scratch(self) -> Path:
        """Products of notebooks run by hand, which never touch the build's."""
        return self.artifacts / "scratch"

    @property
    def reports(self) -> Path:
        """Rendered reports of the last build."""
        return self.project.reports / self.name

    @property
    def model(self) -> Path:
        """The model directory that ``11_register`` writes."""
        return self.artifacts / "model"

    @property
    def metrics(self) -> Path:
        """The build's headline figures, ``metrics.json``."""
        return self.artifacts / "metrics.json"


class OwnTestPaths(CasePaths):
    """The files and folders of one case, where the snapshots of its own test table are meant."""

    @property
    def history(self) -> Path:
        """Which snapshots of the test table were taken or restored, one JSON line each."""
        return self.root / "data" / "history" / f"{self.name}.test.jsonl"

    @property
    def argument(self) -> str:
        """The case, and the option that says which table."""
        return f"{self.name} --test"


def project_paths(start: Path | None = None) -> ProjectPaths:
    """Return the shared folders of the project that ``start`` (or the working directory) lies in."""
    return ProjectPaths(project_root(start))


def case_paths(name: str, start: Path | None = None) -> CasePaths:
    """Return the paths of case ``name`` in the project that ``start`` (or the working directory) lies in."""
    return project_paths(start).case(name)
