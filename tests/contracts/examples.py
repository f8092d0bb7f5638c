"""One example of every message, made from its type alone: the same type, the same example, on every machine.

Every optional field is filled and every collection holds one item, so that the golden bytes show each field that there is.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic.fields import FieldInfo

from libs.contracts.memos import MEMOS
from libs.contracts.message import Message
from libs.contracts.subjects import CALLS, EVENTS, SIGNALS

AT = datetime(2026, 11, 22, 6, 0, 0, 123456, tzinfo=UTC)
ID = UUID("01930000-0000-7000-8000-000000000001")
TEXT = 'نص "text" ✓'
# Fields whose text has a form of its own.
FORMED = {
    "slug": "ofoq-trading",
    "month": "2026-10",
    "period_name": "2026-Q3",
    "event_types": "approval.*",
    "claims": '{"action_id":"01930000-0000-7000-8000-000000000001"}',
}


def wire_messages() -> Iterator[tuple[str, type[Message]]]:
    """Everything that travels, by its name: subject and, for calls, which way."""
    for call in CALLS:
        yield f"{call.subject}.request", call.request
        yield f"{call.subject}.reply", call.reply
    for event in EVENTS:
        yield event.subject, event.message
    for memo, schema in MEMOS.items():
        yield f"memo.{memo.value}", schema
    for signal in SIGNALS:
        yield f"signal.{signal.name}", signal.message


def example(kind: type[Message]) -> Message:
    """The example of a message."""
    return kind.model_validate(
        {name: _value(name, field.annotation, field) for name, field in kind.model_fields.items()}
    )


def _value(name: str, kind: Any, field: FieldInfo | None = None) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _value(name, arguments[0], field)
    if origin in (Union, types.UnionType):
        return _value(name, next(one for one in arguments if one is not type(None)), field)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return tuple(_value(name, one) for one in arguments)
    if origin is Literal:
        return arguments[0]
    if origin in (tuple, list, frozenset, set):
        least = next((m.min_length for m in (field.metadata if field else ()) if hasattr(m, "min_length")), 1)
        return (_value(name, arguments[0]),) * max(1, least)
    if origin in (dict, Mapping):
        return {"key": _value(name, arguments[1])}
    return _plain(name, kind, field)


def _plain(name: str, kind: Any, field: FieldInfo | None) -> Any:
    if kind is Any:
        return {"nested": [1, TEXT, None]}
    if isinstance(kind, type) and issubclass(kind, Message):
        return example(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if kind is str:
        text = FORMED.get(name, f"{name} {TEXT}")
        limit = next((m.max_length for m in (field.metadata if field else ()) if hasattr(m, "max_length")), None)
        return text[:limit]
    most = next((m.le for m in (field.metadata if field else ()) if hasattr(m, "le")), None)
    if kind is Decimal and most is not None:
        return Decimal(most) / 8
    least = next((m.ge for m in (field.metadata if field else ()) if hasattr(m, "ge")), None)
    if kind is int and least is not None and least > 7:
        return least
    values: dict[Any, Any] = {
        bool: True,
        int: 7,
        float: 0.5,
        Decimal: Decimal("1234.50"),
        UUID: ID,
        datetime: AT,
        date: AT.date(),
    }
    return values[kind]
