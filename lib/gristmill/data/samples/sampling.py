"""Synthetic tables of subscription customers: any size, any task, with known faults on request.

The target follows from the features by a known function and noise, so that the best score that any model can reach is known. Rows
come in blocks with random numbers of their own, made from the seed, the block and the column: the same seed gives the same rows
whatever they are cut into, and a fault changes nothing but what it is said to change.
"""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gristmill.data.samples.sampling_truth import LEVELS, USAGE_SPREAD, Truth, truth_of
from gristmill.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

Task = Literal["binary", "multiclass", "regression"]
TARGETS: "Mapping[Task, str]" = {"binary": "churned", "multiclass": "next_step", "regression": "revenue_next_year"}
CLASSES: "Mapping[str, tuple[str, ...]]" = {"binary": ("no", "yes"), "multiclass": ("stay", "upgrade", "leave")}

DRIFTING = "usage_hours"
GAPPY = ("usage_hours", "region", "days_since_login")
LEAKING = "closing_balance"
SENSITIVE, DISADVANTAGED = "gender", "female"

BLOCK = 1 << 16
"""Rows that are made at a time."""

_FIRST_DAY, _DAYS = np.datetime64("2018-01-01"), 365 * 6
_LEAK_NOISE = {"binary": 0.1, "multiclass": 0.1, "regression": 0.02}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """What kind of table is wanted.

    Attributes
    ----------
    task
        Kind of target.
    rows
        How many rows.
    columns
        How many columns in all, identifier and target included; those beyond the usual ones say nothing about the target.
    seed
        The same seed gives the same table.
    drift
        Standard deviations by which the logarithm of ``usage_hours`` is moved; the target follows the moved values.
    missing
        Share of the cells of three columns that are emptied at random, 0 to 0.9.
    leakage
        Whether a column is added that is only known after the target.
    bias
        Share of the women with the second class of the target (``yes``, ``upgrade``) that are recorded with the first, 0 to 1; for
        a regression the standard deviations of the noise by which their numbers are lowered.

    Raises
    ------
    SourceError
        A value is out of its range.
    """

    task: Task = "binary"
    rows: int = 10_000
    columns: int | None = None
    seed: int = 0
    drift: float = 0.0
    missing: float = 0.0
    leakage: bool = False
    bias: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        least = len(_NAMES) + 1 + self.leakage
        limits = {
            "--rows": (self.rows, 1, 10**12),
            "--columns": (least if self.columns is None else self.columns, least, 10_000),
            "--seed": (self.seed, 0, 2**63 - 1),
            "--drift": (self.drift, -5, 5),
            "--missing": (self.missing, 0, 0.9),
            "--bias": (self.bias, 0, 1),
        }
        if self.task not in get_args(Task):
            raise SourceError(f"Expected --task {', '.join(get_args(Task))}, got {self.task!r}. Name one of them.")
        for option, (value, low, high) in limits.items():
            if not (math.isfinite(value) and low <= value <= high):
                raise SourceError(f"Expected {option} from {low:,} to {high:,}, got {value!r}. Give another number.")

    @property
    def target(self) -> str:
        """Name of the target column."""
        return TARGETS[self.task]

    @property
    def extra(self) -> int:
        """Columns beyond the usual ones."""
        least = len(_NAMES) + 1 + self.leakage
        return 0 if self.columns is None else self.columns - least


