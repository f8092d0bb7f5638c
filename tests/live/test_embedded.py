"""The embedded servers, for real: crashes, leftovers, second servers, foreign ports."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import asyncpg
import nats
import nkeys
import pytest

from dev.embedded import embedded_servers
from dev.messages import AlreadyRunning, StartFailed
from dev.nats import EmbeddedNats, nats_binary
from dev.postgres import EmbeddedPostgres
from dev.processes import alive, spawn, unprivileged_account

ROOT = Path(__file__).parents[2]
SEED = bytes(nkeys.encode_seed(b"\1" * 32, nkeys.PREFIX_BYTE_USER)).decode()
OTHER_SEED = bytes(nkeys.encode_seed(b"\2" * 32, nkeys.PREFIX_BYTE_USER)).decode()


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(coroutine)


def gone(pid: int, seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


async def rows(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [record[0] for record in await connection.fetch(query)]
    finally:
        await connection.close()


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def test_both_servers_serve_on_a_new_directory_and_no_parent_is_opened_for_it(tmp_path: Path) -> None:
    before = [parent.stat().st_mode for parent in tmp_path.parents]

    async def check() -> None:
        async with embedded_servers(tmp_path / "d") as servers:
            client = await nats.connect(servers.nats_url)
            assert client.max_payload == 8 * 1024 * 1024
            await client.jetstream().add_stream(name="S", subjects=["s"])
            assert (await client.jetstream().publish("s", b"x")).seq == 1
            await client.close()
            await execute(
                servers.admin_url, "create extension vector; create extension unaccent; create extension pg_trgm"
            )
            assert await rows(servers.admin_url, "select cardinality(show_trgm('شركة'))") == [5]
            assert await rows(servers.admin_url, "show fsync") == ["on"]

    run(check())
    assert [parent.stat().st_mode for parent in tmp_path.parents] == before


def test_what_was_acknowledged_survives_kill_9_and_the_ports_stay(tmp_path: Path) -> None:
    async def check() -> None:
        async with embedded_servers(tmp_path) as servers:
            urls = servers.nats_url, servers.admin_url
            client = await nats.connect(servers.nats_url)
            await client.jetstream().add_stream(name="S", subjects=["s"])
            await client.jetstream().publish("s", b"kept")
            await client.close()
            await execute(servers.admin_url, "create table t (v text)")
            await execute(servers.admin_url, "insert into t values ('kept')")
            for server in (servers.nats, servers.postgres):
                assert server.child is not None
                os.kill(server.child.pid, signal.SIGKILL)
                await server.child.wait(5)
                await server.restart()
            assert (servers.nats_url, servers.admin_url) == urls
            assert await rows(servers.admin_url, "select v from t") == ["kept"]
            client = await nats.connect(servers.nats_url)
            assert (await client.jetstream().get_msg("S", 1)).data == b"kept"
            await client.close()

    run(check())


def test_a_second_server_on_the_same_directory_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    async def check() -> None:
        async with embedded_servers(tmp_path) as servers:
            for second in (EmbeddedNats(tmp_path), EmbeddedPostgres(tmp_path)):
                with pytest.raises(AlreadyRunning):
                    await second.start()
            assert await rows(servers.admin_url, "select 1") == [1]
            await (await nats.connect(servers.nats_url)).close()

    run(check())


def test_no_one_gets_into_the_database_without_the_password(tmp_path: Path) -> None:
    async def check() -> None:
        server = EmbeddedPostgres(tmp_path, sync_new_cluster=False)
        await server.start()
        try:
            sockets = list((tmp_path / "postgres").glob(".s.PGSQL.*[0-9]"))
            places = ["127.0.0.1", *(str(path.parent) for path in sockets)]
            for host in places:
                with pytest.raises(asyncpg.InvalidPasswordError):
                    await asyncpg.connect(
                        host=host, port=server.port, user="postgres", password="postgres", database="dealix"
                    )
            password = tmp_path / "postgres" / "superuser.password"
            assert password.stat().st_mode & 0o777 == 0o600
        finally:
            await server.stop()

    run(check())


def test_the_authorization_block_is_in_force(tmp_path: Path) -> None:
    public = bytes(nkeys.from_seed(bytearray(SEED.encode())).public_key).decode()

    async def check() -> None:
        server = EmbeddedNats(tmp_path, f"authorization {{ users: [ {{ nkey: {public} }} ] }}")
        await server.start()
        try:
            await (await nats.connect(server.url, nkeys_seed_str=SEED)).close()
            with pytest.raises(nats.errors.Error, match="Authorization"):
                await nats.connect(server.url, nkeys_seed_str=OTHER_SEED, allow_reconnect=False, error_cb=_ignore)
        finally:
            await server.stop()

    run(check())


async def _ignore(_: Exception) -> None:
    return


def test_a_pid_file_that_names_an_unrelated_living_process_does_not_stop_the_start(tmp_path: Path) -> None:
    async def check() -> None:
        server = EmbeddedPostgres(tmp_path, sync_new_cluster=False)
        await server.start()
        await server.stop()
        data = tmp_path / "postgres" / "data"
        # Of the account under which PostgreSQL runs: those it believes to be a server.
        stranger = spawn(
            ["sleep", "60"], owner=Path("/elsewhere"), environ=os.environ, output=subprocess.DEVNULL,
            run_as=unprivileged_account(data), cwd="/",
        )  # fmt: skip
        try:
            pid_file = data / "postmaster.pid"
            pid_file.write_text(f"{stranger.pid}\n{data}\n1\n5432\n\n127.0.0.1\n\nready\n")
            await server.start()
            await server.stop()
        finally:
            await stranger.stop()

    run(check())


def test_a_creation_that_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres" / "unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")

    async def check() -> None:
        async with embedded_servers(tmp_path) as servers:
            assert await rows(servers.admin_url, "select 1") == [1]

    run(check())


def test_a_lost_password_stops_the_start_with_what_to_do(tmp_path: Path) -> None:
    async def check() -> None:
        server = EmbeddedPostgres(tmp_path, sync_new_cluster=False)
        await server.start()
        await server.stop()
        password = tmp_path / "postgres" / "superuser.password"
        password.write_text("another\n")
        with pytest.raises(StartFailed, match=r"superuser\.password"):
            await server.start()
        password.unlink()
        with pytest.raises(StartFailed, match=r"superuser\.password"):
            await server.start()
        assert server.child is None

    run(check())


def test_a_server_that_lost_its_parent_is_ended_before_a_new_one_takes_its_store(tmp_path: Path) -> None:
    """As after a crash of a supervisor on a system without death signals."""

    async def check() -> None:
        server = EmbeddedNats(tmp_path)
        await server.start()
        await server.stop()
        orphan = spawn(
            [nats_binary(), "-c", tmp_path / "nats" / "nats.conf"],
            owner=tmp_path,
            environ=os.environ,
            output=subprocess.DEVNULL,
        )
        try:
            await server.start()
            assert orphan.exit_code is not None
            await server.stop()
        finally:
            await orphan.stop()

    run(check())


PARENT = """
import asyncio, sys
from pathlib import Path
from dev.embedded import embedded_servers
async def main():
    async with embedded_servers(Path(sys.argv[1])) as servers:
        print(servers.nats.child.pid, servers.postgres.child.pid, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="death signals are a Linux feature; elsewhere the sweep does it")
