"""Tables as they come: each is read as it is, or refused in a sentence that names it and the place; nothing half-made stays."""

import gzip
import io
import math
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import open_to_all

from gristmill.data.snapshots import snapshot
from gristmill.data.sources.opening import open_source
from gristmill.errors import SourceError
from gristmill.paths import ProjectPaths

INF = math.inf


@dataclass(frozen=True)
class Given:
    """What is found: files by name (or what writes them), the URI and options; and the values of columns, or the sentence."""

    files: dict[str, str | bytes] | Callable[[Path], object]
    uri: str = "rows.csv"
    expected: dict[str, Sequence[Any]] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    query: str | None = None


def csv(
    content: str | bytes, *says: str, uri: str = "rows.csv", expected: dict[str, Sequence[Any]] | None = None, **options: Any
) -> Given:
    return Given({uri: content}, uri, expected or {}, says, options)


def parquet(content: dict[str, Any] | pa.Table, cut: int | None = None) -> bytes:
    sink = io.BytesIO()
    pq.write_table(content if isinstance(content, pa.Table) else pa.table(content), sink)
    return sink.getvalue()[:cut]


def workbook(cut: int | None = None) -> bytes:
    book, sink = openpyxl.Workbook(), io.BytesIO()
    for number in range(2_000):
        book.active.append(["a", "b"] if number == 0 else [number, f"text {number}"])
    book.save(sink)
    return sink.getvalue()[:cut]


