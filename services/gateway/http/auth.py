"""Signing in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from libs.contracts.errors import DealixError
from services.gateway.authentication import SignedIn
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.edge import COOKIE
from services.gateway.http.guards import CallerDep
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], responses=RESPONSES)


class Login(Body):
    email: Annotated[str, Field(min_length=3, max_length=254)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = None


class LoginCode(Body):
    challenge: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[0-9a-f]+$")]
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class Session(BaseModel):
    """`csrf_token` goes into the header `X-CSRF-Token` of every state change that is made with the cookie."""

    user_id: str
    csrf_token: str
    expires_at: str
    must_change_password: bool


def address(request: Request) -> str:
    """Where a request comes from: the connection's other end, or what a trusted proxy says."""
    return request.client.host if request.client else ""


def set_cookie(request: Request, response: Response, signed_in: SignedIn, gateway: Gateway) -> None:
    """Hand over a session. Out of reach of scripts, not sent along by other sites' forms, and on HTTPS never without it."""
    response.set_cookie(
        COOKIE, signed_in.token, max_age=int(gateway.settings.session_life.total_seconds()), path="/",
        secure=request.url.scheme == "https", httponly=True, samesite="lax",
    )  # fmt: skip


async def forget_cookie(request: Request, gateway: Gateway) -> None:
    """End the session that the browser came with, if any: signing in always begins a new one."""
    if token := request.cookies.get(COOKIE):
        try:
            before = await gateway.authentication.by_cookie(token)
        except DealixError:
            return
        if before.session is not None:
            await gateway.authentication.sign_out(before.session)


def _shown(signed_in: SignedIn, gateway: Gateway) -> Session:
    return Session(
        user_id=str(signed_in.user.user_id), csrf_token=signed_in.session.csrf(gateway.keyring),
        expires_at=signed_in.session.expires_at.isoformat(), must_change_password=signed_in.user.must_change,
    )  # fmt: skip


@router.post("/login")
async def login(body: Login, request: Request, response: Response, gateway: GatewayDep) -> Session:
    """Sign in with e-mail address and password, and with `code` where there is a second factor. Sets the session cookie."""
    signed_in = await gateway.authentication.sign_in(
        body.email, body.password, code=body.code, address=address(request)
    )
    await forget_cookie(request, gateway)
    set_cookie(request, response, signed_in, gateway)
    return _shown(signed_in, gateway)


@router.post("/login/code")
async def login_code(body: LoginCode, request: Request, response: Response, gateway: GatewayDep) -> Session:
    """The second step of signing in: the challenge of the first answer, and the six digits."""
    signed_in = await gateway.authentication.answer(body.challenge, body.code, address=address(request))
    await forget_cookie(request, gateway)
    set_cookie(request, response, signed_in, gateway)
    return _shown(signed_in, gateway)


@router.post("/logout", status_code=204)
async def logout(caller: CallerDep, response: Response, gateway: GatewayDep) -> None:
    """End this session. With an API key there is none to end."""
    if caller.session is not None:
        await gateway.authentication.sign_out(caller.session)
    response.delete_cookie(COOKIE, path="/")
