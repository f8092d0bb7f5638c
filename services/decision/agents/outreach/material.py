"""What a message may say: the facts of a lead that have a source, cleaned, each with where it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import cast

from libs.contracts.catalogue.targeting import Targeting
from services.decision.agents.outreach.texts import Language, Texts, Tone, texts, tones
from services.decision.agents.review.claims import find
from services.decision.domain import untrusted
from services.decision.domain.address import Address, address
from services.decision.domain.text import date_ar, date_en, is_arabic
from services.decision.targeting.domain.explain import in_arabic
from services.decision.targeting.domain.rank import Ranked

_NAME_WORD = "ضمان"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who writes. `person` equals `company` where the tenant named no person; `offer` is what it says it sells, or empty."""

    company: str
    person: str
    email: str
    opt_out_url: str
    offer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything that fills a message. `facts` are fact:source pairs that may be used; `withheld` names what was left out."""

    language: Language
    tone: Tone
    source: str
    group: str
    address: Address | None
    company: str | None
    event: str | None
    obtained_at: date | None
    last_activity_at: date | None
    signal: str | None
    topic: str | None
    sender: Sender
    facts: tuple[str, ...]
    withheld: tuple[str, ...] = ()
    fill: dict[str, str] = field(default_factory=dict)

    def used(self, channel: str, text: str) -> tuple[str, ...]:
        """The facts that a rendered text really uses: those whose words stand in it."""
        shown = {
            "contact_name": self.address is not None and (self.address.first in text or self.address.full in text),
            "account_name": self.company is not None and self.company in text,
            "event": self.event is not None and self.event in text,
            "topic": bool(self.fill["topic"]) and self.fill["topic"] in text,
            "offer": bool(self.sender.offer) and self.sender.offer in text,
            # The sector picks a sentence that only letters have.
            "sector": channel == "email",
        }
        return tuple(fact for fact in self.facts if shown.get(fact.partition(":")[0], True))

    @property
    def names(self) -> tuple[str, ...]:
        """Proper names of the message, which reviewers read as names."""
        person = (self.address.full, self.address.first) if self.address else ()
        return tuple(
            name for name in (self.company, self.event, *person, self.sender.company, self.sender.person) if name
        )


def gather(one: Ranked, sender: Sender, rules: Targeting, language: Language | None, tone: Tone | None) -> Material:
    """Collect what may be said. Fields that can't be shown safely are left out and named in `withheld`."""
    lead = one.lead
    lang: Language = language or ("ar" if in_arabic(one) else "en")
    words = texts(lang)
    person = untrusted.person_name(lead.contact_name)
    named = _in_language((lead.account_name_ar, lead.account_name), lang)
    company = _unpromising(untrusted.company_name(named))
    event = _unpromising(untrusted.label(lead.source_detail if lead.source == "event" else None))
    addressee = address(lead.contact_name, lang)
    signal = _mention(one, rules)
    sector = rules.sectors.get(lead.sector or "")
    chosen = tone or _tone(one, sector.group if sector else "other")
    used = [f"source:{lead.source}"]
    used += [f"contact_name:{lead.source}"] if addressee else []
    used += [f"account_name:{lead.source}"] if company.text else []
    used += [f"event:{lead.source}"] if event.text else []
    used += [f"{signal[0]}:{signal[1]}"] if signal else []
    used += [f"topic:{one.reading.topic}"] if one.reading.topic else []
    used += ["sector"] if sector and sector.group != "other" else []
    used += ["offer:tenant"] if sender.offer else []
    return Material(
        language=lang,
        tone=chosen,
        source=lead.source,
        group=sector.group if sector else "other",
        address=addressee,
        company=company.text,
        event=event.text,
        obtained_at=lead.obtained_at,
        last_activity_at=lead.last_activity_at,
        signal=signal[0] if signal else None,
        topic=one.reading.topic,
        sender=sender,
        facts=tuple(used),
        withheld=_withheld(one, contact_name=person, account_name=company, event=event),
        fill=_fill(words, lang, addressee, company.text, event.text, one, sender, rules),
    )


def _in_language(names: tuple[str | None, ...], language: Language) -> str | None:
    """The name in the message's script where the record has one, whichever field it was typed into; else any."""
    given = [name for name in names if name]
    return next((name for name in given if is_arabic(name) == (language == "ar")), given[0] if given else None)


def _unpromising(cleaned: untrusted.Cleaned) -> untrusted.Cleaned:
    """A name that makes a promise is left out. «ضمان» alone is what many companies are called, and is none."""
    if cleaned.text is None:
        return cleaned
    promises = [claim for claim in find(cleaned.text, "guarantee") if _NAME_WORD not in claim.words]
    return untrusted.Cleaned(None, ("promise",)) if promises else cleaned


def _withheld(one: Ranked, **fields: untrusted.Cleaned) -> tuple[str, ...]:
    found = [f"untrusted_{name}" for name, cleaned in fields.items() if cleaned.findings]
    return (*found, "untrusted_notes") if one.reading.withheld else tuple(found)


def _mention(one: Ranked, rules: Targeting) -> tuple[str, str] | None:
    """The strongest thing that they did towards us and that is recent and dated enough to bring up."""
    for signal in sorted(
        one.reading.signals, key=lambda s: -s.strength * (rules.signals[s.key].intent if s.told else 0)
    ):
        if not signal.told:
            continue
        recent = signal.strength >= tones().mention_from and (signal.observed_at or signal.due) is not None
        if rules.signals[signal.key].mention and recent:
            return signal.key, signal.source
    return None


def _tone(one: Ranked, group: str) -> Tone:
    rules = tones()
    role = one.seat.role if one.seat else None
    if group in rules.formal_groups:
        return "formal"
    if one.lead.source in rules.warm_sources:
        return "warm"
    return "formal" if one.lead.source in rules.formal_sources or role in rules.formal_roles else "warm"


def _fill(
    words: Texts,
    lang: Language,
    addressee: Address | None,
    company: str | None,
    event: str | None,
    one: Ranked,
    sender: Sender,
    rules: Targeting,
) -> dict[str, str]:
    lead = one.lead
    write = date_ar if lang == "ar" else date_en
    topic = rules.topics.get(one.reading.topic or "")
    female = addressee is not None and addressee.gender == "f"
    return {
        "honorific": addressee.honorific if addressee else "",
        "call": addressee.call if addressee else "",
        "respected": "المحترمة" if female else "المحترم",
        "name": addressee.full if addressee else "",
        "first": addressee.first if addressee else "",
        "company": company or words.your_company,
        "event": event or words.unnamed_event,
        "on_date": words.on_date.format(date=write(lead.obtained_at)) if lead.obtained_at else "",
        "last_on": words.last_on.format(date=write(lead.last_activity_at)) if lead.last_activity_at else "",
        "topic": cast(str, getattr(topic, lang)) if topic else "",
        "sender": sender.company,
        "person": sender.person,
        "offer": sender.offer,
        "opt_out_url": sender.opt_out_url,
    }
