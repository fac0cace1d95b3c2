"""A fitted pipeline as bytes and back, without pickle.

The format is that of skops: a zip archive of arrays and one ``schema.json`` that names every type in it. A type is loaded only if
skops knows it as harmless or :data:`gristmill.modeling.artifact.trusted_types.TRUSTED_TYPES` names it; the list is in the code that
loads, never in the file that is loaded.
"""

import io
import json
import zipfile
from typing import Any

from gristmill.errors import ArtifactError
from gristmill.modeling.artifact.trusted_types import TRUSTED_TYPES

SCHEMA = "schema.json"
STOP_WORDS_ADDRESS = "_stop_words_id"
"""An attribute in which scikit-learn's text vectorisers keep the address of an object of the process that fitted them."""

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The date a zip archive gives its members when there is nothing to say."""


def _renumber(node: Any, numbers: dict[str, str]) -> Any:
    """Replace memory addresses in a schema by the order in which they first appear."""
    if isinstance(node, list):
        return [_renumber(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    renumbered: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__" and isinstance(value, int):
            renumbered[key] = int(numbers.setdefault(str(value), str(len(numbers))))
        elif key == "file" and isinstance(value, str):
            address, dot, suffix = value.partition(".")
            renumbered[key] = numbers.setdefault(address, str(len(numbers))) + dot + suffix
        elif key == STOP_WORDS_ADDRESS and isinstance(value, dict):
            renumbered[key] = {**_renumber(value, numbers), "content": "null"}
        else:
            renumbered[key] = _renumber(value, numbers)
    return renumbered


def _without_addresses(content: bytes) -> bytes:
    """Return the archive with nothing in it that changes from run to run: addresses become numbers, dates are dropped."""
    numbers: dict[str, str] = {}
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as made:
        schema = _renumber(json.loads(given.read(SCHEMA)), numbers)
        members = {_renumber({"file": name}, numbers)["file"]: given.read(name) for name in given.namelist() if name != SCHEMA}
        for name, data in {**members, SCHEMA: json.dumps(schema).encode()}.items():
            made.writestr(zipfile.ZipInfo(name, EARLIEST), data, compress_type=zipfile.ZIP_DEFLATED, compresslevel=1)
    return written.getvalue()


def untrusted_types(content: bytes) -> list[str]:
    """Return the types in a stored pipeline that may not be loaded, sorted; nothing is loaded to find out.

    Raises
    ------
    ArtifactError
        ``content`` is not a pipeline in the format of skops.
    """
    import skops.io  # noqa: PLC0415 - a second of imports, for those who load

    try:
        return sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED_TYPES))
    except Exception as error:  # whatever a forged file makes the parser do, it is not a pipeline
        raise ArtifactError(
            f"Expected a pipeline in the skops format, but the file cannot be read as one ({type(error).__name__}: {error}). It is "
            "damaged, or something else renamed; nothing was loaded. Build the case again."
        ) from error


def dump_pipeline(pipeline: Any) -> bytes:
    """Return a fitted pipeline in the format of skops; the same pipeline gives the same bytes.

    Raises
    ------
    ArtifactError
        It holds a type that could not be loaded again.
    """
    import skops.io  # noqa: PLC0415

    content = _without_addresses(skops.io.dumps(pipeline))
    _refuse_untrusted(content)
    return content


def load_pipeline_bytes(content: bytes) -> Any:
    """Return the pipeline that :func:`dump_pipeline` turned into bytes.

    Raises
    ------
    ArtifactError
        The bytes are no such pipeline, or hold a type that is not trusted; in both cases nothing was loaded.
    """
    import skops.io  # noqa: PLC0415

    _refuse_untrusted(content)
    try:
        return skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    except Exception as error:
        raise ArtifactError(
            f"The stored pipeline cannot be rebuilt ({type(error).__name__}: {error}). It was written by other versions of the "
            "libraries, or altered; build the case again."
        ) from error


def _refuse_untrusted(content: bytes) -> None:
    """Raise an error that names the types which may not be loaded, if there are any."""
    refused = untrusted_types(content)
    if refused:
        raise ArtifactError(
            f"The pipeline holds {', '.join(repr(name) for name in refused)}, which is not among the types Gristmill loads, so "
            "nothing was loaded. If the class is yours and harmless, add its full name to `trusted_types.py`."
        )
