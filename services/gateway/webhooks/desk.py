"""Bindings and numbers as people keep them, and deliveries as they come in.

A delivery counts only when its signature holds over the bytes that arrived; who wrote is the person who verified that number in the
tenant that the binding names, with the roles on record now.
"""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from libs.contracts.briefs import BriefAnswer, OwnNumber, WhatsAppReply
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.inbound import ReceiveMessage
from libs.contracts.message import Plane, Principal, PrincipalKind, Text, new_id
from libs.contracts.observed import GatewayFacts, NumberSeen, TemplateSeen
from libs.contracts.subjects import BRIEF_REPLY, OBSERVED, OWN_NUMBER, RECEIVE_MESSAGE, SUPPRESS
from libs.contracts.trust import SuppressRequest
from libs.runtime.bus import Bus
from services.gateway.authentication import Authentication
from services.gateway.briefs.domain import Kind, Outgoing
from services.gateway.domain.keyring import Keyring, same
from services.gateway.domain.people import Caller
from services.gateway.errors import Refusal, Unprocessable
from services.gateway.store import Store, Unit
from services.gateway.webhooks.domain import (
    CODE_LIFE,
    Binding,
    Incoming,
    Number,
    code_in,
    e164,
    incoming,
    number_mac,
    says_stop,
    signature_holds,
)
from services.gateway.webhooks.news import told

log = logging.getLogger(__name__)

CONNECTORS = frozenset({"whatsapp"})
"""Vendors whose deliveries are understood."""


class NotFromVendor(Refusal):
    """The same for an unknown binding, an ended one and a wrong signature: nobody learns which bindings there are."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "webhook_refused",
            "This delivery is not signed by the vendor for this binding.",
            "هذا الإشعار غير موقّع من المزوّد لهذا الربط.",
        )


class NumberTaken(Refusal):
    status = 409

    def __init__(self) -> None:
        super().__init__("number_taken", "This number is another person's.", "هذا الرقم مسجّل لشخص آخر.")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one message. Who wrote is not in it."""

    message_id: str
    outcome: str
    answer: Text


