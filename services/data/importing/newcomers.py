"""Asks trust about people before they are written: what a list says of them is in hand, and need not be read back."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, time
from uuid import UUID

from libs.contracts.errors import DealixError
from libs.contracts.reachable import ClaimedConsent, Newcomers, NewcomersRequest
from libs.contracts.subjects import NEWCOMERS
from libs.runtime.asking import Asks
from services.data.importing.domain.records import ContactFields, LeadFields, MergePlan, PlannedContact

log = logging.getLogger(__name__)

PAGE = 2_500
NOT_ASKED = "{}"
"""What a lead has of contactability until trust has said something."""


class Arriving:
    """The people whom a plan would write anew, with what decides whether they may be contacted."""

    def __init__(self, plan: MergePlan) -> None:
        """Those who are known already are left out: there is more of them on record than a list says."""
        self._plan = plan
        self.unasked = [_unasked(plan.contacts[lead.contact]) for lead in plan.leads]
        """What there is to say of each lead of the plan while trust has not been asked."""
        alike: dict[tuple[object, ...], list[int]] = {}
        for position, lead in enumerate(plan.leads):
            contact = plan.contacts[lead.contact]
            if contact.existing_id is None:
                alike.setdefault(_alike(contact.fields, lead.fields), []).append(position)
        self._groups = [its[start : start + PAGE] for its in alike.values() for start in range(0, len(its), PAGE)]

    async def contactability(self, asks: Asks, tenant_id: UUID) -> list[str | None]:
        """What trust says, as JSON by channel, for each lead of the plan; None where what it said before holds. `NOT_ASKED` of others who
        are known, and of all where it is silent: they are asked about once they are written."""
        said = list(self.unasked)
        try:
            for page in self._pages():
                groups = tuple(map(self._group, page))
                reply = await asks.call(NEWCOMERS, NewcomersRequest(tenant_id=tenant_id, groups=groups))
                states = [json.dumps({channel: state.value for channel, state in its.items()}) for its in reply.states]
                for positions, places in zip(page, reply.groups, strict=True):
                    for position, place in zip(positions, places, strict=True):
                        said[position] = states[place]
        except DealixError as error:
            log.warning("trust is asked again once the people are written: %s", error.code)
        return said

    def _pages(self) -> Iterator[list[list[int]]]:
        page: list[list[int]] = []
        people = 0
        for group in self._groups:
            if page and people + len(group) > PAGE:
                yield page
                page, people = [], 0
            page.append(group)
            people += len(group)
        if page:
            yield page

    def _group(self, positions: list[int]) -> Newcomers:
        leads = [self._plan.leads[position] for position in positions]
        people = [self._plan.contacts[lead.contact].fields for lead in leads]
        lead, contact = leads[0].fields, people[0]
        return Newcomers(
            source=lead.source,
            opted_out=contact.opted_out.value,
            cold=lead.cold,
            collected_directly=lead.collected_directly,
            consents=_dated(contact),
            email=tuple(one.email for one in people),
            phone=tuple(one.phone_e164 for one in people),
        )


def _unasked(contact: PlannedContact) -> str | None:
    return None if contact.as_before else NOT_ASKED


def _alike(contact: ContactFields, lead: LeadFields) -> tuple[object, ...]:
    consents = tuple((claim.channel, claim.at) for claim in contact.consents if claim.given)
    return lead.source, contact.opted_out, lead.cold, lead.collected_directly, consents


def _dated(contact: ContactFields) -> tuple[ClaimedConsent, ...]:
    """A consent without its date is no consent: when it was given must be documented (PDPL IR art. 11)."""
    return tuple(
        ClaimedConsent(channel=claim.channel, captured_at=datetime.combine(claim.at, time(), UTC))
        for claim in contact.consents
        if claim.given and claim.at is not None
    )
