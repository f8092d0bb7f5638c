"""Logs and spans carry ids: a planted person is nowhere in them, whatever goes well or wrong."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.contracts.execution import ActionState
from libs.contracts.subjects import AUTHORIZE, SUPPRESS
from libs.contracts.trust import SuppressRequest
from libs.runtime import telemetry
from libs.runtime.telemetry import JsonFormatter
from libs.runtime.testing import Disturbance
from services.execution.errors import VendorRejected
from services.execution.memory import MemoryStore
from tests.flows.world import SECOND_APPROVER, TENANT, World, email, item, notice, whatsapp, world

EMAIL = "planted.person@customer.example"
PHONE = "+966512345678"
NAME = "زرقاء اليمامة"
PLANTED = (EMAIL, "planted.person", PHONE, "512345678", NAME, "اليمامة", "\\u0632\\u0631\\u0642")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, as the planes write it."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Every span as an exporter gets it, with its events and status."""
    exporter = InMemorySpanExporter()
    # A process has one provider for good: the planes' own, which later tests need.
    telemetry.start()
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


async def everything_that_happens(made: World) -> None:
    """A send that succeeds, one that a vendor refuses, a crash in a connector, refusals, silence, a failure inside trust."""
    contact = made.contact(email=EMAIL, phone=PHONE)
    body = f"يا {NAME}، معكم شركة أفق. للإيقاف: رد بكلمة إيقاف."
    done = await made.approve(await made.run(email(contact, body=body, reason=f"call {NAME} at {PHONE}")))
    assert done.state is ActionState.SUCCEEDED
    made.wire.fail_with = [VendorRejected("no", f"{EMAIL} was refused", f"رُفض {EMAIL}")]
    await made.run(notice(f"ask {NAME} {PHONE}"))
    made.wire.fail_with = [RuntimeError(f"could not write to {EMAIL} ({PHONE})")]
    await made.run(notice(f"{NAME} <{EMAIL}>"))
    await made.run(email(contact, to=f"x{EMAIL}"))
    await made.run(whatsapp(contact, body=""))
    await made.submit(item(f"mail {EMAIL}", {"to": EMAIL}), item("slack_notify", {"text": f"{EMAIL}\x00"}))
    await made.gateway.call(
        SUPPRESS, SuppressRequest(principal=SECOND_APPROVER, tenant_id=TENANT, identifier=EMAIL, reason=f"{NAME} asked")
    )
    made.hub.disturb(AUTHORIZE, Disturbance.SILENT, times=1)
    await made.run(notice(f"{NAME}"))

    async def fails(_: object) -> None:
        raise RuntimeError(f"no such person: {NAME} {EMAIL}")

    call, _ = made.trust_bus.call_handlers[AUTHORIZE.subject]
    made.trust_bus.call_handlers[AUTHORIZE.subject] = (call, fails)
    await made.run(notice(f"{NAME} {PHONE}"))


class _Failing:
    """A store whose failure quotes a person, as PostgreSQL's do ("Key (email)=(…) already exists")."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @asynccontextmanager
    async def unit(self, *tenants: UUID) -> AsyncIterator[Any]:
        async with self._store.unit(*tenants) as unit:
            yield _FailingUnit(unit)


class _FailingUnit:
    def __init__(self, unit: Any) -> None:
        self._unit = unit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def move(self, _: Any) -> Any:
        raise RuntimeError(f"Key (email)=({EMAIL}) of {NAME} already exists")


async def a_store_that_fails() -> None:
    async with world(over=_Failing) as made:
        await made.submit(notice(f"{NAME} {PHONE}"))


def found_in(text: str) -> list[str]:
    return [planted for planted in PLANTED if planted.casefold() in text.casefold()]


async def test_a_planted_person_is_in_no_log_line(logged: io.StringIO) -> None:
    async with world() as made:
        await everything_that_happens(made)
        assert any(EMAIL in str(sent.payload) for sent in made.wire.sent), "the person was really there"
    await a_store_that_fails()
    assert len(logged.getvalue().splitlines()) > 3
    assert found_in(logged.getvalue()) == []


async def test_a_planted_person_is_in_no_span(spans: InMemorySpanExporter) -> None:
    async with world() as made:
        await everything_that_happens(made)
    await a_store_that_fails()
    finished: tuple[ReadableSpan, ...] = spans.get_finished_spans()
    assert len(finished) > 20
    assert found_in("\n".join(span.to_json() for span in finished)) == []
