"""A span says whose it is: operating shows a trace to that tenant alone."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider

from libs.contracts.message import Message, Principal, PrincipalKind, new_id
from libs.contracts.operating import ControlList, FlagsRequest, HealthRequest
from libs.runtime.telemetry import TENANT, name_tenant
from services.operating.domain import spans

OURS = new_id()
WHO = Principal(id="user:1", kind=PrincipalKind.USER, tenant_id=OURS)


@pytest.mark.parametrize(
    ("message", "tenant"),
    [(FlagsRequest(tenant_id=OURS), str(OURS)), (ControlList(principal=WHO), str(OURS)), (HealthRequest(), None)],
    ids=["tenant", "principal", "nobody"],
)
def test_a_span_carries_the_tenant_that_the_message_names(message: Message, tenant: str | None) -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("x") as span:
        name_tenant(span, message)
    assert (span.attributes or {}).get(TENANT) == tenant  # type: ignore[attr-defined]  # the SDK's span has attributes


def test_what_is_written_on_spans_is_what_operating_reads() -> None:
    assert spans.TENANT == TENANT
