"""The order to read a source again that nothing else says has changed."""

import datetime as dt

from gristmill.config.loading import load_case
from gristmill.paths import CasePaths
from gristmill.pipeline.contents import write_whole


def refresh(paths: CasePaths) -> None:
    """Note that the next build of a case reads its source again, whatever the source is.

    Raises
    ------
    CaseFileError
        There is no such case, or its file is wrong.
    """
    case = load_case(paths.name, paths.root)
    moment = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
    write_whole(paths.project.state / "refresh" / case.name, moment + "\n")
