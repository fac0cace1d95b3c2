"""The page that JupyterLab opens with: without extensions that cannot load here."""

from typing import Any

WIDGETS, CATBOOST = "@jupyter-widgets/jupyterlab-manager", "catboost-widget"


def loadable(_handler: Any, page: dict[str, Any]) -> dict[str, Any]:
    """Return the page's settings without CatBoost's extension, unless there is what it builds on.

    CatBoost brings a widget that draws its training live. It needs the extension of ipywidgets, which Gristmill does not depend on,
    and without it every page would open with an error.

    Parameters
    ----------
    _handler
        What answers the request; not looked at.
    page
        The settings, as ``jupyterlab_server`` puts them together.
    """
    found = page.get("federated_extensions", [])
    if any(one["name"] == WIDGETS for one in found):
        return page
    return {**page, "federated_extensions": [one for one in found if one["name"] != CATBOOST]}
