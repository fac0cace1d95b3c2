"""The reference of a data contract's keys, written from the models themselves.

``python -m gristmill.data.contract.reference docs/data-contracts.md`` renews the part of the page between its two markers.
"""

import sys
from pathlib import Path

from gristmill.config.base import Section
from gristmill.config.reference import renewed, section_table
from gristmill.data.contract.terms import ColumnSeverity, ColumnTerms, Freshness, Limits, RuleSeverity, TableLimits, Terms

SECTIONS: dict[str, type[Section]] = {
    "The file": Terms,
    "`columns.COLUMN`": ColumnTerms,
    "`columns.COLUMN.expect`, `columns.COLUMN.require`": Limits,
    "`columns.COLUMN.severity`": ColumnSeverity,
    "`table.expect`, `table.require`": TableLimits,
    "`freshness`": Freshness,
    "`severity`": RuleSeverity,
}
"""Heading -> the section it explains."""


def reference_tables() -> str:
    """Return the Markdown tables of all keys."""
    parts = [part for title, section in SECTIONS.items() for part in (f"### {title}", str(section.__doc__), section_table(section))]
    return "\n\n".join(parts)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8"), reference_tables()), encoding="utf-8")
