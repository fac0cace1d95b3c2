"""DuckDB shows no bars, and reads in a notebook as in a script (R4)."""

from pathlib import Path

import duckdb
import pytest
from jupyter_client.manager import start_new_kernel

from gristmill.data.sources.progress_bars import hide_bars


def test_a_script_has_no_bar():
    with duckdb.connect() as connection:
        hide_bars(connection)
        assert connection.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(False,)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the kernel's own
def test_tables_that_duckdb_reads_are_read_in_a_notebook(tmp_path: Path):
    (tmp_path / "rows.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    duckdb.connect(str(tmp_path / "shop.duckdb")).execute("CREATE TABLE orders AS SELECT 1 AS a").close()
    manager, client = start_new_kernel(cwd=str(tmp_path))
    try:
        for uri in ("rows.csv", "rows.jsonl", "duckdb:///shop.duckdb?table=orders"):
            line = f"from gristmill.data.sources.opening import open_source; open_source({uri!r}).read()"
            answer = client.execute_interactive(line, timeout=120)["content"]
            assert answer["status"] == "ok", answer
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
