"""The job that makes Harbor's role and database, its very command and SQL, against a real PostgreSQL."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from slipway.rehearse.cluster.ports import free_ports
from tests.support.conftest import environment, objects_of, one, values_of

#: Folders with initdb, postgres and psql; SLIPWAY_POSTGRES names more, for other versions of the server.
INSTALLED = [
    folder
    for folder in [*map(Path, filter(None, os.environ.get("SLIPWAY_POSTGRES", "").split(":"))),
                   *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    if all((folder / program).exists() for program in ("initdb", "pg_ctl", "psql"))
]  # fmt: skip
#: psql asks, and the pipe answers.
ASKED = 'Enter new password for user "harbor": \nEnter it again: \n'
#: As RDS has it: no superuser, but may make roles and databases.
MASTER = {"PGUSER": "slipway", "PGPASSWORD": "masters-own"}


class Server:
    """A cluster of its own in a folder, run by somebody who is not root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder, self.data, self.log = programs, folder, folder / "data", folder / "log"
        self.port = str(free_ports(["postgres"], folder / "ports.json")["postgres"])
        self.user = {"user": "postgres" if _exists("postgres") else "nobody"} if os.getuid() == 0 else {}
        if self.user:
            shutil.chown(folder, self.user["user"])
        (folder / "password").write_text("superusers-own")
        (folder / "password").chmod(0o644)
        self._run(
            "initdb", "--no-sync", "-D", self.data, "-U", "root", "-A", "scram-sha-256", "--pwfile", folder / "password"
        )
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {folder} -c log_statement=all -c fsync=off"
        self._run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-o", options, "start")
        self.ask("CREATE ROLE slipway LOGIN CREATEDB CREATEROLE PASSWORD 'masters-own'")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def ask(self, question: str, *, database: str = "postgres", **who: str) -> str:
        """Give the answer of one statement, by default as the superuser."""
        who = who or {"PGUSER": "root", "PGPASSWORD": "superusers-own"}
        done = self._psql(
            who | {"PGDATABASE": database}, "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", question
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def job(self, password: str, **changed: str) -> subprocess.CompletedProcess:
        """Run the job's command as its pod would, as a user that the system does not know, without a terminal."""
        items = objects_of(values_of(environment("ha")))
        (container,) = _job(items)["spec"]["template"]["spec"]["containers"]
        variables = {entry["name"]: entry.get("value", "") for entry in container["env"]}
        (self.folder / "harbor.sql").write_text(one(items, "ConfigMap", "harbor-database-sql")["data"]["harbor.sql"])
        command = [part.replace("/sql/", f"{self.folder}/") for part in container["command"]]
        here = {"PGHOST": "127.0.0.1", "PGPORT": self.port, "PGSSLMODE": "disable", "HARBOR_PASSWORD": password}
        self.log.write_text("")
        return subprocess.run(
            command,
            env={"PATH": f"{self.programs}:{os.environ['PATH']}", **variables, **MASTER, **here, **changed},
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # no terminal to ask on
            stdin=subprocess.DEVNULL,
            **({"user": 10000} if os.getuid() == 0 else {}),
        )

    def _psql(self, variables: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess:
        environ = {"PATH": os.environ["PATH"], "PGHOST": "127.0.0.1", "PGPORT": self.port, **variables}
        command = [str(self.programs / "psql"), *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        # pg_ctl's server keeps what it inherits, so a pipe would never end.
        with (self.folder / "output").open("w+") as output:
            done = subprocess.run(command, cwd="/", stdout=output, stderr=output, check=False, **self.user)
            output.seek(0)
            assert done.returncode == 0, output.read()


def _exists(user: str) -> bool:
    return any(entry.pw_name == user for entry in pwd.getpwall())


def _job(items: list[dict]) -> dict:
    (found,) = (item for item in items if item["kind"] == "Job")
    return found


@pytest.fixture(scope="module", params=INSTALLED or [None], ids=lambda folder: folder.parent.name if folder else "none")
def running(request):
    """A PostgreSQL of our own; skips where none is installed."""
    if request.param is None:
        pytest.skip(
            "no PostgreSQL under /usr/lib/postgresql: apt-get install postgresql, or name one in SLIPWAY_POSTGRES"
        )
    # Not below pytest's own folder, which nobody but the tests' user may enter.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    folder.chmod(0o755)
    started = Server(request.param, folder)
    yield started
    started.stop()
    shutil.rmtree(folder)


@pytest.fixture
def server(running):
    """The server, with nothing of Harbor in it."""
    running.ask("DROP DATABASE IF EXISTS registry")
    running.ask("DROP ROLE IF EXISTS harbor")
    return running


def harbor(server: Server, password: str, question: str) -> str:
    return server.ask(question, database="registry", PGUSER="harbor", PGPASSWORD=password)


MIGRATION = "CREATE TABLE schema_migrations (version bigint); INSERT INTO schema_migrations VALUES (180)"


def test_an_empty_server_gets_role_and_database_and_a_second_run_changes_nothing(server):
    first, second = server.job("first"), server.job("first")

    assert (first.returncode, first.stderr) == (0, ASKED)
    assert (second.returncode, second.stderr) == (0, ASKED)
    assert first.stdout == second.stdout == "the role harbor and its database registry are there\n"
    harbor(server, "first", MIGRATION)
    assert harbor(server, "first", "SELECT version FROM schema_migrations") == "180"
    assert server.ask("SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'harbor'") == "t"


def test_the_database_that_rds_made_for_the_master_user_becomes_harbors(server):
    server.ask("CREATE DATABASE registry", **MASTER)

    done = server.job("first")

    assert (done.returncode, done.stderr) == (0, ASKED)
    assert server.ask("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'registry'") == "harbor"
    harbor(server, "first", MIGRATION)


def test_a_changed_password_is_the_only_one_afterwards_and_the_data_stays(server):
    server.job("first")
    harbor(server, "first", MIGRATION)

    done = server.job("second")

    assert (done.returncode, done.stderr) == (0, ASKED)
    assert harbor(server, "second", "SELECT version FROM schema_migrations") == "180"
    with pytest.raises(AssertionError, match="password authentication failed"):
        harbor(server, "first", "SELECT 1")


def test_no_log_and_no_output_holds_a_password(server):
    """The server writes every statement into its log, as RDS does with those that are slow or fail."""
    done = server.job("neverWritten")
    log = server.log.read_text()

    assert "CREATE ROLE harbor" in log
    assert "SCRAM-SHA-256$" in log
    assert "neverWritten" not in log + done.stdout + done.stderr
    assert "masters-own" not in log + done.stdout + done.stderr


def test_an_unreachable_server_and_a_wrong_master_password_fail_the_pod(server):
    gone = server.job("first", PGPORT="1")
    refused = server.job("first", PGPASSWORD="wrong")

    assert gone.returncode != 0
    assert "Connection refused" in gone.stderr
    assert refused.returncode != 0
    assert "password authentication failed" in refused.stderr


def test_tables_of_somebody_else_are_told_instead_of_leaving_harbor_to_fail(server):
    server.ask("CREATE DATABASE registry", **MASTER)
    server.ask(MIGRATION, database="registry")

    done = server.job("first")

    assert done.returncode != 0
    assert "the tables of the database registry belong to root" in done.stderr
    assert 'run "REASSIGN OWNED BY root TO harbor"' in done.stderr


def test_an_owner_of_before_postgresql_15_can_still_make_tables(server):
    server.ask("CREATE DATABASE registry", **MASTER)
    server.ask("ALTER SCHEMA public OWNER TO slipway; REVOKE ALL ON SCHEMA public FROM PUBLIC", database="registry")

    done = server.job("first")

    assert (done.returncode, done.stderr) == (0, ASKED)
    harbor(server, "first", MIGRATION)
