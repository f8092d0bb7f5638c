"""The CRM's part of the composition."""

from __future__ import annotations

from libs.contracts import subjects
from libs.runtime.plane import Runtime
from services.data.crm.arrange import ArrangementDesk
from services.data.crm.desk import Desk
from services.data.crm.errands import Errands
from services.data.crm.export import ExportDesk
from services.data.crm.inbound import InboundDesk
from services.data.crm.inbox import InboxRows
from services.data.crm.indexing import Indexer
from services.data.crm.reachability import Reachability
from services.data.crm.reputation import ReputationDesk
from services.data.crm.timeline import Timelines
from services.data.crm.waiting import WaitingDesk
from services.data.matching.merges import Merges
from services.data.matching.reviews import ReviewDesk


def serve_crm(runtime: Runtime) -> None:
    """Wire the CRM."""
    bus, desk, merges, arranged = runtime.bus, Desk(runtime), Merges(runtime), ArrangementDesk(runtime)
    reviews = ReviewDesk(runtime, merges)
    bus.serve(subjects.RECORDS, desk.list)
    bus.serve(subjects.RECORD, desk.get)
    bus.serve(subjects.CREATE_RECORD, desk.create)
    bus.serve(subjects.CHANGE_RECORD, desk.change)
    bus.serve(subjects.DELETE_RECORD, desk.delete)
    bus.serve(subjects.MOVE_DEAL, desk.move)
    bus.serve(subjects.BULK_CHANGE, desk.bulk)
    bus.serve(subjects.UNDO_BULK, desk.undo_bulk)
    bus.serve(subjects.SEARCH, desk.search)
    bus.serve(subjects.TIMELINE, Timelines(runtime).get)
    bus.serve(subjects.MERGE_RECORDS, merges.merge)
    bus.serve(subjects.UNDO_MERGE, merges.undo)
    bus.serve(subjects.REVIEWS, reviews.list)
    bus.serve(subjects.REVIEW, reviews.get)
    bus.serve(subjects.DECIDE_REVIEW, reviews.decide)
    bus.serve(subjects.CUSTOM_FIELDS, arranged.fields)
    bus.serve(subjects.SAVE_CUSTOM_FIELD, arranged.save_field)
    bus.serve(subjects.DROP_CUSTOM_FIELD, arranged.drop_field)
    bus.serve(subjects.SAVED_VIEWS, arranged.views)
    bus.serve(subjects.SAVE_VIEW, arranged.save_view)
    bus.serve(subjects.DROP_VIEW, arranged.drop_view)
    bus.serve(subjects.RECEIVE_MESSAGE, InboundDesk(runtime, desk).receive)
    bus.serve(subjects.WAITING, WaitingDesk(runtime).read)
    bus.serve(subjects.INBOX_RECORDS, InboxRows(runtime).read)
    reputation = ReputationDesk(runtime)
    bus.serve(subjects.REPUTATION, reputation.get)
    bus.serve(subjects.RECORD_SIGNALS, reputation.record)
    bus.serve(subjects.EXPORT_PAGE, ExportDesk(runtime).page)
    bus.on(subjects.ACTIONS_SETTLED, reputation.settled)
    reachability = Reachability(runtime)
    bus.on(subjects.CONSENTS_CHANGED, reachability.agreed)
    bus.on(subjects.CONTACT_STOPPED, reachability.stopped)
    bus.on(subjects.CONTACTS_CHANGED, reachability.changed)
    bus.on(subjects.TASK_REQUESTED, Errands(desk).asked)
    runtime.loop("indexing", Indexer(runtime).run)
