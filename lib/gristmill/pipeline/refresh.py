"""The order to read a source again that nothing else says has changed, or that a restored snapshot stands in for."""

import datetime as dt

from gristmill.config.loading import load_case
from gristmill.data.snapshots import history
from gristmill.paths import CasePaths
from gristmill.pipeline.contents import write_whole


def refresh(paths: CasePaths) -> None:
    """Note that the next build of a case reads its source again, whatever the source is; a restored snapshot is let go.

    Raises
    ------
    CaseFileError
        There is no such case, or its file is wrong.
    ArtifactError
        The history of the case's source cannot be read.
    """
    case = load_case(paths.name, paths.root)
    for table in (paths, paths.own_test):
        if history.restored_digest(table) is not None:
            history.release(table)
    moment = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
    write_whole(paths.project.state / "refresh" / case.name, moment + "\n")
