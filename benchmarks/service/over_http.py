"""Load on a service over HTTP: wrk, a script of ours that posts single rows with a key, and what came of it."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_SCRIPT = """
local ffi = require("ffi")
ffi.cdef[[ typedef struct { long s; long ns; } gm_time; int clock_gettime(int clock, gm_time *t); ]]
local t = ffi.new("gm_time")
local function now() ffi.C.clock_gettime(1, t); return tonumber(t.s) * 1000 + tonumber(t.ns) / 1e6 end

local bodies, interval, due, number = {}, INTERVAL, 0, 0
for line in io.lines("BODIES") do bodies[#bodies + 1] = line end

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
if "TOKEN" ~= "" then wrk.headers["Authorization"] = "Bearer TOKEN" end

function request()
  number = number + 1
  return wrk.format(nil, nil, nil, bodies[number % #bodies + 1])
end

if interval > 0 then
  function delay()
    if due == 0 then due = now() end
    due = due + interval
    return math.max(0, math.floor(due - now()))
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests": %d, "microseconds": %d, "p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f, ' ..
    '"max_ms": %.3f, "errors": %d}\\n', summary.requests, summary.duration, latency:percentile(50) / 1000,
    latency:percentile(95) / 1000, latency:percentile(99) / 1000, latency.max / 1000,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What came of a load.

    Attributes
    ----------
    requests, errors
        Answered, and failed or refused.
    per_second
        Requests answered a second.
    p50_ms, p95_ms, p99_ms, max_ms
        Milliseconds of an answer.
    """

    requests: int
    errors: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON-able."""
        return asdict(self)


def wrk(url: str, bodies: Sequence[str], token: str = "", *, connections: int = 32, seconds: float = 10, rate: float = 0) -> Load:
    """Load a URL of 127.0.0.1 with posts, and return what came of it.

    Parameters
    ----------
    url
        Where to.
    bodies
        Taken in turn.
    token
        The key, or none.
    connections
        Kept open at once.
    seconds
        How long.
    rate
        Requests a second at most, evenly; 0 for as many as are answered.
    """
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "bodies"
        rows.write_text("\n".join(bodies) + "\n", encoding="utf-8")
        interval = f"{1000 / rate:.6f}" if rate else "0"
        script = Path(folder) / "script.lua"
        script.write_text(_SCRIPT.replace("INTERVAL", interval).replace("BODIES", str(rows)).replace("TOKEN", token))
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds:g}s", "--timeout", "30s", "-s", str(script), url]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 90).stdout
    line = next(one for one in said.splitlines() if one.startswith("RESULT "))
    found = json.loads(line.removeprefix("RESULT "))
    per_second = found["requests"] / (found.pop("microseconds") / 1e6)
    return Load(per_second=round(per_second, 1), **found)
