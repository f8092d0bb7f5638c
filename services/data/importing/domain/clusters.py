"""Grouping what is the same, in time that grows with the number of rows and not with its square.

Only rows that share a key are compared, and in a crowded key only neighbours. Sure matches join groups; likely ones
are handed back as pairs. A group never takes in two stored records, nor two different registration numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.data.importing.domain.matching import AccountView, ContactView, Match, Verdict
from services.data.importing.domain.names import block_keys

CROWDED = 40
WINDOW, CROWDED_WINDOW, RAREST = 12, 4, 2
_LOOSE = ("b:", "p:", "m:", "k:")


def account_keys(view: AccountView) -> tuple[str, ...]:
    """Keys under which the same company is filed: store them with a record, and fetch by them what a new row may
    match."""
    exact = [
        f"{mark}:{value}" for mark, value in (("cr", view.cr), ("vat", view.vat), ("domain", view.domain)) if value
    ]
    exact += [f"phone:{number}" for number in view.phones]
    exact += [f"email:{address}" for address in view.mailboxes]
    exact += [f"name:{form.key}" for form in view.forms]
    return (*exact, *sorted(block_keys(view.forms)))


def contact_keys(view: ContactView) -> tuple[str, ...]:
    """Keys under which the same person is filed whatever the company; within a company all its contacts are
    candidates."""
    keys = (("email", view.email), ("phone", view.phone))
    return tuple(f"{mark}:{value}" for mark, value in keys if value)


@dataclass(frozen=True, slots=True)
class Identity:
    """What may occur only once in a group: the stored record and the registration numbers."""

    existing: str | None = None
    cr: str | None = None
    vat: str | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """`group[i]` is the least member of item i's group; `likely` holds (earlier, later, match), one for each two
    groups."""

    group: tuple[int, ...]
    likely: tuple[tuple[int, int, Match], ...]


def group_items(
    keys: Sequence[Iterable[str]], identities: Sequence[Identity], compare: Callable[[int, int], Match]
) -> Grouping:
    """Group items 0 to n-1. `keys` are those of each item, the telling ones first; `compare(i, j)` is called with i <
    j."""
    groups = _Groups(identities)
    compared: set[tuple[int, int]] = set()
    likely: list[tuple[int, int, Match]] = []
    for pair in _candidates(keys):
        if pair in compared or groups.same(*pair):
            continue
        compared.add(pair)
        if identities[pair[0]].existing and identities[pair[1]].existing:
            continue  # what is stored already is not regrouped by an import
        match = compare(*pair)
        if match.verdict is Verdict.SURE and groups.join(*pair):
            continue
        if match.verdict is not Verdict.NO:
            likely.append((*pair, match))
    return Grouping(groups.labels(), _between_groups(likely, groups))


def _candidates(keys: Sequence[Iterable[str]]) -> Iterator[tuple[int, int]]:
    """Pairs (earlier, later) worth comparing: all that share an identifier come before those whose names share words.

    Of its words an item follows only the rarest: names that are alike meet there, and "trading" would lead
    everywhere. In a crowded block only the nearest items before are tried.
    """
    blocks: dict[str, list[int]] = {}
    for item, names in enumerate(keys):
        for name in names:
            blocks.setdefault(name, []).append(item)
    for name, members in blocks.items():
        if len(members) > 1 and name[:2] not in _LOOSE:
            for position, later in enumerate(members):
                yield from (
                    (members[i], later) for i in {0, *range(max(0, position - WINDOW), position)} if i < position
                )
    for later, names in enumerate(keys):
        shared = [name for name in names if name[:2] in _LOOSE and len(blocks[name]) > 1]
        for name in sorted(shared, key=lambda key: (len(blocks[key]), key))[:RAREST]:
            members = blocks[name]
            position = bisect_left(members, later)
            near = position - (CROWDED_WINDOW if len(members) > CROWDED else WINDOW)
            yield from ((earlier, later) for earlier in members[max(0, near) : position])


def _between_groups(likely: list[tuple[int, int, Match]], groups: _Groups) -> tuple[tuple[int, int, Match], ...]:
    best: dict[tuple[int, int], tuple[int, int, Match]] = {}
    for earlier, later, match in likely:
        ends = sorted((groups.find(earlier), groups.find(later)))
        if ends[0] == ends[1]:
            continue
        pair = (ends[0], ends[1])
        if pair not in best or match.score > best[pair][2].score:
            best[pair] = (earlier, later, match)
    return tuple(sorted(best.values(), key=lambda entry: (entry[1], entry[0])))


class _Groups:
    """Disjoint sets; the least member stands for its group."""

    def __init__(self, identities: Sequence[Identity]) -> None:
        self._parent = list(range(len(identities)))
        self._identity = dict(enumerate(identities))

    def find(self, item: int) -> int:
        root = item
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[item] != root:
            self._parent[item], item = root, self._parent[item]
        return root

    def same(self, a: int, b: int) -> bool:
        return self.find(a) == self.find(b)

    def join(self, a: int, b: int) -> bool:
        """Make the two groups one; False, and nothing done, where their identities contradict each other."""
        low, high = sorted((self.find(a), self.find(b)))
        left, right = self._identity[low], self._identity[high]
        for mine, other in ((left.existing, right.existing), (left.cr, right.cr), (left.vat, right.vat)):
            if mine and other and mine != other:
                return False
        self._parent[high] = low
        self._identity[low] = Identity(left.existing or right.existing, left.cr or right.cr, left.vat or right.vat)
        return True

    def labels(self) -> tuple[int, ...]:
        return tuple(self.find(item) for item in range(len(self._parent)))
