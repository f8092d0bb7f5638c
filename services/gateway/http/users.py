"""People of the tenant, and API keys."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field, StringConstraints

from libs.contracts.message import Principal
from services.gateway.domain.people import ApiKey, User
from services.gateway.errors import Unprocessable
from services.gateway.http.bodies import Items, Moment, PagingDep, Word, items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import CallerDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["users"], responses=RESPONSES)

Keeper = Annotated[Principal, require("users")]
Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+$"),
]
IfMatch = Annotated[str | None, Header(description="`ETag` of the version that is being edited", max_length=50)]


class NewUser(Body):
    email: Email
    name: Annotated[str, Field(min_length=1, max_length=200)]
    roles: Annotated[list[Word], Field(min_length=1, max_length=8)]
    business_role: Word | None = None


class UserChange(Body):
    """What is left out stays as it is."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    roles: Annotated[list[Word], Field(min_length=1, max_length=8)] | None = None
    business_role: Word | None = None
    disabled: bool | None = None


class UserShown(BaseModel):
    """A person. `password` is there once, in the answer that made it."""

    user_id: UUID
    email: str
    name: str
    roles: list[str]
    business_role: str | None
    second_factor: bool
    disabled: bool
    must_change_password: bool
    version: int
    created_at: datetime
    created_by: str
    password: str | None = None


class FirstPassword(BaseModel):
    password: str


class NewKey(Body):
    """`personal` keys act as their person within `scopes`; others are clients of their own (role `api_client`)."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    scopes: Annotated[list[Word], Field(max_length=20)]
    personal: bool = False
    expires_at: Moment | None = None


class KeyShown(BaseModel):
    """A key. `api_key` is there once, in the answer that made it."""

    key_id: UUID
    name: str
    personal: bool
    scopes: list[str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None
    api_key: str | None = None


def _user(user: User, password: str | None = None) -> UserShown:
    return UserShown(
        user_id=user.user_id, email=user.email, name=user.name, roles=list(user.roles), business_role=user.business_role,
        second_factor=user.totp_on, disabled=user.disabled, must_change_password=user.must_change, version=user.version,
        created_at=user.created_at, created_by=user.created_by, password=password,
    )  # fmt: skip


def _key(key: ApiKey, text: str | None = None) -> KeyShown:
    return KeyShown(
        key_id=key.key_id, name=key.name, personal=key.personal, scopes=list(key.scopes), created_at=key.created_at,
        created_by=key.created_by, expires_at=key.expires_at, revoked_at=key.revoked_at, used_at=key.used_at, api_key=text,
    )  # fmt: skip


@router.get("/users")
async def users(who: Keeper, caller: CallerDep, gateway: GatewayDep, paging: PagingDep) -> Items[UserShown]:
    """People of the tenant."""
    after = paging.after(gateway, who)
    found = await gateway.people.users(caller, UUID(after) if after else None, paging.limit + 1)
    shown = found[: paging.limit]
    more = str(shown[-1].user_id) if len(found) > paging.limit else None
    return items(gateway, who, [_user(u) for u in shown], more)


@router.post("/users", status_code=201)
async def add_user(body: NewUser, who: Keeper, caller: CallerDep, gateway: GatewayDep) -> UserShown:
    """Add a person. The answer holds a first password, once; it must be changed at the first sign-in."""
    user, password = await gateway.people.add(
        caller, email=body.email, name=body.name, given=body.roles, business_role=body.business_role
    )
    return _user(user, password)


@router.get("/users/{user_id}")
async def user(user_id: UUID, who: Keeper, caller: CallerDep, gateway: GatewayDep, response: Response) -> UserShown:
    """One person; `ETag` is the version for `If-Match`."""
    found = await gateway.people.user(caller, user_id)
    response.headers["ETag"] = f'"{found.version}"'
    return _user(found)


@router.patch("/users/{user_id}")
async def change_user(
    user_id: UUID, body: UserChange, who: Keeper, caller: CallerDep, gateway: GatewayDep, response: Response, if_match: IfMatch = None
) -> UserShown:  # fmt: skip
    """Change a person. Who loses rights is signed out everywhere."""
    changes: dict[str, Any] = body.model_dump(exclude_unset=True)
    if "roles" in changes and changes["roles"] is not None:
        changes["roles"] = tuple(changes["roles"])
    changes = {name: value for name, value in changes.items() if value is not None or name == "business_role"}
    changed = await gateway.people.change(caller, user_id, _version(if_match), **changes)
    response.headers["ETag"] = f'"{changed.version}"'
    return _user(changed)


@router.post("/users/{user_id}/password-reset")
async def reset_password(user_id: UUID, who: Keeper, caller: CallerDep, gateway: GatewayDep) -> FirstPassword:
    """A new first password, shown once. The person's sessions and second factor end."""
    return FirstPassword(password=await gateway.people.reset_password(caller, user_id))


@router.post("/users/{user_id}/unlock", status_code=204)
async def unlock(user_id: UUID, who: Keeper, caller: CallerDep, gateway: GatewayDep) -> None:
    """Open an account that wrong attempts have closed."""
    await gateway.people.unlock(caller, user_id)


@router.get("/api-keys")
async def api_keys(who: Keeper, caller: CallerDep, gateway: GatewayDep, paging: PagingDep) -> Items[KeyShown]:
    """API keys of the tenant, revoked and expired ones included."""
    after = paging.after(gateway, who)
    found = await gateway.people.keys(caller, UUID(after) if after else None, paging.limit + 1)
    shown = found[: paging.limit]
    more = str(shown[-1].key_id) if len(found) > paging.limit else None
    return items(gateway, who, [_key(k) for k in shown], more)


@router.post("/api-keys", status_code=201)
async def add_api_key(body: NewKey, who: Keeper, caller: CallerDep, gateway: GatewayDep) -> KeyShown:
    """Make a key. The answer holds it, once; only a keyed hash of it is kept."""
    if body.expires_at is not None and body.expires_at.tzinfo is None:
        raise Unprocessable("no_time_zone", "expires_at names no time zone.", "لا تذكر expires_at المنطقة الزمنية.")
    key, text = await gateway.people.add_key(
        caller, name=body.name, scopes=body.scopes, personal=body.personal, expires_at=body.expires_at
    )
    return _key(key, text)


@router.delete("/api-keys/{key_id}", status_code=204)
async def revoke_api_key(key_id: UUID, who: Keeper, caller: CallerDep, gateway: GatewayDep) -> None:
    """Revoke a key: from now on it opens nothing."""
    await gateway.people.revoke_key(caller, key_id)


def _version(if_match: str | None) -> int | None:
    found = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', if_match.strip()) if if_match else None
    if if_match is not None and found is None and if_match.strip() != "*":
        raise Unprocessable("bad_if_match", "If-Match is not an ETag of ours.", "قيمة If-Match غير صالحة.")
    return int(found[1]) if found else None
