"""Sentences of the package on a page: commands in backquotes as commands, all else as it is, whatever a table's names hold."""

import re
from collections.abc import Iterable

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
