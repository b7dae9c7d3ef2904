"""All that this Harbor knows, in one SQLite file: documents by kind, found by id or by key within a project.

state.add("label", {"name": "stable"}, key="g/stable")    # gives its id; Taken when the key is used
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

#: One process owns the file, so no query asks the system for locks: it is ten times as fast.
_TABLES = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS things (
    kind TEXT NOT NULL, id INTEGER NOT NULL, project INTEGER NOT NULL, key TEXT, doc TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS keys ON things (kind, project, key);
CREATE INDEX IF NOT EXISTS parts ON things (kind, project, id);
CREATE TABLE IF NOT EXISTS sequences (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
"""


class Taken(Exception):
    """Another thing of that kind has the key."""


class State:
    """The documents. Ids are never given twice, not even after a delete or a restart."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    def clear(self) -> None:
        self._db.executescript("DELETE FROM things; DELETE FROM sequences;")

    @contextmanager
    def together(self) -> Iterator[None]:
        """Do everything inside or nothing. Never awaits inside."""
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def add(self, kind: str, doc: Mapping, *, key: str | None = None, project: int = 0, id_key: str = "id") -> int:
        """Keep a new document and give its id, which stands in it as `id_key`."""
        (number,) = self._db.execute(
            "INSERT INTO sequences VALUES (?, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last", (kind,)
        ).fetchone()
        try:
            self._db.execute(
                "INSERT INTO things VALUES (?, ?, ?, ?, ?)",
                (kind, number, project, key, json.dumps({id_key: number, **doc})),
            )
        except sqlite3.IntegrityError as error:
            raise Taken(key) from error
        return number

    def get(self, kind: str, number: int) -> dict | None:
        row = self._db.execute("SELECT doc FROM things WHERE kind = ? AND id = ?", (kind, number)).fetchone()
        return json.loads(row[0]) if row else None

    def project_of(self, kind: str, number: int) -> int:
        row = self._db.execute("SELECT project FROM things WHERE kind = ? AND id = ?", (kind, number)).fetchone()
        return row[0] if row else 0

    def find(self, kind: str, key: str, *, project: int = 0) -> dict | None:
        row = self._db.execute(
            "SELECT doc FROM things WHERE kind = ? AND project = ? AND key = ?", (kind, project, key)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, number: int, doc: Mapping, *, key: str | None = None) -> None:
        """Replace a document; with `key` it gets that key as well."""
        try:
            self._db.execute(
                "UPDATE things SET doc = ?, key = coalesce(?, key) WHERE kind = ? AND id = ?",
                (json.dumps(doc), key, kind, number),
            )
        except sqlite3.IntegrityError as error:
            raise Taken(key) from error

    def delete(self, kind: str, number: int) -> bool:
        return self._db.execute("DELETE FROM things WHERE kind = ? AND id = ?", (kind, number)).rowcount > 0

    def delete_of(self, project: int, *kinds: str) -> None:
        marks = ", ".join("?" * len(kinds))
        self._db.execute(f"DELETE FROM things WHERE project = ? AND kind IN ({marks})", (project, *kinds))

    def all(self, kind: str, *, project: int | None = None) -> list[dict]:
        return self.page(kind, project=project)[1]

    def count(self, kind: str, *, project: int | None = None, where: str = "1", values: Sequence = ()) -> int:
        table, scope, scoped = _scope(kind, project)
        return self._db.execute(
            f"SELECT count(*) FROM {table} WHERE {scope} AND {where}", (*scoped, *values)
        ).fetchone()[0]

    def page(
        self,
        kind: str,
        *,
        project: int | None = None,
        where: str = "1",
        values: Sequence = (),
        order: str = "id",
        limit: int = -1,
        offset: int = 0,
    ) -> tuple[int, list[dict]]:
        """Give how many there are, and those of a page. `where` and `order` are ours, never a client's."""
        table, scope, scoped = _scope(kind, project)
        rows = self._db.execute(
            f"SELECT doc FROM {table} WHERE {scope} AND {where} ORDER BY {order} LIMIT ? OFFSET ?",
            (*scoped, *values, limit, offset),
        ).fetchall()
        last = limit < 0 or len(rows) < limit
        known = last and (rows or offset == 0)
        total = offset + len(rows) if known else self.count(kind, project=project, where=where, values=values)
        return total, json.loads(f"[{','.join(row[0] for row in rows)}]")


def _scope(kind: str, project: int | None) -> tuple[str, str, tuple]:
    if project is None:
        return "things", "kind = ?", (kind,)
    # Left to itself SQLite goes through all of the kind, for they are in the order of their ids.
    return "things INDEXED BY parts", "kind = ? AND project = ?", (kind, project)
