"""`dealix price`: what one live effect of a connector costs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption
from dev.output import JsonOption, LangOption, output
from dev.terminal import plain, table, when


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @app.command()
    def price(
        connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="As `dealix connectors list` names it.")],
        sar: Annotated[
            str | None, typer.Option("--sar", help="Record this price, in SAR, up to four decimals.")
        ] = None,
        reference: Annotated[str, typer.Option("--reference", help="The contract or invoice that says so.")] = "",
        since: Annotated[str | None, typer.Option("--since", help="From when on, ISO 8601 (default: now).")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show what one live effect of a connector costs, or record a new price."""
        out = output(lang, as_json)
        path = f"/connectors/{connector}/prices"
        with connect(out, base_url, data_dir) as client:
            if sar is None:
                found = client.get(path)
            else:
                body: dict[str, Any] = {"sar": sar, "reference": reference, **({"since": since} if since else {})}
                found = client.put(path, body)
        out.result(found)
        rows = [(plain(one["sar"]), when(one["since"]), plain(one["reference"])) for one in found["items"]]
        out.show(table(out.lang, [("SAR", "ر.س"), ("from", "من"), ("reference", "المرجع")], rows))
