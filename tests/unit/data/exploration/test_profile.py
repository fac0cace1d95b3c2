"""The profile of a sample is one page that loads nothing from the network (R8)."""

import re

import pandas as pd
import pytest

from gristmill.data.exploration.profile import without_network, write
from gristmill.errors import DataError


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<script defer src='//cdn.example/x.js'></script>",
        '<link rel="stylesheet" href="https://cdn.example/x.css">',
        '<img alt="" src="http://cdn.example/x.png">',
        "@import url('https://fonts.example/x');",
    ],
)
def test_what_would_be_loaded_is_taken_out(tag):
    assert without_network(f"<p>a</p>{tag}<p>b</p>") == "<p>a</p><p>b</p>"


def test_fonts_of_other_hosts_are_taken_out_and_links_stay():
    page = '<style>a{src:url("https://fonts.example/x")}</style><a href="https://example.org">b</a>'
    assert without_network(page) == '<style>a{src:none}</style><a href="https://example.org">b</a>'


def test_a_profile_without_rows_is_refused(tmp_path):
    with pytest.raises(DataError, match="Expected rows to profile"):
        write(tmp_path / "profile.html", pd.DataFrame(), "none")


@pytest.mark.slow
def test_a_profile_is_a_page_of_its_own(tmp_path, customers):
    path = tmp_path / "profile.html"
    evil = customers.assign(plan="<script>alert(1)</script>").rename(columns={"visits": "\"><img src=x onerror='alert(2)'>"})
    assert write(path, pd.concat([evil] * 11), "Rows of small") == 2000
    page = path.read_text()
    assert "<title>Rows of small</title>" in page
    assert "spend" in page
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert not re.search(r"<(?:script|img|iframe)[^>]*src=[\"']?(?:https?:)?//|<link[^>]*href=[\"']?(?:https?:)?//", page)
