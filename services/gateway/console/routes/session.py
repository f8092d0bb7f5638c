"""Signing in and out, and what a reader prefers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from libs.contracts.errors import DealixError
from services.gateway.console import pages
from services.gateway.console.desk import THEME_COOKIE, DeskDep, local
from services.gateway.console.urls import PATHS
from services.gateway.errors import LockedOut, SecondFactorRequired
from services.gateway.http.auth import address, forget_cookie, set_cookie
from services.gateway.http.edge import COOKIE
from services.gateway.http.guards import require
from services.gateway.http.problems import LANG_COOKIE

router = APIRouter()

Text = Annotated[str, Form(max_length=2000)]
Reading = require("read", reading=True)
DAY = 86_400


@router.get(PATHS["sign_in"])
async def sign_in_page(desk: DeskDep, next: Annotated[str, Query(max_length=500)] = "/console") -> Response:
    if desk.caller is not None:
        return RedirectResponse(local(next), 303)
    return await desk.show(pages.SignInPage(next=local(next)))


@router.post(PATHS["sign_in"])
async def sign_in(request: Request, desk: DeskDep, email: Text, password: Text, next: Text = "/console") -> Response:
    try:
        signed_in = await desk.gateway.authentication.sign_in(email, password, code=None, address=address(request))
    except SecondFactorRequired as error:
        return await desk.show(pages.SignInCodePage(next=local(next), challenge=str(error.extra["challenge"])))
    except LockedOut as error:
        minutes = max(1, int(str(error.extra["retry_after"])) // 60)
        return await desk.show(
            pages.SignInPage(error=desk.error(error), email=email, next=local(next), locked_minutes=minutes), status=429
        )
    except DealixError as error:
        return await desk.show(
            pages.SignInPage(error=desk.error(error), email=email, next=local(next)), status=error.status
        )
    return await _enter(request, desk, signed_in, next)


@router.post(PATHS["sign_in_code"])
async def sign_in_code(
    request: Request, desk: DeskDep, challenge: Text, code: Text, next: Text = "/console"
) -> Response:
    try:
        signed_in = await desk.gateway.authentication.answer(challenge, code, address=address(request))
    except DealixError as error:
        page = pages.SignInCodePage(error=desk.error(error), next=local(next), challenge=challenge)
        return await desk.show(page, status=error.status)
    return await _enter(request, desk, signed_in, next)


async def _enter(request: Request, desk: DeskDep, signed_in: Any, next: str) -> Response:
    await forget_cookie(request, desk.gateway)
    response = RedirectResponse(local(next), 303)
    set_cookie(request, response, signed_in, desk.gateway)
    return response


@router.post(PATHS["sign_out"])
async def sign_out(desk: DeskDep) -> Response:
    if desk.caller is not None and desk.caller.session is not None:
        await desk.gateway.authentication.sign_out(desk.caller.session)
    response = desk.go("sign_in")
    response.delete_cookie(COOKIE, path="/")
    return response


@router.post(PATHS["preferences"])
async def preferences(desk: DeskDep, next: Text = "/console", theme: Text = "", lang: Text = "") -> Response:
    response = RedirectResponse(local(next), 303)
    if theme in ("light", "dark"):
        response.set_cookie(THEME_COOKIE, theme, max_age=365 * DAY, path="/", samesite="lax")
    if lang in ("ar", "en"):
        response.set_cookie(LANG_COOKIE, lang, max_age=365 * DAY, path="/", samesite="lax")
    return response
