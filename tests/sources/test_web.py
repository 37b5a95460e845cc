from __future__ import annotations

import gzip
import hashlib
import logging
from pathlib import Path
from typing import Any

import pytest

from cofilter.core.errors import CofilterError, ConfigError, SourceError
from cofilter.sources.source import Obtained, obtain
from tests.sources.configs import source
from tests.sources.server import Site, refusing_url, serve

BODY = gzip.compress(b"user_id,item_id,rating,timestamp\n1,2,5,7\n", mtime=0)
DIGEST = hashlib.sha256(BODY).hexdigest()


def get(base: Path, path: str, **changes: Any) -> Obtained:
    return obtain(source("csv", path=path, **changes), base / "downloads", base)


def test_an_address_is_downloaded_once_and_its_checksum_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(Site(BODY)) as site, caplog.at_level(logging.INFO):
        url = f"{site.url}/my/ratings.csv.gz?token=secret"
        first, second = get(tmp_path, url), get(tmp_path, url)
        assert len(site.requests) == 1
    assert first.report == second.report
    assert first.report["origin"] == f"{site.url}/my/ratings.csv.gz"
    (file,) = first.report["files"]
    assert file == {"name": "ratings.csv.gz", "sha256": DIGEST, "bytes": len(BODY)}
    assert f"data.sha256={DIGEST} holds later downloads" in caplog.text
    assert "the kept copy is read; delete" in caplog.text
    assert "secret" not in caplog.text


def test_a_checksum_is_verified_and_a_damaged_copy_fetched_again(tmp_path: Path) -> None:
    with serve(Site(BODY)) as site:
        url = f"{site.url}/r.csv.gz"
        with pytest.raises(SourceError, match=f"wrong checksum: data.sha256 {'0' * 64}"):
            get(tmp_path, url, sha256="0" * 64)
        get(tmp_path, url, sha256=DIGEST)
        (kept,) = (tmp_path / "downloads").glob("*/r.csv.gz")
        kept.write_bytes(BODY[:-3])
        assert get(tmp_path, url, sha256=DIGEST).report["rows"] == 1
        assert len(site.requests) == 3


def test_a_download_that_breaks_off_goes_on(tmp_path: Path) -> None:
    with serve(Site(BODY, cuts=[10])) as site:
        assert get(tmp_path, f"{site.url}/r.csv.gz").report["rows"] == 1
        assert len(site.requests) == 2


def test_faults_are_one_line_without_the_query(tmp_path: Path) -> None:
    gone = refusing_url()
    with serve(Site(b"<html>not here</html>", failures=[404])) as site:
        for url, said in (
            (f"{gone}?token=secret", f"{gone}: the host cannot be reached"),
            (f"{site.url}/a?token=secret", f"{site.url}/a: HTTP 404"),
            (f"{site.url}/b?token=secret", f"{site.url}/b: is an HTML page, which is not read"),
        ):
            with pytest.raises(CofilterError) as told:
                get(tmp_path, url)
            assert str(told.value).startswith(said)
            assert "secret" not in str(told.value)
            assert "\n" not in str(told.value)


def test_a_password_in_an_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        get(tmp_path, "https://me:secret@example.org/r.csv")
    assert "write it in ~/.netrc" in str(told.value)
    assert "secret" not in str(told.value)
