"""PostgreSQL for tests: a cluster of its own in a temporary folder, on loopback, and stopped."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

SECONDS = 60
PASSWORD = "pass: word/@1"  # every mark of it has to be escaped in an address
READY = "database system is ready to accept connections"


def find_program(name):
    """Return a program of PostgreSQL's, which Debian keeps off the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders = os.pathsep.join([*map(str, versions), os.environ.get("PATH", "")])
    return shutil.which(name, path=folders)


def drop_root(folder):
    """Return the beginning of commands that PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return []
    found = [user for user in pwd.getpwall() if user.pw_name in ("postgres", "nobody")]
    setpriv = shutil.which("setpriv")
    if not found or setpriv is None:
        pytest.skip("PostgreSQL does not run as root, and there is no other user to run it")
    user = min(found, key=lambda each: each.pw_name != "postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def wait_ready(process):
    """Read what the server says until it is there."""
    said = []
    for line in process.stderr:
        said.append(line)
        if READY in line:
            return
    pytest.fail(f"PostgreSQL did not start:\n{''.join(said)}")


@dataclass(frozen=True)
class Server:
    """A server of the tests' own.

    Attributes:
        port: Where it listens on loopback.
    """

    port: int

    def address(self, database="postgres", user="owner"):
        from urllib.parse import quote

        return f"postgresql://{user}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"

    def run(self, statements, database="postgres"):
        """Run statements as the owner, each for itself."""
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            for each in statements:
                connection.execute(each)

    def make_database(self):
        """Return the name of a new and empty database."""
        name = f"shop_{uuid.uuid4().hex[:12]}"
        self.run([f"create database {name}"])
        return name


@pytest.fixture(scope="session")
def live_postgres():
    """Start a server whose texts are sorted as people do, which is not segue's meaning."""
    pytest.importorskip("psycopg")
    initdb, postgres = find_program("initdb"), find_program("postgres")
    if initdb is None or postgres is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="segue-postgres-"))
    try:
        yield from run_server(folder, initdb, postgres)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_server(folder, initdb, postgres):
    plain = drop_root(folder)
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)  # of a folder that nobody else may enter
    icu = ["--locale-provider=icu", "--icu-locale=en-US"]
    command = [initdb, "-D", folder / "data", "-U", "owner", "-E", "UTF8", "--locale=C.UTF-8"]
    command += [*icu, "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
    subprocess.run([*plain, *command], check=True, capture_output=True, cwd="/", timeout=SECONDS)
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": 60,
        "cluster_name": f"segue-{secrets.token_hex(4)}",
    }
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    process = subprocess.Popen(
        [*plain, postgres, "-D", folder / "data", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd="/",
        text=True,
    )
    try:
        wait_ready(process)
        # what it says later must not fill the pipe
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
        yield Server(port)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)
        process.stderr.close()
    drain.wait(SECONDS)
