"""Files of any encoding as UTF-8."""

from __future__ import annotations

import codecs

from cofilter.core.errors import ConfigError, DataError

_UTF_8 = codecs.BOM_UTF8
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def as_utf8(label: str, content: bytes, encoding: str) -> bytes:
    """A text file's bytes in UTF-8, without a byte order mark.

    A mark of UTF-16 or UTF-32 at the beginning overrules ``encoding``.

    Raises
    ------
    ConfigError
        Python knows no such encoding, or it is none of text.
    DataError
        The file is not in that encoding (the line is named), or holds NUL characters.
    """
    mark = marked(content)
    encoding = mark or encoding
    try:
        name = codecs.lookup(encoding).name
        if name == "utf-8":
            text = content.removeprefix(_UTF_8)
            if not text.isascii():
                text.decode()
        else:
            text = content.decode(encoding).encode()
            text = text if mark else text.removeprefix(_UTF_8)  # `utf-16-le` leaves it there
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{label}, line {line}: not {encoding} text (byte 0x{error.object[error.start]:02x}); "
            "name the file's encoding in data.encoding"
        ) from None
    except (LookupError, ValueError) as error:  # ValueError has UnicodeError below it
        if isinstance(error, UnicodeError) and encoding.lower() != "undefined":
            raise DataError(
                f"{label}: not {encoding} text; name the file's encoding in data.encoding"
            ) from None
        raise ConfigError(
            f'data.encoding: "{encoding}" is no encoding of text that Python knows; '
            "such as utf-8, latin-1 or utf-16 is expected"
        ) from None
    nul = text.find(b"\0")
    if nul >= 0:
        line = text.count(b"\n", 0, nul) + 1
        raise DataError(
            f"{label}, line {line}: is a binary file (a NUL character); delimited text or Parquet "
            "is expected, and text in another encoding is named in data.encoding, such as utf-16-le"
        )
    return text


def marked(content: bytes) -> str | None:
    """The encoding that a byte order mark of UTF-16 or UTF-32 names; None without one."""
    return next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
