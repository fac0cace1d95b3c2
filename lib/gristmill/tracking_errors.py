"""What MLflow says when it refuses, as an error that a person can read."""

from collections.abc import Iterator
from contextlib import contextmanager

from gristmill.errors import RegistryError


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Turn a refusal of MLflow's in the block into a :class:`RegistryError` that names what was wanted.

    Parameters
    ----------
    what
        Ends the words "The registry does not".
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        yield
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise RegistryError(f"The registry does not {what}: {reason}. Run the command again once it does.") from error
