"""Stored splits as a remote carries them: a pointer file beside each file of a line.

The files of a line never change, so a file and a pointer that disagree are of two lines with the same beginning.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gristmill.data.snapshots import pointer_file
from gristmill.data.splits import stored
from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths


def to_push(paths: CasePaths) -> list[str]:
    """Return the files of all lines of a case, relative to the project; none if nothing was split yet.

    Raises
    ------
    ArtifactError
        A line is not whole, or another one than was pushed before.
    """
    files = stored.files_of_all_lines(paths)
    _refuse_others(paths, [file for file in files if Path(f"{file}.dvc").exists()])
    return [str(file.relative_to(paths.root)) for file in files]


@contextmanager
def to_pull(paths: CasePaths) -> Iterator[list[str]]:
    """Give the files that pointers name and that are not here whole, relative to the project, to be brought inside the block.

    A file that cannot be read, such as a pull leaves that was killed, is removed to be brought again.

    No build can add to the lines meanwhile. At the end of the block, each file that came is held against its pointer. Until all
    are here, :func:`gristmill.data.splits.stored.open_line` refuses the line.

    Raises
    ------
    ArtifactError
        A file here is of another line than was pushed, and nothing is brought; one that came is not what was pushed, and is
        removed again; or a line is not whole after all.
    """
    pointed = [pointer.with_suffix("") for pointer in sorted(paths.splits.glob("*/*.dvc"))]
    with ExitStack() as held:
        for folder in sorted({file.parent for file in pointed}):
            held.enter_context(stored.locked(folder))
        unlike = [file for file in pointed if file.exists() and not pointer_file.is_pointed_to(file)]
        _refuse_others(paths, [file for file in unlike if stored.is_readable(file)])
        for file in unlike:
            pointer_file.discard(paths.root, file)  # of no line: a pull or a copy that did not end
        absent = [file for file in pointed if not file.exists()]
        try:
            yield [str(file.relative_to(paths.root)) for file in absent]
        finally:
            damaged = [file for file in absent if file.exists() and not pointer_file.is_pointed_to(file)]
            for file in damaged:
                pointer_file.discard(paths.root, file)
    if damaged:
        raise ArtifactError(
            f"What the remote holds as {damaged[0].relative_to(paths.root)} is not what was pushed: its content has another "
            "digest. It was not kept; push it again from a copy that has it."
        )
    stored.files_of_all_lines(paths)


def _refuse_others(paths: CasePaths, files: list[Path]) -> None:
    """Refuse files that are not what the pointers beside them state."""
    for file in files:
        if not pointer_file.is_pointed_to(file):
            where = file.parent.relative_to(paths.root)
            raise ArtifactError(
                f"{where / file.name} is not the file that was pushed: two copies of the project went on with the same split, or "
                "the file is damaged. Nothing was changed. To go on with what was pushed, move `line.json` and the Parquet files "
                f"of {where} away and run `gristmill data pull {paths.name}`; to draw test rows of your own, set another "
                "`split.random_state`."
            )
