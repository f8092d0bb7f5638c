"""The weekly learning report: what a week tried, what the last weeks' outreach says, and what it does not say yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.agent_versions import agent_versions
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.decision import FIRST, Draft
from libs.contracts.errors import DealixError
from libs.contracts.experiments import Experiment, ExperimentState, Varies
from libs.contracts.learning import (
    Compared,
    Dimension,
    OutcomesReply,
    OutcomesRequest,
    SentDraft,
    Touch,
    WeeklyReport,
    WeeklyReportRequest,
    WeekTried,
    WithheldCount,
)
from libs.contracts.message import Principal, Provenance, Text
from libs.contracts.metrics import MetricValue
from libs.contracts.subjects import OUTCOMES
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.agents.outreach.texts import texts
from services.decision.agents.outreach.writer import AGENT as WRITER
from services.decision.domain import provenance, untrusted
from services.decision.executive.figures import Figures
from services.decision.growth.domain.learn import (
    Candidate,
    compare,
    improvement,
    next_experiment,
    objections,
    to_stop,
    week_of,
)
from services.decision.growth.errors import WeekAhead
from services.decision.growth.reading import arm_name, read
from services.decision.growth.store import Trials

VERSION = "weekly-report-2"
REPLY_DAYS = 14
"""An answer within so many days counts as one to what reached the contact."""
YOUNG_DAYS = 3
USUAL_WEEKS = 4
MOST_DRAFTS = 5000
MOST_EXPERIMENTS = 20
FIGURES = ("card_accept_rate", "drafts_approved", "cold_blocked", "meetings_held", "experiment_reply_rate")
"""Metrics of the dictionary that a week is told by."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Contacts that count, how many are too young to, the drafts by their actions, what was written to us, and whether there was more."""

    counted: list[Touch]
    young: int
    drafts: dict[UUID, Draft]
    texts: tuple[str, ...]
    capped: bool

    def by(self, dimension: Dimension) -> Compared:
        """The arms of a dimension, compared."""
        key = KEYS[dimension]
        return compare(dimension, self.counted, lambda touch: key(touch, self.drafts), NAMES[dimension])


