"""Curves as event files, read back the way TensorBoard's own format says (R23)."""

import struct
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event

from gristmill.event_files import write_event_files


def scalars(folder: Path) -> list[tuple[int, str, float]]:
    """Return step, tag and value of every scalar in the one event file of a folder: records of length, crc, bytes, crc."""
    (file,) = folder.glob("events.out.tfevents.*")
    content, found, place = file.read_bytes(), [], 0
    while place < len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        event = Event.FromString(content[place + 12 : place + 12 + length])
        found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
        place += 16 + length
    return found


def test_each_curve_is_a_run_with_a_scalar_for_every_epoch(tmp_path: Path):
    write_event_files(tmp_path, {"training": [0.75, 0.5], "validation": [0.875, 0.625]})
    assert scalars(tmp_path / "training") == [(1, "loss", 0.75), (2, "loss", 0.5)]
    assert scalars(tmp_path / "validation") == [(1, "loss", 0.875), (2, "loss", 0.625)]
