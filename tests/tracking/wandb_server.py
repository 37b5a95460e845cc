"""A small W&B server: it knows at most one earlier run and keeps what it is sent."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

KEY = "a" * 40
NAME = re.compile(r"(?:query|mutation)\s+(\w+)")


class WandbServer(ThreadingHTTPServer):
    """Answers the requests of a run that logs numbers.

    Attributes
    ----------
    earlier_summary:
        Summary of the run that the server holds already; None when it holds none.
    silent:
        After a run has been made requests are accepted and never answered.
    refused:
        GraphQL operations that get an error for an answer.
    requests:
        How many have come.
    rows:
        Rows of the history, as they were sent.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.earlier_summary: dict[str, Any] | None = None
        self.silent = False
        self.made_run = False
        self.refused: set[str] = set()
        self.requests = 0
        self.rows: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        if path == "/graphql":
            # wandb's own API sends a query without its name.
            name = request.get("operationName") or NAME.findall(request["query"])[0]
            if name in self.refused:
                return {"data": None, "errors": [{"message": f"{name} is refused"}]}
            return {"data": self.query(name, request.get("variables") or {})}
        chunk = request.get("files", {}).get("wandb-history.jsonl", {"content": []})
        self.rows += [json.loads(line) for line in chunk["content"]]
        return {}

    def query(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The data that answers a GraphQL operation."""
        project = {"id": "P", "name": "p", "entity": {"id": "E", "name": "e"}}
        bucket = {"id": "B", "config": "{}", "historyLineCount": 0, "project": project}
        bucket |= {"name": variables.get("name"), "displayName": variables.get("displayName")}
        if operation == "RunResumeStatus":
            return {"model": project | {"bucket": self._earlier(bucket)}}
        if operation == "UpsertBucket":
            self.made_run = True
            return {"upsertBucket": {"bucket": bucket, "inserted": self.earlier_summary is None}}
        if operation == "CreateRunFiles":
            files = [
                {"name": name, "uploadUrl": f"{self.url}/upload"} for name in variables["files"]
            ]
            return {"createRunFiles": {"runID": "B", "uploadHeaders": [], "files": files}}
        return {}

    def _earlier(self, bucket: dict[str, Any]) -> dict[str, Any] | None:
        if self.earlier_summary is None:
            return None
        tail = json.dumps([json.dumps({"_step": self.earlier_summary["_step"]})])
        return bucket | {
            "historyLineCount": self.earlier_summary["_step"] + 1,
            "eventsLineCount": 0,
            "logLineCount": 0,
            "historyTail": tail,
            "eventsTail": "[]",
            "summaryMetrics": json.dumps(self.earlier_summary),
            "wandbConfig": '{"t": 1}',
        }


S = TypeVar("S", bound=WandbServer)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WandbServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests += 1
        if self.server.silent and self.server.made_run:
            time.sleep(600)
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        answer = b"{}"
        if self.path != "/upload":
            answer = json.dumps(self.server.answer(self.path, json.loads(body or b"{}"))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_PUT(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[WandbServer]:
    """Run a server while the block runs."""
    with serve(WandbServer()) as server:
        yield server


@contextmanager
def serve(server: S) -> Iterator[S]:
    """Run this server while the block runs."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
