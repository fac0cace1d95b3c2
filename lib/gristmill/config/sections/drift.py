"""The section of the case file about drift: how much of it is worth telling, and when it is worth waking somebody."""

from typing import Annotated

from pydantic import Field

from gristmill.config.base import Section, Share

Positive = Annotated[float, Field(gt=0)]


class Drift(Section):
    """When a difference from the training rows is called drift, and when drift is an alarm. No stage of a build reads it."""

    significance: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        0.05, description="Chance of any false finding in a window that has not drifted, over all columns and tests together."
    )
    psi: Positive = Field(
        0.1, description="Smallest population stability index, less what samples of this size show by chance, that is called drift."
    )
    ks: Share = Field(0.1, description="Smallest Kolmogorov-Smirnov distance of a number that is called drift.")
    missing: Share = Field(0.02, description="Smallest change of the share of missing values that is called drift.")
    outside: Share = Field(0.005, description="Smallest share of values beyond all training values that is called drift.")
    new_levels: Share = Field(0.005, description="Smallest share of rows with a level never seen in training that is called drift.")
    smallest_window: Annotated[int, Field(ge=20)] = Field(200, description="Rows below which a window is not judged.")
    alarm_importance: Share = Field(
        0.05, description="Share of the model's importance that the drifted columns must have together for an alarm."
    )
    critical: tuple[str, ...] = Field((), description="Columns whose drift is an alarm whatever their importance.")
    separable: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        0.6,
        description="ROC-AUC of a classifier that tells the window's rows from the training rows, from which the rows as a whole "
        "are called drifted, if all of its interval is above 0.5.",
    )
    sample_rows: Annotated[int, Field(ge=200)] = Field(
        20_000, description="Rows of training and window, each, from which that classifier learns at most."
    )
