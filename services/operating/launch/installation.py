"""What the installation itself says: every plane of its credentials, the database's own catalogue, the recoveries on record."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from libs.contracts.errors import DealixError
from libs.contracts.launch import CredentialsRequest, GateResult, GateSeen, OwnCredentials
from libs.contracts.message import PLATFORM, Plane, Text
from libs.contracts.subjects import OWN_CREDENTIALS
from libs.runtime.own_credentials import own_credentials
from libs.runtime.plane import Runtime

_R = GateResult
RESTORED_DAYS = 30
_RESTORED = """
select count(*) as rows, max(at) > now() - make_interval(days => $1) as fresh from operating.recoveries where kind = 'restore_test'
"""
# A policy stays when row security is switched off, so that what was switched off is found.
_ROWS = """
select count(*) as rows, count(*) filter (where not (c.relrowsecurity and c.relforcerowsecurity and p.by_tenant)) as failing,
  (array_agg(n.nspname || '.' || c.relname order by 1) filter (where not (c.relrowsecurity and c.relforcerowsecurity and p.by_tenant)))[1:5] as sample
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join lateral (select count(*) as policies, bool_and(pg_get_expr(polqual, polrelid) like '%dealix.tenants%') as by_tenant
  from pg_policy where polrelid = c.oid) p on p.policies > 0
where n.nspname = any($1::text[]) and exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')
"""
_ROLES = "select rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as wide from pg_roles where rolname = any($1::text[])"
SILENT = Text(en="A plane did not say which credentials it has.", ar="لم يفصح أحد المستويات عن بيانات اعتماده.")


class Installation:
    """Reads what concerns every tenant alike."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def look(self) -> dict[str, GateSeen]:
        """Everything, by what the gates name it."""
        held, (rows, restored) = await asyncio.gather(self._held(), self._database())
        found = [own_secrets(held), public_address(held), await self._credentials(held), rows, restored]
        return {one.what: one for one in found}

    async def _held(self) -> dict[Plane, OwnCredentials | None]:
        """What each plane says; None for one that does not answer."""

        async def ask(plane: Plane) -> OwnCredentials | None:
            try:
                return await self._runtime.bus.call(OWN_CREDENTIALS[plane], CredentialsRequest())
            except DealixError:
                return None

        others = tuple(OWN_CREDENTIALS)
        said = await asyncio.gather(*(ask(plane) for plane in others))
        own = await own_credentials(self._runtime, CredentialsRequest())
        return {**dict(zip(others, said, strict=True)), Plane.OPERATING: own}

    async def _database(self) -> tuple[GateSeen, GateSeen]:
        async with self._runtime.database.batch(PLATFORM) as work:
            rows = await work.connection.fetchrow(_ROWS, [plane.value for plane in Plane])
            restored = await work.connection.fetchrow(_RESTORED, RESTORED_DAYS)
        return row_security(rows), restore_tested(restored)

    async def _credentials(self, held: dict[Plane, OwnCredentials | None]) -> GateSeen:
        users = [one.database_user for one in held.values() if one is not None]
        async with self._runtime.database.batch() as work:
            roles = await work.connection.fetch(_ROLES, users)
        return plane_credentials(held, [row["rolname"] for row in roles if row["wide"]])


def _seen(what: str, result: GateResult, en: str, ar: str, rows: int = 0, failing: int = 0) -> GateSeen:
    return GateSeen(what=f"installation:{what}", result=result, why=Text(en=en, ar=ar), rows=rows, failing=failing)


def _silent(what: str, held: dict[Plane, OwnCredentials | None]) -> GateSeen:
    mute = sorted(plane.value for plane, one in held.items() if one is None)
    return _seen(what, _R.UNKNOWN, f"{SILENT.en} ({', '.join(mute)})", f"{SILENT.ar} ({'، '.join(mute)})")


def own_secrets(held: dict[Plane, OwnCredentials | None]) -> GateSeen:
    """Weak ones of planes that answer fail at once; without an answer of every plane nothing passes."""
    weak = sorted({name for one in held.values() if one is not None for name in one.weak})
    rows = sum(one.secrets for one in held.values() if one is not None)
    if weak:
        named = ", ".join(weak)
        return _seen(
            "own_secrets", _R.FAIL, f"Weak or well known: {named}.", f"ضعيفة أو معروفة: {named}.", rows, len(weak)
        )
    if not held or any(one is None or not one.secrets for one in held.values()):
        return _silent("own_secrets", held)
    return _seen("own_secrets", _R.PASS, f"{rows} secrets, none weak.", f"عدد الأسرار {rows}، وليس بينها ضعيف.", rows)


def public_address(held: dict[Plane, OwnCredentials | None]) -> GateSeen:
    """Where browsers go: over TLS, or not beyond this host."""
    said = held.get(Plane.GATEWAY)
    if said is None:
        return _silent("public_address", {Plane.GATEWAY: None})
    if said.plain_addresses:
        named = ", ".join(said.plain_addresses)
        return _seen("public_address", _R.FAIL, f"Reached without TLS: {named}.", f"تُفتح بلا TLS: {named}.", 1, 1)
    return _seen(
        "public_address", _R.PASS, "The console is reached over TLS, or from this host alone.", "تُفتح الواجهة عبر TLS أو من هذا الجهاز وحده.", 1
    )  # fmt: skip


def plane_credentials(held: dict[Plane, OwnCredentials | None], wide: Sequence[str]) -> GateSeen:
    """Nobody's twice, and no role that the database lets do everything."""
    said = [one for one in held.values() if one is not None]
    shared = [
        name
        for kind in ("database_user", "nats_user")
        for name, times in Counter(getattr(one, kind) for one in said).items()
        if times > 1
    ]
    if bad := sorted({*shared, *wide}):
        named = ", ".join(bad)
        return _seen(
            "plane_credentials", _R.FAIL, f"Shared by planes, or too powerful: {named}.", f"مشتركة بين المستويات أو واسعة الصلاحية: {named}.",
            len(said), len(bad),
        )  # fmt: skip
    if not held or any(one is None for one in held.values()):
        return _silent("plane_credentials", held)
    return _seen(
        "plane_credentials", _R.PASS, f"{len(said)} planes, each with its own role and bus user.",
        f"عدد المستويات {len(said)}، لكلٍّ دوره ومستخدمه.", len(said),
    )  # fmt: skip


def row_security(row: Any) -> GateSeen:
    rows, failing = row["rows"], row["failing"]
    if failing:
        named = ", ".join(row["sample"])
        return _seen("row_security", _R.FAIL, f"Not in force: {named}.", f"غير مفعّل: {named}.", rows, failing)
    if not rows:
        return _seen("row_security", _R.UNKNOWN, "No table was found.", "لم يُعثر على أي جدول.")
    return _seen("row_security", _R.PASS, f"In force on {rows} tables.", f"مفعّل على {rows} جدولًا.", rows)


def restore_tested(row: Any) -> GateSeen:
    rows = row["rows"]
    if not rows:
        return _seen("restore_tested", _R.UNKNOWN, "No restore is on record.", "لا توجد استعادة مسجّلة.")
    if row["fresh"]:
        return _seen("restore_tested", _R.PASS, "Restored within 30 days.", "استُعيدت خلال 30 يومًا.", rows)
    return _seen(
        "restore_tested", _R.FAIL, "The newest restore is older than 30 days.", "مضى على آخر استعادة أكثر من 30 يومًا.", rows, 1
    )  # fmt: skip
