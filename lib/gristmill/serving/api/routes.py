"""Which requests the service has, and which key each needs. What is not here does not exist."""

from gristmill.serving.keys.key import ADMIN, ANY, FEEDBACK, METRICS, PREDICT
from gristmill.serving.routes import Route, RouteTable

PREDICT_PATH = "/v1/models/{name}/predict"
PREDICT_VERSION_PATH = "/v1/models/{name}/versions/{version}/predict"

TABLE = RouteTable(
    (
        Route("GET", "/healthz", None),
        Route("GET", "/readyz", None),
        Route("GET", "/metrics", METRICS),
        Route("GET", "/openapi.json", ANY),
        Route("GET", "/v1/models", ANY),
        Route("GET", "/v1/models/{name}", ANY),
        Route("POST", PREDICT_PATH, PREDICT),
        Route("POST", PREDICT_VERSION_PATH, PREDICT),
        Route("POST", "/v1/feedback", FEEDBACK),
        Route("POST", "/v1/admin/models/{name}/promote", ADMIN, "optional"),
        Route("POST", "/v1/admin/models/{name}/rollback", ADMIN),
        Route("POST", "/v1/admin/models/{name}/retrain", ADMIN, "optional"),
        Route("POST", "/v1/admin/profile", ADMIN, "optional"),
    )
)