class Hooks:
    def __init__(self, store: Store, keyring: Keyring, authentication: Authentication, bus: Bus) -> None:
        self._store = store
        self._keyring = keyring
        self._authentication = authentication
        self._bus = bus

    # -- bindings ------------------------------------------------------------------------------------------------

    def door(self, binding_id: UUID) -> bytes:
        """Where a binding's address leads, before the tenant is known."""
        return self._keyring.mac("webhook", binding_id.bytes)

    async def bind(self, caller: Caller, connector: str, account: str, secret: str) -> tuple[Binding, str]:
        """A new binding, and the token of the vendor's verification request, which is shown once. Raises Unprocessable."""
        if connector not in CONNECTORS:
            names = ", ".join(sorted(CONNECTORS))
            raise Unprocessable("no_webhook", f"Deliveries are taken of: {names}.", f"تُستقبل إشعارات: {names}.")
        token = secrets.token_urlsafe(24)
        tenant = caller.principal.tenant_id
        async with self._store.unit(tenant) as unit:
            binding_id = new_id()
            made = Binding(
                tenant, binding_id, connector, account, self._keyring.seal("webhook", secret.encode()),
                self._token(binding_id, token), await unit.now(), caller.principal.id,
            )  # fmt: skip
            await unit.add_webhook_door(self.door(made.binding_id), made.binding_id)
            await unit.webhooks.add_binding(made)
            await self._record(
                unit, tenant, "webhook.bound", caller.principal.id, f"webhook:{made.binding_id}", connector=connector
            )
        return made, token

    def _token(self, binding_id: UUID, token: str) -> bytes:
        return self._keyring.mac("webhook-token", binding_id.bytes, token.encode())

    async def bindings(self, caller: Caller, after: UUID | None, limit: int) -> list[Binding]:
        async with self._store.unit(caller.principal.tenant_id) as unit:
            return await unit.webhooks.bindings(after, limit)

    async def unbind(self, caller: Caller, binding_id: UUID) -> None:
        """Take nothing under this binding any more. Raises NotFound."""
        tenant = caller.principal.tenant_id
        async with self._store.unit(tenant) as unit:
            if not await unit.webhooks.end_binding(binding_id):
                raise NotFound
            await self._record(unit, tenant, "webhook.unbound", caller.principal.id, f"webhook:{binding_id}")

    async def challenge(self, connector: str, binding_id: UUID, mode: str, token: str, challenge: str) -> str:
        """The vendor's question when it is set up (Meta, verification requests). Raises NotFromVendor."""
        binding = await self._binding(connector, binding_id)
        if mode != "subscribe" or not same(binding.verify, self._token(binding_id, token)):
            raise NotFromVendor
        return challenge

    async def _binding(self, connector: str, binding_id: UUID) -> Binding:
        found = await self._store.open_binding(self.door(binding_id))
        if found is None or found.connector != connector or found.ended_at is not None:
            raise NotFromVendor
        return found

    # -- deliveries ----------------------------------------------------------------------------------------------

    async def deliver(self, connector: str, binding_id: UUID, body: bytes, signature: str | None) -> list[Taken]:
        """Take a delivery: every message in it is answered or left out.

        Raises NotFromVendor. An unavailable plane is raised too, so that the vendor delivers again; what was taken already is
        then only repeated.
        """
        binding = await self._binding(connector, binding_id)
        if not signature_holds(self._keyring.open("webhook", binding.secret), body, signature):
            async with self._store.unit(binding.tenant_id) as unit:
                await self._record(
                    unit, binding.tenant_id, "webhook.refused", "system:gateway", f"webhook:{binding_id}"
                )
            raise NotFromVendor
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return []
        await self._tell(binding, told(document, binding.account))
        return [await self._take(binding, message) for message in incoming(document, binding.account)]

    async def _tell(self, binding: Binding, facts: list[TemplateSeen | NumberSeen]) -> None:
        """Pass on what the vendor says of our templates and number."""
        if facts:
            async with self._store.unit(binding.tenant_id) as unit:
                report = GatewayFacts(tenant_id=binding.tenant_id, at=await unit.now(), facts=tuple(facts))
                unit.emit(OBSERVED[Plane.GATEWAY], report)

    async def _take(self, binding: Binding, message: Incoming) -> Taken:
        tenant = binding.tenant_id
        mac = number_mac(self._keyring, tenant, message.sender)
        async with self._store.unit(tenant) as unit:
            claims = await unit.webhooks.numbers(mac)
            verified = next((one for one in claims if one.verified_at is not None), None)
            if verified is None and (taken := await self._verify(unit, binding, message, claims)) is not None:
                return taken
            user = await unit.user(verified.user_id) if verified is not None else None
        if verified is None:
            return await self._from_outside(binding, message)
        if user is None or user.disabled or user.must_change:
            return Taken(message.message_id, "unknown_sender", _STRANGER)
        request = WhatsAppReply(principal=user.principal(), message_id=message.message_id, text=message.text)
        try:
            done: BriefAnswer = await self._bus.call(BRIEF_REPLY, request)
            taken = Taken(message.message_id, done.outcome.value, done.answer)
        except DealixError as error:
            if error.status >= 500 or error.retryable:
                raise
            taken = Taken(message.message_id, "refused", Text(en=error.en, ar=error.ar))
        await self._answer(binding, user.user_id, taken)
        return taken

    async def _answer(self, binding: Binding, user_id: UUID, taken: Taken) -> None:
        """Have the answer sent, where the tenant lets anything out. A delivery that comes again is answered once."""
        async with self._store.unit(binding.tenant_id) as unit:
            await unit.webhooks.heard(user_id)
            if (await unit.briefs.rules()).enabled:
                await unit.briefs.add(
                    Outgoing(
                        binding.tenant_id, uuid5(binding.binding_id, taken.message_id), user_id, Kind.ANSWER, taken.answer.ar, (),
                        await unit.now(),
                    )
                )  # fmt: skip

    async def _from_outside(self, binding: Binding, message: Incoming) -> Taken:
        """A message from none of the tenant's own people: a contact's answer, or a stranger's.

        One that says stop is on the do-not-contact list before anything else is done with it.
        """
        tenant = binding.tenant_id
        if says_stop(message.text):
            who = Principal(id="system:gateway", kind=PrincipalKind.SYSTEM, tenant_id=tenant, roles=("operator",))
            asked = SuppressRequest(principal=who, tenant_id=tenant, identifier=message.sender, reason="replied_stop")
            await self._bus.call(SUPPRESS, asked)
        request = ReceiveMessage(
            tenant_id=tenant, channel="whatsapp", sender=message.sender, message_id=message.message_id, text=message.text, at=message.at
        )  # fmt: skip
        try:
            found = await self._bus.call(RECEIVE_MESSAGE, request)
        except DealixError as error:
            if error.status >= 500 or error.retryable:
                raise
            return Taken(message.message_id, "refused", Text(en=error.en, ar=error.ar))
        if found.contact_ids:
            return Taken(message.message_id, "received", _RECEIVED)
        async with self._store.unit(tenant) as unit:
            target = f"webhook:{binding.binding_id}"
            await self._record(unit, tenant, "webhook.unknown_sender", "system:gateway", target)
        return Taken(message.message_id, "unknown_sender", _STRANGER)

    async def _verify(self, unit: Unit, binding: Binding, message: Incoming, claims: list[Number]) -> Taken | None:
        """A message from a number that nobody has verified: it may carry the code that does. None when it does not."""
        now, given = await unit.now(), code_in(message.text)
        for claim in claims:
            if given is None or not claim.waits(now) or claim.code is None:
                continue
            if same(claim.code, self._code(claim.user_id, given)):
                done = replace(claim, verified_at=now, code=None, code_until=None, heard_at=now)
                await unit.webhooks.put_number(done)
                await self._record(
                    unit, binding.tenant_id, "number.verified", f"user:{claim.user_id}", f"user:{claim.user_id}",
                    webhook=str(binding.binding_id),
                )  # fmt: skip
                return Taken(message.message_id, "verified", _VERIFIED)
            await unit.webhooks.put_number(replace(claim, tries=claim.tries + 1))
        return None

    # -- numbers -------------------------------------------------------------------------------------------------

    def _code(self, user_id: UUID, code: str) -> bytes:
        return self._keyring.mac("number-code", user_id.bytes, code.encode())

    async def claim(self, caller: Caller, number: str, password: str) -> tuple[Number, str]:
        """Begin with a number: the code that its owner sends from it within 15 minutes. Until then it decides nothing, and an earlier
        number of this person no longer does. Raises LockedOut, WrongCredentials, Unprocessable, NumberTaken."""
        await self._authentication.again(caller.user, password)
        plain = e164(number)
        if plain is None:
            raise Unprocessable(
                "bad_number", "A number in international form, such as +966501234567.", "رقم بالصيغة الدولية مثل +966501234567."
            )  # fmt: skip
        tenant, code = caller.principal.tenant_id, f"{secrets.randbelow(1_000_000):06}"
        async with self._store.unit(tenant) as unit:
            user_id = caller.user.user_id
            made = Number(
                tenant, user_id, self._keyring.seal("number", plain.encode()), number_mac(self._keyring, tenant, plain),
                self._code(user_id, code), await unit.now() + CODE_LIFE,
            )  # fmt: skip
            if not await unit.webhooks.put_number(made):
                raise NumberTaken
            await self._record(unit, tenant, "number.claimed", caller.principal.id, caller.principal.id)
        return made, code

    async def number(self, caller: Caller) -> tuple[str, Number] | None:
        """A person's own number in the clear; None when there is none."""
        async with self._store.unit(caller.principal.tenant_id) as unit:
            found = await unit.webhooks.number_of(caller.user.user_id)
        return (self._keyring.open("number", found.number).decode(), found) if found is not None else None

    async def drop(self, caller: Caller) -> None:
        """Raises NotFound."""
        tenant = caller.principal.tenant_id
        async with self._store.unit(tenant) as unit:
            if not await unit.webhooks.drop_number(caller.user.user_id):
                raise NotFound
            await self._record(unit, tenant, "number.removed", caller.principal.id, caller.principal.id)
        try:
            await self._bus.call(OWN_NUMBER, OwnNumber(tenant_id=tenant, person=caller.principal.id))
        except DealixError as error:
            # Nothing goes to a number that the gateway does not know any more; trust forgets it with the next one.
            log.warning("trust was not told of a number's end: %s", error.code)

    async def _record(self, unit: Unit, tenant: UUID, kind: str, actor: str, target: str, **data: str) -> None:
        await self._authentication.record(unit, tenant, kind, actor, target, **data)


_STRANGER = Text(
    en="This number is not verified. Register it in the console and send the code from here.",
    ar="هذا الرقم غير موثّق. سجّله في المنصة وأرسل الرمز من هنا.",
)
_RECEIVED = Text(en="Received.", ar="وصلت رسالتك.")
_VERIFIED = Text(en="Your number is verified.", ar="وُثّق رقمك.")
