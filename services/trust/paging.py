"""Where a list goes on."""

from __future__ import annotations

from uuid import UUID

from libs.contracts.errors import NotFound
from libs.contracts.message import Page


def before(page: Page) -> UUID | None:
    """The id that a page goes on from; None for the first page.

    Raises NotFound for a cursor that is not one of ours.
    """
    try:
        return UUID(page.cursor) if page.cursor else None
    except ValueError as error:
        raise NotFound("bad_cursor", "The cursor is not one of ours.", "مؤشر الصفحة غير صالح.") from error
