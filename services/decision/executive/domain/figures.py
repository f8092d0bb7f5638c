"""Figures as the room shows them: what disputes one is said on it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from libs.contracts.catalogue.metrics import MetricRule
from libs.contracts.claims import WAITING, Contradiction, ContradictionState
from libs.contracts.executive import Dispute, RoomFigure, Said
from libs.contracts.message import Text
from libs.contracts.metrics import MetricValue

UNREADABLE = Text(en="It could not be read just now.", ar="تعذّرت قراءته الآن.")


def open_ones(found: Collection[Contradiction]) -> tuple[Contradiction, ...]:
    """Those that nobody has decided and that concern more than one action."""
    return tuple(one for one in found if one.state in WAITING and one.action_id is None)


def dispute(one: Contradiction, *, claims: bool) -> Dispute:
    """A contradiction as a figure names it; without `claims` only that there is one."""
    said = tuple(Said(value=each.value, unit=each.unit, source=each.source) for each in one.claims)
    return Dispute(
        contradiction_id=one.contradiction_id, about=one.subject, severity=one.severity, opened_at=one.opened_at,
        acknowledged=one.state is ContradictionState.ACKNOWLEDGED, claims=said if claims else (),
    )  # fmt: skip


def figure(rule: MetricRule, value: MetricValue, disputes: tuple[Dispute, ...] | None) -> RoomFigure:
    """A figure with what disputes it; None where contradictions could not be read."""
    return RoomFigure(
        metric=rule.name, unit=rule.unit, value=value.value, rows=value.rows, as_of=value.as_of, why_en=value.why_en, why_ar=value.why_ar,
        en=rule.en, ar=rule.ar, definition_en=rule.definition_en, definition_ar=rule.definition_ar, since=value.since, until=value.until,
        counted=value.counted, excluded=value.excluded, disputed=disputes or (), unchecked=disputes is None, caution=caution(disputes),
    )  # fmt: skip


def unread(rule: MetricRule, since: datetime, until: datetime, now: datetime) -> RoomFigure:
    """A figure whose plane does not answer."""
    return RoomFigure(
        metric=rule.name, unit=rule.unit, value=None, rows=0, as_of=now, why_en=UNREADABLE.en, why_ar=UNREADABLE.ar, en=rule.en, ar=rule.ar,
        definition_en=rule.definition_en, definition_ar=rule.definition_ar, since=since, until=until, counted=0, excluded=0, unread=True,
    )  # fmt: skip


def caution(disputes: tuple[Dispute, ...] | None) -> Text | None:
    """What a reader has to know before believing the figure; None where nothing speaks against it."""
    if disputes is None:
        return Text(en="Whether it is contradicted could not be read just now.", ar="تعذّر التحقق من وجود تناقض يمسّه.")
    if not disputes:
        return None
    if any(one.about.startswith("metric:") for one in disputes):
        return Text(
            en="Sources disagree about this figure, and nobody has decided yet.",
            ar="مصادر مختلفة في هذا الرقم، ولم يُحسم بعد.",
        )
    return Text(
        en=f"Records in it are contradicted and undecided: {len(disputes)}.",
        ar=f"سجلات داخلة فيه عليها تناقض لم يُحسم: {len(disputes)}.",
    )