def archive(name: str, content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr(name, content)
    return sink.getvalue()


def cut_database(kind: Any, name: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        connection = kind.connect(str(folder / name))
        connection.execute("CREATE TABLE t (a INTEGER, b TEXT)")
        connection.execute(
            "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) "
            "SELECT i, 'text ' || i FROM n"
        )
        connection.commit()
        connection.close()
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return write


def odd_names(folder: Path) -> None:
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute('CREATE TABLE "t; DROP TABLE t; --" ("a b" INTEGER, "say ""x""" TEXT, "🙂" REAL, "1 = 1" TEXT)')
        connection.execute("INSERT INTO \"t; DROP TABLE t; --\" VALUES (1, '''', 0.5, ';')")
    connection.close()


BOMB = gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n" * (1 << 18)) * 100
DATES = "iso,german,american,stamp,long\n2024-02-29,29.02.2024,02/29/2024,2024-02-29T10:00:00Z,29 February 2024\n"
LONG = "x" * 1_000_000

READ = {
    "a mark of UTF-16, big end first": csv(b"\xfe\xff" + "ä,b\n1,ö\n".encode("utf-16-be"), expected={"ä": [1], "b": ["ö"]}),
    "a byte-order mark before a quoted name": csv(b'\xef\xbb\xbf"a, b",c\n1,2\n', expected={"a, b": [1]}),
    "carriage returns inside quotes": csv(b'a,b\r\n"x\r\ny",1\r\n', expected={"a": ["x\r\ny"], "b": [1]}),
    "a delimiter inside quotes in the header": csv('"a;b";c\n1;2\n', expected={"a;b": [1], "c": [2]}),
    "lines that end in three ways": csv(
        b'a,b\r\n"x\r\ny",2\n3,4\r"5",6', expected={"a": ["x\r\ny", "3", "5"], "b": [2, 4, 6]}
    ),
    "lines that end in another way far down": csv(
        "a,b\n" + "1,2\n" * 70_000 + "3,4\r\n", expected={"a": [1] * 70_000 + [3]}
    ),
    "text far down a column of numbers": csv("a,b\n" + "1,2\n" * 70_000 + "x,2.5\n", expected={"a": ["1"] * 70_000 + ["x"]}),
    "a fraction far down a column of whole numbers": csv(
        "a,b\n" + "1,2\n" * 70_000 + "1,2.5\n", expected={"a": [1] * 70_001, "b": [2.0] * 70_000 + [2.5]}
    ),
    "a value far down an empty column": csv("a,b\n" + ",2\n" * 70_000 + "7,2\n", expected={"a": [None] * 70_000 + [7]}),
    "five hundred columns": csv(",".join(f"c{n}" for n in range(500)) + "\n" + ",".join(map(str, range(500))) + "\n",
                                expected={"c0": [0], "c499": [499]}),
    "twelve hundred columns of several kinds": csv(
        ",".join(f"c{n}" for n in range(1_200)) + "\n" + ",".join(["1,x,2.5,true,,01"] * 200) + "\n",
        expected={"c0": [1], "c1": ["x"], "c2": [2.5], "c1197": [True], "c1198": [None], "c1199": ["01"]},
    ),
    "ten thousand columns of Parquet": csv(
        parquet({f"c{n}": [n] for n in range(10_000)}), uri="rows.parquet", expected={"c0": [0], "c9999": [9_999]}
    ),
    "dates in five formats": csv(DATES, expected={"iso": ["2024-02-29"], "german": ["29.02.2024"], "long": ["29 February 2024"]}),
    "numbers in quotes": csv('a,b\n"1","2.5"\n"3",""\n', expected={"a": [1, 3]}),
    "numbers with separators of thousands": csv('a,b\n"1,234",1\n5,2\n', expected={"a": ["1,234", "5"]}),
    "numbers with a unit": csv("a,b\n5 kg,1\n6 kg,2\n", expected={"a": ["5 kg", "6 kg"]}),
    "infinities": csv("a,b\ninf,1\n-Infinity,2\n1.5,3\n", expected={"a": [INF, -INF, 1.5]}),
    "exponents": csv("a,b\n1e3,1\n-2.5E-3,2\n", expected={"a": [1000.0, -0.0025]}),
    "a column without a value": csv("a,b\n,1\nNA,2\n", expected={"a": [None, None], "b": [1, 2]}),
    "a column with one value": csv("a,b\n7,x\n7,x\n", expected={"a": [7, 7], "b": ["x", "x"]}),
    "one row": csv("a,b\n1,x\n", expected={"a": [1]}),
    "formulas": csv("a,b\n=1+1,@SUM(A1)\n+2,-x\n", expected={"a": ["=1+1", "+2"], "b": ["@SUM(A1)", "-x"]}),
    "a field of a million characters": csv(f"a,b\n{LONG},1\n", expected={"a": [LONG]}),
    "names of a file with anything in them": csv(
        '"a b","say ""x""","🙂","1; DROP TABLE raw; --"\n1,2,3,4\n',
        expected={"a b": [1], 'say "x"': [2], "🙂": [3], "1; DROP TABLE raw; --": [4]},
    ),
    "names with spaces around": csv(" a , b\n1,2\n", expected={" a ": [1], " b": [2]}),
    "text that looks like SQL": csv("a,b\n'; DROP TABLE raw; --,1\n", expected={"a": ["'; DROP TABLE raw; --"]}),
    "a suffix in capitals": csv(gzip.compress(b"a,b\n1,2\n"), uri="ROWS.CSV.GZ", expected={"b": [2]}),
    "no suffix": csv('{"a": 1}\n{"a": 2}\n', uri="rows", expected={"a": [1, 2]}),
    "a JSON array": csv('[{"a": 1, "b": "x"}, {"a": 2}]', uri="rows.json", expected={"a": [1, 2], "b": ["x", None]}),
    "JSON whose values change their kind": csv('{"a": 1}\n{"a": "x"}\n', uri="rows.jsonl", expected={"a": ["1", "x"]}),
    "one file without rows among many": Given({"1.csv": "a,b\n", "2.csv": "a\n1\n"}, "*.csv", {"a": [1]}),
    "names of a database with anything in them": Given(
        odd_names, "sqlite:///shop.db?table=t%3B DROP TABLE t%3B --", {"a b": [1], 'say "x"': ["'"], "🙂": [0.5], "1 = 1": [";"]}
    ),
    "whole numbers beyond 64 bits in Parquet": csv(
        parquet({"a": pa.array([2**64 - 1, 1], pa.uint64())}), uri="rows.parquet", expected={"a": [float(2**64 - 1), 1.0]}
    ),
}  # fmt: skip

REFUSED = {
    "a file without content": csv("", "rows.csv is empty"),
    "a file of line ends": csv("\r\n\n", "rows.csv is empty"),
    "a header and no rows": csv("a,b\n", "rows.csv has a header and no rows"),
    "two columns of a name": csv("a,b,a\n1,2,3\n", "rows.csv has 2 columns called 'a'"),
    "a quotation mark that is never closed": csv('a,b\n1,2\n"x,3\n', "rows.csv", "never closed"),
    "a compressed file without content": csv(gzip.compress(b""), "rows.csv.gz is empty", uri="rows.csv.gz"),
    "a compressed file cut off": csv(gzip.compress(b"a,b\n1,2\n" * 999)[:-12], "rows.csv.gz", "cut off", uri="rows.csv.gz"),
    "a compressed file that is none": csv("a,b\n1,2\n", "cannot be unpacked", uri="rows.csv.gz"),
    "a compressed file with an encoding, cut off": csv(
        gzip.compress(b"a,b\n1,2\n" * 999)[:-12], "cut off", uri="rows.csv.gz", encoding="utf-8"
    ),
    "a compressed JSON file cut off": csv(gzip.compress(b'{"a": 1}\n' * 999)[:-12], "cut off", uri="rows.jsonl.gz"),
    "a bomb": csv(BOMB, "more than 200 times its size", uri="rows.csv.gz"),
    "a bomb with an encoding": csv(BOMB, "more than 200 times its size", uri="rows.csv.gz", encoding="utf-8"),
    "a workbook that is a bomb": csv(archive("xl/workbook.xml", bytes(70 << 20)), "more than 200 times", uri="rows.xlsx"),
    "a workbook cut off": csv(workbook(9_000), "rows.xlsx", "damaged", uri="rows.xlsx"),
    "a workbook under a password": csv(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 99, "without a password", uri="rows.xlsx"),
    "an archive of a CSV file": csv(archive("rows.csv", b"a,b\n1,2\n"), "of another kind", uri="rows.zip"),
    "a sheet that is not there": csv(workbook(), "has no sheet 'Sheets'", "did you mean 'Sheet'", uri="rows.xlsx", sheet="Sheets"),
    "a ragged line far down": csv("a,b\n" + "1,2\n" * 70_000 + "3\n", "rows.csv, line 70002", "expected 2 fields", "got 1"),
    "a ragged line in a compressed file": csv(gzip.compress(b"a,b\n1,2,3\n"), "line 2", uri="rows.csv.gz"),
    "a header and no rows, compressed": csv(gzip.compress(b"a,b\n"), "a header and no rows", uri="rows.csv.gz"),
    "another encoding far down": csv("é,b\n".encode() + b"1,2\n" * 70_000 + b"\xfc,2\n", "rows.csv, line 70002", "mixes encodings"),
    "zero bytes in the middle": csv(b"a,b\n1,2\n\0\0\0\0\n", "not text"),
    "text that is not in the encoding stated": csv("ä,b\n1,2\n", "expected us-ascii text", encoding="us-ascii"),
    "a Parquet file cut off": csv(parquet({"a": list(range(9_999))}, -9), "rows.parquet", "write it again", uri="rows.parquet"),
    "a Parquet file that only begins": csv(b"PAR1", "rows.parquet", "write it again", uri="rows.parquet"),
    "a Parquet file that is CSV": csv("a,b\n1,2\n", "cannot be read as Parquet", uri="rows.parquet"),
    "a Parquet file with two columns of a name": csv(
        parquet(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])), "2 columns called 'a'", uri="rows.parquet"
    ),
    "a JSON file cut off": csv('{"a": 1}\n{"a": ', "rows.jsonl, line 2", "Mend that line", uri="rows.jsonl"),
    "lines that end in two ways, and a stray quotation mark": csv(
        b'a,b\r\n"x"y,2\n3,4\r\n', "rows.csv, line 2", "lines end in different ways"
    ),
    "a URI of no known kind": Given({}, "s4://bucket/rows.csv", says=("begins with", "'s4://bucket/rows.csv'")),
    "a link to nothing": Given(lambda folder: (folder / "rows.csv").symlink_to("gone"), says=("no file", "rows.csv")),
    "a device": Given({}, "/dev/zero", says=("/dev/zero is a device",)),
    "a name that is too long": Given({}, "x" * 300 + ".csv", says=("xxx.csv", "cannot be read")),
    "a folder without tables": Given({"data/notes.md": "x"}, "data", says=("data has no table",)),
    "a pattern that matches nothing": Given({"a.csv": "a\n1\n"}, "b*.csv", says=("No file matches", "b*.csv")),
    "schemas that clash": Given(
        {"1.csv": "a\ntrue\n", "2.csv": "a\n2\n"}, "*.csv", says=("'a' holds true or false in", "1.csv, but whole", "2.csv")
    ),
    "one damaged file among many": Given(
        {"1.parquet": parquet({"a": [1]}), "2.parquet": parquet({"a": [1]}, -9)}, "*.parquet", says=("2.parquet", "write it again")
    ),
    "one ragged file among many": Given({"1.csv": "a,b\n1,2\n", "2.csv": "a,b\n1\n"}, "*.csv", says=("2.csv, line 2",)),
    "many files without rows": Given({"1.csv": "a\n", "2.csv": "a\n"}, "*.csv", says=("None of the 2 files of *.csv has a row",)),
    "an SQLite file cut off": Given(cut_database(sqlite3, "a.db"), "sqlite:///a.db?table=t", says=("a.db", "malformed")),
    "a DuckDB file cut off": Given(cut_database(duckdb, "a.duckdb"), "duckdb:///a.duckdb?table=t", says=("a.duckdb",)),
    "an SQLite file that is a CSV file": Given({"a.db": "a,b\n" * 99}, "sqlite:///a.db?table=t", says=("a.db", "of another kind")),
    "a database without tables": Given(
        lambda folder: duckdb.connect(str(folder / "a.duckdb")).close(), "duckdb:///a.duckdb?table=t", says=("no table 't'", "none")
    ),
    "a password in the URI": Given({}, "postgresql://me:s3cret@host/db?table=t", says=("PGPASSWORD", "postgresql://me@host/db")),
}  # fmt: skip


