"""What is made of the answers of kernels: probabilities, ensembles, stacks, calibrated and rescaled ones.

Each part does what the estimator of the same kind in :mod:`gristmill.modeling` does, operation by operation, so that they agree.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit, softmax

from gristmill.modeling.choice.calibration import SMALLEST
from gristmill.modeling.choice.stacking import SMALLEST as SMALLEST_SHARE
from gristmill.serving.compiled.blocks import Matrix
from gristmill.serving.compiled.cells import Cells, Floats
from gristmill.serving.compiled.parts import part


@part
@dataclass(frozen=True)
class Prepared:
    """An answer that is made from the matrix of a family."""

    matrix: Matrix
    inner: Any

    def answer(self, cells: Cells) -> Floats:
        """Return the answer for cells."""
        found: Floats = self.inner.answer(self.matrix.of(cells))
        return found


@part
@dataclass(frozen=True)
class Odds:
    """Probabilities of classes from raw answers: log-odds ``(n_rows,)`` of two classes, or ``(n_rows, n_classes)`` of more."""

    kernel: Any

    def answer(self, X: Floats) -> Floats:
        """Return probabilities, shape ``(n_rows, n_classes)``."""
        raw = self.kernel.answer(X)
        if raw.ndim == 1:
            return two_columns(expit(raw))
        powers = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@part
@dataclass(frozen=True)
class Shares:
    """Probabilities of classes from a kernel that answers them: of the second of two ``(n_rows,)``, or of all."""

    kernel: Any

    def answer(self, X: Floats) -> Floats:
        """Return probabilities, shape ``(n_rows, n_classes)``; the hundredths of a hundred trees may add up to a little over 1."""
        shares: Floats = np.minimum(self.kernel.answer(X), 1.0)
        return two_columns(shares) if shares.ndim == 1 else shares


@part
@dataclass(frozen=True)
class KnownShares:
    """Probabilities of all classes where some never occurred in training; ``inner`` is None where one alone did.

    See :class:`gristmill.modeling.families.known_classes.KnownClasses`.
    """

    n_classes: int
    present: tuple[int, ...]
    absent_share: float
    inner: Any

    def answer(self, X: Any) -> Floats:
        """Return probabilities, shape ``(n_rows, n_classes)``."""
        n_rows = len(X.codes) if isinstance(X, Cells) else len(X)
        known = np.ones((n_rows, 1)) if self.inner is None else self.inner.answer(X)
        n_absent = self.n_classes - len(self.present)
        found = np.full((n_rows, self.n_classes), self.absent_share)
        found[:, self.present] = known * (1 - n_absent * self.absent_share)
        return found


@part
@dataclass(frozen=True)
class Rescaled:
    """Numbers on the target's own scale; see :class:`gristmill.modeling.families.scaled_target.ScaledTarget`."""

    inner: Any
    lowest: float
    highest: float
    spread: float
    center: float
    logarithm: bool

    def answer(self, X: Any) -> Floats:
        """Return numbers, shape ``(n_rows,)``."""
        answer = np.clip(self.inner.answer(X), self.lowest, self.highest) * self.spread + self.center
        return np.asarray(np.exp(answer) if self.logarithm else answer)


@part
@dataclass(frozen=True)
class Mean:
    """The weighted mean of several answers."""

    members: tuple[Any, ...]
    weights: tuple[float, ...]

    def answer(self, X: Any) -> Floats:
        """Return the mean, shaped as the answers."""
        total = self.members[0].answer(X) * self.weights[0]
        for member, weight in zip(self.members[1:], self.weights[1:], strict=True):
            total = total + member.answer(X) * weight
        return np.asarray(total / sum(self.weights))


@part
@dataclass(frozen=True)
class Stack:
    """What a meta-model makes of several answers; see :class:`gristmill.modeling.choice.stacking.MetaModel`."""

    members: tuple[Any, ...]
    weights: Floats
    bias: Floats
    n_classes: int

    def answer(self, X: Any) -> Floats:
        """Return the combined answer, shaped as the answers."""
        values = np.array([member.answer(X) for member in self.members])
        if not self.n_classes:
            return np.asarray(self._total(values) + self.bias)
        logs = np.log(np.maximum(values, SMALLEST_SHARE))
        logs -= logs.mean(axis=2, keepdims=True)
        return np.asarray(softmax(self._total(logs) + self.bias, axis=1))

    def _total(self, values: Floats) -> Floats:
        """Return the weighted sum over members, added one after the other however many rows there are."""
        return np.asarray(sum(weight * value for weight, value in zip(self.weights, values, strict=True)))


@part
@dataclass(frozen=True)
class CalibratedShares:
    """Calibrated probabilities; see :class:`gristmill.modeling.choice.calibration.ProbabilityCalibrator`.

    Attributes
    ----------
    inner
        What answers the probabilities.
    sigmoid
        Whether the curves are sigmoids, not steps.
    inputs, outputs
        Slope and intercept, or corners, of each curve; one for two classes, else one a class.
    """

    inner: Any
    sigmoid: bool
    inputs: tuple[Floats, ...]
    outputs: tuple[Floats, ...]

    def answer(self, X: Any) -> Floats:
        """Return probabilities, shape ``(n_rows, n_classes)``."""
        shares = self.inner.answer(X)
        if len(self.inputs) == 1:
            return two_columns(self._moved(shares[:, 1], 0))
        moved = np.column_stack([self._moved(shares[:, place], place) for place in range(len(self.inputs))])
        return np.asarray(moved / moved.sum(axis=1, keepdims=True))

    def _moved(self, column: Floats, place: int) -> Floats:
        """Return one class's probabilities moved along its curve."""
        inputs, outputs = self.inputs[place], self.outputs[place]
        if not self.sigmoid:
            return np.asarray(np.interp(column, inputs, outputs).clip(SMALLEST, 1 - SMALLEST))
        held = column.clip(SMALLEST, 1 - SMALLEST)
        return np.asarray(expit(logit(held) * inputs[0] + outputs[0]).clip(SMALLEST, 1 - SMALLEST))


def two_columns(positive: Floats) -> Floats:
    """Return the probabilities of both of two classes, shape ``(n_rows, 2)``."""
    found = np.empty((len(positive), 2))
    found[:, 1] = positive
    np.subtract(1, positive, out=found[:, 0])
    return found
