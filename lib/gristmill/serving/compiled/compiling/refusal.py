"""That a part of a model has no compiled form."""

from gristmill.errors import GristmillError


class NoCompiledForm(GristmillError):  # noqa: N818 - it is no error of a user's, and never reaches one as such
    """A part of a model has no compiled form; the message says which, as the end of a sentence."""
