from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from cofilter.core.errors import SourceError
from cofilter.sources.download import Policy, fetch
from tests.sources.server import Site, refusing_url, serve

QUICK = Policy(attempts=4, first_wait=0.01, longest_wait=0.05, read_timeout=5)
BODY = os.urandom(700_000)


def test_a_file_arrives_whole(tmp_path: Path) -> None:
    with serve(Site(BODY)) as site:
        assert fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK) is False
    assert (tmp_path / "a.zip").read_bytes() == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_passing_faults_are_tried_again(tmp_path: Path, status: int) -> None:
    with serve(Site(BODY, failures=[status] * 3)) as site:
        fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
        assert len(site.requests) == 4
    assert (tmp_path / "a.zip").read_bytes() == BODY


def test_a_fault_that_does_not_pass_ends_it(tmp_path: Path) -> None:
    with serve(Site(BODY, failures=[503] * 9)) as site:
        with pytest.raises(SourceError, match=r"HTTP 503 .*\(after 4 attempts\)"):
            fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
        assert len(site.requests) == 4


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_final(tmp_path: Path, status: int) -> None:
    with serve(Site(BODY, failures=[status])) as site:
        with pytest.raises(SourceError, match=f"HTTP {status}"):
            fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
        assert len(site.requests) == 1


def test_the_servers_wish_to_wait_is_capped(tmp_path: Path) -> None:
    with serve(Site(BODY, failures=[429], retry_after="86400")) as site:
        fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
        assert len(site.requests) == 2


def test_a_cut_body_is_continued_where_it_ended(tmp_path: Path) -> None:
    with serve(Site(BODY, cuts=[300_000, 200_000])) as site:
        fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
        ranges = [asked for _, asked in site.requests]
    assert ranges[0] is None
    assert len(ranges) == 3
    assert all(asked is not None for asked in ranges[1:])
    assert (tmp_path / "a.zip").read_bytes() == BODY


def test_a_later_call_continues_an_unfinished_file(tmp_path: Path) -> None:
    with serve(Site(BODY, cuts=[300_000] + [0] * 9)) as site:
        with pytest.raises(SourceError):
            fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
        site.cuts.clear()
        site.requests.clear()
        assert fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK) is True
        assert site.requests[0][1] is not None
    assert (tmp_path / "a.zip").read_bytes() == BODY


@pytest.mark.parametrize("etag", ['"2"', None, 'W/"1"'])
def test_a_changed_file_is_not_glued_to_the_old_beginning(tmp_path: Path, etag: str | None) -> None:
    with serve(Site(BODY, cuts=[300_000] + [0] * 9, etag=etag if etag != '"2"' else '"1"')) as site:
        with pytest.raises(SourceError):
            fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
        site.cuts.clear()
        site.body, site.etag = BODY[::-1], etag
        fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
    assert (tmp_path / "a.zip").read_bytes() == BODY[::-1]


def test_a_server_without_ranges_sends_all_again(tmp_path: Path) -> None:
    with serve(Site(BODY, cuts=[300_000], ranges=False)) as site:
        fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
    assert (tmp_path / "a.zip").read_bytes() == BODY


def test_a_beginning_longer_than_the_file_is_dropped(tmp_path: Path) -> None:
    with serve(Site(BODY, cuts=[300_000] + [0] * 9)) as site:
        with pytest.raises(SourceError):
            fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
        site.cuts.clear()
        site.body = b"short"
        fetch(f"{site.url}/a.zip", tmp_path / "a.zip", QUICK)
    assert (tmp_path / "a.zip").read_bytes() == b"short"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (refusing_url(), "cannot be reached"),
        ("http://no-such-host.invalid/a.zip", "the host's name has no address"),
    ],
    ids=["refusing", "unknown"],
)
def test_an_unreachable_host_is_left_at_once(tmp_path: Path, url: str, said: str) -> None:
    # A wait before a second attempt would be an hour.
    patient = Policy(first_wait=3600, longest_wait=3600)
    with pytest.raises(SourceError, match=said):
        fetch(url, tmp_path / "a.zip", patient)


def test_a_server_that_stops_answering_is_tried_again(tmp_path: Path) -> None:
    with socket.socket() as silent:  # takes connections, but never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.zip"
        hasty = Policy(attempts=2, first_wait=0.01, read_timeout=0.2)
        with pytest.raises(SourceError, match=r"time-out.*after 2 attempts"):
            fetch(url, tmp_path / "a.zip", hasty)
