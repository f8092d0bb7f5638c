"""Packs of a deal, a flow and a control verify offline; what does not belong, or is missing by its own word, is named."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader

from dev.verify import CHECKS, Report, _read_archive, verify_bytes
from libs.contracts.errors import DealixError
from libs.contracts.message import Principal, PrincipalKind
from libs.contracts.trust import Evaluation, ResourceRef
from services.trust.ledger.domain.commitments import belonging
from services.trust.scopes.domain import Scope, ScopeKind, Selected, parse
from tests.unit.trust import scope_sample as sample
from tests.unit.trust.pack_sample import KEYS, STATEMENT_KEY, TENANT, edit, repack
from tests.unit.trust.scope_sample import (
    CONTACT,
    CONTROL_STORY,
    DEAL,
    DEAL_STORY,
    FLOW,
    FLOW_STORY,
    OF_CONTROL,
    OF_DEAL,
    OF_FLOW,
    ONE,
    OTHER_DEAL,
    OTHER_FLOW,
    STRANGER,
    TWO,
    control_files,
    decision,
    pack_of,
    without_entries,
    without_target,
)

pytestmark = pytest.mark.asyncio


def read(pack: bytes) -> Report:
    return verify_bytes(pack, KEYS)


def said(report: Report) -> str:
    return report.checks[[check.name for check in report.checks].index("scope")].detail


async def test_packs_of_a_deal_a_flow_and_a_control_hold_in_every_check() -> None:
    for pack, detail in (
        (await pack_of(OF_DEAL, DEAL_STORY), "2 actions, 1 of them by the ledger's own word; 2 names"),
        (await pack_of(OF_FLOW, FLOW_STORY), "2 actions, 2 of them by the ledger's own word; 1 names"),
        (
            await pack_of(OF_CONTROL, CONTROL_STORY, control_files()),
            "1 readings, 1 changes of result recorded, 1 attestations",
        ),
    ):
        report = read(pack)
        assert [(check.name, check.result) for check in report.checks] == [(name, "holds") for name in CHECKS]
        assert (report.exit_code, said(report)) == (0, detail)


async def test_a_pack_says_whose_word_its_selection_is() -> None:
    notes = [note.en for note in read(await pack_of(OF_DEAL, DEAL_STORY)).notes]
    assert any(f"contact:{CONTACT} (data)" in note for note in notes)
    assert "1 actions are in the scope on the word of a plane of the operator alone" in notes
    files = _read_archive(await pack_of(OF_DEAL, DEAL_STORY))
    assert "on whose word: the ledger 1 · execution 1" in files["summary.en.txt"].decode()
    assert "وبقول مَن: الدفتر 1 · نظام البيانات 1" in files["summary.ar.txt"].decode()
    page = "".join(one.extract_text() for one in PdfReader(io.BytesIO(files["summary.pdf"])).pages)
    assert "the ledger 1 · execution 1" in " ".join(page.split())


async def test_what_belongs_to_another_deal_or_flow_is_left_out() -> None:
    for selected, story in ((OF_DEAL, DEAL_STORY), (OF_FLOW, FLOW_STORY)):
        assert str(STRANGER).encode() not in await pack_of(selected, story)


async def test_a_removed_or_changed_entry_is_named_without_the_operators_key() -> None:
    pack = await pack_of(OF_DEAL, DEAL_STORY)

    def drop(files: dict[str, bytes]) -> None:
        del files["entries/001.json"], files["proofs/001.json"]

    report = read(repack(pack, drop))
    assert (report.failed, report.checks[-1].detail) == ("manifest", "entries/001.json is missing")
    report = read(repack(pack, lambda files: edit(files, "entries/001.json", actor="user:9")))
    assert report.failed == "manifest"
    report = read(repack(pack, lambda files: edit(files, "entries/001.json", actor="user:9"), key=STATEMENT_KEY))
    assert report.failed == "entries"


async def test_a_removed_entry_is_named_even_with_the_operators_key_where_the_selection_knows_it() -> None:
    report = read(await pack_of(OF_DEAL, DEAL_STORY, entries=without_target(f"action:{ONE}")))
    assert (report.failed, report.exit_code) == ("scope", 1)
    assert f"action {ONE} is said to be recorded" in said(report)
    report = read(await pack_of(OF_DEAL, DEAL_STORY, entries=without_target(f"action:{TWO}")))
    assert report.failed is None, "only execution names it"
    assert any(note.en.startswith("1 actions of the scope have no entry here") for note in report.notes)


async def test_a_scope_is_not_swapped_for_another() -> None:
    report = read(await pack_of(OF_DEAL, DEAL_STORY, scope=f"deal:{OTHER_DEAL}"))
    assert report.failed == "scope" and f"does not name deal:{OTHER_DEAL}" in said(report)
    renamed = Selected(Scope(ScopeKind.FLOW, str(OTHER_FLOW)), OF_FLOW.asked, ())
    lie: dict[str, Any] = {"scope": renamed.scope.text, "selection": renamed.manifest()}
    report = read(await pack_of(OF_FLOW, FLOW_STORY, **lie))
    assert report.failed == "scope" and f"which is not of flow:{OTHER_FLOW}" in said(report)
    lie["entries"] = lambda entries: [one for one in entries if b'"kind":"decision"' in one.body]
    report = read(await pack_of(OF_FLOW, FLOW_STORY, **lie))
    assert report.failed == "scope" and f"says that it is of flow:{FLOW}" in said(report)
    for other in (f"action:{ONE}", "period:2026-11-21..2026-11-21", "control:PDPL-12", "tenant:all"):
        assert read(await pack_of(OF_FLOW, FLOW_STORY, scope=other)).failed == "scope", other


async def test_an_action_of_another_flow_does_not_pass_under_this_one() -> None:
    wider = Selected(OF_FLOW.scope, OF_FLOW.asked, (ONE, TWO, STRANGER))
    report = read(await pack_of(wider, FLOW_STORY))
    assert report.failed == "scope" and f"says that it is of flow:{OTHER_FLOW}" in said(report)


async def test_an_entry_outside_the_selection_does_not_pass() -> None:
    narrow = Selected(OF_DEAL.scope, (), (ONE,))
    report = read(await pack_of(OF_DEAL, DEAL_STORY, selection=narrow.manifest()))
    assert report.failed == "scope" and f"is about contact:{CONTACT}, which is not of deal:{DEAL}" in said(report)


async def test_an_entry_of_another_tenant_does_not_pass() -> None:
    other = UUID(int=99)
    foreign = await pack_of(
        OF_DEAL, [decision(ONE, 1, tenant=other, about=f"deal:{DEAL}")], tenant=other, scope=OF_DEAL.scope.text
    )
    assert read(foreign).exit_code == 0, "it is true for that tenant"

    def mixed(files: dict[str, bytes]) -> None:
        edit(files, "manifest.json", tenant_id=str(TENANT))

    assert read(repack(foreign, mixed, key=STATEMENT_KEY)).failed == "statement"


async def test_proofs_of_another_tenants_log_do_not_carry_over() -> None:
    other = UUID(int=99)
    theirs = await pack_of(OF_DEAL, [decision(ONE, 1, tenant=other, about=f"deal:{DEAL}")], tenant=other)
    pack = await pack_of(OF_DEAL, DEAL_STORY)
    taken = _read_archive(theirs)

    def graft(files: dict[str, bytes]) -> None:
        for folder in ("entries", "proofs"):
            files[f"{folder}/000.json"] = taken[f"{folder}/000.json"]

    assert read(repack(pack, graft, key=STATEMENT_KEY)).failed == "entries"


async def test_an_outcome_without_its_decision_is_named() -> None:
    end = sample.fact("outcome", f"action:{ONE}", 9, closes_grant=str(UUID(int=77)), outcome="failed", attempt=1)
    report = read(await pack_of(OF_DEAL, [*DEAL_STORY, end]))
    assert report.failed == "scope" and "whose decision is not in the pack" in said(report)


async def test_an_attempt_that_is_left_out_is_told() -> None:
    later = decision(ONE, 9, attempt=2, about=f"deal:{DEAL}")
    assert "earlier steps are not here" not in str(read(await pack_of(OF_DEAL, [*DEAL_STORY, later])).notes)
    story = [one for one in DEAL_STORY if one.target != f"action:{ONE}"]
    report = read(await pack_of(OF_DEAL, [*story, later]))
    assert any(note.en.startswith("earlier steps are not here: 1 attempts") for note in report.notes)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "control.json is missing"),
        (control_files(readings=[]), "records a reading that control.json does not have"),
        (control_files(readings=[{**sample.READING, "failing": 0}]), "records a reading"),
        (control_files(attestations=[]), "which control.json does not have"),
        (control_files(attestations=[sample.ATTESTATION] * 2), "is not one that an entry records"),
        (control_files(attestations=[{**sample.ATTESTATION, "valid_until": "2030-01-01"}]), "is not one that an entry"),
        (control_files(attestations=[{**sample.ATTESTATION, "attested_by": "user:8"}]), "is not one that an entry"),
        (control_files(control={"control_id": "PDPL-13"}), "control.json is about PDPL-13"),
        ({**control_files(), f"attachments/{sample.SHA}": b"%PDF other"}, "has digest"),
        ({**control_files(), f"attachments/{'ab' * 32}": b"x"}, "attachments and attestations do not match"),
        ({"control.json": control_files()["control.json"]}, "attachments and attestations do not match"),
    ],
)
async def test_the_facts_of_a_control_are_those_that_entries_recorded(files: dict[str, bytes], why: str) -> None:
    report = read(await pack_of(OF_CONTROL, CONTROL_STORY, files))
    assert report.failed == "scope" and why in said(report)


async def test_a_removed_attestation_entry_is_named() -> None:
    report = read(
        await pack_of(OF_CONTROL, CONTROL_STORY, control_files(), entries=without_entries("control.attested"))
    )
    assert report.failed == "scope" and "is not one that an entry records" in said(report)


async def test_a_controls_files_do_not_belong_in_a_deals_pack() -> None:
    assert read(await pack_of(OF_DEAL, DEAL_STORY, control_files())).failed == "scope"


@pytest.mark.parametrize(
    "text",
    ["", "deal", "deal:", "deal:7", "flow:x", "company:1", "period:2026-13-01..2026-13-02", "period:2026-11-02..2026-11-01", ":", "action"],
)  # fmt: skip
async def test_a_scope_that_nobody_understands_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(DealixError) as refused:
        parse(text)
    assert (refused.value.code, refused.value.status) == ("bad_scope", 422)
    assert "control:ID" in refused.value.en and "control:المعرّف" in refused.value.ar


async def test_a_control_that_the_catalogue_does_not_have_is_not_found() -> None:
    with pytest.raises(DealixError) as refused:
        parse("control:NONE-1")
    assert (refused.value.code, refused.value.status) == ("unknown_scope", 404) and refused.value.ar


async def test_a_scope_is_written_in_one_way() -> None:
    assert parse(f" deal:{str(DEAL).upper()} ").text == f"deal:{DEAL}"
    assert parse("control:PDPL-12").text == "control:PDPL-12"


async def test_an_entry_names_its_flow_and_record_and_nobody() -> None:
    def asked(type: str, id: str, run: str = "") -> Evaluation:
        who = Principal(id="agent:a", kind=PrincipalKind.AGENT, tenant_id=TENANT, roles=())
        return Evaluation(
            tenant_id=TENANT, action_id=ONE, attempt=1, subject=who, action_type="x", effect="x", connector=None, operation=None,
            resource=ResourceRef(type=type, id=id), payload="{}", salt="00", run_id=run,
        )  # fmt: skip

    assert belonging(asked("deal", str(DEAL), f"flow:{FLOW}")) == {"run": f"flow:{FLOW}", "about": f"deal:{DEAL}"}
    assert belonging(asked("contact", str(CONTACT), "session-1")) == {}
    assert belonging(asked("deal", "sara@example.com")) == {}
