"""Writing a synthetic table to a file, and saying what is in it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from gristmill.data.products import replacing
from gristmill.data.samples.sampling import BLOCK, DISADVANTAGED, DRIFTING, GAPPY, LEAKING, SENSITIVE, Best, Recipe, batches
from gristmill.data.samples.sampling_truth import REVENUE_NOISE, USAGE_SPREAD
from gristmill.errors import SourceError

SUFFIXES = (".csv", ".parquet")


def write_sample(path: Path, recipe: Recipe, *, replace: bool = False) -> Best:
    """Write a table, and return the best score that a model of it can have.

    Rows are made and written a block at a time, so that memory does not grow with their number. The same recipe gives the same
    bytes.

    Parameters
    ----------
    path
        Where to; ``.csv`` or ``.parquet``.
    recipe
        What kind of table.
    replace
        Whether an existing file may be overwritten.

    Raises
    ------
    SourceError
        The file has another suffix, exists already, or cannot be written; nothing is left behind.
    """
    if path.suffix not in SUFFIXES:
        raise SourceError(f"Expected a file that ends in {' or '.join(SUFFIXES)}, got {str(path)!r}. Give it one of these endings.")
    if path.exists() and not replace:
        raise SourceError(f"{path} exists already. Give another name, or replace it with --force.")
    best = Best(recipe.task)
    made = batches(recipe, BLOCK, best)
    first = next(made)
    try:
        with replacing(path) as temporary, _writer(path.suffix, temporary, first.schema) as writer:
            writer.write_batch(first)
            for batch in made:
                writer.write_batch(batch)
    except OSError as error:
        raise SourceError(
            f"{path} cannot be written: {error.strerror or error}. Nothing was kept; choose another place."
        ) from error
    return best


def _writer(suffix: str, path: Path, schema: pa.Schema) -> Any:
    """Return a writer of batches."""
    return pa_csv.CSVWriter(path, schema) if suffix == ".csv" else pq.ParquetWriter(path, schema, compression="zstd")


def sentences(recipe: Recipe, best: Best) -> Iterator[str]:
    """Give what is known about a table: what it predicts, how well that can be done, and each fault that was injected."""
    metric = {"roc_auc": "ROC-AUC", "accuracy": "accuracy", "r2": "R2"}[best.metric]
    yield f"Target {recipe.target} ({recipe.task}). No model of the features does better than {metric} {best.score:.4f} on average."
    if recipe.drift:
        yield (
            f"Drift: {DRIFTING} is multiplied by {math.exp(recipe.drift * USAGE_SPREAD):.4g}, which moves its logarithm by "
            f"{recipe.drift:g} standard deviations; the target follows."
        )
    if recipe.missing:
        yield f"Missing: {recipe.missing:.1%} of the cells of {', '.join(GAPPY)}, at random."
    if recipe.leakage:
        yield f"Leakage: {LEAKING} is the target with a little noise, as if known after it."
    if recipe.bias:
        yield f"Bias: {_bias(recipe)}"
    if not (recipe.drift or recipe.missing or recipe.leakage or recipe.bias):
        yield "No fault was injected."


def _bias(recipe: Recipe) -> str:
    """Say what is recorded of the group that is treated worse."""
    who = f"{SENSITIVE} {DISADVANTAGED!r}"
    if recipe.task == "regression":
        return f"{recipe.target} of {who} is lowered by {recipe.bias * REVENUE_NOISE:g}."
    less, more = ("no", "yes") if recipe.task == "binary" else ("stay", "upgrade")
    return f"{recipe.bias:.1%} of the rows of {who} with {recipe.target} {more!r} are recorded as {less!r}."
