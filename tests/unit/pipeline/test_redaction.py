"""Secrets of the environment stay out of what a build writes."""

from types import SimpleNamespace

import pytest

from gristmill.pipeline.redaction import Redactor

ENVIRONMENT = {
    "STORE_API_KEY": 'k3y"&<x',
    "GRISTMILL_DATABASE_URL": "postgresql://user:p%40ssword@db/x",
    "HOME": "/home/somebody",
    "KEYBOARD_LAYOUT": "qwertz",
    "SHORT_TOKEN": "abc",
    "USE_TOKEN": "enabled",
}


@pytest.mark.parametrize(
    "written",
    ['k3y"&<x', "k3y\\&quot;&amp;&lt;x", 'k3y\\"&<x', "k3y&quot;&amp;&lt;x", "k3y%22%26%3Cx", "p%40ssword", "p@ssword"],
)
def test_a_secret_is_found_however_it_is_written(written: str):
    assert Redactor(ENVIRONMENT).text(f"before {written} after") == "before [redacted] after"


@pytest.mark.parametrize("word", ["/home/somebody", "qwertz", "abc", "enabled", "user"])
def test_what_is_no_secret_stays(word: str):
    assert Redactor(ENVIRONMENT).text(word) == word


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "12345678901"),
        ("MYSQL_PWD", "hunter22"),
        ("AZURE_STORAGE_CONNECTION_STRING", "AccountKey=abc=="),
        ("BASIC_AUTH", "me:letmein"),
        ("GITHUB_PAT", "ghp_abcdef"),
    ],
)
def test_secrets_are_known_by_many_names(name: str, value: str):
    assert Redactor({name: value}).text(f"it is {value}") == "it is [redacted]"


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_TOKENS", "100000000"), ("OLDPWD", "/home/me"), ("SSH_AUTH_SOCK", "/run/agent"), ("PATH", "/usr/bin")],
)
def test_limits_and_paths_are_no_secrets(name: str, value: str):
    assert Redactor({name: value}).text(f"it is {value}") == f"it is {value}"


def test_a_secret_cut_in_two_by_the_stream_is_found():
    pieces = [{"output_type": "stream", "name": "stdout", "text": text} for text in ('k3y"', "&<x\n")]
    notebook = SimpleNamespace(cells=[{"outputs": pieces}])
    Redactor(ENVIRONMENT).outputs(notebook)
    assert pieces == [{"output_type": "stream", "name": "stdout", "text": "[redacted]\n"}]


def test_secrets_are_found_in_tracebacks_and_rich_outputs():
    output = {"output_type": "error", "ename": "E", "evalue": "p@ssword", "traceback": ["at p@ssword"]}
    rich = {"output_type": "display_data", "data": {"text/html": "<b>p@ssword</b>"}}
    notebook = SimpleNamespace(cells=[{"outputs": [output, rich]}])
    Redactor(ENVIRONMENT).outputs(notebook)
    assert output["evalue"] == "[redacted]"
    assert output["traceback"] == ["at [redacted]"]
    assert rich["data"] == {"text/html": "<b>[redacted]</b>"}
