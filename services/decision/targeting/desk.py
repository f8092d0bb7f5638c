"""Who decides at an account: its contacts seated by their titles."""

from __future__ import annotations

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.crm import GetRecord, ListRecords, Record
from libs.contracts.message import Page
from libs.contracts.outreach import CommitteeReply, CommitteeRequest, CommitteeSeat
from libs.contracts.subjects import RECORD, RECORDS
from libs.runtime.plane import Runtime
from services.decision.targeting.domain.committee import seat

PAGES = 5
"""Of an account with more than a thousand contacts the newest thousand are seated."""


class Committees:
    def __init__(self, runtime: Runtime) -> None:
        self._bus = runtime.bus

    async def get(self, request: CommitteeRequest) -> CommitteeReply:
        """The seats, the best first. Raises RemoteFault (not_found) for an account that is not there."""
        who = request.principal
        account = await self._bus.call(RECORD, GetRecord(principal=who, kind=RecordKind.ACCOUNT, id=request.account_id))
        contacts: list[Record] = []
        cursor: str | None = None
        for _ in range(PAGES):
            where = {"account_id": str(request.account_id)}
            page = Page(limit=200, cursor=cursor)
            reply = await self._bus.call(
                RECORDS, ListRecords(principal=who, kind=RecordKind.CONTACT, where=where, page=page)
            )
            contacts += reply.items
            cursor = reply.next_cursor
            if cursor is None:
                break
        seats = sorted(map(_seated, contacts), key=lambda one: (-one.fit, one.name))
        held = {one.role for one in seats}
        return CommitteeReply(
            account_id=request.account_id,
            account_name=str(account.values.get("name_ar") or account.values["name"]),
            seats=tuple(seats),
            missing=tuple(name for name in targeting().roles if name not in held),
        )


def _seated(contact: Record) -> CommitteeSeat:
    title = contact.values.get("title")
    found = seat(title)
    role = targeting().roles[found.role] if found else None
    return CommitteeSeat(
        contact_id=contact.id, name=contact.values.get("full_name") or contact.values.get("email") or "", title=title,
        role=found.role if found else None, role_en=role.en if role else "", role_ar=role.ar if role else "",
        fit=found.fit if found else 0.0, exact=bool(found and found.exact),
    )  # fmt: skip
