"""Rows and stored records grouped into the accounts and contacts they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial

import numpy as np

from services.data.importing.domain.clusters import (
    Filed,
    Grouping,
    Identity,
    KnownAccount,
    group_items,
    traits,
)
from services.data.importing.domain.keys import Keys, contact_keys
from services.data.importing.domain.matching import (
    SIMILAR_NAME,
    AccountView,
    ContactView,
    account_strength,
    compare_accounts,
    compare_contacts,
    contact_strength,
    contact_view,
)
from services.data.importing.domain.merging import merge_accounts, merge_contacts
from services.data.importing.domain.messages import say
from services.data.importing.domain.pairs import Flags, Held, Ints, NameReach
from services.data.importing.domain.records import (
    AccountFields,
    ContactFields,
    LeadRow,
    PlannedAccount,
    PlannedContact,
    ReviewPair,
)


@dataclass(frozen=True, slots=True)
class Side:
    """Accounts or contacts grouped: for each item its stored id and rows, for each row its planned index."""

    items: tuple[tuple[str | None, tuple[int, ...]], ...]
    grouping: Grouping
    index_of_row: tuple[int, ...]
    index_of_group: dict[int, int]

    def group_index(self, item: int) -> int | None:
        """The planned index of the item's group; None for stored records that no row belongs to."""
        return self.index_of_group.get(self.grouping.group[item])

    def members(self) -> list[list[int]]:
        """The items of each planned index, stored ones first."""
        members: list[list[int]] = [[] for _ in self.index_of_group]
        for item in range(len(self.items)):
            if (index := self.group_index(item)) is not None:
                members[index].append(item)
        return members


def _number_groups(grouping: Grouping, item_of_row: Sequence[int]) -> tuple[tuple[int, ...], dict[int, int]]:
    """Planned indexes by first row; groups that no row belongs to get none."""
    index_of_group: dict[int, int] = {}
    index_of_row = tuple(index_of_group.setdefault(grouping.group[item], len(index_of_group)) for item in item_of_row)
    return index_of_row, index_of_group


@dataclass(frozen=True, slots=True)
class GroupedAccounts:
    side: Side
    planned: tuple[PlannedAccount, ...]
    rows: tuple[LeadRow, ...]

    @classmethod
    def of(
        cls, known: Sequence[KnownAccount], rows: tuple[LeadRow, ...], filed: Mapping[int, Filed]
    ) -> GroupedAccounts:
        views: list[AccountView] = []
        keys: list[Keys] = []
        facts: list[AccountFields] = []
        items: list[tuple[str | None, list[int]]] = []
        for account in known:
            views.append(account.view)
            keys.append(account.keys)
            facts.append(account.records[0].account)
            items.append((account.records[0].account_id, []))
        item_of_signature: dict[tuple[object, ...], int] = {}
        item_of_row: list[int] = []
        for position, row in enumerate(rows):
            signature = (*_account_signature(row.account), row.contact.phone_e164, row.contact.email)
            item = item_of_signature.setdefault(signature, len(items))
            if item == len(items):
                seen = filed[row.row_number]
                views.append(seen.account)
                keys.append(seen.keys)
                facts.append(row.account)
                items.append((None, []))
            items[item][1].append(position)
            item_of_row.append(item)

        def identity(item: int) -> Identity:
            if item < len(known):
                return known[item].identity
            view = views[item]
            return Identity(None, view.cr, view.vat, traits(view.domain, view.city))

        grouping = group_items(
            keys,
            len(known),
            identity,
            lambda i, j: compare_accounts(views[i], views[j]),
            lambda i, j: account_strength(views[i], views[j]),
            partial(_worth, views),
        )
        index_of_row, index_of_group = _number_groups(grouping, item_of_row)
        side = Side(
            tuple((existing_id, tuple(of)) for existing_id, of in items), grouping, index_of_row, index_of_group
        )
        plan = partial(_planned_account, items=items, facts=facts, known=known, rows=rows)
        planned = tuple(plan(index, of) for index, of in enumerate(side.members()))
        return cls(side, planned, rows)

    def reviews(self) -> tuple[ReviewPair, ...]:
        return review_pairs("account", self.side, self.rows)


def _worth(views: Sequence[AccountView], earlier: Ints, later: Ints) -> Flags:
    """Which pairs `compare_accounts` need look at: of those with nothing but names in common, where these may be similar."""
    worth = NameReach([view.forms for view in views], SIMILAR_NAME).may(earlier, later)
    for held in (Held([view.reached for view in views]), Held([view.exact for view in views])):
        doubtful = np.flatnonzero(~worth)
        worth[doubtful] = held.share(earlier[doubtful], later[doubtful])
    return worth


def _account_signature(account: AccountFields) -> tuple[object, ...]:
    """All that takes part in matching: rows that agree in it are one item."""
    names = (account.name, account.name_ar)
    return (*names, account.domain, account.cr, account.vat, account.city, account.city_text, account.phone_e164)


def _planned_account(
    index: int,
    of: list[int],
    *,
    items: list[tuple[str | None, list[int]]],
    facts: list[AccountFields],
    known: Sequence[KnownAccount],
    rows: tuple[LeadRow, ...],
) -> PlannedAccount:
    stored = [item for item in of if items[item][0]]
    existing_id = items[stored[0]][0] if stored else None
    positions = sorted(position for item in of for position in items[item][1])
    merged, aliases = merge_accounts(
        [*(facts[item] for item in stored), *(rows[position].account for position in positions)]
    )
    if stored and (before := known[stored[0]].records[0].account_aliases):
        names = dict.fromkeys((*before, *aliases))
        aliases = tuple(name for name in names if name not in (merged.name, merged.name_ar))
    return PlannedAccount(
        index, existing_id, merged, aliases, tuple(rows[position].row_number for position in positions)
    )


