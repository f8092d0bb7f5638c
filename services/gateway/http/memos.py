"""Structured outputs: a memo of any schema, with the provenance of what it was made from."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel

from libs.contracts.memos import MEMOS, MemoName, MemoReply, MemoRequest
from libs.contracts.message import Principal
from libs.contracts.subjects import MEMO
from services.gateway.http import bodies
from services.gateway.http.bodies import Items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/memos", tags=["memos"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Maker = Annotated[Principal, require("submit")]


class Stated(bodies.Request):
    """What people state. What can be read or computed is refused here."""

    inputs: dict[str, Any] = {}


class Offered(BaseModel):
    name: MemoName
    schema_: dict[str, Any]


@router.get("")
async def schemas(who: Reader) -> Items[Offered]:
    """Every memo that there is, with its JSON Schema."""
    return Items(items=[Offered(name=name, schema_=model.model_json_schema()) for name, model in MEMOS.items()])


@router.post("/{schema}")
async def make(schema: MemoName, body: Stated, who: Maker, gateway: GatewayDep) -> MemoReply:
    """Make a memo from records, figures and what is stated; its provenance names the sources, and says how sure and how fresh they are."""
    return await gateway.bus.call(MEMO, MemoRequest(principal=who, name=schema, inputs=body.inputs))
