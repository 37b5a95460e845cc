"""Workers begin, end and are replaced without an answer lost."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cofilter.recommender.base import Recommender
from tests.serving.service import Service, on, saved, until

CONNECTIONS = 8


class Load:
    """Connections that each send a request as soon as they have an answer.

    They behave as HTTP asks of a client: one whose connection the answer closes opens another.
    """

    def __init__(self, port: int) -> None:
        self.port, self.answers, self.failures = port, 0, list[str]()
        self.models = set[str]()
        self._go = True
        self._threads = [threading.Thread(target=self._ask) for _ in range(CONNECTIONS)]

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while self._go:
            fresh = connection.sock is None
            try:
                answer = on(connection, "/recommend", {"user": 101, "k": 3})
            except ConnectionRefusedError:
                return  # nobody listens any more
            except ConnectionResetError as error:
                if not fresh:
                    self.failures.append(repr(error))
                return  # or just stopped to, before anybody took this connection
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                return
            if answer.status == 200:
                self.answers += 1
                self.models.add(json.dumps(answer.json["items"]))
            else:
                self.failures.append(repr(answer))
            if answer.headers.get("connection") == "close":
                connection.close()
        connection.close()

    def after(self, n: int) -> None:
        """Wait for n further answers."""
        enough = self.answers + n
        until(lambda: self.answers >= enough or self.failures)

    @contextmanager
    def running(self) -> Iterator[Load]:
        for thread in self._threads:
            thread.start()
        try:
            self.after(50)
            yield self
        finally:
            self._go = False
            for thread in self._threads:
                thread.join()


def test_sigterm_answers_what_it_has(folders: dict[str, Path]) -> None:
    with Service([folders["ease"]], {"workers": 2}) as service:
        with Load(service.port).running() as load:
            status = service.stop(signal.SIGTERM)
        assert (status, load.failures) == (0, [])
        assert load.answers >= 50
    taken = [line for line in service.log if line["event"] == "request"]
    assert len(taken) == load.answers
    assert not [line for line in service.log if line["level"] == "error"]


@pytest.fixture
def versions(fitted: dict[str, Recommender], tmp_path: Path) -> tuple[Path, Path]:
    """Two folders that a link may point to, with models of different lists."""
    return saved(fitted["ease"], tmp_path / "v1"), saved(fitted["als"], tmp_path / "v2")


def switch(link: Path, folder: Path) -> None:
    """Have a link point elsewhere, in one step."""
    beside = link.with_suffix(".new")
    beside.symlink_to(folder)
    os.replace(beside, link)


def test_models_are_replaced_without_a_lost_request(
    versions: tuple[Path, Path], tmp_path: Path
) -> None:
    link = tmp_path / "current"
    switch(link, versions[0])
    with Service([link], {"workers": 2, "watch": 0.1}) as service:
        with Load(service.port).running() as load:
            switch(link, versions[1])  # noticed by itself
            service.event("reloaded")
            load.after(50)
            assert len(load.models) == 2
            switch(link, versions[0])
            seen = len(service.log)
            service.process.send_signal(signal.SIGHUP)
            service.event("reloaded", after=seen)
            load.after(50)
        assert load.failures == []
        assert [each["name"] for each in service.ok("/models")["models"]] == ["current"]
        assert service.ok("/models")["models"][0]["family"] == "ease"
        assert service.stop() == 0


def damaged(versions: tuple[Path, Path], place: Path) -> dict[str, Path]:
    """Folders that hold no whole model, and what of each a line should name."""
    half, gone, empty = (place / name for name in ("half", "gone", "empty"))
    for folder in (half, gone):
        shutil.copytree(versions[1], folder)
    array = next((half / "arrays").glob("own_item*"))
    array.write_bytes(array.read_bytes()[:-100])
    (gone / "model.json").unlink()
    empty.mkdir()
    return {"own_item": half, "model.json": gone, "empty": empty}


def test_a_damaged_folder_leaves_the_old_model_serving_and_says_so(
    versions: tuple[Path, Path], tmp_path: Path
) -> None:
    link = tmp_path / "current"
    switch(link, versions[0])
    with Service([link], {"watch": 0.1}) as service:
        before = service.ok("/recommend", {"user": 101})
        for word, bad in damaged(versions, tmp_path).items():
            seen = len(service.log)
            switch(link, bad)
            line = service.event("reload refused, the models from before go on", after=seen)
            assert str(bad) in line["reason"]
            assert word in line["reason"]
            assert service.ok("/recommend", {"user": 101}) == before
        refused = 'cofilter_reloads_total{outcome="refused"} 3.0'
        assert refused in service.ask("/metrics").body.decode()


def test_a_worker_that_dies_is_replaced(folders: dict[str, Path]) -> None:
    with Service([folders["als"]]) as service:
        service.ok("/recommend", {"user": 101})
        worker = until(
            lambda: next((each for each in service.log if each["event"] == "request"), None)
        )["process"]
        os.kill(worker, signal.SIGKILL)
        service.event("a worker ended by itself")
        assert service.ok("/recommend", {"user": 101})["model"] == "als"


def test_workers_end_with_a_parent_that_is_killed_and_the_next_service_clears_up(
    folders: dict[str, Path],
) -> None:
    with Service([folders["als"]], {"workers": 2}) as service:
        service.process.kill()
        service.process.wait()

        def refused() -> bool:
            try:
                service.ask("/health")
            except OSError:
                return True
            return False

        until(refused)
    (abandoned,) = left(service)
    until(lambda: unlocked(abandoned))  # once its workers have ended too
    with Service([folders["als"]]) as other, Service([folders["als"]]):
        assert left(service) == []
        assert left(other) != []  # which lives


def test_sessions_outlive_the_service_in_a_file(folders: dict[str, Path], tmp_path: Path) -> None:
    state = str(tmp_path / "state.sqlite")
    rated = {"ratings": [{"item": 3, "rating": 5}]}
    with Service([folders["als"]], {"state": state}) as service:
        session = service.ok("/rate", rated)["session"]
        assert service.stop() == 0
    with Service([folders["als"]], {"state": state, "max_sessions": 2}) as service:
        assert service.ok("/rate", {"session": session})["ratings"][0]["item"] == 3
        for _ in range(2):  # which take the place of the first
            service.ok("/rate", rated)
        assert service.ask("/recommend", {"session": session}).status == 404


def test_ctrl_c_ends_it_and_nothing_is_left_behind(folders: dict[str, Path]) -> None:
    with Service([folders["als"]]) as service:
        assert left(service) != []
        assert service.stop(signal.SIGINT) == 0
        assert left(service) == []


def unlocked(folder: Path) -> bool:
    """Whether no process of a service holds its folder."""
    with (folder / "lock").open("r+") as lock, suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def left(service: Service) -> list[Path]:
    """A service's folders for what it keeps while it runs."""
    places = (Path("/dev/shm"), Path(tempfile.gettempdir()))
    name = f"cofilter-{service.process.pid}-*"
    return [found for place in places for found in place.glob(name)]
