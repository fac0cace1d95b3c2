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
