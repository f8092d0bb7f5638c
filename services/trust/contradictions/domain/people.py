"""What trust's own records say of a person's consent, as claims: a consent is given until it is withdrawn, and withdrawn from then on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.contracts.claims import Claim, NewClaim
from libs.contracts.trust import ConsentRecord
from services.trust.contradictions.domain.conflict import named, read

RECORDER = "plane:trust"
CHANNELS = ("email", "whatsapp", "phone")


@dataclass(frozen=True, slots=True)
class Person:
    """A contact's note of not wanting to be contacted (`yes`, `no`, `unclear`), and its consents."""

    contact_id: UUID
    opted_out: str
    consents: tuple[ConsentRecord, ...]


def claims(tenant_id: UUID, person: Person, now: datetime) -> list[Claim]:
    """Claims about each channel that has a consent. The same method of asking is the same source."""
    found = []
    for channel in CHANNELS:
        own = [one for one in person.consents if one.channel == channel]
        for one in own:
            source = f"consent:{one.method}"
            ends = min((at for at in (one.withdrawn_at, one.expires_at) if at is not None), default=None)
            if ends is None or ends > one.captured_at:
                found.append(_claim(tenant_id, person, channel, "given", source, one.captured_at, ends, now))
            if one.withdrawn_at is not None:
                until = _asked_again(own, one)
                found.append(_claim(tenant_id, person, channel, "withdrawn", source, one.withdrawn_at, until, now))
        if own and person.opted_out == "yes":
            found.append(_claim(tenant_id, person, channel, "withdrawn", "record:opted_out", None, None, now))
    return found


def _asked_again(own: Iterable[ConsentRecord], withdrawn: ConsentRecord) -> datetime | None:
    """When the person agreed anew, the same way as before; agreeing another way is another source's word."""
    at = withdrawn.withdrawn_at
    later = [
        one.captured_at for one in own if one.method == withdrawn.method and at is not None and one.captured_at > at
    ]
    return min(later, default=None)


def _claim(
    tenant_id: UUID, person: Person, channel: str, value: str, source: str, start: datetime | None, end: datetime | None, now: datetime
) -> Claim:  # fmt: skip
    key, subject = f"{channel}_consent", f"contact:{person.contact_id}"
    new = NewClaim(
        claim_id=named(tenant_id, subject, key, value, source, start), subject=subject, key=key, value=value, source=source,
        valid_from=start, valid_to=end,
    )  # fmt: skip
    return read(new, tenant_id, RECORDER, now)


def doubtful(person: Person, now: datetime) -> bool:
    """Whether a person's records may contradict one another at all: most don't, and cost nothing."""
    active = [one for one in person.consents if one.withdrawn_at is None and (one.expires_at or now) >= now]
    return bool(active) and (person.opted_out == "yes" or any(one.withdrawn_at is not None for one in person.consents))


def of_consents(people: Sequence[Person], tenant_id: UUID, now: datetime) -> list[Claim]:
    """The claims of everybody whose records may contradict one another."""
    return [claim for person in people if doubtful(person, now) for claim in claims(tenant_id, person, now)]
