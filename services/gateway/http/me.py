"""Oneself: who am I, password, second factor."""

from __future__ import annotations

from typing import Annotated

import segno
from fastapi import APIRouter
from pydantic import BaseModel, Field

from libs.contracts.catalogue.roles import roles
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import CallerDep, allowed
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/me", tags=["auth"], responses=RESPONSES)

Password = Annotated[str, Field(min_length=1, max_length=1024)]


class Me(BaseModel):
    """Who asks, and what this person or key may do, by capability."""

    principal_id: str
    kind: str
    user_id: str
    email: str
    name: str
    tenant_id: str
    tenant_slug: str | None
    tenant_name_en: str | None
    tenant_name_ar: str | None
    roles: list[str]
    business_role: str | None
    scopes: list[str]
    may: dict[str, str]
    second_factor: bool
    must_change_password: bool
    csrf_token: str | None


class PasswordChange(Body):
    current: Password
    new: Password


class PasswordAgain(Body):
    password: Password


class Enrolment(BaseModel):
    """A second factor that waits to be confirmed. `qr_svg` is the URI as a QR code."""

    secret: str
    uri: str
    qr_svg: str


class Code(Body):
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


@router.get("")
async def me(caller: CallerDep, gateway: GatewayDep) -> Me:
    """Who this session or key is, and what it may do."""
    who, user = caller.principal, caller.user
    profile = await gateway.profile(who.tenant_id)
    reaches = {name: allowed(who, name) for name in roles().capabilities}
    return Me(
        principal_id=who.id,
        kind=who.kind.value,
        user_id=str(user.user_id),
        email=user.email,
        name=who.name,
        tenant_id=str(who.tenant_id),
        tenant_slug=profile.slug if profile else None,
        tenant_name_en=profile.name_en if profile else None,
        tenant_name_ar=profile.name_ar if profile else None,
        roles=list(who.roles),
        business_role=who.business_role,
        scopes=list(who.scopes),
        may={name: reach.value for name, reach in reaches.items() if reach is not None},
        second_factor=user.totp_on,
        must_change_password=user.must_change,
        csrf_token=caller.session.csrf(gateway.keyring) if caller.session else None,
    )


@router.post("/password", status_code=204)
async def change_password(body: PasswordChange, caller: CallerDep, gateway: GatewayDep) -> None:
    """Choose another password. Other sessions end."""
    await gateway.people.change_password(caller, body.current, body.new)


@router.post("/totp")
async def enrol(body: PasswordAgain, caller: CallerDep, gateway: GatewayDep) -> Enrolment:
    """Begin with a second factor: scan, then confirm with six digits. Until then nothing changes."""
    secret, uri = await gateway.people.enrol(caller, body.password)
    return Enrolment(secret=secret, uri=uri, qr_svg=segno.make(uri, error="m").svg_inline(scale=4))


@router.post("/totp/confirm", status_code=204)
async def confirm(body: Code, caller: CallerDep, gateway: GatewayDep) -> None:
    """Put the second factor in force."""
    await gateway.people.confirm(caller, body.code)


@router.post("/totp/remove", status_code=204)
async def remove_factor(body: PasswordAgain, caller: CallerDep, gateway: GatewayDep) -> None:
    """Sign in without a second factor again."""
    await gateway.people.remove_factor(caller, body.password)
