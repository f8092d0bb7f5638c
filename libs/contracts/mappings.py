"""Messages about the columns of lists that people have assigned, which the next list from the same source is read by."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from libs.contracts.message import Message, Principal, Text

SourceKey = Annotated[str, Field(max_length=50)]


class RememberedColumn(Message):
    """A heading, as it is compared (folded), and the field that people chose for it; `field` is empty where they chose none."""

    source: str
    header: str
    field: str
    named: Text | None = None
    at: datetime


class MappingsRequest(Message):
    principal: Principal


class MappingsReply(Message):
    """By source and heading; 1,000 at most."""

    items: tuple[RememberedColumn, ...]


class ForgetMapping(Message):
    """Forget what was chosen for lists of a source; for one heading of them when `header` is given."""

    principal: Principal
    source: SourceKey
    header: Annotated[str, Field(max_length=500)] | None = None


class Forgotten(Message):
    columns: int
