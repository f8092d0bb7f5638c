"""Signing in with the organisation's identity provider: there and back, and what is made of who comes back.

The provider decides who somebody is, and the installation's map of groups what they may. Accounts that have a password here are
never touched: the break-glass owner must stay reachable when the provider is not, and out of reach of whoever runs it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_urlsafe
from uuid import UUID

from libs.contracts.message import TenantId, new_id
from services.gateway.authentication import Authentication, SignedIn
from services.gateway.domain.keyring import Keyring, SealBroken, same
from services.gateway.domain.passwords import normal_email
from services.gateway.domain.people import BY_PROVIDER, User
from services.gateway.errors import SsoFailed, SsoRefused
from services.gateway.oidc.domain.person import NotAdmitted, Person, person
from services.gateway.oidc.provider import Provider, ProviderFailed
from services.gateway.store import Store, Unit

log = logging.getLogger(__name__)

JOURNEY = timedelta(minutes=10)
"""How long somebody may take at the provider."""


@dataclass(frozen=True, slots=True)
class Departure:
    """The browser goes to `url` and keeps `journey` in a cookie: it ties the answer to this browser."""

    url: str
    journey: str


class SingleSignOn:
    def __init__(
        self,
        provider: Provider,
        store: Store,
        keyring: Keyring,
        authentication: Authentication,
        *,
        groups_claim: str,
        roles_of: dict[str, str],
        session: timedelta,
        now: Callable[[], datetime],
        strong_acr: frozenset[str] = frozenset(),
    ) -> None:
        self._provider, self._store = provider, store
        self._keyring, self._authentication = keyring, authentication
        self._groups_claim, self._roles_of, self._session, self._now = groups_claim, roles_of, session, now
        self._strong_acr = strong_acr

    async def depart(self, after: str) -> Departure:
        """Begin; `after` is the page to go to in the end. Raises SsoFailed."""
        state, nonce, verifier = token_urlsafe(24), token_urlsafe(24), token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        try:
            url = await self._provider.authorization_url(state=state, nonce=nonce, challenge=challenge)
        except ProviderFailed as error:
            log.warning("single sign-on: %s", error)
            raise SsoFailed from error
        until = (self._now() + JOURNEY).timestamp()
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "after": after, "until": until}
        return Departure(url, self._keyring.seal("sso", json.dumps(kept).encode()).hex())

    async def arrive(
        self, journey: str, state: str, code: str, tenant: TenantId, *, address: str = ""
    ) -> tuple[SignedIn, str]:
        """Finish: a session, and the page to go to. Raises SsoFailed, SsoRefused."""
        try:
            kept = json.loads(self._keyring.open("sso", bytes.fromhex(journey)))
        except (SealBroken, ValueError) as error:
            raise SsoFailed from error
        if self._now().timestamp() > kept["until"] or not same(state.encode(), kept["state"].encode()):
            raise SsoFailed
        try:
            claims = await self._provider.claims(code, verifier=kept["verifier"], nonce=kept["nonce"])
        except ProviderFailed as error:
            log.warning("single sign-on: %s", error)
            raise SsoFailed from error
        try:
            who = person(claims, self._groups_claim, self._roles_of, self._strong_acr)
        except NotAdmitted as error:
            await self._shut_out(claims.get("email"), tenant)
            raise SsoRefused(error.why) from error
        user = await self._account(who, tenant)
        entered = await self._authentication.enter(
            user, life=self._session, by="oidc", second_factor=who.second_factor, address=address
        )
        return entered, kept["after"]

    async def _account(self, who: Person, tenant: TenantId) -> User:
        """The person's account, made or brought up to date. Raises SsoRefused for an account that is not the provider's."""
        found = await self._store.door(self._authentication.email_door(who.email))
        if found is not None and found.tenant_id != tenant:
            raise SsoRefused("other_account")
        async with self._store.unit(tenant) as unit:
            if found is None:
                return await self._add(unit, who, tenant)
            user = await unit.user(found.subject_id)
            if user is None or user.created_by != BY_PROVIDER or user.password_hash:
                raise SsoRefused("other_account")
            if user.disabled:
                raise SsoRefused("disabled")
            return await self._update(unit, user, who)

    async def _add(self, unit: Unit, who: Person, tenant: TenantId) -> User:
        user = User(
            tenant, new_id(), normal_email(who.email), who.name, who.roles, None, "", False, None, False, 0, False, 1,
            await unit.now(), BY_PROVIDER,
        )  # fmt: skip
        await unit.add_user(user, self._authentication.email_door(who.email))
        await self._authentication.record(unit, tenant, "user.added", BY_PROVIDER, user.actor, roles=list(who.roles))
        return user

    async def _update(self, unit: Unit, user: User, who: Person) -> User:
        if (user.roles, user.name) == (who.roles, who.name):
            return user
        changed = replace(user, roles=who.roles, name=who.name)
        if await unit.save_user(changed) and user.roles != who.roles:
            # Sessions with the rights of before end with them.
            await unit.end_sessions(user.user_id)
            await self._authentication.record(
                unit, user.tenant_id, "user.changed", BY_PROVIDER, user.actor, roles=list(who.roles)
            )
        return changed

    async def _shut_out(self, email: object, tenant: TenantId) -> None:
        """Somebody who has no group any more loses the sessions they have, not only the next one."""
        if not isinstance(email, str):
            return
        found = await self._store.door(self._authentication.email_door(email))
        if found is None or found.tenant_id != tenant:
            return
        async with self._store.unit(tenant) as unit:
            user = await unit.user(UUID(str(found.subject_id)))
            if user is not None and user.created_by == BY_PROVIDER:
                await unit.end_sessions(user.user_id)
                await self._authentication.record(
                    unit, tenant, "session.refused", user.actor, user.actor, what="no_group"
                )
