"""JupyterLab opens without an extension that could not load."""

from gristmill.pipeline.lab_page import CATBOOST, WIDGETS, loadable


def names(*extensions: str) -> list[str]:
    page = {"federated_extensions": [{"name": name} for name in extensions], "store_id": 1}
    made = loadable(None, page)
    assert made["store_id"] == 1
    return [one["name"] for one in made["federated_extensions"]]


def test_catboosts_widget_is_left_out_where_what_it_builds_on_is_missing():
    assert names("jupyterlab-plotly", CATBOOST) == ["jupyterlab-plotly"]
    assert names(CATBOOST, WIDGETS) == [CATBOOST, WIDGETS]
    assert loadable(None, {}) == {"federated_extensions": []}
