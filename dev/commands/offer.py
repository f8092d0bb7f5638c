"""`dealix offer`: what the tenant says it sells."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption
from dev.output import JsonOption, LangOption, output
from dev.terminal import plain, table


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @app.command()
    def offer(
        ar: Annotated[str | None, typer.Option("--ar", help="In Arabic, as it stands after «نقدّم».")] = None,
        en: Annotated[str | None, typer.Option("--en", help='In English, as it stands after "we offer".')] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show what drafts say that you sell, or set it; drafts use the text of their own language."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/tenant")
            if ar is not None or en is not None:
                body = {
                    "offer_ar": found["offer_ar"] if ar is None else ar,
                    "offer_en": found["offer_en"] if en is None else en,
                }
                found = client.put("/tenant/offer", body)
        out.result(found)
        rows = [
            (plain("العربية"), plain(found["offer_ar"] or "—")),
            (plain("English"), plain(found["offer_en"] or "—")),
        ]
        out.show(table(out.lang, [("language", "اللغة"), ("offer", "العرض")], rows))
