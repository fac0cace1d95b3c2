"""Nothing but what is asked for is printed into a notebook."""

import subprocess
import sys
from pathlib import Path

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
