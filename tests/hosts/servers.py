"""What runs on the hosts: a NATS cluster of three, PostgreSQL with a synchronous standby, planes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import secrets as random
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from dev.environment import Addresses, plane_environment
from dev.nats import nats_binary
from dev.postgres import postgres_binaries
from dev.secrets import Secrets
from tests.hosts.network import Host

HEALTH = {"decision": 9091, "execution": 9092, "trust": 9093, "data": 9094, "operating": 9095, "gateway": 9096}


@dataclass
class Program:
    """One process on one host, started and killed as often as a test likes."""

    host: Host
    command: Sequence[str]
    log: Path
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.host.command(*self.command),
                env=dict(self.environ),
                stdout=log,
                stderr=log,
                cwd="/",
                process_group=0,
            )

    def reload(self) -> None:
        """SIGHUP: read the configuration again."""
        if self.process is not None:
            self.process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """SIGKILL for the program and all that it started: the host's power is gone."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    async def stop(self, grace: float = 20.0) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        for _ in range(int(grace * 20)):
            if self.process.poll() is not None:
                return
            await asyncio.sleep(0.05)
        self.kill()


def nats_cluster(hosts: Sequence[Host], folder: Path, rights: str) -> list[Program]:
    """Three servers that know each other's addresses, with each plane's permissions."""
    routes = ", ".join(f'"nats-route://{host.address}:6222"' for host in hosts)
    out = []
    for host in hosts:
        config = folder / f"{host.name}.conf"
        config.write_text(
            f'server_name: "{host.name}"\nlisten: "{host.address}:4222"\nhttp: "{host.address}:8222"\nmax_payload: 8MB\n'
            f'jetstream {{ store_dir: "{folder / host.name}", sync_interval: always }}\n'
            f'cluster {{ name: dealix, listen: "{host.address}:6222", routes: [{routes}] }}\n{rights}'
        )
        out.append(Program(host, [str(nats_binary()), "-c", str(config)], folder / f"{host.name}.log"))
    return out


class Postgres:
    """A primary and its synchronous standby: what is answered is on both, so that a failover loses nothing."""

    def __init__(self, primary: Host, standby: Host, folder: Path) -> None:
        self.hosts = (primary, standby)
        self._folder = folder
        self._password = random.token_urlsafe(16)
        self._account = next(name for name in ("postgres", "nobody") if _exists(name))
        self._programs: dict[str, Program] = {}

    def url(self, login: str = "") -> str:
        """Both addresses; a client takes whichever may be written to."""
        where = ",".join(f"{host.address}:5432" for host in self.hosts)
        return f"postgresql://{login or f'postgres:{self._password}'}@{where}/dealix?target_session_attrs=read-write"

    def copy_url(self, login: str) -> str:
        """Whichever of the two is the standby."""
        return self.url(login).replace("=read-write", "=standby")

    def admin_url(self, database: str = "dealix") -> str:
        return f"postgresql://postgres:{self._password}@{self.hosts[0].address}:5432/{database}"

    async def start(self) -> None:
        primary, standby = self.hosts
        password = self._folder / "pw"
        password.write_text(self._password)
        first, second = self._folder / "pg1", self._folder / "pg2"
        for path in (self._folder, password):
            os.chown(path, pwd.getpwnam(self._account).pw_uid, pwd.getpwnam(self._account).pw_gid)
        await self._run(primary, "initdb", "-D", str(first), "-U", "postgres", "-A", "scram-sha-256", "--pwfile", str(password),
                        "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        with (first / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.77.0.0/24 scram-sha-256\nhost replication all 10.77.0.0/24 scram-sha-256\n")
        self._launch(primary, first)
        await self._answers(primary)
        connection = await asyncpg.connect(self.admin_url("postgres"))
        await connection.execute("create database dealix")
        await connection.close()
        await self._run(standby, "pg_basebackup", "-h", primary.address, "-U", "postgres", "-D", str(second), "-R", "-X", "stream",
                        PGPASSWORD=self._password)  # fmt: skip
        self._launch(standby, second, "synchronous_standby_names=")
        await self._answers(standby)
        connection = await asyncpg.connect(self.admin_url())
        await connection.execute("alter system set synchronous_standby_names = '*'")
        await connection.execute("select pg_reload_conf()")
        await connection.close()

    async def fail_over(self) -> None:
        """The primary's host is lost; the standby takes over."""
        self._programs[self.hosts[0].name].kill()
        await self._run(self.hosts[1], "pg_ctl", "promote", "-D", str(self._folder / "pg2"), "-w")

    def stop(self) -> None:
        for program in self._programs.values():
            program.kill()

    def _launch(self, host: Host, data: Path, *settings: str) -> None:
        options = ["listen_addresses=*", "port=5432", "max_connections=300", "shared_buffers=256MB", "wal_level=replica",
                   "unix_socket_directories=", "hot_standby=on", "timezone=UTC", *settings]  # fmt: skip
        command = [*self._as_account(), str(postgres_binaries() / "postgres"), "-D", str(data)]
        command += [part for option in options for part in ("-c", option)]
        program = Program(host, command, self._folder.parent / f"{host.name}.log")
        program.start()
        self._programs[host.name] = program

    def _as_account(self) -> list[str]:
        return [
            "setpriv",
            f"--reuid={self._account}",
            f"--regid={pwd.getpwnam(self._account).pw_gid}",
            "--clear-groups",
        ]

    async def _run(self, host: Host, program: str, *arguments: str, **environ: str) -> None:
        command = host.command(*self._as_account(), str(postgres_binaries() / program), *arguments)
        done = await asyncio.to_thread(
            subprocess.run, command, env={**os.environ, **environ}, capture_output=True, text=True, cwd="/", check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.strip()[-500:]}")

    async def _answers(self, host: Host) -> None:
        for _ in range(200):
            try:
                url = f"postgresql://postgres:{self._password}@{host.address}:5432/postgres"
                await (await asyncpg.connect(url, timeout=2)).close()
                return
            except (OSError, asyncpg.PostgresError, TimeoutError):
                await asyncio.sleep(0.1)
        raise RuntimeError(f"PostgreSQL on {host.name} does not answer")


def _exists(account: str) -> bool:
    try:
        pwd.getpwnam(account)
    except KeyError:
        return False
    return True


def plane_programs(
    hosts: Sequence[Host], nats_url: str, postgres: Postgres, secrets: Secrets, folder: Path, version: Mapping[str, str]
) -> list[Program]:
    """One replica of every plane on every host. `version` is the environment of the version that they run."""
    out = []
    for host in hosts:
        for plane, port in HEALTH.items():
            addresses = Addresses(nats_url, postgres.admin_url(), host.address, 8080, folder / host.name)
            (folder / host.name).mkdir(exist_ok=True)
            environ = plane_environment(plane, os.environ, secrets, addresses)
            login = f"dealix_{plane}:{secrets.database_passwords[plane]}"
            environ |= {
                f"DEALIX_{plane.upper()}_DATABASE_URL": postgres.url(login),
                f"DEALIX_{plane.upper()}_READ_DATABASE_URL": postgres.copy_url(login),
                "DEALIX_HEALTH_PORT": str(port),
                "DEALIX_HEALTH_HOST": host.address,
                "DEALIX_TRACE_RATIO": "0.01",
                "DEALIX_LOG_LEVEL": "ERROR",
                "DEALIX_DATABASE_POOL": "6",
                **version,
            }
            command = [sys.executable, "-m", f"services.{plane}"]
            out.append(Program(host, command, folder / f"{plane}-{host.name}.log", environ))
    return out