class Weekly:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._figures = Figures(runtime)

    async def report(self, request: WeeklyReportRequest) -> WeeklyReport:
        """A week's report: as it was kept, where the week is over. Raises WeekAhead, and what data answers."""
        today = self._runtime.now().astimezone(RIYADH).date()
        week = week_of(request.week) if request.week else week_of(today) - timedelta(weeks=1)
        if week > today:
            raise WeekAhead
        # Another look back than the usual one is a question, not the week's report.
        final = request.weeks == USUAL_WEEKS and week + timedelta(weeks=1) <= today
        return (
            await self.kept(request.principal, week)
            if final
            else await self._made(request.principal, week, request.weeks)
        )

    async def kept(self, who: Principal, week: date) -> WeeklyReport:
        """The report of a week that is over, made now where nobody has asked before. The one that was kept first stays."""
        tenant = who.tenant_id
        if (found := await self._found(tenant, week)) is not None:
            return found
        made = await self._made(who, week, USUAL_WEEKS)
        async with self._runtime.database.batch(tenant) as work:
            await work.connection.execute(
                "insert into decision.weekly_reports (tenant_id, week, document, made_at) values ($1, $2, $3::jsonb, $4) on conflict do nothing",
                tenant, week, made.model_dump_json(), self._runtime.now(),
            )  # fmt: skip
        return await self._found(tenant, week) or made

    async def _found(self, tenant: UUID, week: date) -> WeeklyReport | None:
        async with self._runtime.database.batch(tenant) as work:
            document = await work.connection.fetchval(
                "select document from decision.weekly_reports where tenant_id = $1 and week = $2", tenant, week
            )
        return None if document is None else WeeklyReport.model_validate_json(document)

    async def _made(self, who: Principal, week: date, weeks: int) -> WeeklyReport:
        now = self._runtime.now()
        since = datetime.combine(week, time(), RIYADH)
        ends = since + timedelta(weeks=1)
        until, compared_since = min(ends, now), ends - timedelta(weeks=weeks)
        found = await self._read(who, compared_since, until)
        tried = await self._tried(who, since, until, found.drafts)
        parts: dict[Dimension, Compared] = {one: found.by(one) for one in _DIMENSIONS}
        messages_read, raised = objections(found.texts)
        proposed, next_said = next_experiment(_candidates(found, parts), len(found.counted) / weeks)
        experiments = await self._experiments(who.tenant_id, since, until)
        if any(one.state is ExperimentState.RUNNING for one in experiments):
            proposed, next_said = (
                None,
                Text(en="An experiment is running; one at a time.", ar="توجد تجربة جارية، والتجارب واحدة بعد أخرى."),
            )
        return WeeklyReport(
            week=week, final=now >= ends, since=since, until=until, compared_since=compared_since, said=_said(tried), tried=tried,
            figures=tuple([await self._figure(who, name, since, until) for name in FIGURES]),
            too_young=found.young, capped=found.capped, segments=parts["segment"], messages=parts["message"], channels=parts["channel"],
            messages_read=messages_read, objections=raised, improve=improvement(messages_read, raised), experiments=experiments,
            stop=to_stop((parts["channel"], parts["message"], parts["segment"])), proposed=proposed, next_said=next_said,
            provenance=_provenance(found, parts, experiments, now),
        )  # fmt: skip

    async def _read(self, who: Principal, since: datetime, until: datetime) -> Reading:
        """Contacts reached from `since` on, with the drafts that reached them. Raises what data answers."""
        async with self._runtime.database.batch(who.tenant_id) as work:
            rows = await work.connection.fetch(
                "select document from decision.drafts where tenant_id = $1 and action_id is not null and created_at >= $2 and created_at < $3 "
                "order by draft_id desc limit $4",
                who.tenant_id, since - timedelta(days=REPLY_DAYS), until, MOST_DRAFTS,
            )  # fmt: skip
        drafts = [Draft.model_validate_json(row["document"]) for row in rows]
        of_action = {one.action_id: one for one in drafts if one.action_id is not None}
        found = await self._outcomes(who, since, until, of_action)
        # Of the young those who answered at once would count and the silent would not: they are left out whole.
        settled = self._runtime.now() - timedelta(days=YOUNG_DAYS)
        counted = [one for one in found.touches if one.at <= settled]
        return Reading(
            counted,
            len(found.touches) - len(counted),
            of_action,
            found.texts,
            found.capped or len(drafts) == MOST_DRAFTS,
        )

    async def _outcomes(
        self, who: Principal, since: datetime, until: datetime, drafts: Mapping[UUID, Draft]
    ) -> OutcomesReply:
        sent = tuple(SentDraft(action_id=id, contact_id=one.contact_id) for id, one in drafts.items())
        asked = OutcomesRequest(principal=who, since=since, until=until, reply_days=REPLY_DAYS, drafts=sent)
        return await self._runtime.bus.call(OUTCOMES, asked)

    async def _tried(self, who: Principal, since: datetime, until: datetime, drafts: Mapping[UUID, Draft]) -> WeekTried:
        """The week alone."""
        async with self._runtime.database.batch(who.tenant_id) as work:
            c = work.connection
            drafted = await c.fetch(
                "select draft_id from decision.drafts where tenant_id = $1 and created_at >= $2 and created_at < $3", who.tenant_id, since, until
            )  # fmt: skip
            withheld = await c.fetch(
                "select code from decision.ai_conversations where tenant_id = $1 and agent = $2 and verdict = 'withheld' and at >= $3 and at < $4",
                who.tenant_id, WRITER, since, until,
            )  # fmt: skip
            refused = await c.fetch(
                "select distinct document->'context'->>'approval_id' approval from decision.cards where tenant_id = $1 and type = 'approval' "
                "and decided_button = 'rejected' and decided_at >= $2 and decided_at < $3",
                who.tenant_id, since, until,
            )  # fmt: skip
        touches = (await self._outcomes(who, since, until, drafts)).touches
        reached = {one.contact_id for one in touches}
        replied = {one.contact_id for one in touches if one.replied}
        codes = Counter(row["code"] for row in withheld)
        return WeekTried(
            drafted=len(drafted), withheld=tuple(WithheldCount(code=code, count=n) for code, n in codes.most_common()),
            refused=len(refused), reached=len(reached), replied=len(replied),
        )  # fmt: skip

    async def _figure(self, who: Principal, name: str, since: datetime, until: datetime) -> MetricValue:
        """A metric over the week; one that can't be read says so, and takes no other with it."""
        try:
            return await self._figures.value(who, name, since, until)
        except DealixError as error:
            rule = metrics()[name]
            return MetricValue(
                name=name, unit=rule.unit, en=rule.en, ar=rule.ar, definition_en=rule.definition_en, definition_ar=rule.definition_ar,
                freshness_hours=rule.freshness_hours, value=None, no_data=True, why_en=error.en, why_ar=error.ar, since=since, until=until,
                as_of=self._runtime.now(),
            )  # fmt: skip

    async def _experiments(self, tenant: UUID, since: datetime, until: datetime) -> tuple[Experiment, ...]:
        async with self._runtime.database.batch(tenant) as work:
            kept = await Trials(work).within(tenant, since, until, MOST_EXPERIMENTS)
            return tuple([await read(work, tenant, one) for one in kept])


