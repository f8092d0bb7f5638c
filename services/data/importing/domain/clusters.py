"""Grouping what is the same, in time that grows with the number of rows and not with its square.

Only rows that share a key are compared, and in a crowded key only neighbours. Sure matches join groups; likely ones
are handed back as pairs. A group never takes in two stored records, nor two different registration numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.data.importing.domain.matching import AccountView, ContactView, Match, Verdict, account_view, contact_view
from services.data.importing.domain.names import block_keys
from services.data.importing.domain.records import ContactFields, ExistingRecord, LeadRow

CROWDED = 40
WINDOW, CROWDED_WINDOW, RAREST = 12, 4, 2
SHOWN = 3
"""As many likely matches of one group are handed back: a person compares a few, not hundreds of namesakes."""

_LOOSE = frozenset(("b:", "p:", "m:", "k:"))


def account_keys(view: AccountView) -> tuple[str, ...]:
    """Keys under which the same company is filed: store them with a record, and fetch by them what a new row may
    match."""
    keys = [f"{mark}:{value}" for mark, value in (("cr", view.cr), ("vat", view.vat), ("domain", view.domain)) if value]
    keys += [f"phone:{number}" for number in view.phones]
    keys += [f"email:{address}" for address in view.mailboxes]
    keys += [f"name:{form.key}" for form in view.forms]
    keys += sorted(block_keys(view.forms))
    return tuple(keys)


def is_loose(key: str) -> bool:
    """Whether a key is a word of a name: it leads to candidates only where it is rare."""
    return key[:2] in _LOOSE


def contact_keys(view: ContactView) -> tuple[str, ...]:
    """Keys under which the same person is filed whatever the company; within a company all its contacts are
    candidates."""
    keys = (("email", view.email), ("phone", view.phone))
    return tuple(f"{mark}:{value}" for mark, value in keys if value)


class Filed(NamedTuple):
    """What matching sees of one row, worked out once: its company, its person, and the company's keys."""

    account: AccountView
    contact: ContactView
    keys: tuple[str, ...]

    @classmethod
    def of(cls, row: LeadRow) -> Filed:
        view = account_view(row.account, (row.contact,))
        return cls(view, contact_view(row.contact), account_keys(view))


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
    def keys(self) -> tuple[str, ...]:
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
    keys: Sequence[Sequence[str]],
    identities: Sequence[Identity],
    compare: Callable[[int, int], Match],
    strength: Callable[[int, int], float],
) -> Grouping:
    """Group items 0 to n-1, stored ones first. `keys` are those of each item, the telling ones first.

    `compare(i, j)` and `strength(i, j)` are called with i < j. A row goes to the stored record it agrees with most, before
    rows are joined with each other: else importing a list twice could file a row elsewhere the second time.
    """
    groups = _Groups(identities)
    compared: set[tuple[int, int]] = set()
    likely: list[tuple[int, int, Match]] = []
    sure: list[tuple[float, int, int, Match]] = []
    among_rows: list[tuple[int, int]] = []
    stored = sum(1 for identity in identities if identity.existing)
    for pair in _candidates(keys, stored):
        earlier, later = pair
        if earlier >= stored:
            among_rows.append(pair)
        elif pair not in compared:
            compared.add(pair)
            match = compare(earlier, later)
            if match.verdict is Verdict.SURE:
                sure.append((-strength(earlier, later), later, earlier, match))
            elif match.verdict is Verdict.LIKELY:
                likely.append((earlier, later, match))
    for _, later, earlier, match in sorted(sure, key=lambda entry: entry[:3]):
        if not groups.join(earlier, later, match.bound):
            likely.append((earlier, later, match))
    for pair in among_rows:
        if pair in compared:
            continue
        compared.add(pair)
        earlier, later = pair
        if groups.same(earlier, later):
            continue
        match = compare(earlier, later)
        if match.verdict is Verdict.NO or (match.verdict is Verdict.SURE and groups.join(earlier, later, match.bound)):
            continue
        likely.append((earlier, later, match))
    return Grouping(groups.labels(), _between_groups(likely, groups))


def _candidates(keys: Sequence[Sequence[str]], stored: int) -> Iterator[tuple[int, int]]:
    """Pairs (earlier, later) worth comparing, of two rows or of a stored item and a row: all that share an identifier come before
    those whose names share words.

    Of its words an item follows only the rarest: names that are alike meet there, and "trading" would lead everywhere. In
    a long block only the first, the stored ones (items below `stored`) and the nearest before are tried.
    """
    blocks: dict[str, list[int]] = {}
    for item, names in enumerate(keys):
        for name in names:
            blocks.setdefault(name, []).append(item)
    for name, members in blocks.items():
        if len(members) > 1 and not is_loose(name):
            for position in range(bisect_left(members, stored), len(members)):
                for earlier in _before(members, position, stored, WINDOW):
                    yield earlier, members[position]
    for later in range(stored, len(keys)):
        shared = sorted(
            [(len(blocks[name]), name) for name in keys[later] if name[:2] in _LOOSE and len(blocks[name]) > 1]
        )
        for crowd, name in shared[:RAREST]:
            members = blocks[name]
            window = CROWDED_WINDOW if crowd > CROWDED else WINDOW
            for earlier in _before(members, bisect_left(members, later), stored, window):
                yield earlier, later


def _before(members: list[int], position: int, stored: int, window: int) -> list[int]:
    """The items of a block to compare the one at `position` with."""
    if position <= window:
        return members[:position]
    first = max(1, min(bisect_left(members, stored), window))
    return members[: min(first, position - window)] + members[position - window : position]


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

    def __init__(self, identities: Sequence[Identity]) -> None:
        self._parent = list(range(len(identities)))
        self._identity = dict(enumerate(identities))

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
        if not self._identity[low].admits(self._identity[high], bound):
            return False
        self._parent[high] = low
        self._identity[low] = self._identity[low].joined(self._identity[high])
        return True

    def labels(self) -> tuple[int, ...]:
        return tuple(self.find(item) for item in range(len(self._parent)))
