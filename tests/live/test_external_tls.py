"""The whole system on servers of somebody else's: TLS that verifies, credentials from files, and clear words when either is wrong."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from dev.deploy.compose import plane_files
from dev.directory import any_free_port
from dev.embedded import Servers
from dev.prepare import authorization
from dev.secrets import MIGRATOR, Secrets, load_or_create
from libs.contracts.message import Plane
from tests.deploy.certificates import authority
from tests.deploy.processes import ROOT, clean, started, wait_ready
from tests.live.tls_servers import tls_servers

pytestmark = pytest.mark.live


def mounted(folder: Path, plane: Plane, secrets: Secrets, admin_url: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in plane_files(plane.value, secrets, admin_url).items():
        (folder / name).write_text(value + "\n")
    return folder


def environment(tmp_path: Path, plane: Plane, secrets: Secrets, servers: Servers, ca: Path) -> dict[str, str]:
    return clean(
        PYTHONPATH=str(ROOT),
        DEALIX_NATS_URL=servers.nats_url,
        DEALIX_NATS_CA=str(ca),
        DEALIX_SECRETS_DIR=str(mounted(tmp_path / "mounted" / plane.value, plane, secrets, servers.admin_url)),
        DEALIX_DATA_DIR=str(tmp_path / "data"),
        DEALIX_HEALTH_HOST="127.0.0.1",
    )


def migrate(
    tmp_path: Path, secrets: Secrets, servers: Servers, ca: Path, *, admin_url: str = ""
) -> subprocess.CompletedProcess[str]:
    environ = clean(
        PYTHONPATH=str(ROOT),
        DEALIX_NATS_URL=servers.nats_url,
        DEALIX_NATS_CA=str(ca),
        DEALIX_DATABASE_URL=admin_url or servers.admin_url,
        DEALIX_MIGRATOR_NATS_SEED=secrets.nats_seeds[MIGRATOR],
        DEALIX_MIGRATOR_PASSWORDS=json.dumps(dict(secrets.database_passwords)),
    )
    command = [sys.executable, "-m", "libs.runtime.migrator"]
    return subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)


def sentence(environ: dict[str, str], plane: Plane, cwd: Path) -> str:
    """What a plane that must not serve says."""
    command = [sys.executable, "-m", f"services.{plane.value}"]
    done = subprocess.run(command, env=environ, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    [said] = done.stderr.strip().splitlines()
    return said


@pytest.mark.timeout(240)
async def test_the_main_job_runs_on_external_servers_with_tls_and_credentials_from_files(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path / "secrets.json")
    async with tls_servers(tmp_path / "servers", authorization=authorization(secrets.nats_public_keys())) as (
        servers,
        ca,
    ):
        assert servers.nats_url.startswith("tls://")
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(servers.admin_url.split("?")[0], ssl="disable")
        assert migrate(tmp_path, secrets, servers, ca).returncode == 0
        again = migrate(tmp_path, secrets, servers, ca)
        assert again.returncode == 0, again.stderr
        console = any_free_port("127.0.0.1")
        (tmp_path / "data").mkdir()
        with ExitStack() as running:
            for plane in Plane:
                environ = environment(tmp_path, plane, secrets, servers, ca) | {"DEALIX_HTTP_PORT": str(console)}
                running.enter_context(started([sys.executable, "-m", f"services.{plane.value}"], tmp_path, environ))
            assert wait_ready(console), "not every plane is ready"
            key = json.loads((tmp_path / "data" / "secrets" / "cli.json").read_text())["api_key"]
            command = [sys.executable, "-m", "dev.cli", "smoke", "--json", "--base-url", f"http://127.0.0.1:{console}"]
            done = await asyncio.to_thread(
                subprocess.run,
                [*command, "--data-dir", str(tmp_path / "data")],
                env=clean(PYTHONPATH=str(ROOT), DEALIX_API_KEY=key),
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert json.loads(done.stdout)["ok"] is True


async def test_a_certificate_that_is_wrong_is_named(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path / "secrets.json")
    rights = authorization(secrets.nats_public_keys())
    ours, theirs = authority(tmp_path / "ours"), authority(tmp_path / "theirs", "Somebody else")
    good = ours.issue("127.0.0.1")
    async with tls_servers(
        tmp_path / "named", authorization=rights, nats=ours.issue("nats.elsewhere"), postgres=good
    ) as (servers, _):
        said = sentence(environment(tmp_path, Plane.TRUST, secrets, servers, ours.file), Plane.TRUST, tmp_path)
        assert "can't be trusted" in said
        assert "not valid for '127.0.0.1'" in said
    expired = ours.issue("127.0.0.1", valid=timedelta(days=-1))
    async with tls_servers(tmp_path / "expired", authorization=rights, nats=expired, postgres=good) as (servers, _):
        said = sentence(environment(tmp_path, Plane.TRUST, secrets, servers, ours.file), Plane.TRUST, tmp_path)
        assert "expired" in said
        foreign = sentence(environment(tmp_path, Plane.TRUST, secrets, servers, theirs.file), Plane.TRUST, tmp_path)
        assert "can't be trusted" in foreign
    async with tls_servers(
        tmp_path / "database", authorization=rights, nats=good, postgres=theirs.issue("127.0.0.1")
    ) as (servers, ca):
        believed = servers.admin_url.replace(str(theirs.file).replace("/", "%2F"), str(ours.file))
        assert believed != servers.admin_url
        environ = environment(tmp_path, Plane.TRUST, secrets, servers, ours.file)
        mounted(tmp_path / "mounted" / "trust", Plane.TRUST, secrets, believed)
        said = sentence(environ, Plane.TRUST, tmp_path)
        assert said.startswith("dealix: The database at postgresql://127.0.0.1:")
        assert "can't be trusted" in said
        assert secrets.database_passwords["trust"] not in said
        refused = migrate(tmp_path, secrets, servers, ca, admin_url=believed)
        assert refused.returncode == 2
        assert len(refused.stderr.strip().splitlines()) == 1


async def test_the_migrator_needs_no_superuser_where_an_operator_keeps_the_roles(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path / "secrets.json")
    async with tls_servers(tmp_path / "servers", authorization=authorization(secrets.nats_public_keys())) as (
        servers,
        ca,
    ):
        admin = await asyncpg.connect(servers.admin_url)
        try:
            await admin.execute("create role dealix_migrator login password 'of-the-migrator'")
            await admin.execute("alter database dealix owner to dealix_migrator")
            for name in ("pg_trgm", "unaccent", "vector"):
                await admin.execute(f"create extension {name}")
            owner = servers.admin_url.replace("postgres:", "dealix_migrator:", 1)
            login = owner.split("//", 1)[1].split("@", 1)[0]
            owner = owner.replace(login, "dealix_migrator:of-the-migrator")
            environ_secrets = Secrets(
                secret_key=secrets.secret_key,
                nats_seeds=secrets.nats_seeds,
                database_passwords={},
                trust_keys=secrets.trust_keys,
            )
            refused = migrate(tmp_path, environ_secrets, servers, ca, admin_url=owner)
            assert refused.returncode == 2
            assert "dealix_decision does not exist" in refused.stderr
            for plane in Plane:
                password = secrets.database_passwords[plane.value]
                await admin.execute(
                    f"create role dealix_{plane.value} login noinherit nobypassrls password '{password}'"
                )
        finally:
            await admin.close()
        done = migrate(tmp_path, environ_secrets, servers, ca, admin_url=owner)
        assert done.returncode == 0, done.stderr
        with started(
            [sys.executable, "-m", "services.operating"],
            tmp_path,
            environment(tmp_path, Plane.OPERATING, secrets, servers, ca)
            | {"DEALIX_HEALTH_PORT": (port := str(any_free_port("127.0.0.1")))},
        ):
            assert wait_ready(int(port))
