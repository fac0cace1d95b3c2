"""Requests for predictions to a running service, and what is in the log when they are answered (R34, R43)."""

import asyncio
import json
import sqlite3
from contextlib import closing

import httpx
import pytest
from tests.models import FEATURES
from tests.service import NAME, Running, direct, key, rows_of

from gristmill.serving.prediction_log.erasure import erase


def logged(service: Running, identity: str) -> dict[str, object]:
    with closing(sqlite3.connect(service.root / "state" / "predictions.db")) as connection:
        connection.row_factory = sqlite3.Row
        return dict(connection.execute("SELECT * FROM gristmill_predictions WHERE prediction_id = ?", (identity,)).fetchone())


def test_rows_are_answered_as_batch_scoring_answers_them(service: Running):
    rows = rows_of(60)
    answer = service.predict(rows).json()
    expected = direct(service.root, 1, rows)
    assert answer["predictions"] == expected["prediction"].tolist()
    assert [one["Yes"] for one in answer["probabilities"]] == pytest.approx(expected["probability"].tolist(), abs=1e-9)
    assert answer["model"] == {"name": NAME, "version": "1"}
    assert len(set(answer["prediction_ids"])) == 60


def test_a_large_request_is_answered_and_refused_as_a_small_one_is(service: Running):
    rows = rows_of(300)
    answer = service.predict(rows).json()
    assert answer["predictions"] == direct(service.root, 1, rows)["prediction"].tolist()
    assert {logged(service, identity)["request_id"] for identity in answer["prediction_ids"][::50]} == {answer["request_id"]}
    refused = service.predict([*rows, rows[0] | {"tenure": "long"}])
    assert refused.status_code == 422
    assert [(one["row"], one["column"]) for one in refused.json()["errors"]] == [(300, "tenure")]


def test_a_prediction_is_in_the_log_when_it_is_answered(service: Running):
    row = rows_of(1)[0]
    answer = service.predict([row], **{"X-Request-ID": "a-request-of-mine"}).json()
    found = logged(service, answer["prediction_ids"][0])
    assert answer["request_id"] == found["request_id"] == "a-request-of-mine"
    assert (found["model"], found["version"], found["role"]) == (NAME, "1", "champion")
    assert found["subject"] == json.dumps({"customer": row["customer"]}, separators=(",", ":"))
    assert FEATURES[0] in str(found["features"])
    assert row["customer"] not in str(found["features"])
    assert float(str(found["latency_ms"])) > 0


def test_a_subject_is_erased_however_the_number_of_its_id_was_sent(service: Running):
    row = rows_of(1)[0]
    ids = service.predict([row | {"customer": value} for value in (987654, 987654.0, "987654")]).json()["prediction_ids"]
    assert {logged(service, identity)["subject"] for identity in ids} == {'{"customer":"987654"}'}
    assert erase(service.root, "customer", "987654", "me", 1.0).predictions == 3


def test_every_wrong_column_of_a_row_is_named_and_no_value_is_repeated(service: Running):
    row = rows_of(1)[0] | {"tenure": "secret-one", "plan": 3.5, "nonsense": "secret-two"}
    del row["charge"]
    answer = service.predict([rows_of(1)[0], row])
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {(one["row"], one["column"]) for one in problem["errors"]} == {
        (1, "tenure"),
        (1, "plan"),
        (1, "charge"),
        (1, "nonsense"),
    }
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"instances": []}', b'{"instances": {}}', b'{"instances": [1]}', b'{"instances": [{}], "x": 1}']
)
def test_a_body_of_another_form_is_refused(service: Running, body: bytes):
    with service.client() as client:
        answer = client.post(f"/v1/models/{NAME}/predict", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "query",
    ["?explain=lime", "?interval=x", "?interval=0.2", "?interval=nan", "?interval=0.9&interval=0.8", "?x=1", "?" + "x&" * 99],
)
def test_an_option_that_is_none_is_refused(service: Running, query: str):
    assert service.predict(rows_of(1), query).status_code == 422


@pytest.mark.parametrize("level", ["%D9%A0.%D9%A9", "%200.9", "0.9%0A", "0_9", "9e-1", "%2B0.9", "0.1234567", "0.99999"])
def test_a_level_is_a_plain_number_and_is_not_repeated(service: Running, level: str):
    answer = service.predict(rows_of(1), f"?interval={level}")
    assert answer.status_code == 422, answer.text
    assert level not in answer.json()["detail"]


def test_sets_and_reasons_come_when_asked_for(service: Running):
    answer = service.predict(rows_of(3), "?interval=0.9&explain=shap").json()
    assert [set(one) <= {"Yes", "No"} and one for one in answer["prediction_sets"]]
    assert len(answer["explanations"]) == 3
    one = answer["explanations"][0]
    assert one["value"] == pytest.approx(one["base"] + sum(reason["contribution"] for reason in one["reasons"]) + one["rest"])
    assert {reason["feature"] for reason in one["reasons"]} <= set(FEATURES)


def test_more_rows_than_may_be_explained_are_refused(service: Running):
    assert service.predict(rows_of(11), "?explain=shap").status_code == 422


