"""Keeping people and keys: add, change, shut out. Who may do what to whom is decided here; that they may at all, at the route."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.roles import ALL_SCOPES, roles
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import new_id
from services.gateway.authentication import Authentication
from services.gateway.domain import keys, passwords, totp
from services.gateway.domain.keyring import Keyring
from services.gateway.domain.people import BY_PROVIDER, ApiKey, Caller, User
from services.gateway.errors import EditConflict, LastOwner, Unprocessable
from services.gateway.store import Store, Unit

GIVABLE = frozenset({"owner", "admin", "approver", "operator", "member", "auditor", "compliance_officer"})
"""Roles of people. `api_client` is a key's."""
MOST_OWNERS = 200


class People:
    def __init__(self, store: Store, keyring: Keyring, authentication: Authentication) -> None:
        self._store = store
        self._keyring = keyring
        self._authentication = authentication

    # -- users ---------------------------------------------------------------------------------------------------

    async def add(
        self, caller: Caller, *, email: str, name: str, given: Sequence[str], business_role: str | None
    ) -> tuple[User, str]:
        """A new person of the caller's tenant, with a first password that is shown once and must be changed.

        Raises EmailTaken, Unprocessable, Forbidden.
        """
        _check_roles(caller, given, business_role)
        password = passwords.generate()
        hashed = await self._authentication.hasher.hash(password)
        async with self._store.unit(caller.principal.tenant_id) as unit:
            user = User(
                caller.principal.tenant_id, new_id(), passwords.normal_email(email), name, tuple(given), business_role, hashed,
                True, None, False, 0, False, 1, await unit.now(), caller.principal.id,
            )  # fmt: skip
            await unit.add_user(user, self._authentication.email_door(email))
            await self._record(unit, caller, "user.added", user, roles=list(given))
        return user, password

    async def users(self, caller: Caller, after: UUID | None, limit: int) -> list[User]:
        async with self._store.unit(caller.principal.tenant_id) as unit:
            return await unit.users(after, limit)

    async def user(self, caller: Caller, user_id: UUID) -> User:
        """Raises NotFound, for another tenant's id as well."""
        async with self._store.unit(caller.principal.tenant_id) as unit:
            return await _load(unit, user_id)

    async def names(self, caller: Caller, principals: Iterable[str]) -> dict[str, str]:
        """What the tenant's people among these principals (`user:<id>`) are called; others are not in the answer."""
        named: dict[str, str] = {}
        async with self._store.unit(caller.principal.tenant_id) as unit:
            for principal in {one for one in principals if one.startswith("user:")}:
                with suppress(ValueError):
                    found = await unit.user(UUID(principal.removeprefix("user:")))
                    named |= {principal: found.name} if found else {}
        return named

    async def change(self, caller: Caller, user_id: UUID, version: int | None, **changes: Any) -> User:
        """Change name, roles, business role or whether a person is shut out; who loses rights is signed out.

        Raises NotFound, EditConflict, LastOwner, Forbidden, Unprocessable.
        """
        async with self._store.unit(caller.principal.tenant_id) as unit:
            user = await _load(unit, user_id)
            if version is not None and version != user.version:
                raise EditConflict
            changed = replace(user, **changes)
            if "owner" in user.roles and "owner" not in caller.principal.roles:
                raise Forbidden
            if changed.roles != user.roles and user_id == caller.user.user_id:
                raise Forbidden("own_roles", "Nobody changes their own roles.", "لا يغيّر أحد أدواره بنفسه.")
            if changed.roles != user.roles or changed.business_role != user.business_role:
                _check_roles(caller, changed.roles, changed.business_role, had=user.roles)
            loses = "owner" in user.roles and ("owner" not in changed.roles or changed.disabled)
            if loses and await _other_owners(unit, user_id) == 0:
                raise LastOwner
            if not await unit.save_user(changed):
                raise EditConflict
            if changed.roles != user.roles or changed.disabled:
                await unit.end_sessions(user_id)
            await self._record(unit, caller, "user.changed", user, changed=sorted(changes))
            return await _load(unit, user_id)

    async def provision(
        self, caller: Caller, *, email: str, name: str, active: bool, external_id: str | None = None
    ) -> User:
        """A person whom an identity provider brings, as a member; somebody removed before comes back without their old rights.

        They sign in through the provider and have no password here. Raises EmailTaken.
        """
        tenant = caller.principal.tenant_id
        door = await self._store.door(self._authentication.email_door(email))
        async with self._store.unit(tenant) as unit:
            known = await unit.user(door.subject_id) if door is not None and door.tenant_id == tenant else None
            if known is not None and not known.roles:
                back = replace(
                    known,
                    name=name,
                    roles=("member",),
                    password_hash="",
                    must_change=False,
                    disabled=not active,
                    external_id=external_id,
                )
                if not await unit.save_user(back):
                    raise EditConflict
                await self._record(unit, caller, "user.provisioned", back, again=True)
                return await _load(unit, known.user_id)
            user = User(
                tenant, new_id(), passwords.normal_email(email), name, ("member",), None, "", False, None, False, 0, False, 1,
                await unit.now(), BY_PROVIDER, external_id,
            )  # fmt: skip
            await unit.add_user(user, self._authentication.email_door(email))
            if not active:
                await unit.save_user(replace(user, disabled=True))
            await self._record(unit, caller, "user.provisioned", user)
            return await _load(unit, user.user_id)

    async def remove(self, caller: Caller, user_id: UUID) -> None:
        """Take all rights of a person and end their sessions. Who they were stays on record, with what they did.

        Raises NotFound, Forbidden, LastOwner, EditConflict.
        """
        async with self._store.unit(caller.principal.tenant_id) as unit:
            user = await _load(unit, user_id)
            if "owner" in user.roles and "owner" not in caller.principal.roles:
                raise Forbidden
            if "owner" in user.roles and await _other_owners(unit, user_id) == 0:
                raise LastOwner
            gone = replace(user, roles=(), business_role=None, totp_on=False, totp_secret=None, disabled=True)
            if not await unit.save_user(gone):
                raise EditConflict
            await unit.end_sessions(user_id)
            await self._record(unit, caller, "user.removed", user)

    async def reset_password(self, caller: Caller, user_id: UUID) -> str:
        """A new first password for somebody who forgot theirs; their sessions and second factor end.

        Raises NotFound, Forbidden.
        """
        password = passwords.generate()
        hashed = await self._authentication.hasher.hash(password)
        async with self._store.unit(caller.principal.tenant_id) as unit:
            user = await _load(unit, user_id)
            if "owner" in user.roles and "owner" not in caller.principal.roles:
                raise Forbidden
            fresh = replace(user, password_hash=hashed, must_change=True, totp_on=False, totp_secret=None)
            if not await unit.save_user(fresh):
                raise EditConflict
            await unit.end_sessions(user_id)
            # Whoever has to prove themselves anew does so before their number speaks for them again.
            await unit.webhooks.drop_number(user_id)
            await self._record(unit, caller, "user.password_reset", user)
        return password

    async def unlock(self, caller: Caller, user_id: UUID) -> None:
        """Open an account that wrong attempts have closed. Raises NotFound."""
        user = await self.user(caller, user_id)
        door = self._authentication.email_door(user.email)
        await self._store.forgive(self._keyring.mac("attempt", b"account", door))
        await self._store.forgive(self._keyring.mac("attempt", b"code", user.user_id.bytes))

    # -- oneself -------------------------------------------------------------------------------------------------

    async def change_password(self, caller: Caller, current: str, new: str) -> None:
        """Raises LockedOut, WrongCredentials, Unprocessable."""
        await self._authentication.again(caller.user, current)
        if objection := passwords.objection(new, caller.user.email):
            raise Unprocessable("password_refused", objection.en, objection.ar)
        hashed = await self._authentication.hasher.hash(new)
        async with self._store.unit(caller.principal.tenant_id) as unit:
            user = await _load(unit, caller.user.user_id)
            if not await unit.save_user(replace(user, password_hash=hashed, must_change=False)):
                raise EditConflict
            # Whoever else sits in a session of this person is out.
            await unit.end_sessions(user.user_id, keep=caller.session.session_id if caller.session else None)
            await self._record(unit, caller, "user.password_changed", user)

    async def enrol(self, caller: Caller, password: str) -> tuple[str, str]:
        """A new second factor, not in force until `confirm`. Returns its secret and the URI that an app scans.

        Raises LockedOut, WrongCredentials.
        """
        await self._authentication.again(caller.user, password)
        secret = totp.new_secret()
        async with self._store.unit(caller.principal.tenant_id) as unit:
            user = await _load(unit, caller.user.user_id)
            if user.totp_on:
                raise Unprocessable(
                    "second_factor_on", "Remove the second factor first.", "أوقف التحقق بخطوتين الحالي أولًا."
                )
            if not await unit.save_user(replace(user, totp_secret=self._keyring.seal("totp", secret.encode()))):
                raise EditConflict
        return secret, totp.uri(secret, user.email)

    async def confirm(self, caller: Caller, code: str) -> None:
        """Put the enrolled second factor in force. Raises LockedOut, WrongCode, Unprocessable."""
        user = await self.user(caller, caller.user.user_id)
        if user.totp_secret is None or user.totp_on:
            raise Unprocessable(
                "no_enrolment", "No second factor waits to be confirmed.", "لا يوجد تحقق بخطوتين بانتظار التأكيد."
            )
        await self._authentication.check_totp(user, self._keyring.open("totp", user.totp_secret).decode(), code)
        async with self._store.unit(caller.principal.tenant_id) as unit:
            if not await unit.save_user(replace(user, totp_on=True)):
                raise EditConflict
            await self._record(unit, caller, "user.second_factor_on", user)

    async def remove_factor(self, caller: Caller, password: str) -> None:
        """Raises LockedOut, WrongCredentials."""
        await self._authentication.again(caller.user, password)
        async with self._store.unit(caller.principal.tenant_id) as unit:
            user = await _load(unit, caller.user.user_id)
            if not await unit.save_user(replace(user, totp_on=False, totp_secret=None)):
                raise EditConflict
            await self._record(unit, caller, "user.second_factor_off", user)

    # -- keys ----------------------------------------------------------------------------------------------------

    async def add_key(
        self, caller: Caller, *, name: str, scopes: Sequence[str], personal: bool, expires_at: datetime | None
    ) -> tuple[ApiKey, str]:
        """A key and its text, which is shown once. A key never reaches further than whoever makes it.

        Raises Unprocessable, Forbidden.
        """
        _check_scopes(caller, scopes)
        text = keys.mint(new_id())
        async with self._store.unit(caller.principal.tenant_id) as unit:
            now = await unit.now()
            if expires_at is not None and expires_at <= now:
                raise Unprocessable("expired_already", "expires_at lies in the past.", "تاريخ الانتهاء في الماضي.")
            key = ApiKey(
                caller.principal.tenant_id, text.key_id, caller.user.user_id, personal, name, text.hash(self._keyring),
                tuple(scopes), now, caller.principal.id, expires_at, None, None,
            )  # fmt: skip
            await unit.add_key(key, self._authentication.key_door(key.key_id))
            await self._authentication.record(
                unit,
                key.tenant_id,
                "key.created",
                caller.principal.id,
                f"key:{key.key_id}",
                scopes=list(scopes),
                personal=personal,
            )
        return key, str(text)

    async def keys(self, caller: Caller, after: UUID | None, limit: int) -> list[ApiKey]:
        async with self._store.unit(caller.principal.tenant_id) as unit:
            return await unit.keys(after, limit)

    async def revoke_key(self, caller: Caller, key_id: UUID) -> None:
        """Raises NotFound."""
        async with self._store.unit(caller.principal.tenant_id) as unit:
            if not await unit.revoke_key(key_id):
                raise NotFound
            await self._authentication.record(
                unit, caller.principal.tenant_id, "key.revoked", caller.principal.id, f"key:{key_id}"
            )

    async def _record(self, unit: Unit, caller: Caller, kind: str, user: User, **data: Any) -> None:
        await self._authentication.record(unit, user.tenant_id, kind, caller.principal.id, user.actor, **data)


