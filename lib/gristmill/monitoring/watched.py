"""The model that a window is about: what it answered there, and the training rows it is held against."""

import json
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from gristmill.config.case import Case
from gristmill.config.loading import load_case
from gristmill.errors import ArtifactError
from gristmill.modeling.artifact.model_directory import DRIFT_REFERENCE, require_files
from gristmill.monitoring.drift.importance import explained_importances, own_importances
from gristmill.monitoring.drift.reference import Reference
from gristmill.monitoring.drift.window import Window
from gristmill.monitoring.performance.offline import Offline, offline, offline_of
from gristmill.monitoring.performance.served import Mask, Served
from gristmill.monitoring.windows import ServedWindow, period, window_of
from gristmill.paths import CasePaths


@dataclass(frozen=True)
class Watched:
    """A version of a model at work, in a window of time.

    Attributes
    ----------
    case, paths
        The case.
    offline
        The version, as its build left it.
    window
        What was served.
    built
        Whether it is the version of the last build, whose rows are here.
    """

    case: Case
    paths: CasePaths
    offline: Offline
    window: ServedWindow
    built: bool

    @property
    def version(self) -> str:
        """Its number."""
        return self.offline.version

    @cached_property
    def own(self) -> Served:
        """Its own predictions in the window."""
        return self.window.served.of(self.version)

    @cached_property
    def features(self) -> pd.DataFrame:
        """The columns it read in each of these rows, in their contracted types.

        Raises
        ------
        DataError
            A row lacks a column, or holds a value that its type cannot hold.
        """
        columns = list(self.offline.model.feature_columns)
        return self.offline.model.features(self.own.features) if len(self.own) else pd.DataFrame(columns=columns)

    @cached_property
    def reference(self) -> Reference:
        """The distribution of its training rows.

        Raises
        ------
        ArtifactError
            It was built before this was kept.
        """
        model = self.offline.model
        if model.drift_reference is None:
            require_files(model.manifest, (DRIFT_REFERENCE,), "the model")
        return Reference.from_record(model.drift_reference or {}, model.contract)

    def counted(self, which: Mask | None = None) -> Window:
        """Return the counts of its rows, or of some of them, in the cells of the reference."""
        features, predicted = self.features, self.own.predicted
        if which is not None:
            features, predicted = features[which], predicted[which]
        return Window.of(features, self.reference, predicted)

    @cached_property
    def training(self) -> pd.DataFrame | None:
        """Its training rows as it read them; None where they are those of another build."""
        path = self.paths.artifacts / "train.parquet"
        if not self.built or not path.is_file():
            return None
        return self.offline.model.features(pd.read_parquet(path))

    @cached_property
    def importances(self) -> dict[str, float] | None:
        """Share of the model's importance of each column; None where it cannot be told."""
        explanation = self.paths.artifacts / "explanation.json"
        columns = self.offline.model.feature_columns
        if self.built and explanation.is_file():
            return explained_importances(json.loads(explanation.read_text(encoding="utf-8")), columns)
        try:
            return own_importances(self.offline.model, self.paths.model) if self.built else None
        except ArtifactError:
            return None


def watched(paths: CasePaths, days: float, until: float) -> Watched:
    """Return the version that answered last as champion in some days, with what was served; without any, that of the last build.

    Parameters
    ----------
    paths
        The case.
    days
        Length of the window.
    until
        Its end, in seconds since 1970.

    Raises
    ------
    ParameterError
        The days are none.
    ArtifactError, RegistryError
        There is no build of the case; or the version that answered is gone.
    LogUnavailable, DataError
        As :func:`gristmill.monitoring.windows.window_of`.
    """
    since, until = period(days, until)
    case, built = load_case(paths.name, paths.root), offline(paths)
    window = window_of(paths, since, until, built.model.classes)
    version = window.champion or built.version
    same = version == built.version
    return Watched(case, paths, built if same else offline_of(paths, version), window, same)


def until_of(written: object) -> float:
    """Return the end of a window in seconds since 1970: of ``now``, or a time as people write it.

    Raises
    ------
    ParameterError
        It is none.
    """
    import time  # noqa: PLC0415 - the clock is asked here alone

    from gristmill.serving.prediction_log.report import seconds_of  # noqa: PLC0415

    return time.time() if written in (None, "", "now") else float(seconds_of("--until", str(written)) or 0.0)
