"""Curves of training as TensorBoard's event files, without TensorBoard."""

from collections.abc import Mapping, Sequence
from pathlib import Path


def write_event_files(folder: Path, curves: Mapping[str, Sequence[float]], tag: str = "loss") -> None:
    """Write each curve as a run of its own with one scalar, so that TensorBoard draws them into one chart.

    Parameters
    ----------
    folder
        Where to write; each curve gets a folder of its name in it.
    curves
        Name of a curve (``training``, ``validation``) -> its value after each epoch.
    tag
        What the values are.
    """
    from tensorboardX import SummaryWriter  # noqa: PLC0415 - for those who write some

    for name, values in curves.items():
        with SummaryWriter(str(folder / name)) as writer:
            for epoch, value in enumerate(values, start=1):
                writer.add_scalar(tag, float(value), epoch)