async def _load(unit: Unit, user_id: UUID) -> User:
    user = await unit.user(user_id)
    if user is None:
        raise NotFound
    return user


async def _other_owners(unit: Unit, user_id: UUID) -> int:
    users = await unit.users(None, MOST_OWNERS)
    return sum(1 for u in users if "owner" in u.roles and not u.disabled and u.user_id != user_id)


def _check_roles(caller: Caller, given: Sequence[str], business_role: str | None, had: Sequence[str] = ()) -> None:
    unknown = sorted(set(given) - GIVABLE)
    if unknown or not given:
        names = ", ".join(sorted(GIVABLE))
        raise Unprocessable("unknown_role", f"Roles are one or more of {names}.", f"الأدوار واحد أو أكثر من: {names}.")
    if business_role is not None and business_role not in roles().business_roles:
        names = ", ".join(roles().business_roles)
        raise Unprocessable("unknown_role", f"business_role is one of {names}.", f"الدور الوظيفي واحد من: {names}.")
    if "owner" in set(given) ^ set(had) and "owner" not in caller.principal.roles:
        raise Forbidden("owner_only", "Only an owner makes or unmakes owners.", "لا يعيّن المالك إلا مالك.")


def _check_scopes(caller: Caller, scopes: Sequence[str]) -> None:
    known = {*roles().capabilities, ALL_SCOPES}
    if not scopes or set(scopes) - known:
        names = ", ".join(sorted(known))
        raise Unprocessable(
            "unknown_scope", f"A key has at least one scope of {names}.", f"للمفتاح نطاق واحد على الأقل من: {names}."
        )
    own = set(caller.principal.scopes)
    if ALL_SCOPES not in own and not set(scopes) <= own:
        raise Forbidden(
            "scope_exceeded",
            "A key cannot reach further than the key that makes it.",
            "لا يتجاوز المفتاح نطاق المفتاح الذي أنشأه.",
        )
