"""A real HTTP server on this machine that can fail in the ways servers do."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server gives at any path, and how it misbehaves."""

    body: bytes
    etag: str | None = '"1"'
    failures: list[int] = field(default_factory=list)  # status codes to answer first, in order
    cuts: list[int] = field(default_factory=list)  # then: close after so many bytes of the body
    retry_after: str | None = None
    ranges: bool = True
    url: str = ""
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


@contextlib.contextmanager
def serve(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            site.requests.append((self.path, asked))
            if site.failures:
                self._fail(site.failures.pop(0))
                return
            start = self._start(asked)
            if start >= len(site.body):
                self._fail(416)
                return
            body = site.body[start:]
            self.send_response(206 if start else 200)
            if start:
                size = len(site.body)
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            if site.etag:
                self.send_header("ETag", site.etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if site.cuts:
                self.wfile.write(body[: site.cuts.pop(0)])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            self.wfile.write(body)

        def _start(self, asked: str | None) -> int:
            if not (asked and site.ranges and self.headers.get("If-Range") == site.etag):
                return 0
            return int(asked.removeprefix("bytes=").rstrip("-"))

        def _fail(self, status: int) -> None:
            self.send_response(status)
            if site.retry_after is not None:
                self.send_header("Retry-After", site.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refusing_url() -> str:
    """An address of this machine where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/nothing.zip"
