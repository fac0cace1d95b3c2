"""Sentences of the package on a page: commands in backquotes as commands, all else as it is, whatever a table's names hold."""

import re
from collections.abc import Iterable

import pandas as pd
import streamlit as st

import shell

_CODE = re.compile(r"(`[^`\n]+`)")


def said(sentence: str) -> str:
    """Return a sentence as Markdown that shows what is between backquotes as code, and everything else as it is."""
    return "".join(part if _CODE.fullmatch(part) else shell.plain(part) for part in _CODE.split(sentence))


def say(*sentences: str) -> None:
    """Show sentences in one paragraph."""
    st.markdown(" ".join(map(said, sentences)))


def bullets(sentences: Iterable[str]) -> None:
    """Show a list of sentences."""
    st.markdown("\n".join(f"- {said(sentence)}" for sentence in sentences))


_CELL = "padding: 0.35rem 0.6rem; border-bottom: 1px solid rgba(128, 128, 128, 0.35); text-align: left; vertical-align: top"
_REGION = 'tabindex="0" role="group" aria-label="Table, scrolls sideways where it is wide" style="overflow-x: auto"'


def table(rows: pd.DataFrame) -> None:
    """Show a table that wraps its words; where it is wider than the screen, it scrolls by keyboard as well.

    The index stands in front of each row. Everything in the table is shown as it is.
    """
    named = rows.rename_axis(index=None)
    named.columns.name = rows.index.name  # one line of headings, with that of the index in it
    made = named.to_html(border=0, escape=True)
    styled = re.sub(r"<(t[hd])\b[^>]*>", rf'<\1 style="{_CELL}">', made).replace(
        "<table", '<table style="border-collapse: collapse"'
    )
    st.html(f"<div {_REGION}>{styled}</div>")
