"""What people outside write: kept as an activity of whoever it is from, and told as a reply."""

from __future__ import annotations

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import CreateRecord
from libs.contracts.inbound import Received, ReceiveMessage
from libs.contracts.message import Principal, PrincipalKind, derived_id, first_id
from libs.runtime.plane import Runtime
from services.data.crm.desk import Desk

COLUMNS = {"whatsapp": "phone", "email": "lower(email)"}
"""By what a sender is known on a channel."""
MOST = 20
"""Records of one person: more than this is a shared line, whose messages are nobody's in particular."""
SUBJECTS = {"whatsapp": "رسالة واتساب واردة", "email": "بريد وارد"}


class InboundDesk:
    def __init__(self, runtime: Runtime, desk: Desk) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._desk = desk

    async def receive(self, request: ReceiveMessage) -> Received:
        """Keep a message with every contact that its sender is. The same message again changes nothing."""
        tenant = request.tenant_id
        async with self._database.batch(tenant) as work:
            rows = await work.connection.fetch(
                f"select contact_id, account_id from data.contacts where tenant_id = $1 and {COLUMNS[request.channel]} = $2 "
                "and deleted_at is null order by contact_id limit $3",
                tenant, request.sender.strip().lower(), MOST + 1,
            )  # fmt: skip
        if len(rows) > MOST:
            return Received()
        now = self._runtime.now()
        who = Principal(id="system:data", kind=PrincipalKind.SYSTEM, tenant_id=tenant, roles=("member",))
        for row in rows:
            values = {
                "type": request.channel, "direction": "inbound", "subject": SUBJECTS[request.channel], "body": request.text,
                "at": min(request.at or now, now).isoformat(), "contact_id": str(row["contact_id"]),
                **({"account_id": str(row["account_id"])} if row["account_id"] else {}),
            }  # fmt: skip
            # Of the message's time, so that lists, newest first, have it where it belongs; of its contact's where nobody said when.
            since = first_id(request.at) if request.at else row["contact_id"]
            kept = derived_id(since, row["contact_id"], request.channel, request.message_id)
            await self._desk.create(CreateRecord(principal=who, kind=RecordKind.ACTIVITY, id=kept, values=values))
        return Received(contact_ids=tuple(row["contact_id"] for row in rows))
