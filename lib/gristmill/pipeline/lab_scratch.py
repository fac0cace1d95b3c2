"""Where a notebook that is run by hand writes what a build writes to its products."""

from collections.abc import Mapping
from pathlib import Path

from gristmill.paths import CasePaths


class ScratchProduct:
    """The product of a stage as a notebook run by hand is given it.

    Parameters
    ----------
    products
        Product key -> file that the build writes.
    paths
        The case.
    """

    def __init__(self, products: Mapping[str, str], paths: CasePaths) -> None:
        self._products, self._paths = products, paths

    def to_json_serializable(self) -> dict[str, str]:
        """Return product key -> file under the case's scratch folder, which then exists."""
        moved = {key: scratch_path(Path(file), self._paths) for key, file in self._products.items()}
        for path in moved.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        return {key: str(path) for key, path in moved.items()}


def scratch_path(product: Path, paths: CasePaths) -> Path:
    """Return where a notebook run by hand writes what a build writes to ``product``."""
    for folder in (paths.artifacts, paths.reports):
        if folder in product.parents:
            return paths.scratch / product.relative_to(folder)
    return paths.scratch / product.name
