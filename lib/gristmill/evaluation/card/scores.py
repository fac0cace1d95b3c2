"""The metrics on test, validation and training rows, what they mean in practice, and the rows they were measured on."""

from collections.abc import Mapping
from typing import Any

from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.meanings import METRIC_MEANINGS
from gristmill.evaluation.card.text import NO_EVIDENCE, blocks, code, escape_text, is_known, measured, number, plural, table
from gristmill.evaluation.measure import sampling_in_words
from gristmill.reporting.wording import count, figure, metric_label, plain, share

NOT_RUN = f"{NO_EVIDENCE}: `07_evaluate` did not run."


def metrics(evidence: Evidence, image: str = "") -> str:
    """Return how good the model is: every metric with its interval on each part of the rows, beside baseline and champion.

    Parameters
    ----------
    evidence
        What the stages left behind.
    image
        A figure of the test scores as a data URI; left out when empty.
    """
    if evidence.evaluation is None:
        return NOT_RUN
    picture = f"![Scores on the test rows, with baseline and champion]({image})" if image else ""
    champion = evidence.judged.champion_detail if evidence.judged is not None else ""
    compared = f"**Beside the champion.** {escape_text(champion)}" if champion else ""
    shown = (in_practice(evidence), _how(evidence), _table(evidence), picture, compared)
    return blocks(*shown, _criteria(evidence), _meanings(evidence.evaluation["test"]))


def _how(evidence: Evidence) -> str:
    """Return which metric selected the model, and how intervals were made."""
    evaluation, asked = evidence.evaluation or {}, evidence.case.evaluation
    held = "" if evidence.case.task == "regression" else ", the share of each class held fixed"
    sampled = sampling_in_words(evaluation.get("intervals") or {})
    return " ".join(
        part
        for part in (
            f"Models were selected by **{metric_label(evaluation['primary_metric'])}**, out of fold.",
            f"Intervals are {share(evaluation['confidence'])} bootstrap intervals over rows, corrected for bias and skewness "
            f"({count(asked.resamples)} resamples{held}) for this one fitted model: they do not say how another fit would differ.",
            sampled,
            "The model has seen the training rows: their figures say nothing about new ones.",
            f"The baseline is *{escape_text(evaluation['baseline']['name'])}*, which looks at no column.",
        )
        if part
    )


def _table(evidence: Evidence) -> str:
    """Return every metric on each part of the rows."""
    evaluation = evidence.evaluation or {}
    primary, rows = evaluation["primary_metric"], evaluation["rows"]
    champion = evidence.judged.champion_scores if evidence.judged is not None else {}
    header = ["metric", "test", "validation (out of fold)", "training", "baseline (test)"]
    header += [f"champion, version {evidence.judged.champion_version} (test)"] if champion and evidence.judged else []
    lines = []
    for name, found in evaluation["test"].items():
        label = f"**{metric_label(name)}**" if name == primary else metric_label(name)
        parts = [found, *((evaluation.get(part) or {}).get(name) for part in ("validation", "train"))]
        parts += [evaluation["baseline"]["test"].get(name), *([champion.get(name)] if champion else [])]
        lines.append([label, *map(measured, parts)])
    sizes = [count(rows[part]) for part in ("test", "validation", "train", "baseline")]
    lines.append(["rows", *sizes, *([count(rows["test"])] if champion else [])])
    return table(header, lines)


def _meanings(test: Mapping[str, Any]) -> str:
    """Return how each metric is read; beside the scores, this would make the table too wide for a telephone."""
    known = [name for name in test if name in METRIC_MEANINGS]
    return table(("metric", "how to read it"), [(metric_label(name), METRIC_MEANINGS[name]) for name in known])


def in_practice(evidence: Evidence) -> str:
    """Return in a few plain sentences what the scores mean for somebody who acts on the answers; nothing where that is unknown."""
    evaluation = evidence.evaluation or {}
    if evidence.case.task == "regression":
        return _numbers_in_practice(evidence.case.target, evaluation["test"])
    confusion = (evaluation.get("curves") or {}).get("confusion")
    if not confusion or not sum(map(sum, confusion["counts"])):
        return ""
    classes, counts = confusion["classes"], confusion["counts"]
    total = sum(map(sum, counts))
    right = sum(counts[place][place] for place in range(len(classes)))
    if len(classes) != 2:
        return f"**In practice:** of 100 rows it decides {_of_100(right, total)} rightly. {_by_class(classes, counts)}"
    named, flagged, actual = code(classes[1]), counts[0][1] + counts[1][1], sum(counts[1])
    if not flagged:
        return f"**In practice:** it calls no test row {named}, though {_of_100(actual, total)} of 100 are."
    return (
        f"**In practice:** it calls {_of_100(flagged, total)} of 100 rows {named}, where {_of_100(actual, total)} of 100 are. Of "
        f"100 so called {_of_100(counts[1][1], flagged)} are {named}; of 100 that are, it finds {_of_100(counts[1][1], actual)}."
    )