@pytest.mark.slow
def test_a_csv_file_of_ten_thousand_columns_is_read_within_two_gigabytes(tmp_path: Path):
    lines = [",".join(f"c{n}" for n in range(10_000)), *[",".join(f"{row}.5" for _ in range(10_000)) for row in range(300)]]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    with subprocess.Popen([sys.executable, "-c", TAKE, str(tmp_path), "rows.csv"], stdout=subprocess.PIPE, text=True) as running:
        digest = running.communicate()[0].strip()
        assert running.returncode == 0
    kept = pq.ParquetFile(ProjectPaths(tmp_path).snapshots / f"{digest}.parquet")
    assert (kept.metadata.num_rows, kept.metadata.num_columns) == (300, 10_000)
    assert kept.read(columns=["c9999"])["c9999"].to_pylist()[-1] == 299.5
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2 << 20  # kilobytes


def opened(given: Given, folder: Path) -> Any:
    if callable(given.files):
        given.files(folder)
    else:
        for name, content in given.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return open_source(given.uri, given.options, folder, given.query)


@pytest.mark.parametrize("given", [pytest.param(given, id=name) for name, given in {**READ, **REFUSED}.items()])
def test_a_table_is_read_as_it_is_or_refused_in_a_sentence(given: Given, tmp_path: Path):
    paths = ProjectPaths(tmp_path)
    if given.says:
        with pytest.raises(SourceError) as caught:
            snapshot.take(opened(given, tmp_path), paths)
        sentence = str(caught.value)
        assert all(part in sentence for part in given.says), sentence
        assert "s3cret" not in sentence
        assert not paths.snapshots.exists() or list(paths.snapshots.iterdir()) == []
        return
    frame = snapshot.load(tmp_path / snapshot.take(opened(given, tmp_path), paths).path)
    for name, values in given.expected.items():
        assert frame[name].astype(object).where(frame[name].notna(), None).tolist() == values


