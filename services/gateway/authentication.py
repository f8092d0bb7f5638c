"""Proving who somebody is: passwords, second factor, sessions, API keys. Every attempt counts before it is made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

import argon2
import argon2.exceptions

from libs.contracts.message import Plane, TenantId, new_id
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from services.gateway.domain import keys, totp
from services.gateway.domain.keyring import Keyring, SealBroken, same
from services.gateway.domain.passwords import LONGEST, normal_email
from services.gateway.domain.people import SEEN_EVERY, Caller, Session, User
from services.gateway.domain.reach import is_remote
from services.gateway.domain.throttle import ACCOUNT, ADDRESS, CODE
from services.gateway.errors import (
    KeyExpired,
    LockedOut,
    SecondFactorRequired,
    SessionEnded,
    SsoRequired,
    UnknownKey,
    WrongCode,
    WrongCredentials,
)
from services.gateway.settings import GatewaySettings
from services.gateway.store import Opened, Store, Unit

CHALLENGE = timedelta(minutes=5)
HASHES_AT_ONCE = 2
"""Each takes 64 MiB for a tenth of a second: more at once would let a crowd of logins exhaust the machine."""


class Hasher:
    """Argon2id (RFC 9106, second recommended option) off the event loop, a few at a time."""

    def __init__(self, hasher: argon2.PasswordHasher | None = None) -> None:
        self._hasher = hasher or argon2.PasswordHasher()
        self._slots = asyncio.Semaphore(HASHES_AT_ONCE)
        self._dummy = self._hasher.hash(token_urlsafe(16))

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Whether it is the password. Without a hash it takes as long, and says no."""
        async with self._slots:
            right = await asyncio.to_thread(self._verify, hashed or self._dummy, password)
        return right and hashed is not None

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session, and the cookie's value: it is nowhere else."""

    user: User
    session: Session
    token: str


