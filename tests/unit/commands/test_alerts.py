"""``gristmill alerts render``: where pages and webhooks go."""

import sys
from pathlib import Path

import pytest
import yaml

from gristmill import cli


def rendered(project: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, more: str = "") -> dict[str, dict[str, str]]:
    """Return the receivers that are written, by name and kind."""
    (project / "configs").mkdir(exist_ok=True)
    case = "{name: small, task: binary, source: a.csv, target: b, positive_class: 'Yes'"
    (project / "configs/small.yaml").write_text(case + more + "}")
    monkeypatch.setattr(sys, "argv", ["gristmill", "alerts", "render", "small", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    content = yaml.safe_load((project / "deploy/alertmanager/alertmanager.yml").read_text())
    pages = next(one for one in content["receivers"] if one["name"] == "pages")
    return {kind: values[0] for kind, values in pages.items() if kind != "name"}


def test_pages_go_to_pagerduty_unless_another_address_is_named(project: Path, monkeypatch: pytest.MonkeyPatch):
    (project / "deploy/alertmanager").mkdir(parents=True)
    (project / "deploy/prometheus").mkdir(parents=True)
    usual = rendered(project, monkeypatch)
    assert usual["pagerduty_configs"]["url"] == "https://events.pagerduty.com/v2/enqueue"
    key = ("--routing-key", "/run/key")
    own = rendered(
        project, monkeypatch, "--pagerduty", "https://events.eu.pagerduty.com/v2/enqueue", *key, "--webhook", "http://a/b"
    )
    assert own["pagerduty_configs"]["url"] == "https://events.eu.pagerduty.com/v2/enqueue"
    assert own["pagerduty_configs"]["routing_key_file"] == "/run/key"
    assert own["webhook_configs"]["url"] == "http://a/b"


@pytest.mark.parametrize(("url", "said"), [("docs/runbook.md", True), ("https://example.org/runbook", False)])
def test_links_that_a_pager_cannot_open_are_told_of(project: Path, monkeypatch: pytest.MonkeyPatch, capsys, url: str, said: bool):
    (project / "deploy/alertmanager").mkdir(parents=True)
    (project / "deploy/prometheus").mkdir(parents=True)
    rendered(project, monkeypatch, more=f", monitoring: {{runbook_url: '{url}'}}")
    assert ("which a pager cannot open" in capsys.readouterr().out) is said


@pytest.mark.parametrize("option", ["--pagerduty", "--webhook"])
@pytest.mark.parametrize("url", ["nonsense", "https://", "ftp://a/b"])
def test_an_address_that_is_none_is_refused_before_anything_is_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys, option: str, url: str
):
    (project / "configs").mkdir(exist_ok=True)
    (project / "configs/small.yaml").write_text("{name: small, task: binary, source: a.csv, target: b, positive_class: 'Yes'}")
    monkeypatch.setattr(sys, "argv", ["gristmill", "alerts", "render", "small", option, url])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert f"Expected {option} as an address such as https://example.org/alerts, got {url!r}." in capsys.readouterr().err
    assert not list(project.rglob("*.yml"))