def test_a_row_unlike_those_that_were_learnt_from_is_answered_with_a_warning(service: Running):
    answer = service.predict([rows_of(1)[0] | {"tenure": 900, "plan": "never seen"}]).json()
    assert {(one["code"], one["column"]) for one in answer["warnings"]} == {("out_of_range", "tenure"), ("unseen_level", "plan")}


def test_a_version_that_serves_can_be_named_and_no_other(service: Running):
    with service.client() as client:
        answers = {
            version: client.post(f"/v1/models/{NAME}/versions/{version}/predict", json={"instances": rows_of(1)}).status_code
            for version in ("1", "2", "x", "99999999999")
        }
    assert answers == {"1": 200, "2": 404, "x": 404, "99999999999": 404}


def test_another_model_is_not_here(service: Running):
    with service.client() as client:
        assert client.post("/v1/models/other/predict", json={"instances": rows_of(1)}).status_code == 404
        assert client.get("/v1/models/other").status_code == 404


def test_the_models_say_what_serves_and_how(service: Running):
    with service.client() as client:
        listed = client.get("/v1/models").json()["models"]
        one = client.get(f"/v1/models/{NAME}").json()
    assert listed == [one]
    (version,) = one["versions"]
    assert (version["version"], version["role"], version["share"]) == ("1", "champion", 1.0)
    assert [column["name"] for column in version["columns"]] == FEATURES
    assert version["compiled"] or version["why_not_compiled"]


def test_labels_are_joined_to_predictions_once(service: Running):
    ids = service.predict(rows_of(2)).json()["prediction_ids"]
    body = {"feedback": [{"prediction_id": ids[0], "label": "Yes"}, {"prediction_id": ids[1], "label": "Maybe"}]}
    with service.client() as client:
        first, again = client.post("/v1/feedback", json=body), client.post("/v1/feedback", json=body)
        corrected = client.post("/v1/feedback", json={"feedback": [{"prediction_id": ids[0], "label": "No"}]})
        unknown = client.post("/v1/feedback", json={"feedback": [{"prediction_id": ids[0].replace("-", "0"), "label": "No"}]})
    assert first.json()["recorded"] == again.json()["repeated"] == corrected.json()["corrected"] == [ids[0]]
    assert [one["prediction_id"] for one in first.json()["refused"]] == [ids[1]]
    assert unknown.status_code == 422


def test_labels_answered_503_while_the_log_is_locked_are_not_written_later(service: Running):
    identity = service.predict(rows_of(1)).json()["prediction_ids"][0]
    body = {"feedback": [{"prediction_id": identity, "label": "No"}]}

    async def send() -> list[httpx.Response]:
        headers = {"Authorization": f"Bearer {service.token}"}
        async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=60, trust_env=False) as client:
            return await asyncio.gather(*(client.post("/v1/feedback", json=body) for _ in range(4)))

    with closing(sqlite3.connect(service.root / "state" / "predictions.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        answers = asyncio.run(send())
        connection.execute("ROLLBACK")
    assert [(one.status_code, one.headers["Retry-After"]) for one in answers] == [(503, "1")] * 4
    body["feedback"][0]["label"] = "Yes"
    with service.client() as client:
        service.wait(lambda: client.get("/readyz").status_code == 200)
        assert client.post("/v1/feedback", json=body).json()["recorded"] == [identity]


def test_requests_that_come_at_once_are_each_answered_with_their_own_rows(service: Running):
    rows = rows_of(40)
    expected = direct(service.root, 1, rows)["probability"].tolist()

    async def ask() -> list[float]:
        headers = {"Authorization": f"Bearer {service.token}"}
        async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=60, trust_env=False) as client:
            asked = [client.post(f"/v1/models/{NAME}/predict", json={"instances": [row]}) for row in rows]
            return [one.json()["probabilities"][0]["Yes"] for one in await asyncio.gather(*asked)]

    assert asyncio.run(ask()) == pytest.approx(expected, abs=1e-9)


def test_what_was_done_is_counted(service: Running):
    service.predict(rows_of(1))
    with service.client(key(service.root, "metrics")) as client:
        service.wait(lambda: client.get("/metrics").status_code == 200)
        text = client.get("/metrics").text
    assert f'ml_predictions_total{{model_version="{NAME}/1"' in text
    assert 'gristmill_requests_total{method="POST",route="/v1/models/{name}/predict",status="200"}' in text


def test_a_request_leaves_a_line_that_holds_neither_key_nor_row(service: Running):
    service.predict([rows_of(1)[0] | {"customer": "a-very-private-person"}], **{"X-Request-ID": "find-this-line"})
    service.wait(lambda: any(line.get("request_id") == "find-this-line" for line in service.log()))
    (line,) = [line for line in service.log() if line.get("request_id") == "find-this-line"]
    assert (line["route"], line["status"], line["model_version"]) == ("/v1/models/{name}/predict", 200, f"{NAME}/1")
    assert line["duration_ms"] > 0
    text = (service.root / "service.log").read_text()
    assert service.token not in text
    assert "a-very-private-person" not in text
