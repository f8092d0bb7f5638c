"""The paths of the surface: what they ask of the planes, and how they answer."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.contracts import data, decision, execution, operating, subjects, trust
from libs.contracts.errors import Invalid
from libs.contracts.execution import Action, ActionState
from libs.contracts.message import Plane, Reason, new_id
from libs.contracts.operating import SpanRecord
from libs.contracts.trust import ActionClass, Mode, Outcome, ResourceRef
from tests.unit.gateway.fake_site import Site, eventually, open_site, problem

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ID = new_id()


def action(state: ActionState = ActionState.SUCCEEDED, **more: Any) -> Action:
    values: dict[str, Any] = {
        "action_id": ID, "tenant_id": new_id(), "action_type": "summarize", "action_class": "A", "mode": "approved_execute",
        "state": state, "resource": ResourceRef(type="lead", id="1"), "payload": {"a": 1},
    }  # fmt: skip
    return Action(**{**values, **more})


def accepted(request: execution.SubmitRequest) -> execution.SubmitReply:
    return execution.SubmitReply(
        results=tuple(execution.SubmitResult(action_id=i.action_id, state=ActionState.ACCEPTED) for i in request.items)
    )


def decided(allowed: bool = False, outcome: Outcome = Outcome.PARKED, **more: Any) -> trust.Decision:
    values: dict[str, Any] = {
        "decision_id": new_id(), "tenant_id": new_id(), "action_id": new_id(), "attempt": 1, "outcome": outcome,
        "allowed": allowed, "mode": Mode.APPROVAL_REQUIRED, "action_class": ActionClass.B,
        "reasons": (Reason(code="b", en="Needs approval.", ar="يحتاج موافقة."),), "approval_required": True,
        "policy_version": "v1", "audit_event": new_id(), "proof_impact": "decision",
    }  # fmt: skip
    return trust.Decision(**{**values, **more})


def approval(**more: Any) -> trust.Approval:
    values: dict[str, Any] = {
        "approval_id": ID, "tenant_id": new_id(), "action_id": new_id(), "action_type": "send_email",
        "state": trust.ApprovalState.PENDING, "role": "ceo", "risk": "low", "reason": "why", "requester": "user:1", "value_sar": None,
        "payload": "{}", "payload_hash": "a" * 64, "view": {}, "view_hash": "b" * 64, "policy_version": "v1", "requested_at": NOW,
        "due_at": NOW, "expires_at": NOW, "compensation": "none",
    }  # fmt: skip
    return trust.Approval(**{**values, **more})


BODY = {"action_type": "summarize", "resource": {"type": "lead", "id": "1"}, "payload": {"a": 1}}


# -- actions ---------------------------------------------------------------------------------------------------------


async def test_a_submitted_action_is_202_with_its_id(site: Site) -> None:
    site.planes.answer(subjects.SUBMIT, accepted)
    response = await site.client.post("/api/v1/actions", json=BODY, headers=await site.bearer("operator"))
    assert response.status_code == 202
    (request,) = site.planes.requests(subjects.SUBMIT)
    assert response.json()["action_id"] == str(request.items[0].action_id)
    assert response.json()["state"] == "accepted"


@pytest.mark.parametrize(("state", "status"), [(ActionState.SUCCEEDED, 200), (ActionState.AWAITING_APPROVAL, 202)])
async def test_prefer_wait_gives_the_final_state(site: Site, state: ActionState, status: int) -> None:
    site.planes.answer(subjects.SUBMIT, accepted)
    site.planes.answer(subjects.ACTION, action(state, approval_id=ID))
    response = await site.client.post(
        "/api/v1/actions", json=BODY, headers={**await site.bearer("owner"), "Prefer": "respond-async, wait=5"}
    )
    assert (response.status_code, response.json()["state"]) == (status, state.value)
    assert response.headers["preference-applied"] == "wait=5"
    assert site.planes.requests(subjects.ACTION)[0].wait_seconds == 5


async def test_an_item_that_is_not_accepted_says_why(site: Site) -> None:
    reason = Reason(code="unknown_action_type", en="No handler.", ar="لا معالج.")

    def refuse(request: execution.SubmitRequest) -> execution.SubmitReply:
        return execution.SubmitReply(
            results=tuple(
                execution.SubmitResult(action_id=i.action_id, state=None, error=reason) for i in request.items
            )
        )

    site.planes.answer(subjects.SUBMIT, refuse)
    owner = await site.bearer("owner")
    problem(await site.client.post("/api/v1/actions", json=BODY, headers=owner), 422, "unknown_action_type")
    batch = await site.client.post("/api/v1/actions", json={"items": [BODY, BODY]}, headers=owner)
    assert batch.status_code == 202
    assert [i["error"]["code"] for i in batch.json()["items"]] == ["unknown_action_type"] * 2


async def test_the_approval_token_travels_beside_the_payload(site: Site) -> None:
    site.planes.answer(subjects.SUBMIT, accepted)
    await site.client.post("/api/v1/actions", json={**BODY, "approval_token": "t"}, headers=await site.bearer("owner"))
    (request,) = site.planes.requests(subjects.SUBMIT)
    assert request.items[0].approval_token == "t"
    assert request.items[0].payload == {"a": 1}


def span(
    span_id: str, parent: str | None, start: int, end: int, trace: str = "a" * 32, plane: Plane = Plane.TRUST
) -> SpanRecord:
    return SpanRecord(
        trace_id=trace, span_id=span_id, parent_id=parent, plane=plane, name=span_id, kind="server", start_ns=start * 10**6,
        end_ns=end * 10**6, ok=True,
    )  # fmt: skip


async def test_a_journey_is_a_tree_with_times_and_holds_the_linked_trace_as_well(site: Site) -> None:
    later = "b" * 32
    site.planes.answer(subjects.ACTION, action(trace_id="a" * 32, linked_traces=(later,)))
    spans = (
        span("root", None, 10, 60, plane=Plane.GATEWAY), span("child", "root", 20, 50), span("orphan", "lost", 30, 31),
        span("late", None, 100, 101, later, Plane.EXECUTION),
    )  # fmt: skip
    site.planes.answer(subjects.TRACE, operating.TraceReply(spans=spans))
    found = (await site.client.get(f"/api/v1/actions/{ID}/journey", headers=await site.bearer("member"))).json()
    assert site.planes.requests(subjects.TRACE)[0].trace_ids == ("a" * 32, later)
    first, second = found["traces"]
    assert [(r["name"], r["starts_ms"], r["took_ms"]) for r in first["roots"]] == [("root", 0, 50), ("orphan", 20, 1)]
    assert [c["name"] for c in first["roots"][0]["children"]] == ["child"]
    assert (second["starts_ms"], second["planes"]) == (90, ["execution"])
    assert len(found["spans"]) == 4


# -- approvals -------------------------------------------------------------------------------------------------------


async def test_a_grant_never_leaves_by_the_api(site: Site) -> None:
    grant = trust.Grant(claims="{}", index=0, size=1, path=(), root_jws="a.b.c")
    shown = approval(decision=decided(grant=grant))
    site.planes.answer(subjects.APPROVAL, shown)
    site.planes.answer(subjects.APPROVALS, trust.ApprovalsReply(items=(shown,)))
    owner = await site.bearer("owner")
    for path in (f"/api/v1/approvals/{ID}", "/api/v1/approvals"):
        response = await site.client.get(path, headers=owner)
        assert response.status_code == 200
        assert "root_jws" not in response.text
        assert "approval_required" in response.text


async def test_a_vote_needs_both_hashes(site: Site) -> None:
    owner = await site.bearer("owner")
    for body in (
        {},
        {"payload_hash": "a" * 64},
        {"payload_hash": "A" * 64, "view_hash": "b" * 64},
        {"payload_hash": "", "view_hash": ""},
    ):
        response = await site.client.post(f"/api/v1/approvals/{ID}/approve", json=body, headers=owner)
        problem(response, 422, "invalid_request")
    assert site.planes.asked == []


async def test_an_edit_is_one_call_to_trust_and_answers_with_the_action_in_its_place(site: Site) -> None:
    edited = new_id()
    site.planes.answer(subjects.ACTION, action(ActionState.AWAITING_APPROVAL, action_id=edited))
    superseded = approval(state=trust.ApprovalState.SUPERSEDED).evolve(replaced_by_action=edited)
    site.planes.answer(subjects.REVISE, superseded)
    owner = await site.bearer("owner")
    path, body = f"/api/v1/approvals/{ID}/payload", {"payload": {"to": "x"}}
    problem(await site.client.put(path, json=body, headers=owner), 422, "expected_hash_missing")
    response = await site.client.put(path, json=body, headers={**owner, "If-Match": '"' + "a" * 64 + '"'})
    assert response.status_code == 200, response.text
    assert response.json()["action_id"] == str(edited)
    (request,) = site.planes.requests(subjects.REVISE)
    assert (request.expected_hash, request.payload) == ("a" * 64, {"to": "x"})
    assert site.planes.requests(subjects.SUBMIT) == []


# -- AuthZEN ---------------------------------------------------------------------------------------------------------


def question(**more: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "user", "id": "alice"}, "action": {"name": "Send-Email", "properties": {"payload": {"to": "x"}}},
        "resource": {"type": "contact", "id": "1"}, **more,
    }  # fmt: skip


async def test_a_policy_question_is_answered_and_grants_nothing(site: Site) -> None:
    site.planes.answer(
        subjects.EVALUATE, lambda r: trust.AuthorizeReply(decisions=tuple(decided() for _ in r.evaluations))
    )
    owner = await site.bearer("owner")
    one = await site.client.post("/access/v1/evaluation", json=question(), headers=owner)
    assert one.json()["decision"] is False
    assert one.json()["context"]["reason_user"] == {"en": "Needs approval.", "ar": "يحتاج موافقة."}
    many = {**question(), "evaluations": [{}, {"action": {"name": "read_status"}}]}
    assert len((await site.client.post("/access/v1/evaluations", json=many, headers=owner)).json()["evaluations"]) == 2
    asked = site.planes.requests(subjects.EVALUATE)
    assert asked[0].evaluations[0].effect == "send_email"
    assert asked[0].evaluations[0].connector == "email_smtp"
    assert [e.effect for e in asked[1].evaluations] == ["send_email", "read_status"]


async def test_roles_that_a_question_asserts_are_not_facts(site: Site) -> None:
    """Weakness 27."""
    site.planes.answer(subjects.EVALUATE, trust.AuthorizeReply(decisions=(decided(),)))
    user = await site.user("owner")
    headers = {"Authorization": f"Bearer {await site.key(user)}"}
    asserted = {"type": "user", "id": "mallory", "properties": {"roles": ["owner"], "tenant_id": str(new_id())}}
    for subject in (asserted, {"type": "user", "id": str(user.user_id)}, {"type": "user", "id": f"user:{new_id()}"}):
        await site.client.post("/access/v1/evaluation", json=question(subject=subject), headers=headers)
    subjects_asked = [r.evaluations[0].subject for r in site.planes.requests(subjects.EVALUATE)]
    assert [s.roles for s in subjects_asked] == [(), ("owner",), ()]
    assert {s.tenant_id for s in subjects_asked} == {site.tenant.tenant_id}


# -- targeting -------------------------------------------------------------------------------------------------------


def queued(request: data.ImportRequest) -> data.ImportStatus:
    return data.ImportStatus(
        import_id=request.import_id, tenant_id=request.principal.tenant_id, file_name=request.file_name, source=request.source,
        state=data.ImportState.QUEUED, counts=data.ImportCounts(), progress=0, started_at=NOW,
    )  # fmt: skip


async def upload(
    site: Site, who: dict[str, str], content: bytes = b"name\nA", name: str = "leads.csv", **form: str
) -> httpx.Response:
    return await site.client.post(
        "/api/v1/targeting/import", headers=who, files={"file": (name, content)}, data={"source": "own_crm", **form}
    )


async def test_an_upload_goes_through_the_object_store_under_the_tenants_own_name(site: Site) -> None:
    site.planes.answer(subjects.IMPORT, queued)
    response = await upload(
        site, await site.bearer("operator"), name="../../etc/\u202eلائحة.csv", mapping='{"اسم": "name"}'
    )
    assert response.status_code == 202
    (request,) = site.planes.requests(subjects.IMPORT)
    assert request.object_name == f"{site.tenant.tenant_id}/{request.import_id}"
    assert site.files.kept[request.object_name] == b"name\nA"
    assert (request.file_name, request.size, request.mapping) == ("لائحة.csv", 6, {"اسم": "name"})
    assert response.json() == {"import_id": str(request.import_id), "state": "queued"}


async def test_the_same_upload_with_the_same_key_is_one_import(site: Site) -> None:
    site.planes.answer(subjects.IMPORT, queued)
    owner = {**await site.bearer("owner"), "Idempotency-Key": "k"}
    first, again = await upload(site, owner), await upload(site, owner)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    problem(await upload(site, owner, b"name\nB"), 422, "idempotency_mismatch")
    problem(await upload(site, owner, dry_run="true"), 422, "idempotency_mismatch")
    assert len(site.planes.requests(subjects.IMPORT)) == 1


async def test_a_refused_upload_leaves_no_file_behind(site: Site) -> None:
    site.planes.answer(subjects.IMPORT, Invalid("unknown_source", "No such source.", "لا مصدر بهذا الاسم."))
    problem(await upload(site, await site.bearer("owner")), 422, "unknown_source")
    assert site.files.kept == {}


@pytest.mark.parametrize("mapping", ["[", "[]", '{"a": 1}', "null"])
async def test_a_mapping_that_is_none_is_refused(site: Site, mapping: str) -> None:
    response = await upload(site, await site.bearer("owner"), mapping=mapping)
    problem(response, 422, "bad_mapping")
    assert site.planes.asked == []


async def test_a_file_beyond_the_limit_is_refused() -> None:
    site = await open_site(gateway_import_mb=1)
    site.planes.answer(subjects.IMPORT, queued)
    owner = await site.bearer("owner")
    problem(await upload(site, owner, b"x" * (1024 * 1024 + 1)), 413, "body_too_large")
    problem(await upload(site, owner, b"x" * (3 * 1024 * 1024)), 413, "body_too_large")
    assert site.files.kept == {}
    assert (await upload(site, owner, b"x" * (1024 * 1024))).status_code == 202


async def test_an_upload_without_a_file_or_source_is_refused(site: Site) -> None:
    owner = await site.bearer("owner")
    response = await site.client.post("/api/v1/targeting/import", headers=owner, data={"source": "own_crm"})
    problem(response, 422, "invalid_request")
    response = await site.client.post("/api/v1/targeting/import", headers=owner, content=b"x")
    problem(response, 422, "invalid_request")


async def test_rejected_rows_come_back_as_csv_that_runs_nothing(site: Site) -> None:
    def page(request: data.RejectsRequest) -> data.RejectsReply:
        second = request.page.cursor is not None
        row = data.RejectedRow(
            row_number=3 if second else 2, field="phone", code="bad_phone", en="No number.", ar="ليس رقمًا.",
            raw=('=cmd|"/c calc"!A1', "+966 50 123 4567", "-5", "@x", "شركة"),
        )  # fmt: skip
        return data.RejectsReply(header=("a", "b", "c", "d", "e"), rows=(row,), next_cursor=None if second else "next")

    site.planes.answer(subjects.IMPORT_REJECTS, page)
    response = await site.client.get(f"/api/v1/targeting/imports/{ID}/rejects.csv", headers=await site.bearer("owner"))
    assert response.headers["content-type"].startswith("text/csv")
    text = response.content.decode()
    assert text.startswith("\ufeffrow,field,code,reason_en,reason_ar,a,b,c,d,e\r\n")
    assert text.count("\r\n") == 3
    assert "\"'=cmd" in text
    assert ",+966 50 123 4567,-5,'@x,شركة" in text


def opportunity() -> decision.Opportunity:
    parts = dict.fromkeys(decision.Part.model_fields, 50.0)
    return decision.Opportunity(
        lead_id=new_id(), account_id=new_id(), contact_id=ID, account_name="شركة", contact_name="سارة", score=80, tier="P0",
        parts=decision.Part(**parts), why_now=(), channel="email", contactability="safe", reasons_ar=("سبب",), reasons_en=("why",),
        provenance=decision.Provenance(
            generated_at=NOW, generated_by="x", model_provider="local", model_id="x", prompt_version="1", confidence=1, freshness_hours=0
        ),
    )  # fmt: skip


async def test_the_demo_is_the_running_pipeline_over_the_example_tenant_without_names(site: Site) -> None:
    problem(await site.client.get("/api/v1/targeting/opportunities/demo"), 503, "no_demo")
    site.gateway.demo_tenant = site.tenant.tenant_id
    site.planes.answer(subjects.OPPORTUNITIES, decision.OpportunitiesReply(items=(opportunity(),), total=1))
    site.planes.answer(subjects.CONTACTABILITY, trust.ContactabilityReply(items=()))
    entry = trust.LedgerEntry(
        entry_id=new_id(),
        tenant_id=site.tenant.tenant_id,
        kind="outcome",
        actor="x",
        target="action:1",
        at=NOW,
        data={"to": "سارة"},
    )
    site.planes.answer(subjects.LEDGER, trust.LedgerReply(items=(entry,), next_cursor="more"))
    for path in ("/targeting/opportunities/demo", "/targeting/contactability/demo", "/proof-ledger/demo"):
        response = await site.client.get(f"/api/v1{path}")
        assert response.status_code == 200, response.text
        assert "سارة" not in response.text
    for request in [r for _, r in site.planes.asked if hasattr(r, "principal")]:
        assert request.principal.roles == ("auditor",)
        assert request.principal.tenant_id == site.tenant.tenant_id
    assert {r.contact_ids for r in site.planes.requests(subjects.CONTACTABILITY)} == {(ID,)}


async def test_the_demo_can_be_switched_off() -> None:
    site = await open_site(gateway_demo=False)
    site.gateway.demo_tenant = site.tenant.tenant_id
    problem(await site.client.get("/api/v1/targeting/opportunities/demo"), 404, "not_found")


# -- cards -----------------------------------------------------------------------------------------------------------


async def test_a_member_sees_the_feed_of_the_own_role_only(site: Site) -> None:
    site.planes.answer(subjects.CARDS, decision.CardsReply(items=(), waiting=2))
    member = await site.bearer("member", business_role="sales_manager")
    mine = await site.client.get("/api/v1/cards/feed", headers=member)
    assert (mine.json()["role"], mine.json()["waiting"]) == ("sales_manager", 2)
    problem(await site.client.get("/api/v1/cards/feed?role=ceo", headers=member), 403, "other_feed")
    assert (
        await site.client.get("/api/v1/cards/feed?role=support", headers=await site.bearer("owner"))
    ).status_code == 200


# -- proof -----------------------------------------------------------------------------------------------------------


async def test_a_pack_comes_piece_by_piece_and_whole(site: Site) -> None:
    body = b"PK" + bytes(range(256)) * 4000
    digest = hashlib.sha256(body).hexdigest()
    site.planes.answer(
        subjects.EVIDENCE,
        trust.EvidenceReply(
            pack_id=ID, state="ready", scope="action:1", bytes=len(body), sha256=digest, created_at=NOW
        ),
    )

    def piece(request: trust.EvidenceRead) -> trust.EvidenceChunk:
        end = min(request.offset + 300_000, len(body))
        return trust.EvidenceChunk(
            data=base64.b64encode(body[request.offset : end]).decode(), next_offset=end if end < len(body) else None
        )

    site.planes.answer(subjects.EVIDENCE_READ, piece)
    response = await site.client.get(f"/api/v1/evidence-packs/{ID}/download", headers=await site.bearer("auditor"))
    assert hashlib.sha256(response.content).hexdigest() == response.headers["x-content-sha256"] == digest
    assert len(site.planes.requests(subjects.EVIDENCE_READ)) == 4


async def test_the_public_keys_are_open_to_everybody(site: Site) -> None:
    site.planes.answer(subjects.KEYS, trust.KeysReply(keys=({"kty": "OKP", "kid": "k"},)))
    assert (await site.client.get("/.well-known/jwks.json")).json() == {"keys": [{"kty": "OKP", "kid": "k"}]}


# -- health, live, documents -----------------------------------------------------------------------------------------


async def test_ready_means_that_every_plane_says_so(site: Site) -> None:
    for plane, call in subjects.PINGS.items():
        site.planes.answer(call, operating.PingReply(plane=plane, version="1", instance="i", checks={"database": "ok"}))
    ready = await site.client.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert set(ready.json()["planes"]) == {plane.value for plane in Plane}


@pytest.mark.parametrize("answer", [{"database": "down"}, {}, None])
async def test_one_plane_that_is_not_well_or_silent_makes_all_of_it_unready(
    site: Site, answer: dict[str, str] | None
) -> None:
    for plane, call in subjects.PINGS.items():
        site.planes.answer(call, operating.PingReply(plane=plane, version="1", instance="i", checks={"database": "ok"}))
    sick = subjects.PINGS[Plane.TRUST]
    if answer is not None:
        site.planes.answer(sick, operating.PingReply(plane=Plane.TRUST, version="1", instance="i", checks=answer))
    else:
        site.planes.answer(sick, Invalid("x", "x", "x"))
    response = await site.client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["planes"]["trust"]["ready"] is False
    assert (await site.client.get("/healthz")).status_code == 200


async def test_metrics_name_routes_and_never_ids(site: Site) -> None:
    owner = await site.bearer("owner")
    await site.client.get(f"/api/v1/actions/{ID}", headers=owner)
    text = (await site.client.get("/metrics")).text
    assert 'dealix_http_requests_total{method="GET",route="/api/v1/actions/{action_id}",status="404"} 1' in text
    assert str(ID) not in text


async def test_a_change_that_passes_through_is_signalled_to_its_own_tenant_only(site: Site) -> None:
    ours, theirs = site.tenant.tenant_id, new_id()
    heard: dict[UUID, list[str]] = {ours: [], theirs: []}

    async def listen(tenant: UUID) -> None:
        async for signal in site.gateway.pulse.listen(tenant, "ceo", frozenset({"approvals", "cards"})):
            heard[tenant].append(signal)

    tasks = [asyncio.create_task(listen(tenant)) for tenant in heard]
    await eventually(lambda: site.gateway.pulse.listeners == 2)
    site.planes.answer(subjects.REJECT, approval(state=trust.ApprovalState.REJECTED))
    await site.client.post(f"/api/v1/approvals/{ID}/reject", json={"reason": "no"}, headers=await site.bearer("owner"))
    await site.gateway.pulse.close()
    await asyncio.gather(*tasks)
    # Signals that this reader may not hear (the ledger's) are left out.
    assert heard == {ours: ["approvals", "cards"], theirs: []}
    assert site.gateway.pulse.listeners == 0


async def test_a_change_elsewhere_is_noticed_by_looking_once_for_all_listeners(site: Site) -> None:
    state = {"items": ()}
    site.planes.answer(subjects.APPROVALS, lambda _: trust.ApprovalsReply(items=state["items"]))
    pulse = site.gateway.pulse
    pulse._every = 0.0
    tenant = site.tenant.tenant_id
    streams = [pulse.listen(tenant, "ceo", frozenset({"approvals"})) for _ in range(3)]
    firsts = [asyncio.create_task(anext(stream)) for stream in streams]
    await eventually(lambda: len(site.planes.requests(subjects.APPROVALS)) >= 2)
    assert not any(task.done() for task in firsts)
    state["items"] = (approval(),)
    assert await asyncio.gather(*firsts) == ["approvals"] * 3
    assert len(pulse._looks) == 1
    for stream in streams:
        await stream.aclose()
    assert pulse._looks == {}


async def test_a_stream_for_a_role_that_is_not_ones_own_is_refused_before_it_begins(site: Site) -> None:
    member = await site.bearer("member", business_role="support")
    problem(await site.client.get("/api/v1/events/stream?role=ceo", headers=member), 403, "other_feed")
    problem(await site.client.get("/api/v1/events/stream?role=x", headers=member), 422, "unknown_role")


async def test_the_document_is_openapi_31_and_says_how_to_come_in(site: Site) -> None:
    document = (await site.client.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert document["paths"]["/api/v1/actions"]["post"]["security"] == [{"key": []}, {"session": []}]
    assert document["paths"]["/healthz"]["get"]["security"] == []
    names = {p["name"] for p in document["paths"]["/api/v1/actions"]["post"]["parameters"]}
    assert "Idempotency-Key" in names
    references = set(_references(document))
    assert {r.rsplit("/", 1)[-1] for r in references} <= document["components"]["schemas"].keys()
    assert "application/problem+json" in document["paths"]["/api/v1/actions"]["post"]["responses"]["422"]["content"]


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [r for v in value.values() for r in _references(v)]
    return [r for v in value for r in _references(v)] if isinstance(value, list) else []


async def test_the_documents_page_asks_for_nothing_from_elsewhere(site: Site) -> None:
    page = (await site.client.get("/docs")).text
    assert "/api/v1/actions/{action_id}" in page
    for tag in ("<script", "<link", "<img", "<style", "http://", "https://"):
        assert tag not in page
    assert json.loads((await site.client.get("/asyncapi")).content)["asyncapi"].startswith("3.")


@pytest.mark.parametrize(
    "chosen",
    [
        {"state": "succeeded"},
        {"class": "A"},
        {"action_class": "A"},
        {"mode": "approved_execute"},
        {"approval_id": str(new_id())},
        {"approved": True},
        {"tenant_id": str(new_id())},
        {"effect": "summarize"},
    ],
)
async def test_a_caller_chooses_neither_state_nor_class_nor_approval(site: Site, chosen: dict[str, Any]) -> None:
    owner = await site.bearer("owner")
    for body in ({**BODY, **chosen}, {"items": [{**BODY, **chosen}]}):
        assert (await site.client.post("/api/v1/actions", json=body, headers=owner)).status_code == 422
    assert site.planes.requests(subjects.SUBMIT) == []


async def test_an_action_names_its_class(site: Site) -> None:
    owner = await site.bearer("owner")
    found = action(reasons=(Reason(code="c", en="why", ar="سبب"),))
    site.planes.answer(subjects.ACTION, found)
    site.planes.answer(subjects.ACTIONS, execution.ActionsReply(items=(found,)))
    site.planes.answer(subjects.CANCEL, found)
    one = (await site.client.get(f"/api/v1/actions/{ID}", headers=owner)).json()
    assert (one["class"], one["action_class"], one["payload"]) == ("A", "A", {"a": 1})
    assert one["reasons"][0]["ar"] == "سبب"
    (listed,) = (await site.client.get("/api/v1/actions", headers=owner)).json()["items"]
    cancelled = (await site.client.post(f"/api/v1/actions/{ID}/cancel", headers=owner)).json()
    assert listed["class"] == cancelled["class"] == "A"