class Authentication:
    def __init__(
        self, store: Store, keyring: Keyring, hasher: Hasher, settings: GatewaySettings, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._settings = settings
        self._now = now
        self.hasher = hasher

    # -- doors ---------------------------------------------------------------------------------------------------

    def email_door(self, email: str) -> bytes:
        return self._keyring.mac("door", b"email", normal_email(email).encode())

    def key_door(self, key_id: UUID) -> bytes:
        return self._keyring.mac("door", b"key", key_id.bytes)

    def _session_door(self, token: str) -> bytes:
        return self._keyring.mac("door", b"session", token.encode())

    # -- who is this ---------------------------------------------------------------------------------------------

    async def by_key(self, text: str) -> Caller:
        """The holder of an API key.

        Raises UnknownKey, also for a revoked one and for one whose person was shut out; KeyExpired.
        """
        given = keys.parse(text)
        opened = await self._store.open_key(self.key_door(given.key_id)) if given else None
        if given is None or opened is None or opened.key is None:
            raise UnknownKey
        key = opened.key
        if not same(given.hash(self._keyring), key.secret_hash) or key.revoked_at is not None or opened.user.disabled:
            raise UnknownKey
        if key.expired(opened.now):
            raise KeyExpired
        await self._note_use(opened, key.used_at)
        return Caller(key.principal(opened.user), opened.user, key=key)

    async def by_cookie(self, token: str) -> Caller:
        """The holder of a session cookie.

        Raises SessionEnded.
        """
        opened = await self._store.open_session(self._session_door(token[:200]))
        if opened is None or opened.session is None or opened.user.disabled:
            raise SessionEnded
        if not opened.session.alive(opened.now, self._settings.session_idle):
            raise SessionEnded
        await self._note_use(opened, opened.session.seen_at)
        return Caller(opened.user.principal(), opened.user, session=opened.session)

    async def _note_use(self, opened: Opened, last: datetime | None) -> None:
        if last is None or opened.now - last >= SEEN_EVERY:
            await self._store.seen(opened)

    # -- signing in ----------------------------------------------------------------------------------------------

    async def sign_in(self, email: str, password: str, *, code: str | None, address: str) -> SignedIn:
        """A session for a password, and for the six digits where the person has a second factor.

        Raises LockedOut, WrongCredentials, SecondFactorRequired, WrongCode.
        """
        door = self.email_door(email)
        await self._count(self._keyring.mac("attempt", b"address", address.encode()), ADDRESS)
        account = self._keyring.mac("attempt", b"account", door)
        await self._count(account, ACCOUNT)
        user = await self._by_email(door)
        right = await self.hasher.matches(user.password_hash if user else None, password[: LONGEST + 1])
        if user is None or not right or user.disabled:
            await self._failed(user, "password")
            raise WrongCredentials
        await self._store.forgive(account)
        if self._settings.gateway_oidc_only and "owner" not in user.roles:
            await self._failed(user, "sso_required")
            raise SsoRequired
        if not user.totp_on:
            return await self._enter(user, second_factor=False, address=address)
        if code is None:
            raise SecondFactorRequired(self._challenge(user))
        await self._check_code(user, code)
        return await self._enter(user, second_factor=True, address=address)

    async def answer(self, challenge: str, code: str, *, address: str = "") -> SignedIn:
        """The second step. Raises SessionEnded for a challenge that is not ours or too old, LockedOut, WrongCode."""
        try:
            said = json.loads(self._keyring.open("challenge", bytes.fromhex(challenge)))
        except (SealBroken, ValueError) as error:
            raise SessionEnded from error
        if self._now().timestamp() > said["until"]:
            raise SessionEnded
        async with self._store.unit(UUID(said["tenant"])) as unit:
            user = await unit.user(UUID(said["user"]))
        if user is None or user.disabled or not user.totp_on:
            raise SessionEnded
        await self._check_code(user, code)
        return await self._enter(user, second_factor=True, address=address)

    async def sign_out(self, session: Session) -> None:
        async with self._store.unit(session.tenant_id) as unit:
            await unit.end_sessions(session.user_id, only=session.session_id)
            await self.record(
                unit, session.tenant_id, "session.ended", f"user:{session.user_id}", f"user:{session.user_id}"
            )

    async def again(self, user: User, password: str) -> None:
        """The same person, asked once more.

        Raises LockedOut, WrongCredentials.
        """
        door = self._keyring.mac("attempt", b"again", user.user_id.bytes)
        await self._count(door, CODE)
        if not await self.hasher.matches(user.password_hash, password[: LONGEST + 1]):
            raise WrongCredentials
        await self._store.forgive(door)

    async def check_totp(self, user: User, secret: str, code: str) -> None:
        """Six digits against a secret, used up when they fit.

        Raises LockedOut, WrongCode.
        """
        door = self._keyring.mac("attempt", b"code", user.user_id.bytes)
        await self._count(door, CODE)
        step = totp.matching_step(secret, code, self._now(), user.totp_step)
        taken = False
        if step is not None:
            async with self._store.unit(user.tenant_id) as unit:
                taken = await unit.use_totp_step(user.user_id, step)
        if not taken:
            await self._failed(user, "code")
            raise WrongCode
        await self._store.forgive(door)

    async def _check_code(self, user: User, code: str) -> None:
        secret = self._keyring.open("totp", user.totp_secret or b"").decode()
        await self.check_totp(user, secret, code)

    def _challenge(self, user: User) -> str:
        until = (self._now() + CHALLENGE).timestamp()
        said = {"tenant": str(user.tenant_id), "user": str(user.user_id), "until": until}
        return self._keyring.seal("challenge", json.dumps(said).encode()).hex()

    async def enter(
        self, user: User, *, life: timedelta, by: str, second_factor: bool | None = None, address: str = ""
    ) -> SignedIn:
        """A session for somebody whom `by` has vouched for, of `life` at most. `second_factor` is what `by` says; None: nothing."""
        return await self._enter(
            user, second_factor=second_factor, address=address, life=min(life, self._settings.session_life), by=by
        )

    async def _enter(
        self,
        user: User,
        *,
        second_factor: bool | None,
        address: str,
        life: timedelta | None = None,
        by: str = "password",
    ) -> SignedIn:
        """A new session each time: whatever cookie the browser had before proves nothing (session fixation)."""
        token = token_urlsafe(32)
        async with self._store.unit(user.tenant_id) as unit:
            now = await unit.now()
            session = Session(
                user.tenant_id, new_id(), user.user_id, now, now, now + (life or self._settings.session_life),
                second_factor, is_remote(address), by,
            )  # fmt: skip
            await unit.add_session(session, self._session_door(token))
            await self.record(
                unit, user.tenant_id, "session.started", user.actor, user.actor, second_factor=second_factor, by=by
            )
        return SignedIn(user, session, token)

    async def _by_email(self, door: bytes) -> User | None:
        found = await self._store.door(door)
        if found is None:
            return None
        async with self._store.unit(found.tenant_id) as unit:
            return await unit.user(found.subject_id)

    async def _count(self, door: bytes, throttle: Any) -> None:
        if (wait := await self._store.attempt(door, throttle)) is not None:
            raise LockedOut(wait)

    async def _failed(self, user: User | None, what: str) -> None:
        """A failure at an existing account goes into its tenant's ledger; a guessed address belongs to nobody."""
        if user is not None:
            async with self._store.unit(user.tenant_id) as unit:
                await self.record(unit, user.tenant_id, "session.refused", user.actor, user.actor, what=what)

    async def record(self, unit: Unit, tenant_id: TenantId, kind: str, actor: str, target: str, **data: Any) -> None:
        """An entry for the ledger, committed with the unit. Ids and words only, no personal data."""
        unit.emit(
            AUDITED[Plane.GATEWAY],
            AuditRecorded(
                entry_id=new_id(), tenant_id=tenant_id, kind=kind, actor=actor, target=target, at=await unit.now(), data=data,
                trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip
