"""JSON that is written again and again: what ``json.JSONEncoder.encode`` makes anew for each value is made once here."""

import json
from collections.abc import Callable
from json import encoder
from typing import Any


def writer(*, ensure_ascii: bool, allow_nan: bool = False, default: Callable[[Any], Any] | None = None) -> Callable[[Any], str]:
    """Return a function that writes a value compactly, as a ``json.JSONEncoder`` of these arguments does.

    A value that holds itself is not looked for, as none comes out of a JSON text.

    Parameters
    ----------
    ensure_ascii, allow_nan, default
        As of ``json.JSONEncoder``.
    """
    plain = json.JSONEncoder(
        ensure_ascii=ensure_ascii, allow_nan=allow_nan, default=default, separators=(",", ":"), check_circular=False
    )
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:  # an interpreter without the accelerator
        return plain.encode
    escape = encoder.encode_basestring_ascii if ensure_ascii else encoder.encode_basestring
    pieces = make(None, plain.default, escape, None, ":", ",", False, False, allow_nan)  # noqa: FBT003 - it takes no names

    def write(value: Any) -> str:
        return "".join(pieces(value, 0))

    return write
