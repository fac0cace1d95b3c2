"""Data Docs: a contract and its verdicts as pages that Great Expectations renders, and its suite as that library's own JSON.

Importing the library takes as long as validating a million rows, so a process of its own does it while the stage goes on:
``python -m gristmill.data.contract.data_docs`` reads what to write from its standard input.
"""

import html
import importlib.metadata
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gristmill.data.contract.checks import Check
from gristmill.data.contract.expectations import Expectation, expectations, results, without_expectation
from gristmill.data.contract.terms import Terms
from gristmill.data.exploration.profile import without_network
from gristmill.data.products import replacing
from gristmill.errors import BuildError

_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", '"': "”", "&": "＆", "$": "＄"})  # noqa: RUF001 - that is the point
_NAMES = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ICONS = re.compile(r'<i class="fas[^"]*text-(success|danger|warning)"[^>]*></i>')
_SIGNS = {
    "text-success": '<span class="verdict good">✓ kept</span>',
    "text-danger": '<span class="verdict bad">✗ broken</span>',
    "text-warning": '<span class="verdict warn">! error</span>',
}
_TWICE = re.compile(r"(?<=</span>)\s*(?:Succeeded|Failed)\b")
"""The verdict in words of the library, which stands behind the sign that says it."""

_DEAD = re.compile(
    r'<div class="card mb-3">\s*<div class="card-header p-2">\s*<strong>Actions</strong>.*?(?=<div class="card d-md-block d-none")'
    r"|Data asset: None\s*<br>|<link\b[^>]*favicon[^>]*>",
    re.DOTALL,
)
_SCRIPTS = re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
_MOST_LISTED = 60
"""Broken checks without an expectation that are listed: as many as ``02_validate`` shows."""

_SECONDS = 300
"""Longest time that the pages may take."""


@dataclass(frozen=True)
class Pages:
    """Pages that are being written by another process."""

    process: "subprocess.Popen[bytes]"
    messages: IO[bytes]

    def finish(self) -> None:
        """Wait until the pages are written.

        Raises
        ------
        BuildError
            They could not be; the message has the reason.
        """
        try:
            code = self.process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        with self.messages:
            self.messages.seek(0)
            said = self.messages.read().decode("utf-8", "replace").strip()
        if code:
            reason = said.splitlines()[-1] if said else f"exit code {code}"
            raise BuildError(f"Expected Great Expectations to write the Data Docs, but it stopped: {reason}. Build the case again.")


