"""Files written whole or not at all, and the hashes that name their content."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cofilter.core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger("cofilter")

# Ending of files being written. A killed process leaves one behind; .dvcignore names the ending,
# so that DVC does not take it for a part of an output folder.
PARTIAL = ".partial"
_ENDS, _TEXT = ".ends", ".text"


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; on a clean exit it becomes ``target``.

    The content is flushed to disk before the rename, so that after a crash ``target`` holds
    either its old content or all of the new one. On an error ``target`` stays as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(PARTIAL, f".{target.name}.", target.parent)
    os.close(handle)
    os.chmod(name, 0o666 & ~_umask())  # mkstemp makes 0600, which others could not read
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        if error.filename in (None, name):  # a full disk names no file, and a temporary one no use
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(target: Path, content: bytes) -> None:
    """Write ``content`` to ``target`` atomically."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)


def write_text(target: Path, content: str) -> None:
    """Write ``content`` to ``target`` as UTF-8, atomically."""
    write_bytes(target, content.encode())


def write_json(target: Path, value: Any) -> None:
    """Write ``value`` as indented JSON in the given key order; NaN is refused."""
    write_text(target, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def write_log(target: Path, value: Any) -> None:
    """Write JSON that nothing depends on; where that fails, a warning says so and work goes on."""
    try:
        write_json(target, value)
    except OSError as error:
        log.warning("%s is not written: %s", target, error.strerror or error)


def read_json(path: Path) -> Any:
    """Read a JSON file; a missing or broken one is a `DataError` that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: file not found") from None
    except (ValueError, RecursionError) as error:  # no JSON or UTF-8; endless numbers, depth
        raise DataError(f"{path}: not readable as JSON ({error})") from None


def write_table(target: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet (zstd), atomically and with no trace of the machine or the time.

    Its pages carry checksums, which `read_table` compares.
    """
    with atomic_path(target) as temporary:
        table.to_parquet(temporary, index=False, compression="zstd", write_page_checksum=True)


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file that an earlier stage wrote."""
    import pandas as pd

    try:
        return pd.read_parquet(path, columns=columns, page_checksum_verification=True)
    except FileNotFoundError:
        raise DataError(f"{path}: file not found; run the stage that writes it first") from None
    except (OSError, ValueError, LookupError, TypeError) as error:  # the last two: of its footer
        raise DataError(f"{path}: not readable as Parquet ({error})") from None


def read_columns(path: Path) -> dict[str, list[Any]]:
    """As `read_table`, as plain lists, missing values None: pandas need not be imported."""
    from pyarrow import ArrowException, parquet

    try:
        # `parquet.read_table` imports pandas.
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read().to_pydict()
    except (OSError, ValueError, ArrowException) as error:
        raise DataError(f"{path}: not readable as Parquet ({error})") from None


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def arrays_sha256(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes of arrays, in the dictionary's order."""
    digest = hashlib.sha256()
    for name, array in packed(arrays).items():
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()


def packed(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays without objects, which files would have to pickle.

    An array of strings of type ``object`` becomes two, ``name.ends`` (int64[n], where each string
    ends) and ``name.text`` (uint8, UTF-8); others stay. `unpacked` goes back.
    """
    plain: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.dtype.kind != "O":
            plain[name] = array
            continue
        texts = [text.encode("utf-8", "surrogatepass") for text in array]
        plain[name + _ENDS] = np.cumsum([len(text) for text in texts], dtype=np.int64)
        plain[name + _TEXT] = np.frombuffer(b"".join(texts), np.uint8)
    return plain


def unpacked(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What `packed` was given; raises `ValueError` for what it did not make."""
    names = [name.removesuffix(_ENDS) for name in arrays if name.endswith(_ENDS)]
    whole = {name: array for name, array in arrays.items() if not name.endswith((_ENDS, _TEXT))}
    for name in names:
        ends, text = arrays[name + _ENDS], arrays.get(name + _TEXT)
        edges = [0, *ends.tolist()]
        if text is None or ends.dtype != np.int64 or edges != sorted(edges):
            raise ValueError(f"{name} is no array of strings")
        pairs = itertools.pairwise(edges)
        content = text.tobytes()
        strings = [content[start:end].decode("utf-8", "surrogatepass") for start, end in pairs]
        whole[name] = np.array(strings, object)
    return whole


def table_sha256(table: pd.DataFrame) -> str:
    """SHA-256 of a table's columns, in their order, with their names, types and rows.

    Independent of how a file format or pandas stores them: numbers enter as their little-endian
    bytes, strings as the length of each (int64, in UTF-8 bytes) and all of the text.
    """
    import pandas as pd

    arrays: dict[str, np.ndarray] = {}
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy()
            arrays[str(name)] = values.astype(values.dtype.newbyteorder("<"), copy=False)
        else:
            arrays[f"{name}.lengths"], arrays[f"{name}.text"] = _strings(column)
    return arrays_sha256(arrays)


def json_sha256(value: Any) -> str:
    """SHA-256 of a value's canonical JSON (sorted keys)."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _strings(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Lengths int64[n] and text uint8[bytes] of a column of strings, as Arrow holds them."""
    import pyarrow  # here, since fitting a model needs none of it

    found = pyarrow.array(column, type=pyarrow.large_string())
    if isinstance(found, pyarrow.ChunkedArray):
        found = found.combine_chunks()
    _, ends, text = found.buffers()
    edges = np.frombuffer(ends, np.int64)[found.offset : found.offset + len(found) + 1]
    return np.diff(edges), np.frombuffer(text or b"", np.uint8)[edges[0] : edges[-1]]


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
