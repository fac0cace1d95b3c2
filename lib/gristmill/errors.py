"""The errors Gristmill raises on purpose, all from one base.

A message is written for the person who will read it: what was expected, what came, and what to run or change next. The
command line and the build print the message alone and exit with :attr:`GristmillError.exit_code`; a traceback always means a
defect of ours.
"""


class GristmillError(Exception):
    """Base of every error that a user can cause and mend."""

    exit_code = 2


class CaseFileError(GristmillError):
    """The case file is missing, is not YAML, or says something that cannot be built."""


class SourceError(GristmillError):
    """A table cannot be found, opened or read."""


class NoRowsError(SourceError):
    """A table has columns and no rows."""


class DataError(GristmillError):
    """A table was read, but its rows cannot be used for the case."""


class UnfitValueError(DataError):
    """A column holds values that its contracted type cannot hold.

    Attributes
    ----------
    wanted
        What was expected, such as ``a number``.
    places
        Which rows hold such a value, from 0.
    """

    def __init__(self, message: str, wanted: str, places: list[int]) -> None:
        super().__init__(message)
        self.wanted, self.places = wanted, places


class LevelError(GristmillError):
    """Sets or intervals are asked for at a level that is none, or that a model cannot vouch for."""


class LeakageError(DataError):
    """A column or a split tells the model what it is supposed to predict."""


class ArtifactError(GristmillError):
    """A product of a build is missing, altered, or holds something that may not be loaded."""


class RegistryError(GristmillError):
    """A registered model, version or alias that was asked for does not exist."""


class StateError(GristmillError):
    """The database of what processes must agree on does not answer, or refuses a statement."""


class GateError(GristmillError):
    """A version may not go where it is wanted: its gates failed, or it is not what was registered. Never raised by a build."""

    exit_code = 3


class BuildError(GristmillError):
    """A build cannot start or go on: a lock is held, a task failed, a kernel hung."""

    exit_code = 1


class ReleaseConflictError(GristmillError):
    """Somebody else moved the same model at the same time, and was first."""

    exit_code = 1


class ParameterError(GristmillError):
    """A notebook is given a parameter it does not have, or one of the wrong type."""


class InstrumentError(GristmillError):
    """An instrument of the service (metrics, logs, traces, profiles) cannot be set up or used as asked."""


class MixedEncodingError(SourceError):
    """A text file is partly UTF-8 and partly something else."""


class LogUnavailable(StateError):  # noqa: N818 - it says what is the matter, and callers answer 503 by this name
    """The prediction log cannot take a record now: its database is down, locked, full or slow, or too much waits already.

    What was to be answered must be refused instead. The log goes on by itself as soon as its database does.
    """

    retry_after = 1
    """Seconds after which it is worth to ask again: what an answer says in ``Retry-After``."""


class NoLogYet(LogUnavailable):
    """There is no prediction log: nothing was served so far."""


class NoCompiledForm(GristmillError):  # noqa: N818 - it is no error of a user's, and never reaches one as such
    """A part of a model has no compiled form; the message says which, as the end of a sentence."""


class KeyStoreError(GristmillError):
    """A key cannot be made as asked, or there is none of that id."""


class DurationError(GristmillError):
    """A length of time is none."""


class QueueFullError(GristmillError):
    """More rows wait for a prediction than may."""


class PredictionRefused(GristmillError):  # noqa: N818 - as LogUnavailable
    """The service, here or elsewhere, does not answer what it was asked for; the message says why."""


class MonitoringFailed(GristmillError):  # noqa: N818 - it says what happened; the build has printed why
    """The monitoring DAG ended before its report was written; what it printed says why."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
