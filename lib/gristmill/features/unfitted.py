"""That a plan of features is a plan: nothing in it has seen a row that a model is validated on.

Whatever is fitted outside the folds has seen the rows of all of them, and makes every figure too good. What scikit-learn fits
ends in an underscore (its developer's guide, "Estimated attributes"); a plan may hold none of it, nor a step built from it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sklearn.base import BaseEstimator

from gristmill.errors import LeakageError
from gristmill.features.preparation import preprocessor

_FAMILIES = ("linear", "forest", "boosting", "neural")


def require_unfitted(plan: Mapping[str, Any]) -> None:
    """Refuse a plan that holds something fitted, or from which fitted steps are built.

    Parameters
    ----------
    plan
        What :func:`gristmill.features.builder.make_plan` returned, or what was read from ``plan.json``.

    Raises
    ------
    LeakageError
        The message names the step and what is fitted in it.
    """
    columns = {str(feature.get("name")) for feature in plan.get("features", []) if isinstance(feature, Mapping)}
    for step, attribute in _fitted_entries(plan, "plan", columns):
        raise _refusal(step, attribute)
    for family in _FAMILIES:
        for step, attribute in fitted_steps(preprocessor(dict(plan), family)):
            raise _refusal(f"{step} of the {family} family", attribute)


def _refusal(step: str, attribute: str) -> LeakageError:
    return LeakageError(
        f"The plan of features holds something fitted: {attribute!r} in the step {step!r}. It was fitted outside the folds, on "
        "rows that models are validated on; leave the step unfitted in `04_build_features`: it is fitted inside each fold."
    )


def _fitted_entries(value: Any, place: str, columns: Collection[str]) -> Iterator[tuple[str, str]]:
    """Give place and name of everything fitted in plain data: a fitted estimator, or a key that is called like what one has.

    A key that is the name of one of the table's ``columns`` is none.
    """
    if isinstance(value, BaseEstimator):
        yield from fitted_steps(value, place)
    elif isinstance(value, Mapping):
        name = str(value.get("name", place))
        for key, item in value.items():
            if str(key).endswith("_") and not str(key).startswith("_") and str(key) not in columns:
                yield name, str(key)
            yield from _fitted_entries(item, name if place == "features" else str(key), columns)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for item in value:
            yield from _fitted_entries(item, place, columns)


def fitted_steps(estimator: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Give name and first fitted attribute of every fitted estimator in ``estimator``, itself included.

    Parameters
    ----------
    estimator
        An estimator; a pipeline or column transformer is looked into.
    place
        What its name is made to begin with.
    """
    name = f"{place} > {type(estimator).__name__}" if place else type(estimator).__name__
    fitted = (
        [key for key in vars(estimator) if key.endswith("_") and not key.startswith("_")] if hasattr(estimator, "__dict__") else []
    )
    if fitted:
        yield name, fitted[0]
        return
    for step, inner in _inside(estimator):
        if hasattr(inner, "fit"):
            yield from fitted_steps(inner, f"{place} > {step}" if place else step)


def _inside(estimator: Any) -> Iterator[tuple[str, Any]]:
    """Give name and estimator of what an estimator is composed of."""
    for step in getattr(estimator, "steps", None) or getattr(estimator, "transformers", None) or ():
        yield step[0], step[1]
    if not hasattr(estimator, "steps") and not hasattr(estimator, "transformers") and isinstance(estimator, BaseEstimator):
        yield from ((key, item) for key, item in estimator.get_params(deep=False).items() if isinstance(item, BaseEstimator))
