"""Load on an HTTP server: so many connections, each asks again as soon as it is answered."""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import time
from collections.abc import Sequence

import numpy as np

END = b"\r\n\r\n"


class _Connection:
    """One connection and what it waits for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received, self.began = b"", 0.0

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self.received, self.began = b"", time.perf_counter()
        self.socket.sendall(request)

    def status(self) -> int | None:
        """Read on; the status once the whole answer is there."""
        part = self.socket.recv(1 << 16)
        if not part:
            raise ConnectionError("closed before the answer was whole")
        self.received += part
        at = self.received.find(END)
        if at < 0:
            return None
        head = self.received[:at].lower()
        length = int(head[head.index(b"content-length:") + 15 :].split(b"\r\n", 1)[0])
        return int(head[9:12]) if len(self.received) >= at + len(END) + length else None


def load(port: int, requests: Sequence[bytes], n: int, connections: int) -> dict[str, float]:
    """Send n requests, taken in turn; requests a second, milliseconds a request, errors.

    A request that is not answered with 200 is an error. Latency is from the send to the whole
    answer.
    """
    selector = selectors.DefaultSelector()
    seconds, errors, sent = np.empty(n), 0, 0
    began = time.perf_counter()
    for _ in range(min(connections, n)):
        connection = _Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.ask(requests[sent % len(requests)])
        sent += 1
    done = 0
    while done < n:
        for key, _ in selector.select():
            connection = key.data
            status = connection.status()
            if status is None:
                continue
            seconds[done] = time.perf_counter() - connection.began
            errors += status != 200
            done += 1
            if sent < n:
                connection.ask(requests[sent % len(requests)])
                sent += 1
    took = time.perf_counter() - began
    p50, p99 = np.percentile(seconds, [50, 99]) * 1e3
    return {
        "requests": n, "per_second": round(n / took), "p50_ms": round(p50, 2),
        "p99_ms": round(p99, 2), "errors": errors,
    }  # fmt: skip


def posts(path: str, bodies: Sequence[object]) -> list[bytes]:
    """Whole requests with JSON bodies."""
    found = []
    for body in bodies:
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        found.append(head.encode() + f"content-length: {len(content)}\r\n\r\n".encode() + content)
    return found


def main() -> None:
    """Load a server and print a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    users = np.random.default_rng(0).integers(0, given.users, 10_000).tolist()
    requests = posts("/recommend", [{"user": user, "k": 10} for user in users])
    load(given.port, requests, 2_000, given.connections)
    print(json.dumps(load(given.port, requests, given.requests, given.connections)))


if __name__ == "__main__":
    main()
