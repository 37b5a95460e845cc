from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import pytest

from cofilter.core.errors import SourceError
from cofilter.sources.config import Members, Mirror
from cofilter.sources.download import Policy
from cofilter.sources.mirrors import first_archive
from tests.sources.archives import zipped
from tests.sources.server import Site, refusing_url, serve

QUICK = Policy(attempts=2, first_wait=0.01, longest_wait=0.05)
ARCHIVE = zipped({"r.csv": b"1,2\n"})
MEMBERS = Members(ratings="r.csv", items="i.csv")


def mirror(url: str, **changes: Any) -> Mirror:
    return Mirror(url=url, members=MEMBERS, **changes)


def good_md5() -> str:
    return hashlib.md5(ARCHIVE).hexdigest()


def test_the_first_mirror_that_answers_is_used(tmp_path: Path) -> None:
    with serve(Site(ARCHIVE)) as site:
        mirrors = (mirror(refusing_url()), mirror(f"{site.url}/a.zip", md5=good_md5()))
        used, path = first_archive("x", mirrors, tmp_path, QUICK)
    assert used == mirrors[1]
    assert path.read_bytes() == ARCHIVE


@pytest.mark.parametrize("checksum", [{"md5": hashlib.md5(ARCHIVE).hexdigest()}, {}])
def test_a_second_run_downloads_nothing(tmp_path: Path, checksum: dict[str, str]) -> None:
    with serve(Site(ARCHIVE)) as site:
        mirrors = (mirror(f"{site.url}/a.zip", **checksum),)
        first_archive("x", mirrors, tmp_path, QUICK)
        first_archive("x", mirrors, tmp_path, QUICK)
        assert len(site.requests) == 1


def test_a_kept_file_of_a_later_mirror_comes_before_a_download(tmp_path: Path) -> None:
    with serve(Site(ARCHIVE)) as site:
        kept = mirror(f"{site.url}/a.zip")
        first_archive("x", (kept,), tmp_path, QUICK)
        used, _ = first_archive("x", (mirror(f"{site.url}/b.zip"), kept), tmp_path, QUICK)
        assert used == kept
        assert site.paths == ["/a.zip"]


@pytest.mark.parametrize("checksum", [{"md5": hashlib.md5(ARCHIVE).hexdigest()}, {}])
def test_a_damaged_kept_file_is_reported_and_fetched_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, checksum: dict[str, str]
) -> None:
    with serve(Site(ARCHIVE)) as site:
        mirrors = (mirror(f"{site.url}/a.zip", **checksum),)
        _, path = first_archive("x", mirrors, tmp_path, QUICK)
        path.write_bytes(ARCHIVE[:-1])
        with caplog.at_level(logging.WARNING):
            _, path = first_archive("x", mirrors, tmp_path, QUICK)
        assert len(site.requests) == 2
    assert path.read_bytes() == ARCHIVE
    assert "a.zip: the kept file is damaged" in caplog.text


def test_when_no_mirror_answers_each_is_listed_with_its_reason(tmp_path: Path) -> None:
    refused = refusing_url()
    with serve(Site(b"<html>Sign in</html>")) as portal, serve(Site(ARCHIVE)) as other:
        other.failures = [404]
        mirrors = (
            mirror(refused),
            mirror(f"{portal.url}/a.zip"),
            mirror(f"{portal.url}/b.zip", md5=good_md5()),
            mirror(f"{other.url}/c.zip"),
            mirror("http://no-such-host.invalid/d.zip"),
        )
        with pytest.raises(SourceError) as caught:
            first_archive("ml_x", mirrors, tmp_path, QUICK)
    said = str(caught.value)
    assert f"{refused}: the host cannot be reached" in said
    assert "/a.zip: not a zip archive; it is an HTML page" in said
    assert f"/b.zip: wrong checksum: md5 {good_md5()} is expected" in said
    assert "/c.zip: HTTP 404" in said
    assert "d.zip: the host's name has no address" in said
    assert "data.path=<file, folder or zip>" in said
    assert "\n" not in said
    assert not list(tmp_path.rglob("*.zip"))  # what was wrong is not kept


def test_a_wrong_beginning_of_an_earlier_run_is_fetched_anew(tmp_path: Path) -> None:
    body = zipped({"r.csv": bytes(range(256)) * 4000, "s": hashlib.sha256(b"s").digest() * 9})
    md5 = hashlib.md5(body).hexdigest()
    with serve(Site(body, cuts=[len(body) // 2] + [0] * 9)) as site:
        mirrors = (mirror(f"{site.url}/a.zip", md5=md5),)
        with pytest.raises(SourceError):
            first_archive("x", mirrors, tmp_path, QUICK)
        (part,) = tmp_path.rglob("*.part")
        part.write_bytes(b"?" * part.stat().st_size)
        site.cuts.clear()
        _, path = first_archive("x", mirrors, tmp_path, QUICK)
    assert path.read_bytes() == body
