"""When two rows mean the same company or the same person: sure, likely, or neither, each with its reasons.

Sure matches merge by themselves, so they need an identifier or a name that agrees in one script with nothing against
it. Whatever rests on likeness alone is only likely, and waits for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from services.data.importing.domain.names import (
    PROPER_WEIGHT,
    NameForm,
    best_similarity,
    company_form,
    given_alike,
    may_reach,
    may_resemble,
    person_form,
    similarity,
)
from services.data.importing.domain.records import AccountFields, ContactFields
from services.data.importing.domain.values import company_domain, is_role_mailbox

SAME_NAME = 100.0
SIMILAR_NAME = 88.0
MOBILE = "+9665"
"""A Saudi mobile number is one person's; other numbers may be a switchboard's."""
PERSONS_COMPANY = 75.0
"""Enough where one person, reached the same way, is at both: an owner's two companies share only the proper name (66)."""
RELATED_NAME = 60.0
DIFFERENT_NAME = 50.0
COMMON_WORD = 40.0
SAME_PERSON = 92.0
SIMILAR_PERSON = 85.0


class Verdict(IntEnum):
    """How certain it is that two are one."""

    NO = 0
    LIKELY = 1
    SURE = 2


@dataclass(frozen=True, slots=True)
class Match:
    """A verdict with the codes of its reasons (group `why` of the messages) and the likeness of the names, 0 to 100.

    `bound` says how much a sure match presupposes of the groups it would join: of their traits (domains and cities of
    companies, addresses and numbers of people) the first `bound` kinds may not differ.
    """

    verdict: Verdict
    why: tuple[str, ...] = ()
    score: float = 0.0
    bound: int = 0


NO_MATCH = Match(Verdict.NO)


class AccountView(NamedTuple):
    """What of a company takes part in matching. `exact` are its identifiers, marked by kind; `reached` are its people with what
    they are reached by."""

    forms: tuple[NameForm, ...]
    cr: str | None
    vat: str | None
    domain: str | None
    city: str | None
    phones: tuple[str, ...]
    mailboxes: tuple[str, ...]
    addresses: frozenset[str]
    people: frozenset[tuple[str, str]]
    exact: frozenset[str]
    reached: frozenset[tuple[str, str]]


def account_view(
    account: AccountFields, contacts: Sequence[ContactFields] = (), aliases: tuple[str, ...] = ()
) -> AccountView:
    """The matching view of an account with its contacts: their numbers may be the switchboard's, and a personal mailbox
    at a company's domain belongs to one company."""
    # Plain loops: a list of leads makes one of these a row.
    names = dict.fromkeys(name for name in (account.name, account.name_ar, *aliases) if name)
    phones = {account.phone_e164: None} if account.phone_e164 else {}
    addresses: list[str] = []
    mailboxes: dict[str, None] = {}
    named: list[tuple[str, str]] = []
    reached: list[tuple[str, str]] = []
    for contact in contacts:
        if contact.phone_e164:
            phones[contact.phone_e164] = None
        address = contact.email.lower() if contact.email else None
        if address:
            addresses.append(address)
            if company_domain(address) and not is_role_mailbox(address):
                mailboxes[address] = None
        if contact.full_name:
            who = _who(contact.full_name)
            named.append((who, ""))
            reached += [(who, where) for where in (contact.phone_e164, address) if where]
    exact = [f"phone:{number}" for number in phones]
    exact += [f"email:{address}" for address in mailboxes]
    for mark, value in (("cr", account.cr), ("vat", account.vat), ("domain", account.domain)):
        if value:
            exact.append(f"{mark}:{value}")
    return AccountView(
        tuple(company_form(name) for name in names),
        account.cr,
        account.vat,
        account.domain,
        account.city or (account.city_text.casefold() if account.city_text else None),
        tuple(phones),
        tuple(mailboxes),
        frozenset(addresses),
        frozenset(named + reached),
        frozenset(exact),
        frozenset(reached),
    )


@lru_cache(maxsize=32768)
def _who(name: str) -> str:
    """A person's name, the same in whichever script and order."""
    return "+".join(sorted(person_form(name).marks))


