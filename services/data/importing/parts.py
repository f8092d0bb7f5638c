"""What of a file is read, matched and written at a time, and how it travels from the process that reads to the one that matches."""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

from services.data.importing.domain.batch import uncollected
from services.data.importing.domain.clusters import Filed
from services.data.importing.domain.keys import Keys
from services.data.importing.domain.matching import AccountView, ContactView
from services.data.importing.domain.names import NameForm, Word
from services.data.importing.domain.records import (
    AccountFields,
    ConsentClaim,
    ContactFields,
    LeadFields,
    LeadRow,
    Note,
    ReadRows,
    Said,
)
from services.data.screening.domain.texts import Found


class Part(NamedTuple):
    """Some rows: typed or rejected, how many of the file's they are; and by row number what their texts show, what matching sees of
    each."""

    rows: ReadRows
    lines: int
    found: dict[int, Found]
    filed: dict[int, Filed]

    @classmethod
    def of(cls, rows: ReadRows, lines: int, found: dict[int, Found]) -> Part:
        with uncollected():
            return cls(rows, lines, found, {row.row_number: Filed.of(row) for row in rows.leads})


def packed(part: Part) -> bytes:
    """The part for `pickle.loads`. What it is made of is made again from its values: by itself, a frozen class is taken apart and put
    together field by field in Python, which takes three times as long as reading the file."""
    to = io.BytesIO()
    _Pickler(to, pickle.HIGHEST_PROTOCOL).dump(part)
    return to.getvalue()


def _made_of(kind: type[Any]) -> Callable[[Any], tuple[type[Any], tuple[Any, ...]]]:
    values = attrgetter(*(field.name for field in fields(kind)))
    return lambda one: (kind, values(one))


class _Pickler(pickle.Pickler):
    dispatch_table = copyreg.dispatch_table | {kind: _made_of(kind) for kind in (ConsentClaim, Note, Said)}
    for kind in (
        LeadRow,
        AccountFields,
        ContactFields,
        LeadFields,
        NameForm,
        Word,
        AccountView,
        ContactView,
        Keys,
        Filed,
    ):
        dispatch_table[kind] = lambda one: (type(one), tuple(one))
