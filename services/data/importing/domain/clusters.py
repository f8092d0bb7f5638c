"""Grouping what is the same, in time that grows with the number of rows and not with its square.

Only rows that share a key are compared, and in a crowded key only neighbours. Sure matches join groups; likely ones
are handed back as pairs. A group never takes in two stored records, nor two different registration numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.data.importing.domain.keys import Keys, account_keys, person_digests
from services.data.importing.domain.matching import AccountView, ContactView, Match, Verdict, account_view, contact_view
from services.data.importing.domain.pairs import Flags, Ints, candidates
from services.data.importing.domain.records import ContactFields, ExistingRecord, LeadRow

SHOWN = 3
"""As many likely matches of one group are handed back: a person compares a few, not hundreds of namesakes."""


class Filed(NamedTuple):
    """What matching sees of one row, worked out once: its company, its person, the company's keys and what the person adds to them."""

    account: AccountView
    contact: ContactView
    keys: Keys
    person: tuple[int, ...]

    @classmethod
    def of(cls, row: LeadRow) -> Filed:
        view = account_view(row.account, (row.contact,))
        person = contact_view(row.contact)
        # What the company is filed under already need not be there twice.
        return cls(view, person, account_keys(view), person_digests(person, view.exact))

    @property
    def all_keys(self) -> tuple[int, ...]:
        """Those by which the row is looked for, and filed under where it becomes an account of its own."""
        return (*self.keys.telling, *self.keys.words, *self.person)


class KnownAccount:
    """A stored account with its people; what matching sees of it is worked out when it is first looked at."""

    __slots__ = ("_identity", "_keys", "_view", "records")

    def __init__(self, records: tuple[ExistingRecord, ...], filed: Filed | None = None) -> None:
        """`records` are one a contact. `filed` is the row that the account was made of, where it is one alone."""
        self.records = records
        self._view = filed.account if filed else None
        self._keys = filed.keys if filed else None
        self._identity: Identity | None = None

    @property
    def contacts(self) -> tuple[ContactFields, ...]:
        return tuple(record.contact for record in self.records if record.contact)

    @property
    def view(self) -> AccountView:
        if self._view is None:
            first = self.records[0]
            self._view = account_view(first.account, self.contacts, first.account_aliases)
        return self._view

    @property
    def keys(self) -> Keys:
        if self._keys is None:
            self._keys = account_keys(self.view)
        return self._keys

    @property
    def identity(self) -> Identity:
        if self._identity is None:
            view = self.view
            self._identity = Identity(self.records[0].account_id, view.cr, view.vat, traits(view.domain, view.city))
        return self._identity


@dataclass(frozen=True, slots=True)
class Identity:
    """What may occur only once in a group: the stored record and the registration numbers. And, kind by kind, the traits
    (domains and cities, addresses and numbers) in which no two groups may differ that only a name or a number joins, however
    long the chain of namesakes between them."""

    existing: str | None = None
    cr: str | None = None
    vat: str | None = None
    traits: tuple[frozenset[str], ...] = ()

    def admits(self, other: Identity, bound: int) -> bool:
        """Whether the two may be one, where the first `bound` kinds of traits may not differ."""
        once = ((self.existing, other.existing), (self.cr, other.cr), (self.vat, other.vat))
        if any(mine and its and mine != its for mine, its in once):
            return False
        kinds = zip(self.traits[:bound], other.traits[:bound], strict=True)
        return all(not mine or not its or not mine.isdisjoint(its) for mine, its in kinds)

    def joined(self, other: Identity) -> Identity:
        """The identity of a group that holds both."""
        traits = tuple(mine | its for mine, its in zip(self.traits, other.traits, strict=True))
        return Identity(self.existing or other.existing, self.cr or other.cr, self.vat or other.vat, traits)


def traits(*values: str | None) -> tuple[frozenset[str], ...]:
    """One trait of each kind, None where there is none."""
    return tuple(frozenset((value,)) if value else frozenset() for value in values)


@dataclass(frozen=True, slots=True)
class Grouping:
    """`group[i]` is the least member of item i's group; `likely` holds (earlier, later, match), the closest few
    for each later group."""

    group: tuple[int, ...]
    likely: tuple[tuple[int, int, Match], ...]


