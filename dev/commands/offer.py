"""`dealix offer`: what the tenant says it sells."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands.common import Connect
from dev.commands.session import Session, command
from dev.terminal import plain, table


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def offer(
        here: Session,
        ar: Annotated[str | None, typer.Option("--ar", help="In Arabic, as it stands after «نقدّم».")] = None,
        en: Annotated[str | None, typer.Option("--en", help='In English, as it stands after "we offer".')] = None,
    ) -> None:
        """Show what drafts say that you sell, or set it; drafts use the text of their own language."""
        found = here.client.get("/tenant")
        if ar is not None or en is not None:
            body = {
                "offer_ar": found["offer_ar"] if ar is None else ar,
                "offer_en": found["offer_en"] if en is None else en,
            }
            found = here.client.put("/tenant/offer", body)
        here.out.result(found)
        rows = [
            (plain("العربية"), plain(found["offer_ar"] or "—")),
            (plain("English"), plain(found["offer_en"] or "—")),
        ]
        here.out.show(table(here.out.lang, [("language", "اللغة"), ("offer", "العرض")], rows))
