"""The forms that move a release, without a registry: what is confirmed, and a key at the moment of the move."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tests.app.conftest import MAIN, SECONDS_TO_LOAD
from tests.service import DAY

from gristmill.serving.keys.store import KeyStore


def page() -> None:
    """Show the forms on two versions; run by Streamlit, which takes its text alone."""
    from pathlib import Path  # noqa: PLC0415

    import streamlit as st  # noqa: PLC0415

    import release_forms  # noqa: PLC0415
    from gristmill.views.models.listing import Version  # noqa: PLC0415
    from gristmill.views.models.releasing import Moved  # noqa: PLC0415

    if "moved" in st.session_state:
        release_forms.done("small", Moved(done=st.session_state.pop("moved"), sentences=("So it was.",)))
    release_forms.show(
        "small",
        [Version(number, "", (), {"gates": [{"name": "g", "passed": True}]}, {}, "", None, Path(), None) for number in (2, 1)],
    )


@pytest.fixture
def forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[AppTest, str]:
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(MAIN.parent))
    token = KeyStore(tmp_path).create("Ada", ("admin",), DAY)[0]
    at = AppTest.from_function(page, default_timeout=SECONDS_TO_LOAD).run()
    assert not at.button
    return at.text_input(key="admin_key").set_value(token).run(), token


def test_a_confirmation_counts_for_what_it_was_given_for_and_no_click_goes_without(forms: tuple[AppTest, str]):
    at, _ = forms
    assert at.button[0].disabled
    at.button[0].proto.disabled = False  # who sends what the browser does not show
    assert not at.button[0].click().run().exception
    assert "release_tried" not in at.session_state
    assert "release_outcome of small" not in at.session_state
    at.checkbox[0].check().run()
    assert not at.button[0].disabled
    at.selectbox[1].set_value("challenger").run()
    assert at.checkbox[0].label.startswith("Yes, version 2 is to be the challenger")
    assert (at.checkbox[0].value, at.button[0].disabled) == (False, True)


def test_a_key_that_is_revoked_meanwhile_moves_nothing(forms: tuple[AppTest, str], tmp_path: Path):
    at, token = forms
    at.checkbox[0].check().run()
    KeyStore(tmp_path).revoke(token.split("_")[1])
    at.button[0].click().run()
    assert "unknown, expired or revoked" in at.error[0].value
    assert not at.button
    assert token not in "".join(one.value for one in (*at.error, *at.markdown))


@pytest.mark.parametrize(("done", "left"), [(True, ""), (False, "the key")])
def test_a_key_is_forgotten_once_something_was_moved(forms: tuple[AppTest, str], done: bool, left: str):
    at, token = forms
    at.checkbox[0].check().run()
    at.session_state["moved"] = done
    at.run()
    assert at.session_state["admin_key"] == (token if left else "")
    assert not any(one.value for one in at.checkbox)