def _provenance(
    found: Reading, parts: Mapping[Dimension, Compared], experiments: tuple[Experiment, ...], now: datetime
) -> Provenance:
    hours = min(((now - one.at).total_seconds() / 3600 for one in found.counted), default=0.0)
    sources = [f"action:{one.action_id}" for one in found.counted if one.action_id][:200]
    return provenance.local(
        now=now, by="weekly_report", engine="rules", version=VERSION, freshness=round(hours, 2),
        confidence=0.95 if any(one.enough for one in parts.values()) else 0.0,
        sources=(*(f"metric:{name}" for name in FIGURES), *(f"experiment:{one.experiment_id}" for one in experiments), *sources),
        trace_id=telemetry.trace_id(),
    )  # fmt: skip


def _said(tried: WeekTried) -> Text:
    if not (tried.drafted or tried.reached or tried.withheld or tried.refused):
        return Text(
            en="Nothing was tried this week: no message was prepared, and nobody was reached.",
            ar="لم يُجرَّب شيء هذا الأسبوع: لم تُعدّ رسالة ولم يُتواصل مع أحد.",
        )
    return Text(
        en=f"Prepared: {tried.drafted}. Reached: {tried.reached}, of whom {tried.replied} answered. Refused by people: {tried.refused}.",
        ar=f"أُعدّ: {tried.drafted}. تم الوصول إلى: {tried.reached}، ردّ منهم {tried.replied}. رفضه الأشخاص: {tried.refused}.",
    )


def _candidates(found: Reading, parts: Mapping[Dimension, Compared]) -> list[Candidate]:
    """What can be drawn and is not told apart yet: other texts of the first message, then the other channel."""
    made, known = [], agent_versions()
    of = known.agents[WRITER]
    usual = {texts("ar").version, texts("en").version}
    first = [
        one for one in found.counted
        if (draft := found.drafts.get(one.action_id) if one.action_id else None) is not None
        and draft.purpose == FIRST and draft.provenance.prompt_version in usual
    ]  # fmt: skip
    for other in known.beside(WRITER):
        names = (arm_name(Varies.MESSAGE, of.usual), arm_name(Varies.MESSAGE, other))
        made.append(
            Candidate(Varies.MESSAGE, (of.usual, other), names, len(first), len([1 for one in first if one.replied]))
        )
    channels = parts["channel"]
    both = [one for one in channels.arms if one.key in ("email", "whatsapp")]
    if len(both) == 2 and channels.best is None and channels.worst is None:
        now, other_one = both
        made.append(
            Candidate(Varies.CHANNEL, (now.key, other_one.key), (now.name, other_one.name), now.reached, now.replied)
        )
    return made


def _message(one: Touch, drafts: dict[UUID, Draft]) -> str | None:
    """A kind of message: what for, in which language, by which version of the texts. None for what a person wrote without a draft."""
    draft = drafts.get(one.action_id) if one.action_id is not None else None
    if draft is None:
        return None
    return f"{draft.purpose.partition(':')[0]}:{draft.language}:{draft.provenance.prompt_version}"


def _message_name(key: str) -> Text:
    purpose, language, version = key.split(":", 2)
    same = Text(en=purpose, ar=purpose)
    what, said = _PURPOSES.get(purpose, same), _LANGUAGES.get(language, Text(en=language, ar=language))
    return Text(en=f"{what.en}, {said.en}, {version}", ar=f"{what.ar} {said.ar}، {version}")


def _channel_name(key: str) -> Text:
    named = targeting().channels.get(key)
    return Text(en=named.en, ar=named.ar) if named else _OTHERS.get(key, _same(key))


def _same(key: str) -> Text:
    shown = untrusted.visible(key)[:100]
    return Text(en=shown, ar=shown)


_PURPOSES = {
    "first": Text(en="first message", ar="الرسالة الأولى"), "followup": Text(en="follow-up", ar="متابعة"),
    "objection": Text(en="answer to an objection", ar="رد على اعتراض"),
}  # fmt: skip
_LANGUAGES = {"ar": Text(en="Arabic", ar="بالعربية"), "en": Text(en="English", ar="بالإنجليزية")}
_OTHERS = {
    "call": Text(en="Call", ar="مكالمة"), "meeting": Text(en="Meeting", ar="اجتماع"), "visit": Text(en="Visit", ar="زيارة"),
}  # fmt: skip
_DIMENSIONS: tuple[Dimension, ...] = ("segment", "message", "channel")
KEYS: Mapping[Dimension, Callable[[Touch, dict[UUID, Draft]], str | None]] = {
    "segment": lambda one, _: one.sector,
    "message": _message,
    "channel": lambda one, _: one.channel,
}
NAMES: Mapping[Dimension, Callable[[str], Text]] = {
    "segment": _same,
    "message": _message_name,
    "channel": _channel_name,
}
