"""What every page of the console has: the reader's language, the shell around the page, and how a page is answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, cast

from babel.dates import format_date
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response
from starlette.types import Scope

from libs.contracts.errors import DealixError
from libs.contracts.lineage import MOST_NODES, LineageNode, LineageReply, LineageRequest, LineageWay
from libs.contracts.message import Plane, Principal, Text
from libs.contracts.subjects import APPROVALS, LINEAGE
from libs.contracts.trust import ApprovalsRequest, ApprovalState
from services.gateway.console import naming, pages, present
from services.gateway.console.actors import actor
from services.gateway.console.empties import nothing
from services.gateway.console.pages_desk import DeskPage
from services.gateway.console.render import SECURITY_HEADERS, render, render_fragment
from services.gateway.console.urls import url
from services.gateway.console.views import Flash, Lang, Shell, Theme
from services.gateway.domain.people import Caller
from services.gateway.http.connectors import standing
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import maybe_caller
from services.gateway.http.problems import LANG_COOKIE

THEME_COOKIE = "dealix_theme"


def language(cookies: Mapping[str, str]) -> Lang:
    """Arabic unless the reader chose English."""
    return "en" if cookies.get(LANG_COOKIE) == "en" else "ar"


class Desk:
    """A request of the console, with the gateway behind it."""

    def __init__(self, request: Request, gateway: Gateway) -> None:
        self.request = request
        self.gateway = gateway
        self.lang: Lang = language(request.cookies)
        self.caller: Caller | None = maybe_caller(request)

    @property
    def who(self) -> Principal:
        """Whoever is signed in. The edge lets nobody else get here."""
        if self.caller is None:
            raise RuntimeError("a page was reached without signing in")
        return self.caller.principal

    async def call(self, call: Any, request: Any) -> Any:
        return await self.gateway.bus.call(call, request)

    async def shell(self, flash: Flash | None = None) -> Shell:
        query = self.request.url.query
        theme = self.request.cookies.get(THEME_COOKIE, "auto")
        common: dict[str, Any] = {
            "lang": self.lang,
            "now": self.gateway.now(),
            "path": self.request.url.path + (f"?{query}" if query else ""),
            "theme": cast(Theme, theme if theme in ("light", "dark") else "auto"),
            "flash": flash,
        }
        if self.caller is None:
            return Shell(csrf="", **common)
        profile = await self.gateway.profile(self.who.tenant_id)
        tenant = present.pick(self.lang, profile.name_ar, profile.name_en) if profile else ""
        csrf = self.caller.session.csrf(self.gateway.keyring) if self.caller.session else ""
        return Shell(
            csrf=csrf,
            tenant=tenant,
            user=present.user(self.lang, self.who),
            role=next(iter(self.who.roles), ""),
            counts={"approvals": await self._waiting()},
            sandbox=await self._sandbox(),
            **common,
        )

    async def _waiting(self) -> int:
        try:
            reply = await self.call(APPROVALS, ApprovalsRequest(principal=self.who, state=ApprovalState.PENDING))
        except DealixError:
            return 0
        return len(reply.items)

    async def _sandbox(self) -> bool:
        """Whether every connector is in the sandbox. When nobody answers, the banner stays away: it would be a claim."""
        try:
            found = await standing(self.gateway, self.who)
        except DealixError:
            return False
        return all(connector.mode == "sandbox" for connector in found)

    async def show(self, page: pages.Page, *, status: int = 200, flash: Flash | None = None) -> Response:
        """The page, or the part of it that htmx asked for."""
        if isinstance(page, pages.SignInPage):
            page = replace(page, sso=self.gateway.single_sign_on is not None)
        if isinstance(page, DeskPage):
            page = await self._named(page)
        shell = await self.shell(flash)
        part = self.request.headers.get("HX-Request") == "true" and hasattr(page, "fragment")
        text = render_fragment(cast(pages.LivePage, page), shell) if part else render(page, shell)
        return HTMLResponse(
            text, status, headers={**SECURITY_HEADERS, "Cache-Control": "no-store", "Vary": "HX-Request"}
        )

    async def _named(self, page: DeskPage) -> DeskPage:
        names = await self.people(naming.people(page)) | await self.records(naming.things(page))
        return naming.named(page, names, self.lang)

    async def people(self, principals: Iterable[str]) -> dict[str, str]:
        """What the people among these principals are called."""
        found = {one for one in principals if one.startswith("user:")}
        return await self.gateway.people.names(self.caller, found) if found and self.caller is not None else {}

    async def called(self, principals: Iterable[str]) -> dict[str, str]:
        """What each of these principals is called: people by name, agents and the system by words."""
        every = set(principals)
        names = await self.people(every)
        return {one: actor(self.lang, one, names) for one in every}

    async def records(self, things: Iterable[str]) -> dict[str, str]:
        """What these records are called, in one question to the plane that keeps them. Without an answer they go by kind and id."""
        nodes = tuple(
            LineageNode(kind=kind, id=id) for kind, _, id in (one.partition(":") for one in sorted(things)[:MOST_NODES])
        )
        if not nodes or self.caller is None:
            return {}
        request = LineageRequest(principal=self.who, nodes=nodes, way=LineageWay.CAME_FROM)
        try:
            reply: LineageReply = await self.call(LINEAGE[Plane.DATA], request)
        except DealixError:
            return {}
        return {f"{one.node.kind}:{one.node.id}": self.say(one.ar, one.en) for one in reply.titles}

    def go(self, name: str, id: str | int | None = None, **query: str | int | None) -> Response:
        """On to another page, after a form: by GET."""
        return RedirectResponse(url(name, id, **query), 303)

    def say(self, arabic: str, english: str) -> str:
        return present.pick(self.lang, arabic, english)

    def text(self, said: Text) -> str:
        return self.say(said.ar, said.en)

    def day(self, value: date) -> str:
        """A date as people read it: «21 نوفمبر 2026»."""
        return format_date(value, "d MMMM y", locale=self.lang)

    def nothing(self, key: str, *, chosen: bool = False) -> str:
        """What a list without rows says; `chosen` when the reader asked for a part of it. Raises KeyError."""
        return nothing(self.lang, key, chosen=chosen)

    def error(self, error: DealixError) -> str:
        return self.say(error.ar or error.en, error.en)


async def _desk(request: Request, gateway: GatewayDep) -> Desk:
    return Desk(request, gateway)


DeskDep = Annotated[Desk, Depends(_desk)]


def local(path: str) -> str:
    """A path of this site, or the Command Center: a form must not lead anywhere else."""
    safe = path.startswith("/console") and "//" not in path and "\\" not in path and not any(c in path for c in "\r\n")
    return path if safe else url("command_center")


def problem_page(scope: Scope, document: Mapping[str, Any]) -> Response | None:
    """A refusal as a page: what failed, what is still safe, what to do."""
    request = Request(scope)
    lang = language(request.cookies)
    gateway: Gateway | None = scope["app"].state.gateway if "app" in scope else None
    if gateway is None or request.headers.get("accept", "").startswith("application/json"):
        return None
    if document.get("code") == "password_change_required":
        return RedirectResponse(url("own"), 303)
    status = int(document.get("status", 500))
    kind = {403: "denied", 404: "missing", 401: "expired", 503: "offline", 504: "offline"}.get(status, "error")
    needed = tuple(document.get("roles", ())) if kind == "denied" else ()
    page = pages.ProblemPage(
        kind=cast(Any, kind),
        title=str(document.get("title", "")),
        detail=present.pick(lang, "هذه الصفحة ليست لدورك.", "This page is not for your role.")
        if needed
        else str(document.get("detail", "")),
        needs_role=present.pick(lang, " أو ", " or ").join(present.role(lang, one) for one in needed),
        safe=present.pick(lang, "لم يُرسل شيء ولم يُحذف شيء.", "Nothing was sent and nothing was lost."),
        reference=str(document.get("trace_id", "")),
        retry_href=request.url.path if request.method == "GET" else url("command_center"),
    )
    return HTMLResponse(
        render(page, _plain_shell(request, gateway, lang)),
        status,
        headers={**SECURITY_HEADERS, "Cache-Control": "no-store"},
    )


def _plain_shell(request: Request, gateway: Gateway, lang: Lang) -> Shell:
    """The shell of a page that nothing can be asked for: whoever is signed in keeps the way to the other pages."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    chosen = cast(Theme, theme if theme in ("light", "dark") else "auto")
    plain = Shell(lang=lang, csrf="", now=gateway.now(), path=request.url.path, theme=chosen, sandbox=False)
    caller = maybe_caller(request)
    if caller is None:
        return plain
    csrf = caller.session.csrf(gateway.keyring) if caller.session else ""
    role = next(iter(caller.principal.roles), "")
    return replace(plain, csrf=csrf, user=present.user(lang, caller.principal), role=role)


def field_map(body: Mapping[str, Any]) -> dict[str, str]:
    """The columns that a mapping form chose: header to field."""
    return {key[4:]: str(value) for key, value in body.items() if key.startswith("map.") and value}
