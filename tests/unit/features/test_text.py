"""Topics of free text."""

import numpy as np

from gristmill.features.text import TextFeatures

TEXTS = ["good service and kind staff", "late and cold food", "kind staff", "cold food and late again", "good good service"]


def test_texts_about_the_same_lie_closer_than_others():
    topics = TextFeatures(n_components=3).fit_transform(TEXTS)
    distance = np.linalg.norm(topics[:, None] - topics[None], axis=2)
    assert distance[0, 2] < distance[0, 1]
    assert distance[1, 3] < distance[1, 2]


def test_a_column_without_words_gives_one_constant_column():
    assert TextFeatures().fit_transform(["", "?", ""]).tolist() == [[0.0], [0.0], [0.0]]


def test_words_never_seen_give_the_zero_topic():
    assert np.allclose(TextFeatures(n_components=2).fit(TEXTS).transform(["unheard-of"]), 0)


def test_a_vocabulary_of_one_word_is_enough():
    assert TextFeatures().fit_transform(["yes", "yes", ""]).shape == (3, 1)


def test_topics_are_named_after_their_column():
    assert TextFeatures(n_components=2).fit(TEXTS).get_feature_names_out(["review"]).tolist() == [
        "review: topic 0",
        "review: topic 1",
    ]
