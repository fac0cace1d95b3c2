"""A classifier that always answers for every class of the case, whichever of them its training rows happened to hold."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from gristmill.modeling.threads import suited_to

Floats = NDArray[np.float64]


def _watches_itself(wrapper: Any) -> bool:
    """Return whether the wrapped estimator can watch itself."""
    return hasattr(wrapper.estimator, "fit_watched")


class KnownClasses(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Wrap a classifier so that its probabilities have one column a class code, ``0..n_classes-1``.

    A fold, a group or a period may lack a class. Such a class gets the probability ``1 / (n_rows + n_classes)`` (Laplace's rule
    of succession for a count of zero), and the others share the rest. Training rows of one class only give a constant answer.

    Parameters
    ----------
    estimator
        The classifier to wrap; it is cloned.
    n_classes
        Number of classes of the case.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> model = KnownClasses(DummyClassifier(), n_classes=3).fit([[0], [0]], [0, 2])
    >>> model.predict_proba([[0]]).round(2).tolist()
    [[0.4, 0.2, 0.4]]
    """

    def __init__(self, estimator: Any = None, n_classes: int = 2) -> None:
        self.estimator = estimator
        self.n_classes = n_classes

    @property
    def stages_param(self) -> str:
        """Name of the parameter that holds the number of stages, where the wrapped classifier has one."""
        return str(self.estimator.stages_param)

    def fit(self, X: Any, y: Any) -> "KnownClasses":
        """Fit the wrapped classifier on the classes that occur."""
        dense = self._learn_classes(y)
        if len(self.present_) > 1:
            self.estimator_ = clone(self.estimator).fit(X, dense)
        return self

    @available_if(_watches_itself)  # type: ignore[untyped-decorator]
    def fit_watched(self, X: Any, y: Any, X_valid: Any, y_valid: Any) -> "KnownClasses":
        """Fit the wrapped classifier while it watches its loss on validation rows.

        ``curve_`` is the log loss of all validation rows by :meth:`predict_proba` after each stage. Rows of a class that does not
        occur in training lose the same at every stage. Where that is so of all of them, and where one class alone was learnt,
        every stage is as good as another, and the curve is level over all stages asked for.
        """
        dense, valid = self._learn_classes(y), np.asarray(y_valid, dtype=np.int64)
        known = np.isin(valid, self.present_)
        kept, lost = 1 - (self.n_classes - len(self.present_)) * self.absent_share_, -np.log(self.absent_share_)
        level = np.mean(np.where(known, -np.log(kept), lost)) if len(valid) else 0.0
        if len(self.present_) < 2 or not known.any():
            if len(self.present_) > 1:  # watched, all the same: what was not watched need not be able to stop earlier
                self.estimator_ = clone(self.estimator).fit_watched(X, dense, X, dense)
            self.curve_ = np.full(int(getattr(self.estimator, self.stages_param)), level)
            return self
        codes = np.searchsorted(self.present_, valid[known])
        self.estimator_ = clone(self.estimator).fit_watched(X, dense, np.asarray(X_valid)[known], codes)
        self.curve_ = np.asarray(self.estimator_.curve_, dtype=np.float64) * known.mean() + level
        if hasattr(self.estimator_, "train_curve_"):
            self.train_curve_ = np.asarray(self.estimator_.train_curve_, dtype=np.float64) - np.log(kept)
        return self

    @available_if(_watches_itself)  # type: ignore[untyped-decorator]
    def truncated(self, stages: int) -> "KnownClasses":
        """Return a fitted classifier that answers as if it had stopped after ``stages`` stages; this one stays as it is."""
        check_is_fitted(self, "present_")
        short = copy.copy(self)
        if self.estimator_ is not None:
            short.estimator_ = self.estimator_.truncated(stages)
        for curve in ("curve_", "train_curve_"):
            if hasattr(self, curve):
                setattr(short, curve, getattr(self, curve)[:stages])
        return short

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of every class code, shape ``(n_rows, n_classes)``."""
        check_is_fitted(self, "present_")
        known = np.ones((len(X), 1))
        if self.estimator_ is not None:
            with suited_to(len(X)):
                known = self.estimator_.predict_proba(X)
        if len(self.present_) == self.n_classes:
            return np.asarray(known, dtype=np.float64)
        n_absent = self.n_classes - len(self.present_)
        proba = np.full((len(X), self.n_classes), self.absent_share_)
        proba[:, self.present_] = known * (1 - n_absent * self.absent_share_)
        return proba

    def _learn_classes(self, y: Any) -> NDArray[np.int64]:
        """Note which classes occur, forget what was fitted before, and return the codes without gaps between them."""
        codes = np.asarray(y, dtype=np.int64)
        self.classes_ = np.arange(self.n_classes)
        self.present_, dense = np.unique(codes, return_inverse=True)
        self.absent_share_ = 1 / (len(codes) + self.n_classes)
        self.estimator_ = None
        for curve in ("curve_", "train_curve_"):
            self.__dict__.pop(curve, None)
        return np.asarray(dense, dtype=np.int64)

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return the code of the most probable class, shape ``(n_rows,)``."""
        return np.asarray(np.argmax(self.predict_proba(X), axis=1), dtype=np.int64)
