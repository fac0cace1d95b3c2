"""What is to be done about a model in production, in plain words and with the reasons.

The order is that of what helps. Faults of the data come first: a model that is given other units or empty columns is not mended by
training it on them. Then comes going back, where the release is younger than the trouble; then a new model; then watching.
Every recommendation is for a person: nothing is done by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gristmill.monitoring.performance.online import AS_BEFORE, BETTER, CANNOT_TELL, TOO_FEW, WORSE
from gristmill.monitoring.windows import said
from gristmill.reporting.wording import metric_label

KEEP, WATCH, MEND, RETRAIN, ROLL_BACK = "keep", "watch", "mend the data", "retrain", "roll back"
ACTIONS = (KEEP, WATCH, MEND, RETRAIN, ROLL_BACK)

HEADLINES = {
    KEEP: "Keep the model as it is.",
    WATCH: "Watch the model: something moved, and it is not known to harm.",
    MEND: "Mend the data: the model is given rows that are wrong.",
    RETRAIN: "Retrain the model: it has become worse, and not by a fault of the data.",
    ROLL_BACK: "Roll back the release: the model is worse since it came.",
}


_DRIFT = "Drift: "


@dataclass(frozen=True)
class Recommendation:
    """What is to be done.

    Attributes
    ----------
    action
        One of :data:`ACTIONS`.
    reasons
        Why, a sentence each, the strongest first.
    commands
        What to run next.
    columns
        The columns that it is about.
    """

    action: str
    reasons: tuple[str, ...]
    commands: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The recommendation in a sentence."""
        return HEADLINES[self.action]

    def to_record(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "action": self.action,
            "headline": self.headline,
            "reasons": list(self.reasons),
            "commands": list(self.commands),
            "columns": list(self.columns),
        }


@dataclass(frozen=True)
class Evidence:
    """What is known.

    Attributes
    ----------
    quality, drift, performance
        What the three looks found.
    firing
        A sentence for each alert that is beyond its limit.
    former
        The version that was champion before the present one, if that one was released within the time performance is told of.
    alarm_importance
        Share of the model's importance that faulty columns must have together to be mended first where nothing shows their harm.
    """

    quality: Mapping[str, Any]
    drift: Mapping[str, Any]
    performance: Mapping[str, Any]
    firing: Sequence[str] = ()
    former: int | None = None
    alarm_importance: float = 0.05


def recommend(known: Evidence) -> Recommendation:
    """Return what is to be done about a model."""
    case = known.performance["case"]
    worse = [*_worse(known), *_concept(known)]
    faults, light = _faults(known)
    signs = [*_signs(known), *light]
    if faults:
        columns = tuple(name for fault in faults for name in fault["columns"])
        reasons = [_told(fault) for fault in faults]
        others = signs if set(known.drift["drifted"]) - set(columns) else [one for one in signs if not one.startswith(_DRIFT)]
        return Recommendation(MEND, (*reasons, *worse, *others), (f"gristmill diagnose {case}",), columns)
    if worse and known.former is not None and known.performance["verdict"] == WORSE and not _former_no_better(known):
        young = f"This version is younger than the labels looked at; version {known.former} was in production before."
        why = f'gristmill rollback {case} --reason "weekly report: worse on late labels"'
        return Recommendation(ROLL_BACK, (*worse, young, *signs), (f"gristmill history {case}", why))
    if worse:
        tried = [f"Going back to version {known.former} would not help: on its own labels of this time it was no better."]
        return Recommendation(
            RETRAIN,
            (*worse, *(tried if _former_no_better(known) else ()), *signs),
            (f"gristmill refresh {case}", f"ploomber build --env--case {case}"),
        )
    if signs:
        columns = tuple(known.drift["drifted"])
        return Recommendation(WATCH, tuple(signs), (f"gristmill monitor {case}",), columns)
    return Recommendation(KEEP, tuple(_quiet(known)))


def _worse(known: Evidence) -> list[str]:
    """Return that late labels show the model to be worse, if they do."""
    found = known.performance
    if found["verdict"] != WORSE:
        return []
    one, name = found["metrics"][found["metric"]], metric_label(found["metric"])
    return [
        f"On {found['maturity']['labels']:,} late labels {name} is {one['online']['value']:.3f}, on the test rows "
        f"it was {one['offline']['value']:.3f}; the intervals lie apart."
    ]


