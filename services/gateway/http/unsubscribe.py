"""`/u/{token}`: a person's own way out, without signing in (RFC 8058). The link asks; only a POST changes anything."""

from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from libs.contracts.consent import Unsubscribe
from libs.contracts.subjects import UNSUBSCRIBE
from services.gateway.errors import Unprocessable
from services.gateway.http.context import GatewayDep
from services.gateway.http.problems import RESPONSES

router = APIRouter(tags=["trust"], responses=RESPONSES)

ONE_CLICK = "One-Click"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex",
}
CHANNELS = {"email": ("البريد", "e-mail"), "whatsapp": ("واتساب", "WhatsApp"), "phone": ("الاتصال", "phone")}


@router.get("/u/{token}", response_class=HTMLResponse)
async def ask(token: str, gateway: GatewayDep) -> HTMLResponse:
    """Ask the person once more. Mail scanners open links: this changes nothing."""
    found = await gateway.bus.call(UNSUBSCRIBE, Unsubscribe(token=token[:500], confirmed=False))
    ar, en = CHANNELS[found.channel]
    body = (
        f"<h1>إيقاف الرسائل</h1><p>نوقف رسائلنا إليك عبر {ar} نهائيًا.</p>"
        f'<form method="post" action="/u/{escape(token, quote=True)}"><input type="hidden" name="List-Unsubscribe" value="{ONE_CLICK}">'
        '<button class="button button-primary" type="submit">أوقف الرسائل · Unsubscribe</button></form>'
        f'<p lang="en" dir="ltr">We stop writing to you by {en}, for good.</p>'
    )
    return _page("إيقاف الرسائل", body)


@router.post("/u/{token}", response_class=HTMLResponse)
async def unsubscribe(
    token: str, gateway: GatewayDep, one_click: Annotated[str, Form(alias="List-Unsubscribe", max_length=50)] = ""
) -> HTMLResponse:
    """Stop, at once and for good, however often it is sent. A mail program posts `List-Unsubscribe=One-Click` by itself."""
    if one_click != ONE_CLICK:
        raise Unprocessable(
            "one_click_missing",
            "Post List-Unsubscribe=One-Click (RFC 8058).",
            "أرسل List-Unsubscribe=One-Click (RFC 8058).",
        )
    found = await gateway.bus.call(UNSUBSCRIBE, Unsubscribe(token=token[:500], confirmed=True))
    gateway.pulse.nudge(found.tenant_id, "approvals", "ledger")
    body = '<h1>تم</h1><p>لن نراسلك بعد الآن.</p><p lang="en" dir="ltr">Done. You will not hear from us again.</p>'
    return _page("تم", body)


def _page(title: str, body: str) -> HTMLResponse:
    from services.gateway.console.assets import asset
    from services.gateway.console.urls import STATIC

    return HTMLResponse(
        f'<!doctype html><html lang="ar" dir="rtl"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="{STATIC}/{asset("app.css")}"></head>'
        f'<body class="plain"><main class="door-main"><section class="door-panel">{body}</section></main></body></html>',
        headers=HEADERS,
    )
