"""Which plain words a regular expression cannot match without, so that most expressions need not be tried on most texts.

The answer is read off the parsed expression and is never too narrow: where nothing is certain, the expression is always tried.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

# The parser has no public name since Python 3.11.
sre: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

SHORTEST = 2
_MANY = 64
_PASSIVE = (sre.AT, sre.ASSERT, sre.ASSERT_NOT)

Needed = frozenset[str]
"""Any match holds one of these; empty when nothing is certain."""


def needed(expression: str) -> Needed:
    """The words of which any match of an expression holds at least one. Raises re.error for one that does not compile."""
    re.compile(expression)
    return _sequence(parser.parse(expression))


def _sequence(items: Any) -> Needed:
    """The best word set among the parts of a sequence; letters that stand together are one word."""
    candidates: list[Needed] = []
    run = ""
    for operator, argument in items:
        if operator is sre.LITERAL:
            run += chr(argument)
            continue
        if operator in _PASSIVE:
            continue
        candidates.append(frozenset({run}))
        run = ""
        candidates.append(_part(operator, argument))
    candidates.append(frozenset({run}))
    return max(candidates, key=_worth)


def _part(operator: Any, argument: Any) -> Needed:
    if operator is sre.SUBPATTERN:
        return _sequence(argument[3])
    if operator is sre.BRANCH:
        found = [_sequence(branch) for branch in argument[1]]
        joined = frozenset().union(*found)
        return joined if all(found) and all(_worth(one) > 0 for one in found) and len(joined) <= _MANY else frozenset()
    if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT) and argument[0] > 0:
        return _sequence(argument[2])
    return frozenset()


def _worth(words: Needed) -> int:
    """How well a set of words tells texts apart: the length of its shortest, 0 when it tells nothing."""
    shortest = min((len(word) for word in words), default=0)
    return shortest if shortest >= SHORTEST else 0