def _former_no_better(known: Evidence) -> bool:
    """Return whether the version before, as far as its labels tell, did no better than the present one."""
    for one in known.performance.get("variants", ()):
        if one["version"] == str(known.former) and one["role"] == "champion" and "beside" in one:
            gain = one["beside"]["gain"]["value"]
            return gain is not None and gain <= 0
    return False


def _concept(known: Evidence) -> list[str]:
    """Return that losses rose for good, if they did."""
    found = known.drift["concept"]
    return [f"{_opened(found['sentence'])}"] if found is not None and found["detected"] else []


def _faults(known: Evidence) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Return the faults of the data that matter, and a sentence for each that matters little.

    A column of little importance among usual values may still move every prediction by values a hundred times as large, so that a
    fault is light only where predictions and quality stayed as they were.
    """
    faults = [one for one in known.drift["suspects"] if one["fault"]]
    weight = sum(one["importance"] or 0.0 for one in faults)
    unknown = any(one["importance"] is None for one in faults)
    harmed = any(one["drifted"] for one in known.drift["predictions"]) or bool(_worse(known) or _concept(known))
    if faults and (unknown or harmed or weight >= known.alarm_importance):
        return faults, []
    return [], [f"{_told(one)} The model hardly reads it." for one in faults]


def _signs(known: Evidence) -> list[str]:
    """Return what is no proof that the model is worse, and worth watching."""
    found = known.performance
    signs = [f"{_DRIFT}{reason}." for reason in known.drift["why"]] if known.drift["alarm"] else []
    if found["verdict"] == CANNOT_TELL:
        signs.append(
            f"{metric_label(found['metric'])} on late labels is worse than allowed, as chance could make it. More labels will tell."
        )
    others = (
        []
        if found["verdict"] == WORSE
        else [name for name, one in found["metrics"].items() if name != found["metric"] and one.get("verdict") == WORSE]
    )
    if others:
        named = ", ".join(metric_label(name) for name in others[:3])
        signs.append(f"{metric_label(found['metric'])} is not surely worse on late labels, but this is: {named}.")
    if found["verdict"] == TOO_FEW and any(one.get("verdict", TOO_FEW) != TOO_FEW for one in found["metrics"].values()):
        signs.append(
            f"{metric_label(found['metric'])} cannot be told of these {found['maturity']['labels']:,} late labels, as where all "
            "are of one class."
        )
    estimate = found["estimate"].get("sure_drop", 0.0)
    if estimate:
        signs.append(
            f"Before labels come, {metric_label(found['metric'])} is estimated {100 * estimate:.1f} % worse than on the test rows."
        )
    broken = [line for line in found["groups"]["limits"] if line["surely_broken"]]
    signs += [f"Fairness: {line['measure']} of {line['feature']} is surely beyond {line['limit']}." for line in broken]
    signs += list(known.quality["traffic"]["remarks"])
    return signs + [f"Alert: {text}" for text in known.firing]


def _quiet(known: Evidence) -> list[str]:
    """Return why nothing is to be done, and what is not known."""
    found, quality, drift = known.performance, known.quality, known.drift
    if not quality["rows"]:
        return [f"{quality['sentence']} There is nothing to judge by."]
    told = []
    if found["verdict"] in (AS_BEFORE, BETTER):
        how = "better than" if found["verdict"] == BETTER else "as good as"
        told.append(f"On {found['maturity']['labels']:,} late labels the model is {how} its test rows promised.")
    else:
        told.append(f"There are {found['maturity']['labels']:,} mature labels, too few to tell performance by.")
    if drift["judged"]:
        told.append(
            "No drift that matters, and no value that the model has not learnt from."
            if not quality["wrong"]
            else _opened(quality["sentence"])
        )
    else:
        told.append(f"{quality['sentence']} Whether rows have drifted cannot be told yet.")
    return told


def _told(fault: Mapping[str, Any]) -> str:
    """Return a fault with the day since which it is seen."""
    since = fault.get("since")
    return _opened(fault["words"] + ("" if since is None else f", since {said(since)}"))


def _opened(text: str) -> str:
    """Return a text as a sentence."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