@dataclass
class Best:
    """The best score that a model of the features can have on the rows seen so far, whatever it is.

    It is computed from the true probabilities (or the noise), and added up over blocks.
    """

    task: Task
    n_rows: int = 0
    total: float = 0.0
    squares: float = 0.0
    noise: float = 0.0
    positives: Floats = field(default_factory=lambda: np.zeros(10_000))
    negatives: Floats = field(default_factory=lambda: np.zeros(10_000))

    def add(self, truth: Truth) -> None:
        """Take in the rows of a block."""
        self.n_rows += len(truth.outcome)
        if self.task == "regression":
            self.total += float(truth.outcome.sum())
            self.squares += float((truth.outcome**2).sum())
            self.noise += float(((truth.outcome - truth.expected[:, 0]) ** 2).sum())
        elif self.task == "multiclass":
            self.total += float(truth.expected.max(axis=1).sum())
        else:
            share = truth.expected[:, 1]
            place = np.minimum((share * 10_000).astype(np.int64), 9_999)
            self.positives += np.bincount(place, weights=share, minlength=10_000)
            self.negatives += np.bincount(place, weights=1 - share, minlength=10_000)

    @property
    def metric(self) -> str:
        """What the score is: ``roc_auc``, ``accuracy`` or ``r2``."""
        return {"binary": "roc_auc", "multiclass": "accuracy", "regression": "r2"}[self.task]

    @property
    def score(self) -> float:
        """The score itself."""
        if self.task == "regression":
            spread = self.squares - self.total**2 / self.n_rows
            return 1 - self.noise / spread if spread > 0 else 0.0
        if self.task == "multiclass":
            return self.total / self.n_rows
        below = np.cumsum(self.negatives) - self.negatives / 2
        return float((self.positives * below).sum() / (self.positives.sum() * self.negatives.sum()))


