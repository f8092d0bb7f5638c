"""Signing in at the organisation's identity provider: away, and back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from libs.contracts.errors import DealixError
from services.gateway.console import pages
from services.gateway.console.desk import DeskDep, local
from services.gateway.console.urls import PATHS
from services.gateway.errors import SsoFailed
from services.gateway.http.auth import address, forget_cookie, set_cookie
from services.gateway.oidc.sign_in import JOURNEY

router = APIRouter()
JOURNEY_COOKIE = "dealix_sso"
Word = Annotated[str, Query(max_length=4000)]


@router.get(PATHS["sso"])
async def depart(request: Request, desk: DeskDep, next: Word = "/console") -> Response:
    sso = desk.gateway.single_sign_on
    if sso is None:
        return desk.go("sign_in")
    try:
        departure = await sso.depart(local(next))
    except DealixError as error:
        return await desk.show(pages.SignInPage(error=desk.error(error), next=local(next)), status=error.status)
    response = RedirectResponse(departure.url, 303)
    response.set_cookie(
        JOURNEY_COOKIE, departure.journey, max_age=int(JOURNEY.total_seconds()), path=PATHS["sso"],
        secure=request.url.scheme == "https", httponly=True, samesite="lax",
    )  # fmt: skip
    return response


@router.get(PATHS["sso_back"])
async def arrive(request: Request, desk: DeskDep, state: Word = "", code: Word = "", error: Word = "") -> Response:
    sso, tenant = desk.gateway.single_sign_on, desk.gateway.sso_tenant()
    try:
        if sso is None or tenant is None or error or not code:
            raise SsoFailed
        signed_in, after = await sso.arrive(
            request.cookies.get(JOURNEY_COOKIE, ""), state, code, tenant, address=address(request)
        )
    except DealixError as refusal:
        shown = await desk.show(pages.SignInPage(error=desk.error(refusal)), status=refusal.status)
        shown.delete_cookie(JOURNEY_COOKIE, path=PATHS["sso"])
        return shown
    await forget_cookie(request, desk.gateway)
    response = RedirectResponse(local(after), 303)
    set_cookie(request, response, signed_in, desk.gateway)
    response.delete_cookie(JOURNEY_COOKIE, path=PATHS["sso"])
    return response
