"""The rows of an SQL query, by SQLAlchemy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cofilter.core.errors import ConfigError, DataError, MissingDependencyError, SourceError
from cofilter.sources.cells import Cells
from cofilter.sources.table import RawTable, demand_rows, resolve_columns

if TYPE_CHECKING:
    import sqlalchemy as sa

PASSWORD = "COFILTER_DB_PASSWORD"  # name of the environment variable
_BLOCK = 50_000  # rows that are Python objects at a time


def read_query(given: str, query: str, columns: Mapping[str, str | int], base: Path) -> RawTable:
    """Read ``columns`` (wanted name → the query's name) of what a query gives.

    Rows come in blocks; the connection only reads, where the database knows such a thing, and
    nothing is committed. The database then counts the query's rows by itself, in the same
    transaction, so that both see the same tables.

    Parameters
    ----------
    given:
        An SQLAlchemy URL without password, which comes from the environment variable `PASSWORD`,
        or by the database's own means (``~/.pgpass``).
    base:
        Folder that the relative path of an SQLite file starts from.

    Raises
    ------
    ConfigError
        The URL is none, or has a password.
    SourceError
        There is no connection to be had.
    DataError
        The query is refused, lacks a column, mixes kinds of values in one, gives no rows, or has
        another number of rows when the database counts them, or none that it can count.
    MissingDependencyError
        SQLAlchemy or the database's driver is not installed.
    """
    try:
        import sqlalchemy as sa
    except ImportError:
        raise _missing("SQLAlchemy") from None
    url = _url(given, base)
    engine = _engine(url, given)
    try:
        connection = engine.connect()
    except sa.exc.SQLAlchemyError as error:
        raise SourceError(f"{given}: {_reason(error)}") from None
    try:
        with connection:
            return _rows(connection, given, query, columns)
    except sa.exc.SQLAlchemyError as error:
        raise DataError(f"{given}: data.query is refused: {_reason(error)}") from None
    finally:
        engine.dispose()


def _url(given: str, base: Path) -> sa.URL:
    import sqlalchemy as sa

    try:
        url = sa.make_url(given)
    except (sa.exc.ArgumentError, ValueError):
        scheme = given.partition("://")[0]
        raise ConfigError(
            f"data.path: {scheme}://… is no database URL; "
            "dialect+driver://user@host/database is expected"
        ) from None
    if url.password is not None:
        raise ConfigError(
            f"data.path: {url.render_as_string(hide_password=True)}: a password does not belong "
            f"there, since params.yaml, dvc.lock and W&B keep it; set {PASSWORD} in the environment"
        )
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, base)
    password = os.environ.get(PASSWORD)
    return url.set(password=password) if password else url


def _sqlite(url: sa.URL, base: Path) -> sa.URL:
    """The file opened for reading only, since SQLite would make one that is missing."""
    if not url.database:
        raise ConfigError("data.path: sqlite:// names no file; sqlite:///file.db is expected")
    path = base / url.database
    if not path.is_file():
        raise SourceError(f"{url}: no such file")
    return url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})


def _engine(url: sa.URL, label: str) -> sa.Engine:
    import sqlalchemy as sa

    try:
        return sa.create_engine(url)
    except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
        if url.drivername.startswith("postgresql+psycopg"):
            raise _missing("psycopg") from None
        raise MissingDependencyError(
            f"{label}: no driver for {url.drivername} ({str(error).splitlines()[0]}); "
            "install the one that SQLAlchemy's documentation names for it"
        ) from None


def _rows(
    connection: sa.Connection, label: str, query: str, columns: Mapping[str, str | int]
) -> RawTable:
    connection = _one_view(connection)
    result = connection.exec_driver_sql(query)
    if not result.returns_rows:
        raise DataError(f"{label}: data.query gives no rows; a select is expected")
    there = list(result.keys())
    twice = next((name for name in there if there.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{label}: data.query gives {twice} more than once; rename one with as")
    names = resolve_columns(f"{label}: data.query", there, columns)
    places = [there.index(name) for name in names.values()]
    cells = Cells(label, list(names), list(names.values()), lambda index: f"row {index + 1}")
    for block in result.partitions(_BLOCK):
        cells.add([[row[place] for place in places] for row in block])
    frame = cells.frame()
    demand_rows(label, frame)
    counted = _count(connection, label, query)
    if counted != len(frame):
        raise DataError(
            f"{label}: data.query gave {len(frame):,} rows, but {counted:,} when the database "
            "counted them; one that gives the same each time is expected (keep the result of "
            "random(), or of a limit without order by, in a table, and select from that)"
        )
    return RawTable(label, frame, lambda index: index + 1, counted, typed=True)


def _one_view(connection: sa.Connection) -> sa.Connection:
    """The connection in a transaction of which all statements see the same rows."""
    options: dict[str, Any] = {"stream_results": True, "no_parameters": True}
    if connection.dialect.name == "postgresql":
        options |= {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
    connection = connection.execution_options(**options)
    if connection.dialect.name == "sqlite":  # Python's driver begins none for a select
        connection.exec_driver_sql("begin")
    return connection


def _count(connection: sa.Connection, label: str, query: str) -> int:
    """Rows of a query by the database's own count."""
    import sqlalchemy as sa

    inner = query.rstrip().rstrip(";")
    try:  # the line end closes a comment that the query ends with
        found = connection.exec_driver_sql(f"select count(*) from (\n{inner}\n) counted").scalar()
    except sa.exc.SQLAlchemyError as error:
        raise DataError(
            f"{label}: the database cannot count the rows of data.query ({_reason(error)}); "
            "a select that may stand in another one's from is expected"
        ) from None
    return int(found or 0)


def _reason(error: sa.exc.SQLAlchemyError) -> str:
    """One line without the statement and without links."""
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())[:300]


def _missing(what: str) -> MissingDependencyError:
    return MissingDependencyError(
        f"data.path is a database, and {what} is not installed: pip install 'cofilter[sql]'"
    )