def test_servers_do_not_outlive_a_parent_killed_with_sigkill(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2 and all(alive(pid) for pid in pids)
    parent.kill()
    parent.wait()
    assert all(gone(pid) for pid in pids)


def test_a_port_taken_by_another_program_is_left_to_it(tmp_path: Path) -> None:
    async def check() -> None:
        first = EmbeddedNats(tmp_path), EmbeddedPostgres(tmp_path, sync_new_cluster=False)
        for server in first:
            await server.start()
            address = server.address
            await server.stop()
            port = int((tmp_path / server.address.split(":")[0].replace("postgresql", "postgres") / "port").read_text())
            with socket.socket() as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                other.bind(("127.0.0.1", port))
                other.listen()
                await server.start()
                assert server.address != address
                await server.stop()

    run(check())


def test_a_directory_too_deep_for_a_unix_socket_works(tmp_path: Path) -> None:
    async def check() -> None:
        async with embedded_servers(tmp_path / ("deep" * 30)) as servers:
            assert await rows(servers.admin_url, "select 1") == [1]

    run(check())


def test_a_test_can_have_a_database_of_its_own(tmp_path: Path) -> None:
    async def check() -> None:
        async with embedded_servers(tmp_path) as servers:
            one, two = [await servers.postgres.create_database(name) for name in ("one", "two")]
            await execute(one, "create table only_here (v int)")
            assert await rows(two, "select count(*) from pg_tables where tablename = 'only_here'") == [0]

    run(check())
