"""Scoring of whole tables, in portions, so that memory does not grow with their size (R36).

The contract says what the columns are, not the file: codes such as ``01`` stay text wherever the model was built on text. The
answers to each portion are kept as it is done (:mod:`gristmill.serving.batch.interrupted`); the output is put together of all of
them at the end, so that it is the same whether or not the run was interrupted.
"""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.data.products import replacing
from gristmill.errors import DataError, GristmillError, SourceError
from gristmill.features.treated import Treated
from gristmill.modeling.conformal.conformity import checked_level
from gristmill.paths import ProjectPaths
from gristmill.serving.batch import tables
from gristmill.serving.batch.answering import answer, output_schema
from gristmill.serving.batch.inputs import Input, check_suffix
from gristmill.serving.batch.interrupted import Unfinished, unfinished
from gristmill.serving.batch.portions import Position
from gristmill.serving.batch.quarantine import quarantine_file, write_quarantine
from gristmill.serving.batch.writing import writer
from gristmill.serving.predictor import Predictor

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[float, int], None]
"""Is told the share of the input that is done, from 0 to 1, and how many rows that is."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """What was scored.

    Attributes
    ----------
    rows
        How many rows the input has, and the output.
    counts
        What was missing, far out or unseen in them, None where there were
        no rows, or the model has no plan.
    quarantined
        How many of them could not be predicted; their predictions are empty.
    quarantine
        The file that says which and why; None if there are none.
    resumed_after
        How many rows an interrupted run had done.
    model_digest
        Digest of the model that answered.
    """

    rows: int
    counts: Treated | None
    quarantined: int = 0
    quarantine: Path | None = None
    resumed_after: int = 0
    model_digest: str = ""

    @property
    def sentence(self) -> str:
        """What became of missing values, outliers, levels never seen, and bad rows; empty where nothing is known of them."""
        parts = [] if self.counts is None else [f"{self.counts.sentence}."]
        if self.quarantined:
            verb = "1 row has" if self.quarantined == 1 else f"{self.quarantined:,} rows have"
            parts.append(f"{verb} no prediction: {self.quarantine} says why.")
        if self.resumed_after:
            parts.append(f"Went on behind row {self.resumed_after:,}, where a run had been interrupted.")
        return " ".join(parts)


def score(  # noqa: PLR0913 - five of them by name only
    input_table: Path | str,
    output_file: Path | str,
    model_reference: str,
    paths: ProjectPaths | None = None,
    *,
    interval: float | None = None,
    query: str | None = None,
    strict: bool = False,
    counted: bool = True,
    progress: Progress | None = None,
) -> Scored:
    """Predict every row of a table and write one row for each, in order; return how many there were, and what was wrong in them.

    Rows that cannot be read or predicted stay in the output, without a prediction, and are listed in a file beside it. A run that
    is interrupted leaves what it has done; the same call goes on from there.

    Parameters
    ----------
    input_table
        CSV or Parquet, told by its suffix; or the URI of a database.
    output_file
        CSV or Parquet, told by its suffix. It is written whole or not at all.
    model_reference
        ``NAME@alias``, ``NAME/VERSION`` or a model directory.
    paths
        The project; found from the working directory when omitted.
    interval
        Share of rows, from 0.5 to 0.999, whose set or interval is to hold the truth. The output then has ``prediction_set``, a list
        of classes (in CSV as a JSON array), or for numbers ``lower`` and ``upper``.
    query
        What is asked of the database; of a file, what is asked of its rows, which are called ``source``.
    strict
        Whether a row that cannot be predicted is refused, and nothing written.
    counted
        Whether to count what was missing, far out or unseen.
    progress
        Is told how far it is after each portion.

    Raises
    ------
    LevelError
        The level is none, or the model learnt from too few rows to vouch for it.
    SourceError
        A table cannot be read or written, has another suffix, both are the same, or the output is being written by another run.
    DataError
        A column is missing; no row at all could be predicted; or ``strict``, and one could not.
    RegistryError, ArtifactError
        There is no such model, it is not what its manifest says, or it was built before there were sets and intervals.
    """
    source, target = Input(str(input_table), query), Path(output_file)
    _check_output(target)
    source.check(target)
    if interval is not None:
        checked_level(interval)
    predictor = Predictor.named(model_reference, paths)
    job = {
        "input": source.identity(), "model": predictor.manifest.digest, "interval": interval, "output": target.suffix.lower(),
        "strict": strict, "counted": counted, "rows": tables.ROWS_A_PORTION,
    }  # fmt: skip
    with unfinished(target, job) as kept:
        try:
            scored = _Run(source, target, predictor, kept, interval, strict, counted, progress).finish()
        except OSError as error:  # the disk is full, or gone: what was done is worth keeping
            raise SourceError(
                f"{error}. Mend that, and run the command again: it goes on behind row {_rows_in(kept):,}."
            ) from error
        except GristmillError:
            kept.remove()
            raise
        kept.remove()
    totals = None if scored.counts is None else scored.counts.totals
    _LOG.info(
        "scored %s with %s: %d rows, %d bad, %s", source.uri, scored.model_digest[:12], scored.rows, scored.quarantined, totals
    )
    return scored


@dataclass(frozen=True)
class _Run:
    """One run of a job, from where another one may have left it."""

    source: Input
    target: Path
    predictor: Predictor
    kept: Unfinished
    interval: float | None
    strict: bool
    counted: bool
    progress: Progress | None

    def finish(self) -> Scored:
        """Predict what is left and write the output."""
        file = self.source.file(self.kept.folder)
        before = _rows_in(self.kept)
        with tables.open_rows(file, self.predictor.model, self.kept.folder) as rows:
            schema = output_schema(rows.ids, self.predictor, self.interval, self.target.suffix.lower())
            self._predict(rows, schema)
        return self._write(schema, before)

    def _predict(self, rows: tables.Rows, schema: "pa.Schema") -> None:
        """Predict the portions that are left, and keep the answers to each."""
        number = self.kept.parts()
        start = Position(**self.kept.facts(number - 1)["behind"]) if number else Position()
        if rows.size:
            for place, portion in enumerate(rows.portions(start), start=number):
                answers = answer(portion, self.predictor, schema, self.interval, strict=self.strict, counted=self.counted)
                facts = {
                    "behind": asdict(portion.behind),
                    "bad": [row.as_record() for row in answers.bad],
                    "counts": None if answers.counts is None else asdict(answers.counts),
                }
                self.kept.add(place, answers.batch, facts)
                if self.progress is not None:
                    self.progress(rows.share(portion.behind), portion.behind.rows)

    def _write(self, schema: "pa.Schema", before: int) -> Scored:
        """Write the output, and the side file of bad rows, of all that was kept."""
        parts = self.kept.parts()
        rows = _rows_in(self.kept)
        with replacing(self.target, self.kept.folder) as temporary:  # a kill leaves it where the next run removes it
            with writer(self.target.suffix.lower(), temporary, schema) as write:
                for number in range(parts):
                    write(self.kept.answers(number))
            first = next(self._bad(parts), None)
            n_bad = sum(1 for _ in self._bad(parts))
            if rows and n_bad == rows and first is not None:
                raise DataError(
                    f"None of the {rows:,} rows of {self.source.uri} can be predicted; row {first['row']}: {first['reason']}."
                )
            write_quarantine(self.target, self._bad(parts), self.kept.folder)
        quarantine = quarantine_file(self.target) if n_bad else None
        return Scored(rows, self._counts(parts), n_bad, quarantine, before, self.predictor.manifest.digest)

    def _bad(self, parts: int) -> Iterator[dict[str, Any]]:
        """Yield the rows that could not be predicted, in order."""
        for number in range(parts):
            yield from self.kept.facts(number)["bad"]

    def _counts(self, parts: int) -> Treated | None:
        """Return what was missing, far out or unseen in all portions together."""
        total: Treated | None = None
        for number in range(parts):
            found = self.kept.facts(number)["counts"]
            if found is not None:
                more = Treated(found["rows"], tuple(found["columns"]), tuple(found["choices"]))
                total = more if total is None else total.with_more(more)
        return total


def _rows_in(kept: Unfinished) -> int:
    """Return how many rows are done."""
    parts = kept.parts()
    return int(kept.facts(parts - 1)["behind"]["rows"]) if parts else 0


def _check_output(target: Path) -> None:
    """Refuse an output that cannot be written."""
    check_suffix(target)
    if target.is_dir() or not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
        raise SourceError(f"{str(target)!r} cannot be written: its folder does not exist or is closed, or it is a folder itself.")
