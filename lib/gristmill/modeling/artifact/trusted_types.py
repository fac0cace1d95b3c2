"""The types a stored pipeline may hold beyond those that skops itself knows as harmless, by full name.

Each name here is a promise that building such an object from a file runs no code of the file's choosing. Names, never patterns.
"""

TRUSTED_TYPES: tuple[str, ...] = (
    "functools.partial",  # histogram-based boosting checks its categories through one; what it calls must be named here, too
    "gristmill.features.aggregates.GroupAggregates",
    "gristmill.features.cycles.Cycles",
    "gristmill.features.filling.FillText",
    "gristmill.features.limits.OutlierLimits",
    "gristmill.features.preparation.Added",
    "gristmill.features.proposals.Proposals",
    "gristmill.features.rows.RowFeatures",
    "gristmill.features.rows.plain_array",
    "gristmill.features.scaling.EvenScaler",
    "gristmill.features.selecting.FeatureSelection",
    "gristmill.features.target_means.TargetMeans",
    "gristmill.features.text.TextFeatures",
    "gristmill.modeling.choice.calibration.Calibrated",
    "gristmill.modeling.choice.calibration.ProbabilityCalibrator",
    "gristmill.modeling.choice.ensembling.WeightedClassifier",
    "gristmill.modeling.choice.ensembling.WeightedRegressor",
    "gristmill.modeling.choice.stacking.MetaModel",
    "gristmill.modeling.choice.stacking.StackedClassifier",
    "gristmill.modeling.choice.stacking.StackedRegressor",
    "gristmill.modeling.families.augmented.Augmented",
    "gristmill.modeling.families.catboost_trees.CatBoostTreesClassifier",
    "gristmill.modeling.families.catboost_trees.CatBoostTreesRegressor",
    "gristmill.modeling.families.histogram_trees.HistogramTreesClassifier",
    "gristmill.modeling.families.histogram_trees.HistogramTreesRegressor",
    "gristmill.modeling.families.known_classes.KnownClasses",
    "gristmill.modeling.families.lightgbm_trees.LightGBMTreesClassifier",
    "gristmill.modeling.families.lightgbm_trees.LightGBMTreesRegressor",
    "gristmill.modeling.families.networks.NetworkClassifier",
    "gristmill.modeling.families.networks.NetworkRegressor",
    "gristmill.modeling.families.scaled_target.ScaledTarget",
    "numpy.dtype",
    "scipy.interpolate._bsplines.BSpline",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",  # in networks that were stored before they were bare weights
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)
