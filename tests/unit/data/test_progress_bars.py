"""DuckDB shows no bars, and reads in a notebook as in a script (R4)."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from jupyter_client.manager import start_new_kernel

from gristmill.data.progress_bars import hide_bars


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


IN_A_KERNEL = """
import sys
import nbclient, nbformat
cell = nbformat.v4.new_code_cell(sys.argv[1])
notebook = nbformat.v4.new_notebook(cells=[cell])
nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
print([output["name"] for output in notebook.cells[0].outputs])
"""

READ = """
from pathlib import Path
from gristmill.data.snapshots import description, snapshot
from gristmill.data.sources import row_count
from gristmill.data.sources.opening import open_source
from gristmill.paths import ProjectPaths
row_count.QUIET_SECONDS = 0
for name in ("rows.csv", "rows.jsonl"):
    taken = snapshot.take(open_source({folder!r} + "/" + name), ProjectPaths(Path({folder!r})))
    description.describe(taken, Path({folder!r}))
"""


def test_reading_in_a_notebook_prints_nothing(tmp_path: Path):
    (tmp_path / "rows.csv").write_text("a,b\n" + "1,x\n" * 100_000)
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n' * 100_000)
    code = READ.format(folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", IN_A_KERNEL, code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