ENDLESS = """
import sys, time
from pathlib import Path
import pyarrow as pa
from gristmill.data.snapshots import snapshot
from gristmill.data.sources.table_source import Source
from gristmill.paths import ProjectPaths

class Endless(Source):
    def version(self): return "1"
    def _batches(self):
        while True:
            yield pa.record_batch({"a": range(200_000)})
            print("written", flush=True)

snapshot.take(Endless("endless"), ProjectPaths(Path(sys.argv[1])))
"""


TAKE = """
import sys
from pathlib import Path
from gristmill.data.snapshots import snapshot
from gristmill.data.sources import opening
from gristmill.paths import ProjectPaths

root = Path(sys.argv[1])
print(snapshot.take(opening.open_source(sys.argv[2], root=root), ProjectPaths(root)).digest)
"""


def test_a_kill_while_writing_leaves_no_snapshot_and_the_next_one_cleans_up(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "written\n"
        running.send_signal(signal.SIGKILL)
    left = list(ProjectPaths(tmp_path).snapshots.iterdir())
    assert [file.name[:8] for file in left] == [".taking-"]
    long_ago = time.time() - 3600
    os.utime(left[0], (long_ago, long_ago))
    taken = snapshot.take(opened(csv("a,b\n1,2\n"), tmp_path), ProjectPaths(tmp_path))
    assert [file.name for file in ProjectPaths(tmp_path).snapshots.iterdir()] == [f"{taken.digest}.parquet"]


def test_a_snapshot_that_another_process_is_writing_is_left_alone(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "written\n"
        running.send_signal(signal.SIGSTOP)
        written = next(ProjectPaths(tmp_path).snapshots.iterdir())
        os.utime(written, (1, 1))
        snapshot.take(opened(csv("a,b\n1,2\n"), tmp_path), ProjectPaths(tmp_path))
        assert written.exists()
        running.kill()


def test_two_ingests_at_once_are_one_snapshot(tmp_path: Path):
    pd.DataFrame({"a": range(300_000), "b": "x"}).to_csv(tmp_path / "rows.csv", index=False)
    running = [
        subprocess.Popen([sys.executable, "-c", TAKE, str(tmp_path), "rows.csv"], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    digests = {process.communicate()[0].strip() for process in running}
    assert [process.returncode for process in running] == [0, 0]
    assert [file.stem for file in ProjectPaths(tmp_path).snapshots.iterdir()] == list(digests)


def test_a_disk_that_takes_no_more_is_said_and_nothing_is_kept(tmp_path: Path):
    pd.DataFrame({"a": range(400_000)}).assign(b=lambda frame: frame["a"].astype(str) + "x").to_parquet(tmp_path / "rows.parquet")

    def no_large_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [sys.executable, "-B", "-c", TAKE, str(tmp_path), "rows.parquet"],
        preexec_fn=no_large_files,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "SourceError: rows.parquet cannot be stored under" in done.stderr
    assert "Nothing was kept" in done.stderr
    assert list(ProjectPaths(tmp_path).snapshots.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    (tmp_path / "data").write_text("a file in the folder's place")
    with pytest.raises(SourceError, match=r"rows.csv cannot be stored under .*snapshots: Not a directory.*run the command again"):
        snapshot.take(opened(csv("a,b\n1,2\n"), tmp_path), ProjectPaths(tmp_path))


def test_a_folder_that_this_user_may_not_write_is_said(tmp_path: Path):
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    code = TAKE
    if os.geteuid() == 0:  # root writes everywhere: ask as nobody
        open_to_all(tmp_path)
        code = TAKE.replace("root = ", "import os\nos.seteuid(65534)\nroot = ")
    else:
        tmp_path.chmod(0o555)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), "rows.csv"], capture_output=True, text=True, check=False)
    assert "rows.csv cannot be stored under" in done.stderr
    assert "Permission denied. Nothing was kept" in done.stderr
    tmp_path.chmod(0o755)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rows.csv"]
