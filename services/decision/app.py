"""Decision's composition root: the only file that wires."""

from __future__ import annotations

from libs.contracts import subjects
from libs.contracts.message import Plane
from libs.runtime.metrics import serve_metrics
from libs.runtime.plane import Runtime
from services.decision.agents.choosing import Choosing
from services.decision.agents.conversations import Conversations
from services.decision.agents.desk import Agents
from services.decision.agents.engines.all import engines
from services.decision.agents.models.uses import ModelUses
from services.decision.attribution.desk import serve_attribution
from services.decision.cards.watch import Watch
from services.decision.consumption.meter import Meter
from services.decision.contradicted import Contradicted
from services.decision.disabled import DisabledSubscriptions
from services.decision.drafting import Drafting
from services.decision.erasure import People
from services.decision.executive.desk import serve_executive
from services.decision.forecasting.desk import serve_forecasts
from services.decision.forecasting.predictive import serve_predictive
from services.decision.growth.cards import GrowthButtons, GrowthCards
from services.decision.growth.experiments import Experiments
from services.decision.growth.plan import Growth
from services.decision.growth.weekly import Weekly
from services.decision.handlers import Cards, Drafts, Listener, Opportunities
from services.decision.inbox.desk import InboxDesk
from services.decision.insight.lineage import serve_lineage
from services.decision.letters import LetterCards
from services.decision.memos.desk import Memos
from services.decision.negotiation.desk import Negotiation
from services.decision.partners.desk import Partners
from services.decision.partners.figures import serve_partner_figures
from services.decision.partners.offers import serve_offers
from services.decision.proving.desk import serve_proving
from services.decision.ranking import Ranking
from services.decision.settings import DecisionSettings
from services.decision.simulating.desk import serve_simulator
from services.decision.stalled import StalledFlows
from services.decision.targeting.desk import Committees
from services.decision.unclean import UncleanData


async def build(runtime: Runtime) -> None:
    """Wire the plane."""
    bus, conversations = runtime.bus, Conversations(runtime.database)
    meter = Meter(runtime.database, runtime.now, DecisionSettings().agent_runs_a_day)
    choosing = Choosing(runtime, conversations.add, meter=meter)
    drafting = Drafting(runtime, choosing)
    asking = Agents(runtime, choosing, engines(runtime, drafting))
    bus.serve(subjects.RUN_AGENT, asking.run)
    bus.serve(subjects.ASK_AGENT, asking.ask)
    bus.serve(subjects.CONVERSATIONS, conversations.page)
    bus.serve(subjects.MODEL_USES, ModelUses(runtime.database).page)
    ranking, watch = Ranking(runtime, drafting), Watch(runtime, (GrowthCards(runtime),))
    experiments = Experiments(runtime, watch)
    opportunities, cards, drafts = (
        Opportunities(runtime, ranking),
        Cards(runtime, drafting, watch, GrowthButtons(experiments).acts),
        Drafts(runtime, drafting),
    )
    listener = Listener(runtime, ranking, watch)
    bus.serve(subjects.RANK, opportunities.rank)
    bus.serve(subjects.OPPORTUNITIES, opportunities.list)
    bus.serve(subjects.CARDS, cards.feed)
    bus.serve(subjects.CARD, cards.get)
    bus.serve(subjects.DECIDE_CARD, cards.decide)
    bus.serve(subjects.WHATSAPP_BRIEF, cards.brief)
    bus.serve(subjects.ANSWER_BRIEF, cards.answer)
    bus.serve(subjects.PREPARE_DRAFT, drafts.prepare)
    bus.serve(subjects.DRAFTS, drafts.list)
    bus.serve(subjects.MEMO, Memos(runtime).make)
    bus.serve(subjects.COMMITTEE, Committees(runtime).get)
    bus.on(subjects.IMPORT_COMPLETED, listener.imported)
    bus.on(subjects.LEADS_CHANGED, listener.leads_changed)
    bus.on(subjects.APPROVAL_REQUESTED, listener.approval_requested)
    bus.on(subjects.APPROVAL_DECIDED, listener.approval_decided)
    bus.on(subjects.EVIDENCE_ASSEMBLED, watch.evidence)
    bus.on(subjects.APPROVAL_ESCALATED, listener.approval_escalated)
    serve_lineage(runtime)
    serve_metrics(runtime)
    serve_forecasts(runtime)
    serve_predictive(runtime)
    serve_proving(runtime)
    serve_partner_figures(runtime)
    serve_offers(runtime)
    serve_simulator(runtime)
    serve_executive(runtime)
    serve_attribution(runtime)
    bus.on(subjects.FLOW_STALLED, StalledFlows(runtime).heard)
    letters = LetterCards(runtime)
    bus.on(subjects.DEAD_LETTER_ARRIVED, letters.arrived)
    bus.on(subjects.DEAD_LETTER_CLOSED, letters.closed)
    contradicted = Contradicted(runtime)
    bus.on(subjects.CONTRADICTION_OPENED, contradicted.opened)
    bus.on(subjects.CONTRADICTION_DECIDED, contradicted.decided)
    bus.on(subjects.SUBSCRIPTION_DISABLED, DisabledSubscriptions(runtime).heard)
    bus.on(subjects.QUALITY_CHECKED, UncleanData(runtime).checked)
    negotiation, partners = Negotiation(runtime, choosing), Partners(runtime)
    bus.serve(subjects.CLASSIFY_OBJECTION, negotiation.classify)
    bus.serve(subjects.ANSWER_OBJECTION, negotiation.respond)
    bus.serve(subjects.PARTNER_PIPELINE, partners.pipeline)
    bus.serve(subjects.SCORE_PARTNER, partners.score)
    bus.serve(subjects.PARTNER_MESSAGE, partners.message)
    bus.serve(subjects.PARTNER_BRIEF, partners.brief)
    bus.serve(subjects.DAILY_PLAN, Growth(runtime).plan)
    bus.serve(subjects.EXPERIMENTS, experiments.page)
    bus.serve(subjects.EXPERIMENT, experiments.get)
    bus.serve(subjects.START_EXPERIMENT, experiments.start)
    bus.serve(subjects.DECIDE_EXPERIMENT, experiments.decide)
    bus.serve(subjects.WEEKLY_REPORT, Weekly(runtime).report)
    bus.serve(subjects.INBOX, InboxDesk(runtime).read)
    people = People(runtime)
    runtime.bus.serve(subjects.PERSON[Plane.DECISION], people.person)
    runtime.bus.on(subjects.ERASURE_ORDERED, people.erase)
    runtime.loop("ranking", ranking.loop)
    runtime.loop("watch", watch.loop)