def compare_accounts(a: AccountView, b: AccountView) -> Match:
    """Whether two rows speak of one company.

    A shared phone alone never joins two companies: offices share switchboards. Different registration numbers keep two
    namesakes apart until a person looks, for branches may have registrations of their own.
    """
    if (
        a.exact.isdisjoint(b.exact)
        and a.reached.isdisjoint(b.reached)
        and not may_reach(a.forms, b.forms, SIMILAR_NAME)
    ):
        return NO_MATCH  # with nothing but names in common, they must be similar
    same_cr, other_cr = _compare(a.cr, b.cr)
    same_vat, other_vat = _compare(a.vat, b.vat)
    same_domain, other_domain = _compare(a.domain, b.domain)
    same_city, other_city = _compare(a.city, b.city)
    same_phone = any(number in b.phones for number in a.phones)
    same_mailbox = any(address in b.mailboxes for address in a.mailboxes)
    if not (same_cr or same_vat or same_domain or same_phone or same_mailbox or may_resemble(a.forms, b.forms)):
        return NO_MATCH
    score = best_similarity(a.forms, b.forms)
    if same_cr:
        return _by_identifier("same_cr", score, DIFFERENT_NAME)
    if other_cr or other_vat:
        return Match(Verdict.LIKELY, ("similar_name", "different_cr"), score) if score >= SIMILAR_NAME else NO_MATCH
    if same_vat:
        return _by_identifier("same_vat", score, DIFFERENT_NAME)
    if score >= PERSONS_COMPANY and not a.reached.isdisjoint(b.reached) and not (other_domain or other_city):
        return Match(Verdict.SURE, ("similar_name", "same_person"), score, bound=2)
    if score >= SAME_NAME and not a.reached.isdisjoint(b.reached):
        return Match(Verdict.SURE, ("same_name", "same_person"), score)  # one person, reached the same way
    if same_mailbox:
        return _by_identifier("same_email", score, COMMON_WORD)
    if same_domain:
        return _by_identifier("same_domain", score, RELATED_NAME)
    telling = any(word.weight == PROPER_WEIGHT for form in a.forms for word in form.words)
    if score >= SAME_NAME and not other_domain and not other_city and (telling or same_city):
        return Match(Verdict.SURE, ("same_name",), score, bound=2)
    if same_phone and score >= RELATED_NAME:
        sure = score >= SIMILAR_NAME and not other_domain
        return Match(Verdict.SURE if sure else Verdict.LIKELY, ("same_phone", "similar_name"), score, bound=1)
    if score >= SIMILAR_NAME and not (other_city and score < SAME_NAME):
        why = ("same_name" if score >= SAME_NAME else "similar_name", *(("different_city",) if other_city else ()))
        return Match(Verdict.LIKELY, why, score)
    return NO_MATCH


def account_strength(a: AccountView, b: AccountView) -> float:
    """How much two matching companies agree in. Only for choosing among several sure matches, never for making one."""
    telling = ((a.cr, b.cr, 8), (a.vat, b.vat, 8), (a.domain, b.domain, 4), (a.city, b.city, 1))
    strength = float(sum(weight for mine, other, weight in telling if mine and mine == other))
    shared = (
        (a.phones, b.phones, 2),
        (a.mailboxes, b.mailboxes, 4),
        (a.addresses, b.addresses, 3),
        (a.people, b.people, 2),
    )
    strength += sum(weight for mine, other, weight in shared if not set(mine).isdisjoint(other))
    strength += 4 * len(a.people & b.people)
    return strength + (2 if a.forms[0].key == b.forms[0].key else 0)


def _by_identifier(why: str, score: float, enough: float) -> Match:
    if score >= enough:
        return Match(Verdict.SURE, (why,), score)
    return Match(Verdict.LIKELY, (why, "different_name"), score)


def _compare(a: str | None, b: str | None) -> tuple[bool, bool]:
    """Whether both are there and equal, and whether both are there and differ."""
    return (a == b, a != b) if a and b else (False, False)


class ContactView(NamedTuple):
    """What of a person takes part in matching."""

    form: NameForm | None
    email: str | None
    phone: str | None


def contact_view(contact: ContactFields) -> ContactView:
    """The matching view of a contact. Mail addresses are compared without regard to case."""
    return ContactView(
        person_form(contact.full_name) if contact.full_name else None,
        contact.email.lower() if contact.email else None,
        contact.phone_e164,
    )


def contact_strength(a: ContactView, b: ContactView) -> float:
    """How much two matching people agree in; see `account_strength`."""
    same_name = a.form is not None and b.form is not None and a.form.key == b.form.key
    return 4.0 * _compare(a.email, b.email)[0] + 2.0 * _compare(a.phone, b.phone)[0] + 1.0 * same_name


def compare_contacts(a: ContactView, b: ContactView, *, same_account: bool) -> Match:
    """Whether two rows speak of one person. Across companies nothing is ever sure: people change employers."""
    score = similarity(a.form, b.form) if a.form and b.form else 0.0
    nameless = a.form is None or b.form is None
    same_email, other_email = _compare(a.email, b.email)
    same_phone, other_phone = _compare(a.phone, b.phone)
    if same_email:
        desk = is_role_mailbox(a.email or "")
        # A mailbox of one's own is one person's: it is enough that the first names agree (a son has his father's last name).
        own = not desk and a.form is not None and b.form is not None and given_alike(a.form, b.form)
        if nameless or score >= SIMILAR_PERSON or own:
            return Match(Verdict.SURE if same_account else Verdict.LIKELY, ("same_email", "same_person"), score)
        return NO_MATCH if desk else Match(Verdict.LIKELY, ("same_email", "different_name"), score)
    own_number = same_phone and not other_email and (a.phone or "").startswith(MOBILE)
    if own_number and same_account and a.form and b.form and given_alike(a.form, b.form):
        return Match(Verdict.SURE, ("same_phone", "same_person"), score, bound=1)
    if same_phone and (nameless or score >= SIMILAR_PERSON):
        sure = same_account and not other_email
        return Match(Verdict.SURE if sure else Verdict.LIKELY, ("same_phone", "same_person"), score, bound=1)
    if not same_account or (nameless and (a.form or b.form)):
        return NO_MATCH
    if score >= SAME_PERSON or (a.form is None and b.form is None):
        if not other_email and not other_phone:
            return Match(Verdict.SURE, ("same_name", "same_person"), score, bound=2)
        return Match(Verdict.LIKELY, ("same_name", "same_person"), score)
    if score >= SIMILAR_PERSON and not other_email and not other_phone:
        return Match(Verdict.LIKELY, ("same_name", "similar_person"), score)
    return NO_MATCH
