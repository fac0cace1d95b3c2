"""Features of free text."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

Floats = NDArray[np.float64]


class TextFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Describe each text by a few topics: TF-IDF of words and pairs of words, reduced by a truncated SVD.

    This is latent semantic analysis (Deerwester et al. 1990). A column without a single word that can be used gives one
    constant column, so that a fold of empty texts breaks nothing.

    Parameters
    ----------
    n_components
        Largest number of topics.
    max_words
        Largest size of the vocabulary.
    random_state
        Seed of the randomised SVD.
    """

    def __init__(self, n_components: int = 30, max_words: int = 5000, random_state: int = 42) -> None:
        self.n_components = n_components
        self.max_words = max_words
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> "TextFeatures":  # noqa: ARG002 - scikit-learn's signature
        """Learn the vocabulary and the topics of a column of texts."""
        texts = _as_texts(X)
        self.n_features_in_ = 1
        self.words_, self.topics_ = None, None
        words = TfidfVectorizer(max_features=self.max_words, ngram_range=(1, 2), sublinear_tf=True)
        analyze = words.build_analyzer()
        if not any(analyze(text) for text in texts):
            return self
        weights = words.fit_transform(texts)
        self.words_ = words
        n_topics = min(self.n_components, weights.shape[1] - 1, weights.shape[0] - 1)
        if n_topics >= 1:
            self.topics_ = TruncatedSVD(n_topics, random_state=self.random_state).fit(weights)
        return self

    def transform(self, X: Any) -> Floats:
        """Return the weight of every topic in every text, shape ``(n_rows, n_topics)``."""
        check_is_fitted(self, "n_features_in_")
        texts = _as_texts(X)
        if self.words_ is None:
            return np.zeros((len(texts), 1))
        weights = self.words_.transform(texts)
        if self.topics_ is None:
            return np.asarray(weights.sum(axis=1), dtype=np.float64).reshape(-1, 1)
        return np.asarray(self.topics_.transform(weights), dtype=np.float64)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the topics."""
        n_topics = 1 if self.topics_ is None else self.topics_.n_components
        column = "text" if input_features is None else str(np.atleast_1d(input_features)[0])
        return np.asarray([f"{column}: topic {number}" for number in range(n_topics)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Say that it takes one column of text."""
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def _as_texts(X: Any) -> list[str]:
    """Return a column, one- or two-dimensional, as a list of texts."""
    return [str(text) for text in np.asarray(X, dtype=object).reshape(-1)]
