"""Who may do what at a route: `require("submit")` hands over the principal, so using it presupposes the check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from libs.contracts.catalogue.roles import Reach, roles
from libs.contracts.message import Principal, new_id
from services.gateway.domain.ids import derived
from services.gateway.domain.keyring import same
from services.gateway.domain.people import Caller
from services.gateway.errors import CsrfFailed, MissingRole, NotSignedIn, PasswordChangeRequired
from services.gateway.http.context import Gateway, gateway_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"

Guard = Callable[[Request], Awaitable[Principal]]


def maybe_caller(request: Request) -> Caller | None:
    """Whoever proved who they are with this request (edge: `Gatekeeper`); None for nobody."""
    found: Caller | None = request.scope.get("state", {}).get("caller")
    return found


async def caller_of(request: Request) -> Caller:
    """Raises NotSignedIn."""
    found = maybe_caller(request)
    if found is None:
        raise NotSignedIn
    return found


def allowed(principal: Principal, capability: str) -> Reach | None:
    """How far a capability goes for this principal; None when not at all. For pages that leave out what may not be done."""
    return roles().reach(principal.roles, principal.scopes, capability)


def require(capability: str, *, reading: bool = False, otherwise: str | None = None) -> Any:
    """A dependency: the principal, who has this capability, or the one named by `otherwise`. `reading` is satisfied by a reach of `read`.

    The request is refused with NotSignedIn, PasswordChangeRequired or MissingRole otherwise. Raises KeyError at import for a
    capability that the catalogue does not have.
    """
    for one in (capability, otherwise):
        if one is not None:
            roles().capabilities[one]

    async def guard(request: Request) -> Principal:
        caller = await caller_of(request)
        if caller.user.must_change and caller.session is not None:
            raise PasswordChangeRequired
        reach = allowed(caller.principal, capability)
        if reach is None and otherwise is not None:
            reach = allowed(caller.principal, otherwise)
        if reach is None or (reach is Reach.READ and not reading):
            raise MissingRole(capability, roles().holders(capability))
        return caller.principal

    guard.capability = capability  # type: ignore[attr-defined]  # read by the test that walks all routes
    return Depends(guard)


async def check_csrf(request: Request) -> None:
    """A cookie alone proves nothing about who made a request: state changes of a session carry its token as well.

    Raises CsrfFailed.
    """
    caller = maybe_caller(request)
    if request.method in SAFE or caller is None or caller.session is None:
        return
    token = request.headers.get(CSRF_HEADER)
    if token is None and request.headers.get("content-type", "").startswith(FORMS):
        field = (await request.form()).get(CSRF_FIELD)
        token = field if isinstance(field, str) else None
    expected = caller.session.csrf(gateway_of(request).keyring)
    if token is None or not same(token.encode(), expected.encode()):
        raise CsrfFailed


class Ids:
    """Ids for what this request makes. Under an Idempotency-Key they are the same each time it comes."""

    def __init__(self, base: UUID) -> None:
        self.base = base

    def __call__(self, name: str) -> UUID:
        return derived(self.base, name)


async def request_ids(request: Request) -> Ids:
    held = request.scope.get("state", {}).get("reservation")
    return Ids(held.reservation_id if held is not None else new_id())


CallerDep = Annotated[Caller, Depends(caller_of)]
IdsDep = Annotated[Ids, Depends(request_ids)]


def idempotency_key(request: Request, principal: Principal) -> str | None:
    """What goes on to a plane in the key's place: no client can meet another's key there."""
    held = request.scope.get("state", {}).get("reservation")
    if held is None:
        return None
    gateway: Gateway = gateway_of(request)
    slot = held.slot
    return gateway.keyring.mac("idempotency", principal.id.encode(), slot.route.encode(), slot.key.encode()).hex()
