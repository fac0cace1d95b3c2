"""The tables of ``docs/alerts.md``, written from the code.

``python -m gristmill.monitoring.alerts.reference docs/alerts.md`` renews them.
"""

import sys
from pathlib import Path

from gristmill.config.alert_signals import ALERT_SIGNALS
from gristmill.config.sections.watching import default_alerts
from gristmill.monitoring.alerts.signals import query_of


def defaults_table() -> str:
    """Return the default alerts as a Markdown table."""
    rows = ["| alert | signal | limit | lasting | severity |", "|---|---|---|---|---|"]
    for name, rule in default_alerts().items():
        limit = f"above {rule.above:g}" if rule.above is not None else f"below {rule.below:g}"
        rows.append(
            f"| [`{name}`](runbook.md#{name}) | `{rule.signal}` | {limit} | {rule.lasting or 'no time'} | `{rule.severity}` |"
        )
    return "\n".join(rows)


def signals_table() -> str:
    """Return the signals as a Markdown table, with their queries for a case called ``CASE``."""
    rows = ["| signal | what it is | as Prometheus is asked |", "|---|---|---|"]
    for name, meaning in ALERT_SIGNALS.items():
        query = query_of(name, "CASE", "5m").replace("|", "\\|")
        rows.append(f"| `{name}` | {meaning} | `{query}` |")
    return "\n".join(rows)


def renewed(page: str) -> str:
    """Return the text of the page with its tables written anew."""
    for name, table in (("defaults", defaults_table()), ("signals", signals_table())):
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        head, rest = page.split(begin)
        page = f"{head}{begin}\n\n{table}\n\n{end}{rest.split(end)[1]}"
    return page


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
