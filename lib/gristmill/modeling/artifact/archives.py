"""Zip archives among the files of a model, looked at before a library unpacks them.

The format of skops and NumPy's ``npz`` are zip archives. What one unpacks to is bounded by what its own table says, which the
reader keeps to; members have plain names, each once.
"""

import io
import re
import zipfile

from gristmill.errors import ArtifactError

HARMLESS_BYTES = 512 * 2**20
"""What any archive may unpack to."""

MOST_TIMES_ITS_SIZE = 200
"""How many times its own size an archive beyond that may unpack to; fitted models stay far below, bombs reach a thousand."""

_MEMBER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_ENCRYPTED = 0x1
_LINK = 0o120000


def require_plain(content: bytes, name: str) -> None:
    """Refuse an archive that unpacks to far more than its size, or whose members have other names than plain ones.

    What is no archive at all is left to whoever reads it.

    Parameters
    ----------
    content
        The file.
    name
        Its name, for the message.

    Raises
    ------
    ArtifactError
        The archive is not plain; nothing was unpacked.
    """
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise _refusal(name, f"it is damaged ({error})") from error
    names = [member.filename for member in members]
    strange = [one for one in names if not _MEMBER.fullmatch(one)]
    if strange:
        raise _refusal(name, f"it has a member called {strange[0][:60]!r}")
    if len(set(names)) < len(names):
        raise _refusal(name, "it has two members of one name")
    if any(member.flag_bits & _ENCRYPTED or member.external_attr >> 16 & 0o170000 == _LINK for member in members):
        raise _refusal(name, "it has a member that is encrypted, or a link")
    size = sum(member.file_size for member in members)
    if size > max(HARMLESS_BYTES, MOST_TIMES_ITS_SIZE * len(content)):
        raise _refusal(name, f"its {len(content):,} bytes unpack to {size:,}")


def _refusal(name: str, what: str) -> ArtifactError:
    """Return why an archive is not opened."""
    return ArtifactError(f"Expected a plain archive in {name!r}, but {what}. Nothing in it was opened. Build the case again.")