def batches(recipe: Recipe, chunk_rows: int = BLOCK, best: Best | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the table in batches of ``chunk_rows`` rows, the last one smaller; the rows do not depend on ``chunk_rows``.

    Parameters
    ----------
    recipe
        What is wanted.
    chunk_rows
        Rows a batch.
    best
        Takes in the truth about every row that is made.
    """
    waiting = pa.table({})
    for start in range(0, recipe.rows, BLOCK):
        made, truth = _block(recipe, start // BLOCK, min(BLOCK, recipe.rows - start))
        if best is not None:
            best.add(truth)
        waiting = pa.concat_tables([waiting, made]) if waiting.num_rows else made
        while waiting.num_rows >= chunk_rows:
            yield waiting.slice(0, chunk_rows).combine_chunks().to_batches()[0]
            waiting = waiting.slice(chunk_rows)
    if waiting.num_rows:
        yield waiting.combine_chunks().to_batches()[0]


class _Chance:
    """Random numbers of one block, a stream for each column."""

    def __init__(self, seed: int, block: int, n_rows: int) -> None:
        self._seed, self._block, self.n_rows = seed, block, n_rows

    def of(self, column: str) -> np.random.Generator:
        """Return the stream of a column."""
        return np.random.default_rng([self._seed, self._block, zlib.crc32(column.encode())])

    def normal(self, column: str) -> Floats:
        """Return standard normal numbers, as many as a whole block has, cut to its rows: fewer rows are the first of more."""
        return self.of(column).standard_normal(BLOCK)[: self.n_rows]

    def uniform(self, column: str) -> Floats:
        """Return numbers between 0 and 1."""
        return self.of(column).random(BLOCK)[: self.n_rows]

    def level(self, column: str) -> NDArray[np.int64]:
        """Return the places of levels, drawn with their shares."""
        shares = np.array([share for _, share in LEVELS[column]])
        return np.searchsorted(np.cumsum(shares / shares.sum())[:-1], self.uniform(column), side="right").astype(np.int64)


def _block(recipe: Recipe, block: int, n_rows: int) -> tuple[pa.Table, Truth]:
    """Return the rows of one block, and the truth about them."""
    chance = _Chance(recipe.seed, block, n_rows)
    values = _values(recipe, chance)
    truth = truth_of(recipe.task, values, chance.uniform("target"), chance.normal("target noise"))
    women = values[SENSITIVE] == _place(SENSITIVE, DISADVANTAGED)
    truth = truth.biased(recipe.task, women, recipe.bias, chance.uniform("bias"))
    columns: dict[str, pa.Array] = {"customer_id": _ids(block * BLOCK, n_rows)}
    columns |= {name: _array(name, values[name]) for name in _NAMES[1:]}
    columns |= dict(_extras(recipe.extra, chance))
    if recipe.leakage:
        scale = float(truth.outcome.std()) or 1.0 if recipe.task == "regression" else 1.0
        leak = truth.outcome + _LEAK_NOISE[recipe.task] * scale * chance.normal(LEAKING)
        columns[LEAKING] = pa.array(np.round(leak * (1 if recipe.task == "regression" else 100), 2))
    columns[recipe.target] = _outcome(recipe.task, truth)
    if recipe.missing:
        for name in GAPPY:
            columns[name] = pc.if_else(pa.array(chance.uniform(f"missing {name}") < recipe.missing), None, columns[name])
    return pa.table(columns), truth


def _values(recipe: Recipe, chance: _Chance) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """Return the features as numbers and places of levels."""
    signed = np.floor(_DAYS * chance.uniform("signup_date") ** 0.7)
    plan = chance.level("plan")
    fee = np.array([9.0, 19.0, 39.0, 89.0])[plan] * np.exp(0.25 * chance.normal("monthly_fee"))
    usage = np.exp(2.5 + USAGE_SPREAD * (chance.normal(DRIFTING) + recipe.drift))
    lonely = chance.of("support_calls").poisson(0.6 + 0.9 * chance.of("troubled").random(BLOCK) ** 3)[: chance.n_rows]
    return {
        "signup_date": signed.astype(np.int64),
        "tenure_months": np.floor((_DAYS - signed) / 30.4).astype(np.int64),
        "age": np.clip(np.round(18 + 55 * chance.of("age").beta(1.6, 2.4, BLOCK)[: chance.n_rows]), 18, 90).astype(np.int64),
        "gender": chance.level("gender"),
        "region": chance.level("region"),
        "plan": plan,
        "payment_method": chance.level("payment_method"),
        "monthly_fee": np.round(fee, 2),
        "usage_hours": np.round(usage, 3),
        "support_calls": lonely.astype(np.int64),
        "days_since_login": np.floor(-12 * np.log1p(-chance.uniform("days_since_login"))).astype(np.int64),
        "discount": chance.level("discount"),
    }


_NAMES = (
    "customer_id", "signup_date", "tenure_months", "age", "gender", "region", "plan", "payment_method", "monthly_fee",
    "usage_hours", "support_calls", "days_since_login", "discount",
)  # fmt: skip


def _place(column: str, level: str) -> int:
    """Return the place of a level among those of its column."""
    return [name for name, _ in LEVELS[column]].index(level)


def _ids(start: int, n_rows: int) -> pa.Array:
    """Return identifiers that count rows from 1."""
    numbers = pc.utf8_lpad(pa.array(np.arange(start + 1, start + n_rows + 1)).cast(pa.string()), 9, "0")
    return pc.binary_join_element_wise("C", numbers, "")


def _array(name: str, values: NDArray[np.float64] | NDArray[np.int64]) -> pa.Array:
    """Return a feature as it stands in the table: levels as text, days as dates."""
    if name in LEVELS:
        return pa.array([level for level, _ in LEVELS[name]]).take(pa.array(values))
    if name == "signup_date":
        return pa.array(_FIRST_DAY + values.astype("timedelta64[D]"))
    return pa.array(values)


def _extras(count: int, chance: _Chance) -> Iterator[tuple[str, pa.Array]]:
    """Give columns that say nothing about the target: skewed numbers, and every third one levels."""
    for number in range(1, count + 1):
        if number % 3:
            name = f"metric_{number:02d}"
            yield name, pa.array(np.round(np.exp(chance.normal(name)), 3))
        else:
            name = f"segment_{number:02d}"
            yield name, pa.array(list("ABCDEF")).take(pa.array(np.floor(6 * chance.uniform(name) ** 2).astype(np.int64)))


def _outcome(task: Task, truth: Truth) -> pa.Array:
    """Return the target as it stands in the table."""
    if task == "regression":
        return pa.array(np.round(truth.outcome, 2))
    return pa.array(CLASSES[task]).take(pa.array(truth.outcome.astype(np.int64)))
