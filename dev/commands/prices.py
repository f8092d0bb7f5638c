"""`dealix price`: what one live effect of a connector costs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import Connect
from dev.commands.listing import Column, moment, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence

PRICES = (
    Column("SAR", "ر.س", "sar", number=True),
    Column("from", "من", moment("since")),
    Column("reference", "المرجع", "reference"),
)
NOTHING = Sentence("No price is on record; --sar records one.", "لا سعر مسجّل، ويسجّله الخيار --sar.")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def price(
        here: Session,
        connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="As `dealix connectors list` names it.")],
        sar: Annotated[
            str | None, typer.Option("--sar", help="Record this price, in SAR, up to four decimals.")
        ] = None,
        reference: Annotated[str, typer.Option("--reference", help="The contract or invoice that says so.")] = "",
        since: Annotated[str | None, typer.Option("--since", help="From when on, ISO 8601 (default: now).")] = None,
    ) -> None:
        """Show what one live effect of a connector costs, or record a new price."""
        path = f"/connectors/{connector}/prices"
        if sar is None:
            found = here.client.get(path)
        else:
            body: dict[str, Any] = {"sar": sar, "reference": reference, **({"since": since} if since else {})}
            found = here.client.put(path, body)
        here.out.result(found)
        show_items(here.out, found["items"], PRICES, NOTHING)
