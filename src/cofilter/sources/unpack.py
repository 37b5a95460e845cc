"""Compressed content and archives, recognised by their bytes and unpacked within a bound."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import Protocol

import psutil
import pyarrow

from cofilter.core.errors import ConfigError, DataError, TooLargeError
from cofilter.core.memory import GIB
from cofilter.sources.kinds import BZIP2, GZIP, HEAD, XZ, ZIP, ZSTD, kind_of
from cofilter.sources.table import demand_counted

SHARE = 0.5  # of the free memory that unpacked content may take
_CHUNK = 1 << 22
_LAYERS = 3  # of a file packed into another
_WORKBOOKS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")  # Excel, OpenDocument
_DAMAGED = (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile)
_NO_TABLE = (".npy", ".pkl", ".pickle")  # of numpy's and torch's zips


class _Readable(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


def unpacked(label: str, name: str, content: bytes, table: str | None) -> tuple[str, bytes]:
    """The name and content of a table, whatever it is packed in: gzip, bzip2, xz, zstd, zip.

    Parameters
    ----------
    label, name:
        What messages call the file, and its name (an Excel workbook is a zip, which stays).
    table:
        Which member of a zip (`data.member`); None where it holds one.

    Raises
    ------
    DataError
        The content is damaged or truncated, or a zip holds no table or several.
    TooLargeError
        It would take more than `SHARE` of the memory that is free.
    """
    limit = _limit()
    for _ in range(_LAYERS):
        packing = _packing(content)
        if packing is not None:
            form, stream = packing
            content = _within(label, f"{form} file", stream, limit)
            name = _without_suffix(name)
        elif content.startswith(ZIP) and not is_workbook(content):
            name, content = _member(label, content, table, limit)
        else:
            break
    return name, content


def demand_room(label: str, archive: zipfile.ZipFile, content: bytes) -> None:
    """Raise `TooLargeError` when all members of a zip, as they are, take too much memory.

    By the sizes that the archive declares, and by what there is, in case these are wrong.
    """
    demand_free(label, sum(info.file_size for info in archive.infolist()))
    limit = room = _limit()
    for info in archive.infolist():
        room -= _real_size(content, info, room)
        if room < 0:
            raise _too_large(label, limit)


def demand_free(label: str, size: int) -> None:
    """Raise `TooLargeError` when so many bytes are more than `SHARE` of the memory that is free."""
    limit = _limit()
    if size > limit:
        raise _too_large(label, limit)


def _limit() -> int:
    return int(psutil.virtual_memory().available * SHARE)


def _real_size(content: bytes, info: zipfile.ZipInfo, limit: int) -> int:
    """Bytes of a member unpacked; a little more than ``limit`` where it has more than that."""
    if info.compress_type != zipfile.ZIP_DEFLATED:
        return info.file_size
    (name, extra) = struct.unpack_from("<HH", content, info.header_offset + 26)
    start = info.header_offset + 30 + name + extra
    rest, size = content[start : start + info.compress_size], 0
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    while rest and not stream.eof and size <= limit:
        size += len(stream.decompress(rest, _CHUNK))
        rest = stream.unconsumed_tail
    return size


def is_workbook(content: bytes) -> bool:
    """Whether a file is a spreadsheet, which is written as a zip."""
    if not content.startswith(ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return any(known in archive.namelist() for known in _WORKBOOKS)
    except zipfile.BadZipFile:
        return False


def _packing(content: bytes) -> tuple[str, Iterator[bytes]] | None:
    """What content is compressed with, and the stream of what it holds."""
    if content.startswith(GZIP):
        return "gzip", _chunks(gzip.GzipFile(fileobj=io.BytesIO(content)))
    if content.startswith(XZ):
        return "xz", _xz(content)
    for magic, form, codec in ((BZIP2, "bzip2", "bz2"), (ZSTD, "zstd", "zstd")):
        if content.startswith(magic):
            stream = pyarrow.input_stream(pyarrow.BufferReader(content), compression=codec)
            return form, _chunks(stream)
    return None


def _chunks(source: _Readable) -> Iterator[bytes]:
    with closing(source):
        while chunk := source.read(_CHUNK):
            yield chunk


def _xz(content: bytes) -> Iterator[bytes]:
    """All streams of the file; Python's own reader takes what follows a damaged one for padding."""
    rest = content
    while rest:
        stream = lzma.LZMADecompressor(lzma.FORMAT_XZ)
        yield stream.decompress(rest, _CHUNK)
        while not stream.eof:
            if stream.needs_input:
                raise EOFError("the end is missing")
            yield stream.decompress(b"", _CHUNK)
        rest = stream.unused_data.lstrip(b"\x00")


def _within(label: str, what: str, stream: Iterator[bytes], limit: int) -> bytes:
    whole = io.BytesIO()
    try:
        for chunk in stream:
            if whole.tell() + len(chunk) > limit:
                raise _too_large(label, limit)
            whole.write(chunk)
    except _DAMAGED as error:
        raise DataError(f"{label}: the {what} is truncated or damaged ({error})") from None
    return whole.getvalue()


def _too_large(label: str, limit: int) -> TooLargeError:
    return TooLargeError(
        f"{label}: holds more than {limit / GIB:.1f} GiB unpacked, half of the memory that is "
        "free; write its columns as Parquet, or take a machine with more memory"
    )


def _without_suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and suffix.lower() in ("gz", "bz2", "xz", "zst", "zstd") else name


def _member(label: str, content: bytes, table: str | None, limit: int) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            name = _chosen(label, archive, table)
            with archive.open(name) as source:
                whole = _within(f"{label}: {name}", "archive", _chunks(source), limit)
            demand_counted(f"{label}: {name}", len(whole), archive.getinfo(name).file_size, "bytes")
            return name, whole
    except zipfile.BadZipFile as error:
        raise DataError(f"{label}: the zip archive is truncated or damaged ({error})") from None
    except (RuntimeError, NotImplementedError) as error:  # encrypted, unknown compression
        raise DataError(f"{label}: cannot be unpacked ({error})") from None


def _chosen(label: str, archive: zipfile.ZipFile, table: str | None) -> str:
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    names = [name for name in names if not _is_aside(name)]
    shown = ", ".join(names[:12]) + (f", and {len(names) - 12} more" if len(names) > 12 else "")
    if table is not None:
        if table not in names:
            raise ConfigError(f"data.member: {table} is not in {label} (there are: {shown})")
        return table
    if not names:
        raise DataError(f"{label}: the zip archive holds no file")
    if len(names) > 1:
        raise DataError(
            f"{label}: the zip archive holds {len(names)} files ({shown}); name one in "
            "data.member, or unpack it and name the folder in data.path"
        )
    if names[0].endswith(_NO_TABLE):
        with archive.open(names[0]) as source:
            kind = kind_of(source.read(HEAD))
        if kind is not None:
            raise DataError(f"{label}: holds {kind.name} ({names[0]}); {kind.remedy}")
    return names[0]


def _is_aside(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith(".")