@dataclass(frozen=True, slots=True)
class GroupedContacts:
    side: Side
    planned: tuple[PlannedContact, ...]
    rows: tuple[LeadRow, ...]

    @classmethod
    def of(
        cls,
        known: Sequence[KnownAccount],
        rows: tuple[LeadRow, ...],
        accounts: GroupedAccounts,
        filed: Mapping[int, Filed],
    ) -> GroupedContacts:
        views: list[ContactView] = []
        homes: list[int] = []
        facts: list[ContactFields] = []
        items: list[tuple[str | None, list[int]]] = []
        reached = {key for row in rows for key in contact_keys(filed[row.row_number].contact)}
        group_of = accounts.side.grouping.group
        for item, account in enumerate(known):
            home = group_of[item]
            met = home in accounts.side.index_of_group
            for record in account.records:
                # Who is at another company and reached otherwise shares no key with any row.
                if record.contact_id and record.contact and (met or _shares(record.contact, reached)):
                    views.append(contact_view(record.contact))
                    homes.append(home)
                    facts.append(record.contact)
                    items.append((record.contact_id, []))
        stored = len(items)
        group_of_index = {index: group for group, index in accounts.side.index_of_group.items()}
        item_of_signature: dict[tuple[object, ...], int] = {}
        item_of_row: list[int] = []
        for position, row in enumerate(rows):
            home = group_of_index[accounts.side.index_of_row[position]]
            view = filed[row.row_number].contact
            item = item_of_signature.setdefault((home, row.contact.full_name, view.email, view.phone), len(items))
            if item == len(items):
                views.append(view)
                homes.append(home)
                facts.append(row.contact)
                items.append((None, []))
            items[item][1].append(position)
            item_of_row.append(item)
        grouping = group_items(
            [_person_keys(view, home) for view, home in zip(views, homes, strict=True)],
            stored,
            lambda item: Identity(items[item][0], traits=traits(views[item].email, views[item].phone)),
            lambda i, j: compare_contacts(views[i], views[j], same_account=homes[i] == homes[j]),
            lambda i, j: contact_strength(views[i], views[j]),
        )
        index_of_row, index_of_group = _number_groups(grouping, item_of_row)
        side = Side(
            tuple((existing_id, tuple(of)) for existing_id, of in items), grouping, index_of_row, index_of_group
        )
        plan = partial(_planned_contact, items=items, facts=facts, rows=rows, accounts=accounts)
        return cls(side, tuple(plan(index, of) for index, of in enumerate(side.members())), rows)

    def reviews(self) -> tuple[ReviewPair, ...]:
        return review_pairs("contact", self.side, self.rows)


def _shares(contact: ContactFields, reached: Set[str]) -> bool:
    if contact.phone_e164 and f"phone:{contact.phone_e164}" in reached:
        return True
    return contact.email is not None and f"email:{contact.email.lower()}" in reached


def _person_keys(view: ContactView, home: int) -> Keys:
    """They are compared within this process alone, in which equal texts have equal hashes."""
    if view.form is None:
        return Keys(tuple(map(hash, (*contact_keys(view), (home, "-")))), ())
    bones = sorted(word.bones or word.text for word in view.form.words)
    telling = (*contact_keys(view), (home, "+".join(bones)))
    return Keys(tuple(map(hash, telling)), tuple(hash((home, bone)) for bone in dict.fromkeys(bones[:4])))


def _planned_contact(
    index: int,
    of: list[int],
    *,
    items: list[tuple[str | None, list[int]]],
    facts: list[ContactFields],
    rows: tuple[LeadRow, ...],
    accounts: GroupedAccounts,
) -> PlannedContact:
    existing_id = next((items[item][0] for item in of if items[item][0]), None)
    parts = [facts[item] for item in of if items[item][0]]
    positions = sorted(position for item in of for position in items[item][1])
    merged = merge_contacts([*parts, *(rows[position].contact for position in positions)])
    numbers = tuple(rows[position].row_number for position in positions)
    as_before = bool(parts) and all(_judged_by(part) == _judged_by(merged) for part in parts)
    return PlannedContact(index, accounts.side.index_of_row[positions[0]], existing_id, merged, numbers, as_before)


def _judged_by(contact: ContactFields) -> tuple[object, ...]:
    """What of a contact decides whether one may contact it."""
    return contact.opted_out, contact.consents, contact.email, contact.phone_e164


def other_end(side: Side, rows: tuple[LeadRow, ...], item: int) -> tuple[str | None, int | None]:
    """Stored id or row number by which a person finds the item."""
    existing_id, positions = side.items[item]
    return (existing_id, None) if existing_id else (None, rows[positions[0]].row_number)


def review_pairs(kind: str, side: Side, rows: tuple[LeadRow, ...]) -> tuple[ReviewPair, ...]:
    pairs: list[ReviewPair] = []
    for earlier, later, match in side.grouping.likely:
        existing_id, row_number = other_end(side, rows, earlier)
        waiting = other_end(side, rows, later)[1]
        if waiting is not None:
            why = tuple(say("why", code) for code in match.why)
            pairs.append(ReviewPair(kind, waiting, existing_id, row_number, round(match.score, 1), why))
    return tuple(pairs)
