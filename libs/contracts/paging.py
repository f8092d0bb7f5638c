"""Where a list goes on, and what a page of it is. Every plane pages in this way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from libs.contracts.errors import NotFound

T = TypeVar("T")


class UnknownCursor(NotFound):
    """A cursor that is not one of ours: nothing is behind it."""

    def __init__(self) -> None:
        super().__init__("bad_cursor", "The cursor is not one of ours.", "مؤشر الصفحة غير صالح.")


class Cursored(Protocol):
    """A `Page`, or a request that carries its own cursor."""

    @property
    def cursor(self) -> str | None: ...


def before(page: Cursored) -> UUID | None:
    """The id that a page goes on from; None for the first page. Raises UnknownCursor."""
    try:
        return UUID(page.cursor) if page.cursor else None
    except ValueError as error:
        raise UnknownCursor from error


def page_of(found: Sequence[T], limit: int, key: Callable[[T], object]) -> tuple[tuple[T, ...], str | None]:
    """The items of a page, and the cursor behind them. `found` is what was asked for: one more than fits, where there are more."""
    items = tuple(found[:limit])
    return items, str(key(items[-1])) if len(found) > limit else None
