"""The trials of a search, kept in Optuna's SQLite storage as each of them ends, so that a search that was killed goes on.

A study is one folder for a case and a family. It speaks only for the rows, settings and code it was made with: their digest
is in it, and a study with another one is removed. A trial is entered in one transaction, after the predictions that it needs have
been renamed into place, so that whatever ends the process leaves a study without the trial or with all of it.
"""

import contextlib
import fcntl
import json
import math
import shutil
import warnings
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gristmill.data.products import replacing, write_json
from gristmill.metrics.scores import as_gain
from gristmill.modeling.search.trial import Trial

Floats = NDArray[np.float64]

KEY = "key.json"
DATABASE = "study.db"
NAME = "search"
_RECORD = "gristmill.trial"


def optuna() -> Any:
    """Return Optuna, imported when it is needed, without what it would say about progress bars."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")  # no bar is drawn
        import optuna as imported  # noqa: PLC0415

    imported.logging.set_verbosity(imported.logging.WARNING)
    return imported


def frozen(metric: str, trial: Trial, asked: Any = None) -> Any:
    """Return Optuna's form of a trial that has ended.

    Parameters
    ----------
    metric
        The metric that decides; Optuna always maximises.
    trial
        The trial.
    asked
        Optuna's own trial, where Optuna proposed it.
    """
    states = optuna().trial.TrialState
    value = None if trial.score is None or not math.isfinite(trial.score) else as_gain(metric, trial.score)
    state = {"finished": states.COMPLETE, "pruned": states.PRUNED}.get(trial.status, states.FAIL)
    if value is None:
        state = states.FAIL
    return optuna().trial.create_trial(
        state=state,
        value=value if state == states.COMPLETE else None,
        params={} if asked is None else asked.params,
        distributions={} if asked is None else asked.distributions,
        user_attrs={_RECORD: asdict(trial)},
    )


class Study:
    """The kept trials of a search.

    Parameters
    ----------
    folder
        Where they are kept; made, or emptied if it holds those of another search.
    key
        What makes trials comparable, JSON-able; see :func:`gristmill.modeling.search.comparable.comparable`.

    Raises
    ------
    BlockingIOError
        Another process is working on the study.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:
        self.folder, self.key = folder, dict(key)
        folder.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] = (folder / ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._stored_key() != json.loads(json.dumps(self.key)):
                self._clear()
            self._open()
        except BaseException:
            self._lock.close()
            raise

    def _open(self) -> None:
        """Open the database; a damaged one is made anew."""
        try:
            self._connect()
        except Exception:  # noqa: BLE001 - whatever a damaged file makes the driver say
            self._disconnect()
            self._clear()
            self._connect()
        if not (self.folder / KEY).exists():
            write_json(self.folder / KEY, self.key)

    def _connect(self) -> None:
        """Open the database and read what it holds."""
        self._storage: Any = None
        library = optuna()
        self._storage = library.storages.RDBStorage(f"sqlite:///{self.folder / DATABASE}")
        self._study = library.create_study(storage=self._storage, study_name=NAME, direction="maximize", load_if_exists=True)
        self.frozen: list[Any] = list(self._study.trials)
        self.trials = [Trial.of(one.user_attrs[_RECORD]) for one in self.frozen]
        self.settings: dict[str, Any] = dict(self._study.user_attrs)

    def _disconnect(self) -> None:
        """Close the database."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()

    def _stored_key(self) -> Any:
        """Return the key of what is in the folder; None if there is none, or it cannot be read."""
        try:
            return json.loads((self.folder / KEY).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _clear(self) -> None:
        """Remove everything but the lock."""
        for path in self.folder.iterdir():
            if path.name == ".lock":
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def note(self, name: str, value: Any) -> None:
        """Keep a JSON-able setting of the search that is not in its key."""
        self._study.set_user_attr(name, value)
        self.settings[name] = value

    def add(
        self, metric: str, trial: Trial, predictions: Floats | None, asked: Any = None, held: Collection[int] = ()
    ) -> None:  # fmt: skip
        """Keep a trial that has ended, with its out-of-fold predictions; those of trials not ``held`` any more are removed.

        Parameters
        ----------
        metric
            The metric that decides.
        trial
            The trial.
        predictions
            Its predictions, if they may be needed again.
        asked
            Optuna's own trial, where Optuna proposed it.
        held
            Numbers of the other trials whose predictions may be needed again.
        """
        if predictions is not None:
            with replacing(self._predictions(trial.number)) as temporary, temporary.open("wb") as file:
                np.save(file, predictions, allow_pickle=False)
        made = frozen(metric, trial, asked)
        self._study.add_trial(made)
        self.frozen.append(made)
        self.trials.append(trial)
        if predictions is not None:
            wanted = {self._predictions(number) for number in (trial.number, *held)}
            for path in self.folder.glob("oof-*.npy"):
                if path not in wanted:
                    path.unlink()

    def predictions(self, number: int) -> Floats | None:
        """Return the kept out-of-fold predictions of a trial; None if there are none, or they cannot be read."""
        with contextlib.suppress(OSError, ValueError, EOFError):
            return np.asarray(np.load(self._predictions(number), allow_pickle=False), dtype=np.float64)
        return None

    def _predictions(self, number: int) -> Path:
        """Return the file of a trial's predictions."""
        return self.folder / f"oof-{number}.npy"

    def close(self) -> None:
        """Let go of the folder; what is in it stays."""
        self._disconnect()
        self._lock.close()
