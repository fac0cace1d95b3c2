"""A classifier that always answers for every class of the case, whichever of them its training rows happened to hold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from gristmill.modeling.threads import suited_to

Floats = NDArray[np.float64]


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

    def fit(self, X: Any, y: Any) -> "KnownClasses":
        """Fit the wrapped classifier on the classes that occur."""
        codes = np.asarray(y, dtype=np.int64)
        self.classes_ = np.arange(self.n_classes)
        self.present_, dense = np.unique(codes, return_inverse=True)
        self.absent_share_ = 1 / (len(codes) + self.n_classes)
        self.estimator_ = None
        if len(self.present_) > 1:
            self.estimator_ = clone(self.estimator).fit(X, dense)
        return self

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

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return the code of the most probable class, shape ``(n_rows,)``."""
        return np.asarray(np.argmax(self.predict_proba(X), axis=1), dtype=np.int64)