def _numbers_in_practice(target: str, test: Mapping[str, Any]) -> str:
    """Return how far a predicted number is off."""
    mean, large = test.get("mae"), test.get("rmse")
    if mean is None or not is_known(mean.get("value")):
        return ""
    typical = f", by {measured(large)} where large errors count more (RMSE)" if large is not None else ""
    explained = test.get("r2")
    rest = f" It explains {share(explained['value'])} of the variance." if explained and number(explained["value"]) > 0 else ""
    return f"**In practice:** the predicted {code(target)} is off by {measured(mean)} on average{typical}.{rest}"


def _by_class(classes: list[str], counts: list[list[int]]) -> str:
    """Return the class that is found best and the one that is found worst."""
    found = {name: counts[place][place] / sum(counts[place]) for place, name in enumerate(classes) if sum(counts[place])}
    if len(found) < 2:
        return ""
    best, worst = max(found, key=lambda name: found[name]), min(found, key=lambda name: found[name])
    return f"It finds {code(best)} best ({share(found[best])} of its rows) and {code(worst)} worst ({share(found[worst])})."


def _of_100(part: float, whole: float) -> str:
    """Return a share as a number of a hundred."""
    if not whole:
        return "none"
    return "fewer than 1" if 0 < part / whole < 0.005 else plain(float(round(100 * part / whole)))


def _criteria(evidence: Evidence) -> str:
    """Return the success criteria of the case file with what was reached."""
    wanted = evidence.case.evaluation.success_criteria
    test = (evidence.evaluation or {}).get("test", {})
    return table(
        ("success criterion", "asked for", "reached on the test rows"),
        [(metric_label(name), plain(value), measured(test.get(name))) for name, value in wanted.items()],
    )


def evaluation_data(evidence: Evidence) -> str:
    """Return which rows the model was tested on, and how often they were used."""
    evaluation = evidence.evaluation
    if evaluation is None:
        return NOT_RUN
    uses, split = evaluation["test_set_uses"], evidence.case.split
    source = f"from {code(split.test_source)}" if split.test_source else "from the same table as the training rows"
    how = f"Strategy *{evidence.case.split_strategy}*, seed {split.random_state}."
    drift = " The rows that were added lately are unlike the earlier ones." if (evidence.split or {}).get("drifted") else ""
    many = "the more there are, the less a test score says about new rows" if uses > 1 else "so no choice was made by their help"
    return (
        f"{plural(evaluation['rows']['test'], 'test row')}, set apart {source} before anything was learned. {how}{drift} "
        f"**These rows have judged {plural(uses, 'candidate')} so far**, this one included; {many}.{_shares(evaluation)}"
    )


def _shares(evaluation: Mapping[str, Any]) -> str:
    """Return how the test rows divide into classes; nothing for numbers."""
    confusion = (evaluation.get("curves") or {}).get("confusion")
    if not confusion:
        return ""
    sizes = {name: sum(row) for name, row in zip(confusion["classes"], confusion["counts"], strict=True)}
    total = max(1, sum(sizes.values()))
    first = sorted(sizes, key=lambda name: -sizes[name])[:6]
    more = f" and {len(sizes) - len(first)} more classes" if len(sizes) > len(first) else ""
    return f" Classes: {', '.join(f'{code(name)} {share(sizes[name] / total)}' for name in first)}{more}."


def learning(evaluation: Mapping[str, Any]) -> str:
    """Return whether more rows would have made the model better, by the curve of learning; nothing where there is none."""
    points = [point for point in evaluation.get("learning") or () if is_known(point.get("validation"))]
    if len(points) < 2:
        return ""
    first, last = points[0], points[-1]
    return (
        f"Learning from {count(first['n_rows'])} rows alone, the model reaches a {metric_label(evaluation['primary_metric'])} of "
        f"{figure(first['validation'])} on held-out training rows; from {count(last['n_rows'])}, {figure(last['validation'])}."
    )
