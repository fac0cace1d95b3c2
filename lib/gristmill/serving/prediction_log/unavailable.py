"""What is raised where a prediction cannot be written down."""

from gristmill.errors import StateError


class LogUnavailable(StateError):  # noqa: N818 - it says what is the matter, and callers answer 503 by this name
    """The prediction log cannot take a record now: its database is down, locked, full or slow, or too much waits already.

    What was to be answered must be refused instead. The log goes on by itself as soon as its database does.
    """

    retry_after = 1
    """Seconds after which it is worth to ask again: what an answer says in ``Retry-After``."""
