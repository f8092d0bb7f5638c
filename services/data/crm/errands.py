"""Tasks that flows ask for: what a person is to do, kept where people keep their work."""

from __future__ import annotations

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import CreateRecord
from libs.contracts.flows import TaskRequested
from libs.runtime.database import SessionWork
from services.data.crm.desk import Desk


class Errands:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def asked(self, work: SessionWork, event: TaskRequested) -> None:
        """Keep the task. Its id comes from the flow, so that hearing of it twice makes one."""
        del work  # the task commits by itself: its id makes a repetition harmless
        values = {"title": event.title.ar, "body": f"{event.body.ar}\n{event.body.en}", "status": "open"}
        if event.role:
            values["assignee"] = event.role
        if event.due_at is not None:
            values["due_at"] = event.due_at.isoformat()
        await self._desk.create(
            CreateRecord(principal=event.principal, kind=RecordKind.TASK, id=event.task_id, values=values)
        )