def group_items(
    keys: Sequence[Keys],
    stored: int,
    identity: Callable[[int], Identity],
    compare: Callable[[int, int], Match],
    strength: Callable[[int, int], float],
    worth: Callable[[Ints, Ints], Flags] | None = None,
) -> Grouping:
    """Group items 0 to n-1, the `stored` ones first. `keys` are those of each item; `identity(i)` is asked for
    where an item is to join another.

    `compare(i, j)` and `strength(i, j)` are called with i < j; of pairs that share no identifier only where `worth` says so, which
    is asked about all at once. A row goes to the stored record it agrees with most, before rows are joined with each other: else
    importing a list twice could file a row elsewhere the second time.
    """
    groups = _Groups(len(keys), identity)
    likely: list[tuple[int, int, Match]] = []
    sure: list[tuple[float, int, int, Match]] = []
    pairs = _worthwhile(*candidates(keys, stored), worth)
    for earlier, later in pairs:
        if earlier < stored:
            match = compare(earlier, later)
            if match.verdict is Verdict.SURE:
                sure.append((-strength(earlier, later), later, earlier, match))
            elif match.verdict is Verdict.LIKELY:
                likely.append((earlier, later, match))
    for _, later, earlier, match in sorted(sure, key=lambda entry: entry[:3]):
        if not groups.join(earlier, later, match.bound):
            likely.append((earlier, later, match))
    for earlier, later in pairs:
        if earlier < stored or groups.same(earlier, later):
            continue
        match = compare(earlier, later)
        if match.verdict is Verdict.NO or (match.verdict is Verdict.SURE and groups.join(earlier, later, match.bound)):
            continue
        likely.append((earlier, later, match))
    return Grouping(groups.labels(), _between_groups(likely, groups))


def _worthwhile(
    earlier: Ints, later: Ints, identified: int, worth: Callable[[Ints, Ints], Flags] | None
) -> list[tuple[int, int]]:
    if worth is not None and identified < len(earlier):
        keep = worth(earlier, later)
        keep[:identified] = True
        earlier, later = earlier[keep], later[keep]
    return list(zip(earlier.tolist(), later.tolist(), strict=True))


def _between_groups(likely: list[tuple[int, int, Match]], groups: _Groups) -> tuple[tuple[int, int, Match], ...]:
    best: dict[tuple[int, int], tuple[int, int, Match]] = {}
    for earlier, later, match in likely:
        ends = sorted((groups.find(earlier), groups.find(later)))
        if ends[0] == ends[1]:
            continue
        pair = (ends[0], ends[1])
        if pair not in best or match.score > best[pair][2].score:
            best[pair] = (earlier, later, match)
    by_later: dict[int, list[tuple[int, int, Match]]] = {}
    for (_, later_group), entry in best.items():
        by_later.setdefault(later_group, []).append(entry)
    closest = [
        entry
        for entries in by_later.values()
        for entry in sorted(entries, key=lambda entry: (-entry[2].score, entry[0], entry[1]))[:SHOWN]
    ]
    return tuple(sorted(closest, key=lambda entry: (entry[1], entry[0])))


class _Groups:
    """Disjoint sets; the least member stands for its group."""

    def __init__(self, items: int, identity: Callable[[int], Identity]) -> None:
        self._parent = list(range(items))
        self._of = identity
        self._joined: dict[int, Identity] = {}

    def find(self, item: int) -> int:
        if self._parent[item] == item:
            return item
        root = item
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[item] != root:
            self._parent[item], item = root, self._parent[item]
        return root

    def same(self, a: int, b: int) -> bool:
        return self.find(a) == self.find(b)

    def join(self, a: int, b: int, bound: int) -> bool:
        """Make the two groups one; False, and nothing done, where their identities contradict each other."""
        low, high = sorted((self.find(a), self.find(b)))
        if low == high:
            return True
        mine, its = self._identity(low), self._identity(high)
        if not mine.admits(its, bound):
            return False
        self._parent[high] = low
        self._joined[low] = mine.joined(its)
        return True

    def _identity(self, root: int) -> Identity:
        return self._joined.get(root) or self._of(root)

    def labels(self) -> tuple[int, ...]:
        return tuple(self.find(item) for item in range(len(self._parent)))
