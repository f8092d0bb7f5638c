"""Serves every console page from example data, so that it can be looked at and tested without planes behind it.

python -m tests.browser.preview [port]      then open /preview?lang=en
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from services.gateway.console import assets, pages, urls, views
from services.gateway.console.render import SECURITY_HEADERS, render, render_fragment
from tests.browser.fixture_pages import SIGNED_OUT, Fixtures
from tests.browser.fixture_real import NAMES as REAL
from tests.browser.fixture_real import real_pages


class Preview:
    """The pages, a stream of signals that a test can send, and approvals that change when a test says so."""

    def __init__(self) -> None:
        self.listeners: list[asyncio.Queue[str]] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        self.changed: dict[str, str] = {}  # approval id → new revision
        self.decided: list[str] = []
        self.posts: list[tuple[str, dict[str, str]]] = []

    def reset(self) -> None:
        self.changed.clear()
        self.decided.clear()
        self.posts.clear()

    def signal(self, name: str) -> None:
        """Send a signal to every open tab; may be called from another thread."""
        assert self.loop is not None
        for queue in list(self.listeners):
            self.loop.call_soon_threadsafe(queue.put_nowait, name)

    def cards(self, fixtures: Fixtures) -> tuple[views.Card, ...]:
        return tuple(
            replace(
                card,
                rev=self.changed.get(card.id, card.rev),
                reason=card.reason + (" ·" if card.id in self.changed else ""),
            )
            for card in fixtures.cards()
            if card.id not in self.decided
        )


def create(state: Preview) -> FastAPI:
    @asynccontextmanager
    async def remember_loop(_: FastAPI) -> AsyncIterator[None]:
        state.loop = asyncio.get_running_loop()
        yield

    app = FastAPI(lifespan=remember_loop)
    app.mount(urls.STATIC, assets.ConsoleStatic())

    @app.middleware("http")
    async def headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(SECURITY_HEADERS)
        return response

    def reader(request: Request) -> tuple[Fixtures, views.Theme]:
        lang = request.query_params.get("lang") or request.cookies.get("dealix_lang") or "ar"
        theme = request.query_params.get("theme") or request.cookies.get("dealix_theme") or "auto"
        return Fixtures("en" if lang == "en" else "ar"), theme  # type: ignore[return-value]  # one of the three

    def answer(
        request: Request, page: pages.Page, fixtures: Fixtures, theme: views.Theme, status: int = 200
    ) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        shell = fixtures.shell(path, theme=theme)
        shell = replace(shell, counts={"approvals": len(state.cards(fixtures))})
        if request.headers.get("hx-request") and hasattr(page, "fragment"):
            return HTMLResponse(render_fragment(page, shell))  # type: ignore[arg-type]  # it has a fragment
        if request.url.path.rsplit("/", 1)[-1] in SIGNED_OUT:
            shell = replace(shell, user=None)
        return HTMLResponse(render(page, shell), status)

    @app.get("/preview")
    async def index(request: Request) -> Response:
        names = (*Fixtures("en").all(), *REAL)
        lines = "".join(f'<li><a href="/preview/{n}?{request.url.query}">{n}</a>' for n in names)
        return HTMLResponse(f"<!doctype html><title>Preview</title><ul>{lines}</ul>")

    @app.get("/preview/{name}")
    async def page(name: str, request: Request) -> Response:
        fixtures, theme = reader(request)
        if name in REAL:
            # In a thread: the routes run in a loop of their own.
            return HTMLResponse((await asyncio.to_thread(real_pages, fixtures.lang))[name])
        return answer(request, fixtures.all()[name], fixtures, theme)

    @app.get(urls.PATHS["approvals"])
    async def approvals(request: Request) -> Response:
        fixtures, theme = reader(request)
        return answer(request, replace(fixtures.approvals(), cards=state.cards(fixtures)), fixtures, theme)

    @app.get(urls.PATHS["approval"])
    async def approval(id: str, request: Request) -> Response:
        fixtures, theme = reader(request)
        card = next((card for card in state.cards(fixtures) if card.id == id), fixtures.cards()[0])
        return answer(request, replace(fixtures.approval_page(), card=card), fixtures, theme)

    @app.get(urls.PATHS["approval_confirm"])
    async def confirm(id: str, request: Request) -> Response:
        fixtures, theme = reader(request)
        return answer(request, fixtures.confirm(), fixtures, theme)

    @app.get(urls.PATHS["approval_reject"])
    async def reject(id: str, request: Request) -> Response:
        fixtures, theme = reader(request)
        return answer(request, fixtures.reject(), fixtures, theme)

    @app.post(urls.PATHS["approval_approve"])
    async def approve(id: str, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        state.posts.append((request.url.path, form))
        fixtures, theme = reader(request)
        if id in state.changed:
            return answer(request, fixtures.conflict(), fixtures, theme, 409)
        state.decided.append(id)
        state.signal("approvals")
        return RedirectResponse(urls.url("approvals"), 303)

    @app.get(urls.PATHS["evidence_entry"])
    async def entry(id: int, request: Request) -> Response:
        fixtures, theme = reader(request)
        return answer(request, fixtures.evidence_entry(), fixtures, theme)

    @app.post(urls.PATHS["preferences"])
    async def preferences(request: Request) -> Response:
        form = await request.form()
        response = RedirectResponse(str(form["next"]).split("?")[0], 303)
        for name in ("lang", "theme"):
            if name in form:
                response.set_cookie(f"dealix_{name}", str(form[name]), path="/", samesite="lax")
        return response

    @app.post(urls.PATHS["targeting_upload"])
    async def upload(request: Request) -> Response:
        form = await request.form()
        state.posts.append(
            (
                request.url.path,
                {"file": str(getattr(form.get("file"), "filename", "")), "source": str(form.get("source"))},
            )
        )
        return RedirectResponse("/preview/import-map", 303)

    @app.get(urls.PATHS["events"])
    async def events() -> Response:
        queue: asyncio.Queue[str] = asyncio.Queue()
        state.listeners.append(queue)

        async def lines() -> AsyncIterator[str]:
            try:
                yield ": open\n\n"
                while True:
                    yield f"event: {await queue.get()}\ndata: {{}}\n\n"
            finally:
                state.listeners.remove(queue)

        return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return app


def serve(port: int) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(create(Preview()), host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)
    )


if __name__ == "__main__":
    assets.ensure()
    serve(int(sys.argv[1]) if len(sys.argv) > 1 else 8099).run()
