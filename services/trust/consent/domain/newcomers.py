"""Whom a list that is being imported brings, before they are written: judged as they will be once they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.contracts.reachable import Newcomers
from libs.contracts.trust import Contactability
from services.trust.consent.domain.entries import CONSENT_LIFETIME
from services.trust.domain.facts import CHANNELS, ContactState, contactability

_NOBODY = UUID(int=0)
Said = tuple[Contactability, ...]
"""A state for each of CHANNELS."""


class NewcomerJudge:
    """A list of thousands has a few dozen different states: each is worked out once."""

    def __init__(self, suppressed: frozenset[str], now: datetime) -> None:
        """`suppressed` are the identifiers, as MACs, to which nobody may write."""
        self._suppressed, self._now = suppressed, now
        self.states: list[Said] = []

    def judge(self, group: Newcomers, macs: Sequence[tuple[str | None, str | None]]) -> tuple[int, ...]:
        """The places in `states` of what is said of each of a group. `macs` are those of their addresses and numbers."""
        consents = _consents(group, self._now)
        places: dict[tuple[int, int], int] = {}
        out: list[int] = []
        for email_mac, phone_mac in macs:
            key = (self._standing(email_mac), self._standing(phone_mac))
            place = places.get(key)
            if place is None:
                place = places[key] = self._place(self._judged(group, consents, email_mac, phone_mac))
            out.append(place)
        return tuple(out)

    def _standing(self, mac: str | None) -> int:
        return 0 if mac is None else 2 if mac in self._suppressed else 1

    def _place(self, said: Said) -> int:
        if said not in self.states:
            self.states.append(said)
        return self.states.index(said)

    def _judged(
        self, group: Newcomers, consents: tuple[tuple[str, str], ...], email_mac: str | None, phone_mac: str | None
    ) -> Said:
        state = ContactState(
            contact_id=_NOBODY,
            email_mac=email_mac,
            phone_mac=phone_mac,
            source=group.source,
            opted_out=group.opted_out,
            cold=group.cold,
            email_valid=None if email_mac is None else True,
            collected_directly=group.collected_directly,
            suppressed=self._suppressed,
            consents=consents,
        )
        return tuple(contactability(state, channel, reasons=False).status for channel in CHANNELS)


def _consents(group: Newcomers, now: datetime) -> tuple[tuple[str, str], ...]:
    """The newest consent of each channel counts, as among those on record."""
    newest: dict[str, datetime] = {}
    for claim in group.consents:
        newest[claim.channel] = max(claim.captured_at, newest.get(claim.channel, claim.captured_at))
    return tuple((channel, "expired" if at + CONSENT_LIFETIME < now else "active") for channel, at in newest.items())
