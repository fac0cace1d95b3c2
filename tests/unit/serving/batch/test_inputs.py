"""What is scored is named as the user named it (R34)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gristmill.errors import SourceError
from gristmill.serving.batch.inputs import Input


@pytest.mark.parametrize("query", ["DELETE FROM customers", "SELECT nothing FROM customers"])
def test_a_query_that_is_refused_is_called_by_the_name_of_its_option(tmp_path: Path, query: str):
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
        connection.execute("INSERT INTO customers VALUES ('a')")
        connection.commit()
    asked = Input(f"sqlite:///{tmp_path / 'shop.db'}", query)
    with pytest.raises(SourceError, match="`--query`") as refused:
        asked.file(tmp_path)
    assert "source.query" not in str(refused.value)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        assert connection.execute("SELECT count(*) FROM customers").fetchone() == (1,)
