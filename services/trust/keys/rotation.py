"""Signing keys over time: every public key is kept and published, a new one takes over between two batches, and the platform's log says so.

A key is recorded before it signs, so that whoever meets its first signature finds it in the published set.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from libs.contracts.grant import b64
from libs.contracts.message import PLATFORM
from libs.runtime.database import Database
from services.trust.bundles.watch import record
from services.trust.domain.keys import PURPOSES, KeysUnusable, LiveKeys, TrustKeys

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0


class KeyBook:
    """The published key set, and the keys in use."""

    def __init__(self, database: Database, live: LiveKeys) -> None:
        self._database = database
        self._live = live

    async def record(self, keys: TrustKeys) -> None:
        """Keep the public keys of a set: new ones as current, what they replace as retired, and compromised ones as such."""
        async with self._database.batch(PLATFORM) as work:
            connection = work.connection
            await connection.execute("select pg_advisory_xact_lock(hashtextextended('trust.signing_keys', 0))")
            facts = []
            for use in PURPOSES:
                pair = getattr(keys, use)
                fresh = await connection.fetchval(
                    "insert into trust.signing_keys (kid, use, public_key) values ($1, $2, $3) on conflict do nothing returning kid",
                    pair.kid, use, pair.public_key,
                )  # fmt: skip
                if fresh is None:
                    continue
                before = await connection.fetch(
                    "update trust.signing_keys set retired_at = now() where use = $1 and kid <> $2 and retired_at is null returning kid",
                    use, pair.kid,
                )  # fmt: skip
                kind = "key.rotated" if before else "key.introduced"
                fact = {
                    "use": use,
                    "kid": pair.kid,
                    "x": b64(pair.public_key),
                    "before": [row["kid"] for row in before],
                }
                facts.append((PLATFORM, kind, "system:trust", f"key:{pair.kid}", fact))
            for kid in keys.compromised:
                known = await connection.fetchval(
                    "update trust.signing_keys set compromised = true, retired_at = coalesce(retired_at, now()) "
                    "where kid = $1 and not compromised returning use",
                    kid,
                )
                if known:
                    facts.append(
                        (PLATFORM, "key.compromised", "system:trust", f"key:{kid}", {"use": known, "kid": kid})
                    )
            if facts:
                await record(connection, facts)

    async def adopt(self, text: str) -> bool:
        """Take over another set of keys. Returns whether anything changed. Raises KeysUnusable, and nothing changes."""
        keys = TrustKeys.from_json(text)
        if keys == self._live.current:
            return False
        if keys.identifier != self._live.identifier:
            raise KeysUnusable("the identifier key must stay: suppressions and projections are under it")
        await self.record(keys)
        self._live.switch(keys)
        log.warning("signing keys changed", extra={"ids": {use: getattr(keys, use).kid for use in PURPOSES}})
        return True

    async def watch(self, file: Path) -> None:
        """Adopt the file's keys whenever it changes, for ever. A file that is unusable is logged and changes nothing."""
        seen: tuple[int, int] | None = None
        while True:
            try:
                stat = await asyncio.to_thread(file.stat)
                if (stat.st_mtime_ns, stat.st_size) != seen:
                    seen = (stat.st_mtime_ns, stat.st_size)
                    await self.adopt(await asyncio.to_thread(file.read_text, encoding="utf-8"))
            except FileNotFoundError:
                seen = None
            except (OSError, KeysUnusable, UnicodeDecodeError) as error:
                log.error("the keys' file can't be used: %s", error)  # its text is ours and holds no key
            await asyncio.sleep(POLL_SECONDS)

    async def jwks(self) -> tuple[dict[str, Any], ...]:
        """Every public key that there ever was, as JWKs (RFC 8037). `dealix_use` says what it signs, `dealix_state` whether it still does."""
        async with self._database.batch() as work:
            rows = await work.connection.fetch(
                "select kid, use, public_key, introduced_at, retired_at, compromised from trust.signing_keys order by introduced_at, kid"
            )
        return tuple(_jwk(row) for row in rows)


def _jwk(row: Any) -> dict[str, Any]:
    state = "compromised" if row["compromised"] else "retired" if row["retired_at"] else "current"
    jwk = {
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": row["kid"], "x": b64(bytes(row["public_key"])),
        "dealix_use": row["use"], "dealix_state": state,
    }  # fmt: skip
    return {**jwk, "dealix_retired_at": row["retired_at"].isoformat()} if row["retired_at"] else jwk


Published = Callable[[], Awaitable[tuple[dict[str, Any], ...]]]
"""The public key set as it is now."""
