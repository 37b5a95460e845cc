from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest

from cofilter.core.errors import ConfigError, DataError, TooLargeError
from cofilter.sources import unpack
from cofilter.sources.unpack import unpacked
from tests.sources.archives import zipped

TEXT = b"u,i\n" + b"".join(b"%d,%d\n" % (row, row % 7) for row in range(5000))


def zstd(content: bytes) -> bytes:
    return bytes(pyarrow.compress(content, codec="zstd", asbytes=True))


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
}


@pytest.mark.parametrize("suffix", PACKERS)
def test_content_tells_what_it_is_packed_with(suffix: str) -> None:
    pack = PACKERS[suffix]
    assert unpacked("r", "r.csv", pack(TEXT), None) == ("r.csv", TEXT)
    assert unpacked("r", f"r.csv.{suffix}", pack(TEXT), None) == ("r.csv", TEXT)
    assert unpacked("r", "r.csv", pack(TEXT) + pack(b"9,9\n"), None)[1] == TEXT + b"9,9\n"
    assert unpacked("r", "r.csv", pack(b""), None)[1] == b""
    assert unpacked("r", "r.zip", zipped({f"a.csv.{suffix}": pack(TEXT)}), None)[1] == TEXT


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("fault", ["truncated", "flipped", "followed"])
def test_damage_is_one_line(suffix: str, fault: str) -> None:
    content = PACKERS[suffix](TEXT)
    if fault == "truncated":
        content = content[: len(content) // 2]
    elif fault == "flipped":
        middle = len(content) // 2
        content = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
    else:
        content += b"anything else"
    if (suffix, fault) == ("zst", "flipped"):  # a checksum of its content is optional in zstd
        content = content[:6] + b"\xff" * 6 + content[12:]
    with pytest.raises(DataError, match=r"^r: the \w+ file is truncated or damaged") as told:
        unpacked("r", "r.csv", content, None)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("suffix", [*PACKERS, "zip"])
def test_a_bomb_is_stopped_at_a_share_of_the_free_memory(
    suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = b"\x00" * (64 << 20)
    packed = zipped({"a.csv": whole}) if suffix == "zip" else PACKERS[suffix](whole)
    free = unpack.psutil.virtual_memory().available
    monkeypatch.setattr(unpack, "SHARE", (32 << 20) / free)
    with pytest.raises(TooLargeError, match=r"holds more than 0\.0 GiB unpacked"):
        unpacked("r", "r", packed, None)


def test_a_zip_gives_its_one_table_and_asks_among_several() -> None:
    aside = {"__MACOSX/._a.csv": b"x", ".DS_Store": b"x"}
    assert unpacked("z", "z", zipped({"d/a.csv": TEXT, **aside}), None) == ("d/a.csv", TEXT)
    two = zipped({"a.csv": TEXT, "b.csv": b"b"})
    with pytest.raises(DataError, match=r"z: the zip archive holds 2 files \(a.csv, b.csv\); name"):
        unpacked("z", "z", two, None)
    assert unpacked("z", "z", two, "b.csv") == ("b.csv", b"b")
    with pytest.raises(ConfigError, match=r"data.member: c is not in z \(there are: a.csv, b"):
        unpacked("z", "z", two, "c")
    with pytest.raises(DataError, match="holds no file"):
        unpacked("z", "z", zipped(aside), None)


def test_what_is_wrong_with_a_zip_is_one_line(tmp_path: Path) -> None:
    whole = zipped({"a.csv": TEXT})
    with pytest.raises(DataError, match="z: the zip archive is truncated or damaged"):
        unpacked("z", "z", whole[:-40], None)
    broken = whole[:60] + b"\xff\xff\xff\xff" + whole[64:]
    with pytest.raises(DataError, match=r"z: a.csv: the archive is truncated or damaged"):
        unpacked("z", "z", broken, None)
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        archive.writestr("a.csv", TEXT)
    locked = bytearray((tmp_path / "z").read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + at] |= 1  # the flag of an encrypted member
    with pytest.raises(DataError, match=r"z: cannot be unpacked \(.*encrypted"):
        unpacked("z", "z", bytes(locked), None)


def test_what_is_packed_too_often_is_left_packed() -> None:
    content = TEXT
    for _ in range(4):
        content = gzip.compress(content)
    assert unpacked("r", "r", content, None)[1] == gzip.compress(TEXT)
