"""`dealix check-domain`: reads a sending domain's records in DNS and puts them on the register that the control reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from dev.client import Client
from dev.commands.common import BadInput, Connect
from dev.commands.session import Session, command
from dev.mail_domains import SELECTOR, ascii_name, from_dns, look
from dev.messages import Sentence

REGISTER = "/registers/sender-domains"
SEEN = 500
"""Entries that are looked through for the domain's own."""


def register(app: typer.Typer, connect: Connect, texts: Callable[[str], Sequence[str]] = from_dns) -> None:
    """Add the command to the application."""

    @command(app, connect, "check-domain")
    def check_domain(
        here: Session,
        domain: Annotated[str, typer.Argument(help="The domain that mail is sent from.")],
        selector: Annotated[str, typer.Option("--selector", help="The DKIM selector in use.")],
    ) -> None:
        """Check SPF, DKIM and DMARC of a sending domain, and put the result on record; run it daily."""
        name = ascii_name(domain)
        if SELECTOR.fullmatch(selector.casefold()) is None:
            raise BadInput(f"{selector} is no DKIM selector.", f"«{selector}» ليس محدِّد DKIM.")
        found = look(name, selector.casefold(), texts)
        values = {
            "domain": name, "spf": found.spf, "dkim": found.dkim, "dmarc": found.dmarc,
            "checked_at": datetime.now(UTC).isoformat(timespec="seconds"), "evidence": "\n".join(found.evidence)[:20_000],
        }  # fmt: skip
        done = _keep(here.client, values)
        here.out.result(done)
        here.out.say(
            Sentence(
                f"{name}: SPF {found.spf}, DKIM {found.dkim}, DMARC {found.dmarc}. On record.",
                f"{name}: SPF {found.spf}، DKIM {found.dkim}، DMARC {found.dmarc}. سُجّلت النتيجة.",
            )
        )


def _keep(client: Client, values: dict[str, Any]) -> dict[str, Any]:
    """One entry a domain: its versions are its history."""
    for entry in client.items(REGISTER, SEEN):
        if entry["values"].get("domain", "").casefold() == values["domain"]:
            changed: dict[str, Any] = client.put(
                f"{REGISTER}/{entry['entry_id']}", {"values": values}, version=entry["version"]
            )
            return changed
    added: dict[str, Any] = client.post(REGISTER, {"values": values})
    return added
