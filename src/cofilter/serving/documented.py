"""The OpenAPI document: what each path takes and gives, from the models of `schema`."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cofilter.serving import schema
from cofilter.serving.metrics import CONTENT_TYPE

REFERENCE = "#/components/schemas/{model}"
_REASONS = {
    400: "Empty, or not JSON.",
    404: "An unknown user, item, model or session.",
    413: "The body is too long.",
    415: "The body is not application/json.",
    422: "A field is missing, unknown, out of range or twice, or the model cannot do it.",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": reason} for status, reason in _REASONS.items()
}
_POSTS: dict[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "/recommend": (schema.RecommendRequest, schema.RecommendAnswer),
    "/batch": (schema.BatchRequest, schema.BatchAnswer),
    "/predict": (schema.PredictRequest, schema.PredictAnswer),
    "/similar": (schema.SimilarRequest, schema.SimilarAnswer),
    "/explain": (schema.ExplainRequest, schema.ExplainAnswer),
    "/search": (schema.SearchRequest, schema.SearchAnswer),
    "/rate": (schema.RateRequest, schema.RateAnswer),
}
_GETS: dict[str, type[BaseModel]] = {
    "/models": schema.ModelsAnswer,
    "/health": schema.StateAnswer,
    "/ready": schema.StateAnswer,
}


def document(app: FastAPI) -> None:
    """Give an application its document, made at the first request for it.

    FastAPI would make it from signatures, but bodies are checked by pydantic straight from their
    bytes, which bounds how deep JSON is read and takes a tenth of the time.
    """
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(_document(app))
        return made

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    shapes: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = []
    for asked, answered in _POSTS.values():
        shapes += [(asked, "validation"), (answered, "serialization")]
    shapes += [(answered, "serialization") for answered in _GETS.values()]
    shapes.append((schema.ErrorAnswer, "serialization"))
    _, definitions = models_json_schema(shapes, ref_template=REFERENCE)
    found["components"] = {"schemas": definitions["$defs"]}
    for path, (asked, answered) in _POSTS.items():
        operation = found["paths"][path]["post"]
        operation["requestBody"] = {"required": True, "content": _content(asked)}
        for status, response in operation["responses"].items():
            response["content"] = _content(answered if status == "200" else schema.ErrorAnswer)
    for path, operations in found["paths"].items():
        if "get" in operations:
            ok = operations["get"]["responses"]["200"]
            ok["content"] = _content(_GETS[path]) if path in _GETS else _other(path)
    ready = found["paths"]["/ready"]["get"]["responses"]
    ready["503"] = {"description": "Stopping.", "content": _content(schema.StateAnswer)}
    return found


def _content(model: type[BaseModel]) -> dict[str, Any]:
    reference = {"$ref": REFERENCE.format(model=model.__name__)}
    return {"application/json": {"schema": reference}}


def _other(path: str) -> dict[str, Any]:
    if path == "/metrics":
        return {CONTENT_TYPE: {"schema": {"type": "string"}}}
    return {"application/json": {"schema": {"type": "object"}}}
