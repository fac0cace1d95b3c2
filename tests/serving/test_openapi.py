"""The OpenAPI document: of every column, and true of the service that answers (R34)."""

import os
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance
from tests.models import FEATURES
from tests.service import NAME, Running, rows_of

from gristmill.serving.api.routes import TABLE

pytestmark = pytest.mark.slow

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
SLOW_TO_ANSWER = ("promote", "rollback")
"""Each starts a process that asks the registry; they have tests of their own."""


@pytest.fixture(scope="module")
def document(service: Running) -> dict[str, Any]:
    with service.client() as client:
        return dict(client.get("/openapi.json").json())


def test_the_document_has_every_route_of_the_table_and_no_other(document: dict[str, Any]):
    paths = {path.replace(f"/v1/models/{NAME}/", "/v1/models/{name}/"): ways for path, ways in document["paths"].items()}
    written = {(method.upper(), path) for path, ways in paths.items() for method in ways}
    assert written == {(route.method, route.path) for route in TABLE.routes}


def test_every_column_is_documented_from_the_contract(document: dict[str, Any]):
    row = document["components"]["schemas"]["SmallRow"]
    assert row["required"] == FEATURES
    assert row["properties"]["plan"]["x-levels"] == ["01", "02", "10"]
    assert row["properties"]["tenure"]["x-range"][0] == 0
    assert "null" in str(row["properties"]["charge"])
    assert all(column["description"].endswith(".") for column in row["properties"].values())
    assert row["additionalProperties"] is False


def test_the_example_of_the_document_is_answered(service: Running, document: dict[str, Any]):
    assert service.predict([document["components"]["schemas"]["SmallRow"]["example"]]).status_code == 200


def test_every_locked_operation_says_so(document: dict[str, Any]):
    open_paths = {path for path, ways in document["paths"].items() for operation in ways.values() if not operation["security"]}
    assert open_paths == {"/healthz", "/readyz"}


def whole_document(service: Running, document: dict[str, Any], examples: int) -> None:
    """Send what the document allows, and what it does not, to every operation."""
    schema = schemathesis.openapi.from_dict(document).exclude(path_regex="|".join(SLOW_TO_ANSWER))
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=_cases(operation))
        @settings(max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        def ask(case: Any) -> None:
            answer = case.call(base_url=service.url, headers={"Authorization": f"Bearer {service.token}"})
            case.validate_response(answer, checks=CHECKS)

        ask()
        tried += 1
    assert tried >= len(TABLE.routes) - len(SLOW_TO_ANSWER)


def _cases(operation: Any) -> Any:
    """Return requests that the document allows, and such as it does not."""
    modes = schemathesis.GenerationMode
    return operation.as_strategy(generation_mode=modes.POSITIVE) | operation.as_strategy(generation_mode=modes.NEGATIVE)


def test_no_request_makes_a_failure_or_an_answer_that_is_not_documented(service: Running, document: dict[str, Any]):
    whole_document(service, document, 10)


@pytest.mark.slow
def test_no_request_makes_a_failure_in_many_more(service: Running, document: dict[str, Any]):
    whole_document(service, document, int(os.environ.get("SCHEMATHESIS_EXAMPLES", "200")))


def test_a_row_of_the_service_is_valid_by_its_own_document(document: dict[str, Any]):
    schema = {"$ref": "#/components/schemas/SmallRow", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(rows_of(1)[0])
