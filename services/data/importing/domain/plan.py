"""What an import would change: accounts, contacts and leads to write, pairs for a person to compare, and one outcome
for every row of the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from services.data.importing.domain.batch import uncollected
from services.data.importing.domain.clusters import Filed, KnownAccount
from services.data.importing.domain.grouped import GroupedAccounts, GroupedContacts, Side, other_end
from services.data.importing.domain.keys import contact_keys
from services.data.importing.domain.matching import Match, contact_view
from services.data.importing.domain.merging import merge_leads
from services.data.importing.domain.messages import say
from services.data.importing.domain.records import (
    Counts,
    ExistingRecord,
    LeadRow,
    MergePlan,
    OptOut,
    Outcome,
    PlannedContact,
    PlannedLead,
    ReadRows,
    RowDecision,
    Said,
)


def plan_import(
    read: ReadRows,
    existing: Sequence[ExistingRecord] = (),
    seen: Collection[str] = (),
    filed: Mapping[int, Filed] | None = None,
    known: Sequence[KnownAccount] | None = None,
) -> MergePlan:
    """Plan the import of rows beside what the tenant has.

    `existing` are the stored records that share a key with some row (`account_keys`, `contact_keys`); `seen` are
    fingerprints of rows imported before, which change nothing; `filed` is what matching sees of each row, by row number,
    where somebody has worked it out already, and `known` the stored accounts in the same way, instead of `existing`. The
    same input always gives the same plan, and the outcomes add up to the rows of the file.
    """
    with uncollected():
        rows = {row.row_number: Filed.of(row) for row in read.leads} if filed is None else filed
        return _plan(read, _accounts(existing) if known is None else known, frozenset(seen), rows)


def _accounts(existing: Sequence[ExistingRecord]) -> list[KnownAccount]:
    of: dict[str, list[ExistingRecord]] = {}
    for record in existing:
        of.setdefault(record.account_id, []).append(record)
    return [KnownAccount(tuple(records)) for records in of.values()]


def _plan(read: ReadRows, known: Sequence[KnownAccount], seen: frozenset[str], filed: Mapping[int, Filed]) -> MergePlan:
    fresh = tuple(row for row in read.leads if row.fingerprint not in seen)
    unchanged = tuple(row.row_number for row in read.leads if row.fingerprint in seen)
    accounts = GroupedAccounts.of(known, fresh, filed)
    contacts = GroupedContacts.of(known, fresh, accounts, filed)
    draft = _Draft(fresh, accounts, contacts, _stored_opt_outs(known))
    decisions = draft.decisions()
    counts = Counter(decision.outcome for decision in decisions)
    return MergePlan(
        decisions=decisions,
        accounts=accounts.planned,
        contacts=contacts.planned,
        leads=draft.leads(),
        reviews=(*accounts.reviews(), *contacts.reviews()),
        rejected=read.rejected,
        unchanged=unchanged,
        counts=Counts(
            rows=len(read.leads) + len(read.rejected),
            created=counts[Outcome.CREATED],
            merged=counts[Outcome.MERGED] + len(unchanged),
            needs_review=counts[Outcome.NEEDS_REVIEW],
            blocked=counts[Outcome.BLOCKED],
            rejected=len(read.rejected),
            unchanged=len(unchanged),
        ),
    )


def _stored_opt_outs(known: Sequence[KnownAccount]) -> frozenset[str]:
    """Keys of the numbers and addresses that stored contacts opted out with."""
    contacts = [
        record.contact
        for account in known
        for record in account.records
        if record.contact and record.contact.opted_out is OptOut.YES
    ]
    return frozenset(key for contact in contacts for key in contact_keys(contact_view(contact)))


class _Draft:
    """Outcome by outcome: a row folded into another is merged; the row that stays carries what all of them say."""

    def __init__(
        self, rows: tuple[LeadRow, ...], accounts: GroupedAccounts, contacts: GroupedContacts, opted_out: frozenset[str]
    ) -> None:
        self._rows = rows
        self._accounts = accounts
        self._contacts = contacts
        self._opted_out = opted_out
        self._members: list[list[int]] = [[] for _ in contacts.planned]
        for position, index in enumerate(contacts.side.index_of_row):
            self._members[index].append(position)
        self._waiting = self._likely_reasons()
        self._shared = self._shared_opt_outs()
        self._standings = [self._stands(contact) for contact in contacts.planned]

    def leads(self) -> tuple[PlannedLead, ...]:
        return tuple(self._lead(contact) for contact in self._contacts.planned)

    def decisions(self) -> tuple[RowDecision, ...]:
        outcomes: dict[int, RowDecision] = {}
        for contact in self._contacts.planned:
            first, *others = self._members[contact.index]
            outcome, reasons = self._standings[contact.index]
            if contact.existing_id:
                others, outcome = [first, *others], Outcome.MERGED
            else:
                outcomes[first] = self._decision(first, outcome, reasons)
            for position in others:
                outcomes[position] = self._decision(position, Outcome.MERGED, ())
        return tuple(outcomes[position] for position in range(len(self._rows)))

    def _decision(self, position: int, outcome: Outcome, reasons: tuple[Said, ...]) -> RowDecision:
        row = self._rows[position]
        contact = self._contacts.side.index_of_row[position]
        return RowDecision(
            row.row_number,
            outcome,
            self._accounts.side.index_of_row[position],
            contact,
            row.fingerprint,
            reasons,
            row.notes,
        )

    def _lead(self, contact: PlannedContact) -> PlannedLead:
        rows = [self._rows[position] for position in self._members[contact.index]]
        outcome, reasons = self._standings[contact.index]
        sources = tuple(dict.fromkeys(row.lead.source for row in rows))
        return PlannedLead(
            contact.index,
            contact.account,
            merge_leads([row.lead for row in rows]),
            sources,
            contact.rows,
            outcome,
            reasons,
        )

    def _stands(self, contact: PlannedContact) -> tuple[Outcome, tuple[Said, ...]]:
        """Blocked before waiting before created; all reasons are kept."""
        positions = self._members[contact.index]
        rows = [self._rows[position] for position in positions]
        block = {said.code: said for row in rows for said in row.block}
        review = {said.code: said for row in rows for said in row.review}
        if any(all(said.code != "source_needs_review" for said in row.review) for row in rows):
            review.pop("source_needs_review", None)  # the person is also known from a source that may be used
        if contact.fields.phone_e164 or contact.fields.email:
            review.pop("no_identifier", None)
        if contact.fields.opted_out is OptOut.YES:
            block.setdefault("opted_out", say("block", "opted_out"))
        waiting = [*review.values(), *self._shared.get(contact.index, ()), *self._waiting.get(contact.index, ())]
        if block:
            return Outcome.BLOCKED, (*block.values(), *waiting)
        return (Outcome.NEEDS_REVIEW if waiting else Outcome.CREATED), tuple(waiting)

    def _likely_reasons(self) -> dict[int, list[Said]]:
        """Reasons by planned contact: of a likely pair the later side waits."""
        reasons: dict[int, list[Said]] = {}
        for earlier, later, match in self._contacts.side.grouping.likely:
            if (index := self._contacts.side.group_index(later)) is not None:
                reasons.setdefault(index, []).append(self._likely(self._contacts.side, earlier, match))
        of_account: dict[int, list[int]] = {}
        for contact in self._contacts.planned:
            of_account.setdefault(contact.account, []).append(contact.index)
        for earlier, later, match in self._accounts.side.grouping.likely:
            if (account := self._accounts.side.group_index(later)) is not None:
                for index in of_account.get(account, ()):
                    reasons.setdefault(index, []).append(self._likely(self._accounts.side, earlier, match))
        return reasons

    def _likely(self, side: Side, earlier: int, match: Match) -> Said:
        existing_id, row_number = other_end(side, self._rows, earlier)
        other = say("why", "existing") if existing_id else say("why", "row", row=row_number)
        parts = [say("why", code) for code in match.why]
        why = Said("", ", ".join(part.en for part in parts), "، ".join(part.ar for part in parts))
        return say("review", "likely_duplicate", other=other, why=why)

    def _shared_opt_outs(self) -> dict[int, list[Said]]:
        """A number or address that opted out once is not safe elsewhere, though the two may be different people."""
        opted_out: dict[str, Said] = dict.fromkeys(self._opted_out, say("why", "existing"))
        for contact in self._contacts.planned:
            if contact.fields.opted_out is OptOut.YES:
                for key in contact_keys(contact_view(contact.fields)):
                    opted_out.setdefault(key, say("why", "row", row=contact.rows[0]))
        found: dict[int, list[Said]] = {}
        for contact in self._contacts.planned if opted_out else ():
            if contact.fields.opted_out is not OptOut.YES:
                others = [opted_out[key] for key in contact_keys(contact_view(contact.fields)) if key in opted_out]
                if others:
                    found[contact.index] = [say("review", "shared_address_opted_out", other=others[0])]
        return found
