"""What is raised where a prediction cannot be written down."""

from gristmill.errors import LogUnavailable

__all__ = ["LogUnavailable"]
