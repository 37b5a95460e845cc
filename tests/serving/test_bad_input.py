"""Whatever is wrong with a request is a 4xx with a field and a reason, in one form."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.serving.service import Service, on

RATED = {"item": 3, "rating": 4}
REFUSED: dict[str, tuple[str, Any, int, str]] = {
    "unknown user": ("/recommend", {"user": 1}, 404, "user"),
    "user of another kind": ("/recommend", {"user": "101"}, 422, "user"),
    "unknown item": ("/similar", {"item": 999}, 404, "item"),
    "unknown rated item": ("/recommend", {"ratings": [RATED, {"item": 77, "rating": 4}]}, 404,
                           "ratings.1.item"),
    "unknown excluded item": ("/recommend", {"user": 101, "exclude": [1, -5]}, 404, "exclude.1"),
    "unknown predicted item": ("/predict", {"model": "bias", "user": 101, "items": [77]}, 404,
                               "items.0"),
    "popularity has no reasons": ("/explain", {"model": "bias", "user": 101, "item": 1}, 422,
                                  "model"),
    "unknown kind of re-ranking": ("/recommend", {"user": 101, "rerank": {"kind": "x",
                                   "strength": 1}}, 422, "rerank.kind"),
    "unknown session": ("/recommend", {"session": "nobody-has-it"}, 404, "session"),
    "rating too high": ("/recommend", {"ratings": [{"item": 3, "rating": 6}]}, 422,
                        "ratings.0.rating"),
    "rating too low": ("/rate", {"ratings": [{"item": 3, "rating": 0.5}]}, 422,
                       "ratings.0.rating"),
    "rating is text": ("/recommend", {"ratings": [{"item": 3, "rating": "4"}]}, 422,
                       "ratings.0.rating"),
    "infinite rating": ("/recommend", b'{"ratings": [{"item": 3, "rating": 1e999}]}', 422,
                        "ratings.0.rating"),
    "a rating that no score can be made of": ("/recommend", {"model": "counts", "ratings": [
                                              {"item": 3, "rating": 1e30}]}, 422, "ratings"),
    "a rating beyond single precision": ("/recommend", {"model": "counts", "ratings": [
                                         {"item": 3, "rating": 1e39}]}, 422, "ratings.0.rating"),
    "rated twice": ("/recommend", {"ratings": [RATED, RATED]}, 422, "ratings.1.item"),
    "two people": ("/recommend", {"user": 101, "ratings": []}, 422, "body"),
    "nobody": ("/recommend", {}, 422, "body"),
    "null user": ("/recommend", {"user": None}, 422, "user"),
    "true as an id": ("/recommend", {"user": True}, 422, "user"),
    "half an id": ("/recommend", {"user": 1.5}, 422, "user"),
    "no list of length 0": ("/recommend", {"user": 101, "k": 0}, 422, "k"),
    "too long a list": ("/recommend", {"user": 101, "k": 10**6}, 422, "k"),
    "an id beyond 64 bits": ("/recommend", {"user": 2**70}, 422, "user"),
    "unknown field": ("/recommend", {"user": 101, "n": 3}, 422, "n"),
    "unknown inner field": ("/recommend", {"ratings": [RATED | {"x": 1}]}, 422, "ratings.0.x"),
    "a batch's one bad request": ("/batch", {"requests": [{"user": 101}, {"user": 1}]}, 404,
                                  "requests.1.user"),
    "too large a batch": ("/batch", {"requests": [{"user": 101, "k": 1000}] * 51}, 422, "body"),
    "unknown model": ("/recommend", {"model": "no", "user": 101}, 404, "model"),
    "path as a model": ("/recommend", {"model": "../als", "user": 101}, 404, "model"),
    "absolute path as a model": ("/recommend", {"model": "/etc/passwd", "user": 101}, 404,
                                 "model"),
    "BPR predicts nothing": ("/predict", {"model": "bpr", "user": 101, "items": [1]}, 422,
                             "model"),
    "the mean ranks nothing": ("/recommend", {"model": "mean", "user": 101}, 422, "model"),
    "the mean knows nothing similar": ("/similar", {"model": "mean", "item": 1}, 422, "model"),
    "empty body": ("/recommend", b"", 400, "body"),
    "half a body": ("/recommend", b'{"user": ', 400, "body"),
    "not UTF-8": ("/recommend", b'{"user": "\xff"}', 400, "body"),
    "a list for an object": ("/recommend", b"[1]", 422, "body"),
    "deep JSON": ("/recommend", b'{"user":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "body"),
    "deep objects": ("/rate", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400, "body"),
    "bad session name": ("/rate", {"session": "../../x"}, 422, "session"),
    "empty search": ("/search", {"text": ""}, 422, "text"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "field"), REFUSED.values(), ids=REFUSED)
def test_refused(service: Service, path: str, body: Any, status: int, field: str) -> None:
    answer = service.ask(path, body)
    assert (answer.status, answer.error["field"]) == (status, field), answer.body
    assert answer.error["request_id"] == answer.headers["x-request-id"]
    assert answer.error["reason"]
    assert "Traceback" not in answer.body.decode()
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type(service: Service, kind: str) -> None:
    answer = service.ask("/recommend", {"user": 101}, content_type=kind)
    assert (answer.status, answer.error["field"]) == (415, "content-type")


def test_json_with_a_charset_is_json(service: Service) -> None:
    kind = "application/json; charset=utf-8"
    assert service.ask("/recommend", {"user": 101}, content_type=kind).status == 200


@pytest.mark.parametrize(("path", "status", "field"), [("/x", 404, "path"), ("/page/../..", 404,
                         "path"), ("/recommend", 405, "method")])  # fmt: skip
def test_other_paths_and_methods(service: Service, path: str, status: int, field: str) -> None:
    answer = service.ask(path)
    assert (answer.status, answer.error["field"]) == (status, field)


def test_fifty_megabytes_are_refused_before_they_are_read(service: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    connection.putrequest("POST", "/recommend")
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", str(50 << 20))
    connection.endheaders()
    answer = connection.getresponse()  # nothing of the body has been sent
    assert answer.status == 413
    assert json.loads(answer.read())["error"]["field"] == "body"
    connection.close()


def test_fifty_megabytes_are_refused_and_the_connection_goes_on(service: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    answer = on(connection, "/recommend", b" " * (50 << 20))
    assert (answer.status, answer.error["field"]) == (413, "body")
    assert on(connection, "/recommend", {"user": 101}).status == 200
    connection.close()


def test_a_body_without_a_length_is_refused_where_it_becomes_too_long(service: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    chunks = (b" " * 65_536 for _ in range(17))
    headers = {"content-type": "application/json"}
    connection.request("POST", "/recommend", chunks, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_nothing_of_it_was_an_error_of_the_service(service: Service) -> None:
    assert not [line for line in service.log if line["level"] == "error"]
