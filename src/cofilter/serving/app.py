"""The FastAPI application: routes, bodies, errors, the page's files."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from cofilter.serving import metrics, schema
from cofilter.serving.answers import Answers
from cofilter.serving.bodies import body_of
from cofilter.serving.documented import ERRORS, document
from cofilter.serving.observed import Observed, error_body
from cofilter.serving.problems import Problem, of_validation

PAGE = Path(__file__).parent / "page"
_JSON = "application/json"


class State:
    """What the application shows of its process: what answers, and whether it is stopping."""

    def __init__(self, answers: Answers, max_body: int) -> None:
        self.answers, self.max_body, self.stopping = answers, max_body, False


def make_app(state: State) -> FastAPI:
    """The service over some models.

    Handlers run in the event loop: what they do is CPU-bound and takes about a millisecond, so
    that a thread would only add its switch.
    """
    app = FastAPI(
        title="cofilter",
        description="Recommendations of the models that cofilter trained and measured.",
        version=_version(),
        docs_url=None,  # Swagger's page would load its script from another host
        redoc_url=None,
        openapi_url=None,
    )
    answers = state.answers
    _post(app, state, "/recommend", schema.RecommendRequest, answers.recommend)
    _post(app, state, "/batch", schema.BatchRequest, answers.batch)
    _post(app, state, "/predict", schema.PredictRequest, answers.predict)
    _post(app, state, "/similar", schema.SimilarRequest, answers.similar)
    _post(app, state, "/explain", schema.ExplainRequest, answers.explain)
    _post(app, state, "/search", schema.SearchRequest, answers.search)
    _post(app, state, "/rate", schema.RateRequest, answers.rate)
    _add_gets(app, state)
    _add_errors(app)
    document(app)
    if (PAGE / "index.html").is_file():
        app.mount("/page", StaticFiles(directory=PAGE), name="page")
        app.add_api_route("/", _file(PAGE / "index.html"), include_in_schema=False)
    app.add_middleware(Observed, stopping=lambda: state.stopping)
    return app


def _post(
    app: FastAPI,
    state: State,
    path: str,
    model: type[BaseModel],
    answer: Callable[[Any], dict[str, Any] | Awaitable[dict[str, Any]]],
) -> None:
    """Answer POSTs to a path: JSON in, checked against a model, JSON out."""
    waits = inspect.iscoroutinefunction(answer)

    async def endpoint(request: Request) -> Response:
        body = await body_of(request, state.max_body)
        try:
            asked = model.model_validate_json(body)
        except ValidationError as error:
            raise of_validation(error) from None
        given: Any = answer(asked)
        found = await given if waits else given
        request.scope["state"]["model"] = found.get("model")
        return Response(to_json(found), media_type=_JSON)

    app.add_api_route(
        path,
        endpoint,
        methods=["POST"],
        summary=(answer.__doc__ or "").strip(),
        name=path[1:],
        responses=ERRORS,
    )


def _add_gets(app: FastAPI, state: State) -> None:
    def plain(found: dict[str, Any], status: int = 200) -> Response:
        return Response(to_json(found), status, media_type=_JSON)

    async def models() -> Response:
        """The models that are served."""
        return plain(state.answers.models())

    async def health() -> Response:
        """Whether the process lives."""
        return plain({"status": "ok"})

    async def ready() -> Response:
        """Whether requests are taken; 503 while the process ends."""
        return plain({"status": "stopping"}, 503) if state.stopping else plain({"status": "ok"})

    async def exposed() -> Response:
        """Prometheus metrics of all workers."""
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

    async def openapi() -> Response:
        """This document."""
        return plain(app.openapi())

    for path, endpoint in (
        ("/models", models), ("/health", health), ("/ready", ready), ("/metrics", exposed),
        ("/openapi.json", openapi),
    ):  # fmt: skip
        app.add_api_route(path, endpoint, methods=["GET"], summary=endpoint.__doc__, name=path[1:])


def _add_errors(app: FastAPI) -> None:
    async def problem(request: Request, error: Problem) -> Response:
        body = error_body(error, request.scope)
        return Response(body, error.status, media_type=_JSON)

    async def refused(request: Request, error: HTTPException) -> Response:
        field, reason = {
            404: ("path", "nothing is here; /openapi.json lists what there is"),
            405: ("method", f"{request.method} is not allowed here"),
        }.get(error.status_code, ("request", str(error.detail)))
        answer = await problem(request, Problem(error.status_code, field, reason))
        answer.headers.update(error.headers or {})
        return answer

    app.add_exception_handler(Problem, problem)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, refused)  # type: ignore[arg-type]


def _file(path: Path) -> Callable[[], Awaitable[Response]]:
    async def endpoint() -> Response:
        return Response(path.read_bytes(), media_type="text/html; charset=utf-8")

    return endpoint


def _version() -> str:
    from importlib.metadata import version

    return version("cofilter")
