"""A trial is fitted watched, truncated to the stages that suit all folds, and says what a plain fit has to be given (R20, R21)."""

import numpy as np
import pytest
from tests.unit.modeling.search.staged import BEST_STAGE, Staged, StagedFolds

from gristmill.metrics.scores import score
from gristmill.modeling.search.running import Ask, LocalRunner
from gristmill.modeling.training_rows import TrainingRows


def staged(rows: TrainingRows, model: type = Staged) -> StagedFolds:
    folds = StagedFolds("linear", rows.problem, rows.X, rows.y, rows.folds)
    folds.model = model
    return folds


class Hasty(Staged):
    """Stops after two stages on the rows of the first fold."""

    def fit_watched(self, X, y, X_valid, y_valid):
        super().fit_watched(X, y, X_valid, y_valid)
        if not hasattr(Hasty, "seen"):
            Hasty.seen = True
            self.stages_, self.curve_, self.train_curve_ = 2, self.curve_[:2], self.train_curve_[:2]
        return self


def test_the_trial_holds_the_number_of_stages_and_the_curves(binary_rows: TrainingRows):
    trial, predictions = LocalRunner(staged(binary_rows), "log_loss").run(Ask(0, "default", {"rounds": 20}))
    assert trial.params == {"rounds": BEST_STAGE}
    assert trial.proposed == {"rounds": 20}
    assert [stage for stage, _ in trial.curve] == list(range(1, 12))
    assert min(trial.curve, key=lambda point: point[1])[0] == BEST_STAGE
    assert trial.train_curve[0] == (1, 1.0)
    assert trial.peak_mb > 50
    assert np.isfinite(predictions).all()


def test_the_predictions_are_those_of_a_plain_fit_with_that_number(binary_rows: TrainingRows):
    folds = staged(binary_rows)
    trial, predictions = LocalRunner(folds, "log_loss").run(Ask(0, "default", {"rounds": 20}))
    for number, (_, valid) in enumerate(binary_rows.folds):
        plain = folds.fit(number, trial.params, watched=False)
        assert np.array_equal(plain.predictions(None), predictions[valid])
        assert trial.fold_scores[number] == pytest.approx(score("log_loss", binary_rows.y[valid], predictions[valid]))


def test_a_fold_that_stopped_before_the_common_number_is_fitted_again(binary_rows: TrainingRows):
    folds = staged(binary_rows, Hasty)
    trial, predictions = LocalRunner(folds, "log_loss").run(Ask(0, "default", {"rounds": 20}))
    assert trial.params == {"rounds": BEST_STAGE}
    valid = binary_rows.folds[0][1]
    assert np.array_equal(folds.fit(0, trial.params, watched=False).predictions(None), predictions[valid])


def test_the_fitted_pipeline_is_the_last_fold_at_the_common_number(binary_rows: TrainingRows):
    runner = LocalRunner(staged(binary_rows), "log_loss")
    trial, predictions = runner.run(Ask(0, "default", {"rounds": 20}))
    again = LocalRunner(staged(binary_rows), "log_loss")  # as after a kill
    for one in (runner, again):
        pipeline, row_ms = one.fitted(trial)
        valid = binary_rows.folds[-1][1]
        assert np.array_equal(pipeline.predict_proba(binary_rows.X.iloc[valid]), predictions[valid])
        assert row_ms > 0
    assert np.array_equal(again.predictions(trial), predictions)


def test_a_family_that_cannot_watch_itself_is_fitted_as_it_is(binary_rows: TrainingRows):
    class Plain(Staged):
        fit_watched = property()  # hasattr says no

    trial, _ = LocalRunner(staged(binary_rows, Plain), "log_loss").run(Ask(0, "default", {"rounds": 9}))
    assert (trial.params, trial.curve) == ({"rounds": 9}, None)


def test_an_error_of_ours_is_not_taken_for_a_failed_trial(binary_rows: TrainingRows):
    class Broken(Staged):
        def fit_watched(self, X, y, X_valid, y_valid):
            raise AttributeError("a defect")

    with pytest.raises(AttributeError, match="a defect"):
        LocalRunner(staged(binary_rows, Broken), "log_loss").run(Ask(0, "default", {}))
