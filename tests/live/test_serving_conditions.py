"""A plane says in one sentence what is wrong, and does not serve."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from dev.secrets import Secrets
from libs.contracts import subjects, trust
from libs.contracts.message import Plane
from libs.runtime.migrate import script_location
from libs.runtime.plane import utc_now
from libs.runtime.preflight import preflight
from libs.runtime.settings import SettingsError, load
from tests.live.harness import prepared_servers, system

pytestmark = pytest.mark.live


def environment(plane: Plane, nats_url: str, admin_url: str, secrets: Secrets) -> dict[str, str]:
    prefix = f"DEALIX_{plane.value.upper()}_"
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("DEALIX_")},
        "DEALIX_NATS_URL": nats_url,
        f"{prefix}NATS_SEED": secrets.nats_seeds[plane.value],
        f"{prefix}DATABASE_URL": secrets.database_url(plane.value, admin_url),
        "DEALIX_SECRET_KEY": secrets.secret_key,
    }


def refusal(plane: Plane, environ: dict[str, str], cwd: Path) -> str:
    """Start a plane that must not serve; the sentence it says."""
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-m", f"services.{plane.value}"],
        env={**environ, "PYTHONPATH": root},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode == 2, done.stderr
    assert len(said) == 1, said
    return said[0]


async def test_wrong_credentials_are_named_and_the_plane_ends(tmp_path: Path) -> None:
    async with prepared_servers(tmp_path / "servers") as (servers, secrets):
        good = environment(Plane.DATA, servers.nats_url, servers.admin_url, secrets)

        without = {name: value for name, value in good.items() if name != "DEALIX_DATA_NATS_SEED"}
        assert "DEALIX_DATA_NATS_SEED is not set" in refusal(Plane.DATA, without, tmp_path)

        foreign = {**good, "DEALIX_DATA_NATS_SEED": secrets.nats_seeds["decision"]}
        assert "is not the data plane's" in refusal(Plane.DATA, foreign, tmp_path)

        unknown = {**good, "DEALIX_DATA_NATS_SEED": "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"}
        assert "does not know the key in DEALIX_DATA_NATS_SEED" in refusal(Plane.DATA, unknown, tmp_path)

        garbled = {**good, "DEALIX_DATA_NATS_SEED": "SUnothing"}
        assert "no usable NKEY seed" in refusal(Plane.DATA, garbled, tmp_path)

        role = {**good, "DEALIX_DATA_DATABASE_URL": secrets.database_url("trust", servers.admin_url)}
        assert "logs in as dealix_trust" in refusal(Plane.DATA, role, tmp_path)

        password = {
            **good,
            "DEALIX_DATA_DATABASE_URL": good["DEALIX_DATA_DATABASE_URL"].replace("dealix_data:", "dealix_data:x"),
        }
        assert "refuses the login in DEALIX_DATA_DATABASE_URL" in refusal(Plane.DATA, password, tmp_path)


async def test_a_mounted_secret_of_another_plane_stops_the_start(tmp_path: Path) -> None:
    async with prepared_servers(tmp_path / "servers") as (servers, secrets):
        good = environment(Plane.DATA, servers.nats_url, servers.admin_url, secrets)
        mounted = tmp_path / "mounted"
        mounted.mkdir()
        (mounted / "DEALIX_TRUST_KEYS").write_text(secrets.trust_keys_json())
        said = refusal(Plane.DATA, {**good, "DEALIX_SECRETS_DIR": str(mounted)}, tmp_path)
        assert "belongs to trust: the data plane must not hold it" in said

        missing = refusal(Plane.DATA, {**good, "DEALIX_SECRETS_DIR": str(tmp_path / "nowhere")}, tmp_path)
        assert "DEALIX_SECRETS_DIR" in missing
        assert "No such file" in missing


async def test_a_schema_older_or_newer_than_this_version_is_not_served(tmp_path: Path) -> None:
    async with prepared_servers(tmp_path / "servers") as (servers, secrets):
        good = environment(Plane.OPERATING, servers.nats_url, servers.admin_url, secrets)
        admin = await asyncpg.connect(servers.admin_url)
        try:
            head = await admin.fetchval("select version_num from operating.alembic_version")
            await admin.execute("update operating.alembic_version set version_num = '9999_of_tomorrow'")
            said = refusal(Plane.OPERATING, good, tmp_path)
            assert "9999_of_tomorrow, which this version does not know" in said
            with _Environment(good):
                allowed = load(Plane.OPERATING).model_copy(update={"schema_ahead": "allow"})
            await preflight(allowed, utc_now)

            await admin.execute("delete from operating.alembic_version")
            said = refusal(Plane.OPERATING, good, tmp_path)
            assert f"is at nothing and this version needs {head}" in said
            await admin.execute("drop table operating.alembic_version")
            assert "does not exist yet; run the migrator first" in refusal(Plane.OPERATING, good, tmp_path)
        finally:
            await admin.close()
    assert script_location(Plane.OPERATING).is_dir()


async def test_clocks_apart_by_minutes_are_named(tmp_path: Path) -> None:
    async with prepared_servers(tmp_path / "servers") as (servers, secrets):
        with _Environment(environment(Plane.TRUST, servers.nats_url, servers.admin_url, secrets)):
            settings = load(Plane.TRUST)
        await preflight(settings, utc_now)
        for minutes, word in ((3, "ahead of"), (-3, "behind")):
            with pytest.raises(SettingsError, match=f"18[01] s {word}|179 s {word}"):
                await preflight(settings, lambda minutes=minutes: utc_now() + timedelta(minutes=minutes))


async def test_the_health_door_says_ready_only_while_the_plane_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEALIX_HEALTH_PORT", "0")
    monkeypatch.setenv("DEALIX_HEALTH_HOST", "127.0.0.1")
    async with system(tmp_path, Plane.EXECUTION, Plane.TRUST, Plane.DATA) as running:
        plane = running.planes[Plane.EXECUTION]
        assert plane._door is not None
        base = f"http://127.0.0.1:{plane._door.port}"
        status, body = await asyncio.to_thread(get, f"{base}/readyz")
        assert (status, json.loads(body)["ready"]) == (200, True)
        assert json.loads(body)["checks"].keys() >= {"bus", "database"}
        status, metrics = await asyncio.to_thread(get, f"{base}/metrics")
        assert 'dealix_due_backlog{plane="execution"} 0' in metrics
        assert 'dealix_outbox_unpublished{plane="execution"}' in metrics
        async with running.bus(Plane.GATEWAY) as bus:
            await bus.call(subjects.KEYS, trust.KeysRequest())
        _, metrics = await asyncio.to_thread(get, f"{base}/metrics")
        assert 'dealix_calls_total{subject="trust.keys.v1",outcome="ok"}' in metrics
        plane.serving = False
        status, body = await asyncio.to_thread(get, f"{base}/readyz")
        assert (status, json.loads(body)["ready"]) == (503, False)
        assert (await asyncio.to_thread(get, f"{base}/healthz"))[0] == 200
        assert (await asyncio.to_thread(get, f"{base}/etc/passwd"))[0] == 404


def get(url: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _set(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> _Environment:
    return _Environment(environ)


class _Environment:
    """The process's environment as a plane would find it, for as long as the block lasts."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._given = environ

    def __enter__(self) -> None:
        self._before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self._given)

    def __exit__(self, *_: object) -> None:
        os.environ.clear()
        os.environ.update(self._before)
