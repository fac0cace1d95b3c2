"""The types a stored pipeline may hold beyond those that skops itself knows as harmless, by full name.

Each name here is a promise that building such an object from a file runs no code of the file's choosing. Names, never patterns.
"""

TRUSTED_TYPES: tuple[str, ...] = (
    "functools.partial",
    "gristmill.features.rows.RowFeatures",
    "gristmill.features.target_means.TargetMeans",
    "gristmill.features.text.TextFeatures",
    "gristmill.modeling.known_classes.KnownClasses",
    "gristmill.modeling.scaled_target.ScaledTarget",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils.validation.check_array",
)
