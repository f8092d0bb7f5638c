"""Bodies, pages and parameters that several routes share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from libs.contracts.message import Page, Principal
from services.gateway.domain.cursors import unwrap, wrap
from services.gateway.domain.json_body import unfit
from services.gateway.errors import BadCursor
from services.gateway.http.context import Gateway

T = TypeVar("T")

Id = Annotated[UUID, Field(strict=False)]
"""A UUID in a JSON body, where it is text."""
Moment = Annotated[datetime, Field(strict=False)]
Zoned = Annotated[AwareDatetime, Field(strict=False)]
"""A moment with its time zone. One without is refused here: a plane that compares it with its clock could only fail."""
Word = Annotated[str, Field(min_length=1, max_length=100)]
Note = Annotated[str, Field(max_length=2000)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Body(BaseModel):
    """What a client sends: closed to fields nobody declared, and strict: `false` is no number, `"1"` neither."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Request(Body):
    """The outermost object of a body, with the limits that hold for every JSON value."""

    @model_validator(mode="before")
    @classmethod
    def _fits(cls, value: Any) -> Any:
        if (why := unfit(value)) is not None:
            raise PydanticCustomError("unfit_json", "{why}", {"why": why})
        return value


class Items(BaseModel, Generic[T]):
    """A page of a list; `next_cursor` is null on the last one."""

    items: Sequence[T]
    next_cursor: str | None = None


class Paging:
    """`cursor` and `limit` of a list."""

    def __init__(
        self,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="items on a page, at most")] = 50,
    ) -> None:
        self._cursor = cursor
        self.limit = limit

    def page(self, gateway: Gateway, principal: Principal) -> Page:
        """What a plane is asked for.

        Raises BadCursor for a cursor that this list did not give to this tenant.
        """
        return Page(cursor=self.after(gateway, principal), limit=self.limit)

    def after(self, gateway: Gateway, principal: Principal) -> str | None:
        try:
            return unwrap(gateway.keyring, principal.tenant_id, self._cursor)
        except ValueError as error:
            raise BadCursor from error


PagingDep = Annotated[Paging, Depends()]


def items(gateway: Gateway, principal: Principal, found: Sequence[T], next_cursor: str | None) -> Items[T]:
    """A plane's page as clients get it, with a cursor of ours."""
    return Items(items=found, next_cursor=wrap(gateway.keyring, principal.tenant_id, next_cursor))
