"""Which cases there are to look at, and how far each is."""

from dataclasses import dataclass
from pathlib import Path

from gristmill.modeling.artifact.model_directory import MANIFEST
from gristmill.paths import ProjectPaths

NO_CASE = (
    "This project has no case yet. Write one for a table of yours: `gristmill init TABLE --target COLUMN`, then build it: "
    "`make run CASE=NAME`."
)


@dataclass(frozen=True)
class CaseState:
    """A case of the project.

    Attributes
    ----------
    name
        Of the case.
    built
        Whether a build has left a model.
    """

    name: str
    built: bool

    @property
    def what_to_do(self) -> str:
        """What has to be done before there is anything to see; empty where there is."""
        return "" if self.built else f"The case {self.name} has no model yet. Build it: `make run CASE={self.name}`."


def find_cases(root: Path) -> list[CaseState]:
    """Return the cases of a project, those with a model first, each group by name."""
    paths = ProjectPaths(root)
    found = [CaseState(name, (paths.case(name).model / MANIFEST).is_file()) for name in paths.cases]
    return sorted(found, key=lambda case: (not case.built, case.name))


def choose_case(cases: list[CaseState], asked: str | None) -> CaseState | None:
    """Return the case that is asked for by its name, or else the first; None where there is none."""
    return next((case for case in cases if case.name == asked), cases[0] if cases else None)
