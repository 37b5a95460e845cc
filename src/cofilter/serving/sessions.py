"""Ratings that people give while they use the service, in SQLite, shared by all workers."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from cofilter.core.errors import DataError

MOST_RATINGS = 1_000  # of one session
_WAIT = 5.0  # seconds for another worker's write
_TABLES = """
CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, changed REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS oldest ON session (changed);
CREATE TABLE IF NOT EXISTS rating (
    session TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    item TEXT NOT NULL, rating REAL NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (session, item)
) WITHOUT ROWID;
"""


class Sessions:
    """Ratings by session and item, in the order in which items were first rated.

    At most ``most`` sessions: a new one beyond that takes the place of the one that has been
    longest without a change. Opened by each process for itself; SQLite's lock keeps them apart.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._most = most
        try:
            self._file = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.execute("PRAGMA foreign_keys = ON")
            self._file.executescript(_TABLES)
        except sqlite3.Error as error:
            raise DataError(f"{path}: no file for sessions ({error})") from None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def ratings(self, session: str) -> dict[int | str, float] | None:
        """A session's ratings by item; None when there is no such session."""
        if not self._file.execute("SELECT 1 FROM session WHERE id = ?", (session,)).fetchone():
            return None
        rows = self._file.execute(
            "SELECT item, rating FROM rating WHERE session = ? ORDER BY place", (session,)
        )
        return {json.loads(item): rating for item, rating in rows}

    def rate(
        self, session: str | None, changes: Sequence[tuple[int | str, float | None]]
    ) -> tuple[str, Mapping[int | str, float]]:
        """Take ratings, None takes one back; gives the session, a new one for None, and them all.

        Raises `DataError` where the session would have more than `MOST_RATINGS`, and changes
        nothing then.
        """
        name = session or secrets.token_urlsafe(16)
        self._file.execute("BEGIN IMMEDIATE")
        try:
            self._begin(name)
            for item, rating in changes:
                self._change(name, json.dumps(item), rating)
            ratings = self.ratings(name) or {}
            if len(ratings) > MOST_RATINGS:
                raise DataError(f"a session holds at most {MOST_RATINGS:,} ratings")
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")
        return name, ratings

    def _begin(self, session: str) -> None:
        """Make the session the newest, and room for it."""
        self._file.execute(
            "INSERT INTO session VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET changed = ?2",
            (session, time.time()),
        )
        self._file.execute(
            "DELETE FROM session WHERE id IN (SELECT id FROM session ORDER BY changed "
            "LIMIT max(0, (SELECT count(*) FROM session) - ?))",
            (self._most,),
        )

    def _change(self, session: str, item: str, rating: float | None) -> None:
        if rating is None:
            self._file.execute("DELETE FROM rating WHERE session = ? AND item = ?", (session, item))
            return
        self._file.execute(
            "INSERT INTO rating VALUES (?1, ?2, ?3, "
            "(SELECT ifnull(max(place), 0) + 1 FROM rating WHERE session = ?1)) "
            "ON CONFLICT (session, item) DO UPDATE SET rating = ?3",
            (session, item, rating),
        )
