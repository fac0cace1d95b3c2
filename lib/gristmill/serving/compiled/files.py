"""A compiled model as two files beside the pipeline: ``compiled.json`` and ``compiled.npz``, opened without pickle."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.errors import ArtifactError
from gristmill.modeling.artifact.model_directory import COMPILED, COMPILED_ARRAYS
from gristmill.serving.compiled import added, answers, blocks, intake, ranks
from gristmill.serving.compiled.kernels import categories, simple, symmetric, trees
from gristmill.serving.compiled.parts import as_data, from_data
from gristmill.serving.compiled.plan import Plan

FORMAT = 1

MODULES = (added, answers, blocks, categories, intake, ranks, simple, symmetric, trees)
"""The modules that register parts: whoever reads a plan needs all of them."""


def to_files(plan: Plan) -> dict[str, bytes]:
    """Return a plan as the content of its files, by name; the same plan gives the same bytes."""
    arrays: dict[str, NDArray[Any]] = {}
    content = {"format": FORMAT, "plan": as_data(plan, arrays)}
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    return {COMPILED: json.dumps(content, ensure_ascii=False, allow_nan=False).encode(), COMPILED_ARRAYS: packed.getvalue()}


def from_files(files: Mapping[str, bytes]) -> Plan:
    """Return the plan that :func:`to_files` was given, from bytes that were verified.

    Raises
    ------
    ArtifactError
        They are no compiled model: another format, an object in place of numbers, a part that does not exist or does not hold
        together. Nothing in them was run.
    """
    try:
        content = json.loads(files[COMPILED])
        written = content["format"]
        with np.load(io.BytesIO(files[COMPILED_ARRAYS]), allow_pickle=False) as packed:
            arrays = {name: packed[name] for name in packed.files}
    except (ValueError, KeyError, TypeError, OSError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        raise ArtifactError(
            f"Expected the compiled form of a model in {COMPILED} and {COMPILED_ARRAYS}, but they cannot be read as one ({error}). "
            "They are damaged, or something else renamed; nothing was loaded. Build the case again."
        ) from error
    if written != FORMAT:
        raise ArtifactError(f"Expected a compiled model of format {FORMAT}, got {written!r}. Build the case again.")
    plan = from_data(content["plan"], arrays)
    if not isinstance(plan, Plan):
        raise ArtifactError("The compiled form of the model holds no plan. It was altered; build the case again.")
    return plan