def begin(terms: Terms, checks: Sequence[Check], case: Any, taken: Mapping[str, Any], product: Mapping[str, str]) -> Pages:
    """Start writing the suite and the pages, and return at once.

    Parameters
    ----------
    terms, checks
        The contract, and the verdicts on a snapshot.
    case
        The case.
    taken
        The snapshot, as ``snapshot.json`` has it.
    product
        Where they go: ``expectations`` (JSON) and ``data_docs`` (the first page).
    """
    suite = expectations(terms, case.id_columns, checks)
    left_out = next((check.count for check in checks if check.rule == "target present"), 0)
    content = {
        "name": case.name, "target": case.target, "snapshot": taken["digest"], "taken": taken["ingested_at"], "suite": suite,
        "results": results(suite, checks, list(taken["columns"]), taken["rows"] - left_out),
        "expectations": str(product["expectations"]), "data_docs": str(product["data_docs"]),
        "counts": _counts(suite, checks),
    }  # fmt: skip
    messages = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `finish`
    process = subprocess.Popen(
        [sys.executable, "-m", "gristmill.data.contract.data_docs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=messages,
    )
    if process.stdin is not None:
        with process.stdin:
            process.stdin.write(json.dumps(content, default=str).encode())
    return Pages(process, messages)


def _counts(suite: Sequence[Expectation], checks: Sequence[Check]) -> str:
    """Return in HTML how the count of expectations and that of ``02_validate`` go together, and what only the latter has."""
    others = without_expectation(suite, checks)
    broken = [check for check in others if not check.passed]
    kept = f"<strong>{sum(check.passed for check in checks):,} of {len(checks):,} checks pass</strong>"
    of_these = f"Of these, {len(broken):,} {'is' if len(broken) == 1 else 'are'} broken:" if broken else "None of these is broken."
    said = (
        f'<p>{kept}, as <a href="../02_validate.html">02 Validate</a> counts them. The {len(suite):,} expectations below stand for '
        f"what the data contract states. For the other {len(others):,} checks the library has none, such as those on "
        f"completeness and on what is looked for without a limit. "
        f"{of_these}</p>"
    )
    listed = [f"<li>{html.escape(harmless(check.message))}</li>" for check in broken[:_MOST_LISTED]]
    if len(broken) > _MOST_LISTED:
        listed.append(f"<li>and {len(broken) - _MOST_LISTED:,} more, in 02 Validate</li>")
    return f'<section class="house-note">{said}{"<ul>" + "".join(listed) + "</ul>" if listed else ""}</section>'


def write(content: dict[str, Any]) -> None:
    """Write the suite and the pages that ``content`` describes."""
    suite = suite_of(content["name"], content["target"], content["suite"])
    with replacing(content["expectations"]) as temporary:
        temporary.write_text(json.dumps(suite.to_json_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    shown = suite_of(content["name"], content["target"], harmless(content["suite"]))
    for name, page in _pages(shown, harmless(content["results"]), content).items():
        with replacing(Path(content["data_docs"]).with_name(name)) as temporary:
            temporary.write_text(page, encoding="utf-8")


def harmless(value: Any) -> Any:
    """Return a value without the characters by which names and data could become part of a page, or of the library's templates."""
    if isinstance(value, str):
        return value.translate(_LOOKALIKES)
    if isinstance(value, dict):
        return {harmless(key): harmless(item) for key, item in value.items()}
    return [harmless(item) for item in value] if isinstance(value, list) else value


def suite_of(name: str, target: str, configurations: Sequence[Expectation]) -> Any:
    """Return the ``ExpectationSuite`` of Great Expectations that configurations describe."""
    from great_expectations.core import ExpectationSuite  # noqa: PLC0415 - seconds
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration  # noqa: PLC0415

    return ExpectationSuite(
        name=name,
        expectations=[ExpectationConfiguration(**one).to_domain_obj() for one in configurations],
        meta={"gristmill": {"rows": f"those with a value in {target!r}"}},
    )


def _pages(suite: Any, verdicts: Sequence[dict[str, Any]], content: dict[str, Any]) -> dict[str, str]:
    """Return the pages by the name of their file."""
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult  # noqa: PLC0415
    from great_expectations.render.renderer.page_renderer import (  # noqa: PLC0415
        ExpectationSuitePageRenderer,
        ValidationResultsPageRenderer,
    )

    found = [
        ExpectationValidationResult(
            success=verdict["success"], expectation_config=expectation.configuration, result=verdict["result"], meta={},
            exception_info={"raised_exception": False, "exception_traceback": None, "exception_message": None},
        )
        for expectation, verdict in zip(suite.expectations, verdicts, strict=True)
    ]  # fmt: skip
    passed = sum(verdict["success"] for verdict in verdicts)
    validated = ExpectationSuiteValidationResult(
        success=passed == len(found), results=found, suite_name=suite.name,
        statistics={
            "evaluated_expectations": len(found), "successful_expectations": passed,
            "unsuccessful_expectations": len(found) - passed, "success_percent": 100 * passed / max(len(found), 1),
        },
        meta={
            "run_id": {"run_name": content["snapshot"][:12], "run_time": content["taken"]},
            "great_expectations_version": importlib.metadata.version("great_expectations"),
        },
    )  # fmt: skip
    first = Path(content["data_docs"]).name
    expected = ExpectationSuitePageRenderer().render(suite)  # type: ignore[no-untyped-call]
    return {
        first: _house(ValidationResultsPageRenderer().render(validated), content["name"], "suite.html", content["counts"]),
        "suite.html": _house(expected, content["name"], first),
    }


def _house(document: Any, case: str, other: str, note: str = "") -> str:
    """Return a rendered document as a page that loads nothing: the library's own styles, and ours for what it takes from CDNs."""
    from great_expectations.render.view.view import DefaultJinjaPageView  # noqa: PLC0415

    page: str = DefaultJinjaPageView().render(document, show_how_to_buttons=False, cta_footer=None)  # type: ignore[no-untyped-call]
    page = _SCRIPTS.sub("", without_network(page))
    words = {"index.html": "What was found", "suite.html": "What is expected"}
    links = (
        f'<nav class="house"><a href="../02_validate.html">02 Validate</a> · <a href="{other}">{words.get(other, other)}</a></nav>'
    )
    style = (Path(__file__).parent / "data_docs.css").read_text(encoding="utf-8")
    title = f"Data Docs of {html.escape(case)}"
    page = _ICONS.sub(lambda icon: _SIGNS["text-" + icon.group(1)], page)
    page = _TWICE.sub("", page)
    page = _DEAD.sub("", page)
    page = re.sub(r'href="[^"]*/expectations/[^"]*\.html"', 'href="suite.html"', page)
    names: dict[str, str] = {}  # the library invents some at random; the same verdicts are to be the same page
    page = _NAMES.sub(lambda found: names.setdefault(found.group(), f"part-{len(names)}"), page)
    page = re.sub(r"<title>.*?</title>", "", page, flags=re.DOTALL)
    page = page.replace("</head>", f"<title>{title}</title><style>{style}</style></head>", 1)
    return page.replace("<body>", f"<body>{links}{note}", 1)


if __name__ == "__main__":
    write(json.load(sys.stdin))
