"""Which channel to use for a lead, why, and why not the others. A blocked channel is never recommended."""

from __future__ import annotations

from dataclasses import dataclass

from libs.contracts.catalogue.targeting import Targeting
from libs.contracts.message import Text
from libs.contracts.trust import Contactability
from services.decision.targeting.domain.facts import LeadFacts

# What a state means in a sentence, after the channel's name.
_STATE = {
    Contactability.SAFE: Text(en="contact is allowed", ar="التواصل مسموح"),
    Contactability.NEEDS_REVIEW: Text(en="needs a review first", ar="يحتاج مراجعة قبل الاستخدام"),
    Contactability.UNKNOWN: Text(en="not yet assessed", ar="لم يُقيَّم بعد"),
    Contactability.BLOCKED: Text(en="blocked", ar="محظور"),
}
_WHATSAPP_BLOCKED = Text(en="blocked: no recorded opt-in", ar="محظور لعدم وجود موافقة مسجّلة")
_NO_REACH = {
    "email": Text(en="no valid address", ar="لا يوجد بريد صحيح"),
    "phone": Text(en="no valid number", ar="لا يوجد رقم صحيح"),
}


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One channel as seen for a lead: `score` is None when it may not or cannot be used."""

    channel: str
    status: Contactability
    reachable: bool
    score: float | None


@dataclass(frozen=True, slots=True)
class Advice:
    """`best` is None when no channel may be used. `views` holds all channels, the best first."""

    best: str | None
    status: Contactability
    views: tuple[ChannelView, ...]


def advise(lead: LeadFacts, best: Contactability, rules: Targeting) -> Advice:
    """Weigh every channel by what trust allows, whether it would arrive, and how the lead came to us."""
    views = []
    for name, channel in rules.channels.items():
        reach = rules.email_kinds[lead.email] if channel.reach == "email" else rules.phone_kinds[lead.phone]
        status = lead.status(name)
        allowed = rules.channel_status.get(status)
        score = None
        if allowed is not None and reach > 0:
            score = channel.base + allowed + 0.2 * reach + channel.affinity.get(lead.source, 0.0)
        views.append(ChannelView(name, status, reach > 0, score))
    views.sort(key=lambda view: -1.0 if view.score is None else view.score, reverse=True)
    first = views[0]
    if first.score is None:
        return Advice(None, best, tuple(views))
    return Advice(first.channel, first.status, tuple(views))


def silent(rules: Targeting) -> Advice:
    """The advice for someone who asked us to stop: no channel, whatever each of them would allow."""
    blocked = Contactability.BLOCKED
    return Advice(None, blocked, tuple(ChannelView(name, blocked, True, None) for name in rules.channels))


def reasons(lead: LeadFacts, advice: Advice, rules: Targeting) -> tuple[Text, ...]:
    """A sentence for each channel, the recommended one first."""
    return tuple(_reason(lead, view, view.channel == advice.best, rules) for view in advice.views)


def _reason(lead: LeadFacts, view: ChannelView, chosen: bool, rules: Targeting) -> Text:
    channel = rules.channels[view.channel]
    state = _state(lead, view, channel.reach)
    if chosen:
        return Text(en=f"Best channel is {channel.en}: {state.en}.", ar=f"القناة الأنسب {channel.ar}: {state.ar}.")
    return Text(en=f"{channel.en[0].upper()}{channel.en[1:]}: {state.en}.", ar=f"{channel.ar}: {state.ar}.")


def _state(lead: LeadFacts, view: ChannelView, reach: str) -> Text:
    if view.status is Contactability.BLOCKED:
        given = lead.contactability_reasons.get(view.channel, ())
        if given:
            return Text(en=given[0].en.rstrip("."), ar=given[0].ar.rstrip("."))
        return _WHATSAPP_BLOCKED if view.channel == "whatsapp" else _STATE[view.status]
    return _STATE[view.status] if view.reachable else _NO_REACH[reach]
