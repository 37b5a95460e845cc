"""A real PostgreSQL server of the test's own, in a folder that is removed with it."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

PASSWORD = "s3cret"
_USER = "postgres"  # the server refuses to run as root; Debian's package makes this user


def programme(name: str) -> str | None:
    """Path of one of PostgreSQL's programmes; Debian keeps them away from PATH."""
    kept = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return shutil.which(name) or (kept[-1] if kept else None)


def why_not() -> str | None:
    """Why no server can be started here; None when it can."""
    if programme("initdb") is None or programme("pg_ctl") is None:
        return "PostgreSQL is not installed"
    if os.getuid() == 0 and _USER not in {user.pw_name for user in pwd.getpwall()}:
        return "PostgreSQL does not run as root, and there is no user postgres"
    return None


def fill(url: str, *statements: str) -> None:
    """Run statements in the server's database, all or none."""
    engine = sa.create_engine(sa.make_url(url).set(password=PASSWORD))
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start a server; gives the URL of its database, without the password."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    options: dict[str, str] = {}
    if os.getuid() == 0:
        shutil.chown(folder, _USER)
        options = {"user": _USER}
    data, secret = folder / "data", folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)

    def run(name: str, *arguments: str) -> None:
        command = [str(programme(name)), "-D", str(data), *arguments]
        subprocess.run(
            command,
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **options,  # type: ignore[call-overload]
        )

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        run("initdb", "-U", "cofilter", "-A", "scram-sha-256", "--pwfile", str(secret), "-N")
        listen = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
        run("pg_ctl", "-w", "-o", listen, "-l", str(folder / "log"), "start")
        yield f"postgresql+psycopg://cofilter@127.0.0.1:{port}/postgres"
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # it may never have started
            run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
