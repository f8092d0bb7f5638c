"""A true pack verifies offline; every forgery is refused and the failed check is named."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pypdf import PdfReader

from dev import verify
from dev.verify import CHECKS, _read_archive, verify_bytes, verify_pack
from libs.contracts.message import new_id
from services.trust.ledger.archive import build_archive
from services.trust.ledger.contents import contents_of
from services.trust.ledger.domain.entry import Entry, seal
from services.trust.ledger.errors import NoSuchEntry, NotYetProvable
from services.trust.ledger.gather import gather
from services.trust.ledger.memory import MemoryLedgerStore
from services.trust.ledger.pack import build_pack
from services.trust.ledger.sequencer import Sequencer
from services.trust.ledger.store import EntryFilter
from tests.unit.trust import pack_sample as sample
from tests.unit.trust.ledger_promises import KEY, NOON, ORIGIN, TestKey
from tests.unit.trust.pack_sample import GRANT_ID, KEYS, STATEMENT_KEY, Story, edit, pack, repack, story

pytestmark = pytest.mark.asyncio
VERIFY = Path(verify.__file__)
Files = dict[str, bytes]


@pytest_asyncio.fixture
async def true_pack() -> bytes:
    return await pack()


async def test_a_true_pack_holds_in_every_check(true_pack: bytes) -> None:
    report = verify_bytes(true_pack, KEYS)
    assert [(check.name, check.result) for check in report.checks] == [(name, "holds") for name in CHECKS]
    assert report.exit_code == 0
    assert any(note.en.startswith("no witness") for note in report.notes)


async def test_the_same_contents_give_the_same_bytes(true_pack: bytes) -> None:
    assert await pack() == true_pack


async def test_any_zip_reader_opens_a_pack(true_pack: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(true_pack)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(archive.namelist())
        assert {name: archive.read(name) for name in archive.namelist()} == _read_archive(true_pack)
        assert archive.getinfo("manifest.json").compress_type == zipfile.ZIP_STORED


async def test_the_summaries_can_be_read(true_pack: bytes) -> None:
    files = _read_archive(true_pack)
    english, arabic = files["summary.en.txt"].decode(), files["summary.ar.txt"].decode()
    assert "302 | 2026-11-21 12:00:00 | outcome" in english
    assert "حزمة أدلة" in arabic
    assert "302 | 2026-11-21 12:00:00 | outcome" in arabic


async def test_the_page_is_a_pdf_in_both_languages_that_tells_what_was_approved_and_done(true_pack: bytes) -> None:
    arabic, english = (
        page.extract_text() for page in PdfReader(io.BytesIO(_read_archive(true_pack)["summary.pdf"])).pages
    )
    for part in ("email_smtp", "sandbox-1", "2026-11-21 12:00:00", "approval.approve"):
        assert part in arabic
        assert part in english
    assert "Evidence pack" in english


async def test_a_changed_page_is_named(true_pack: bytes) -> None:
    changed = repack(true_pack, lambda files: files.update({"summary.pdf": files["summary.pdf"] + b" "}))
    report = verify_bytes(changed, KEYS)
    assert report.failed == "manifest"
    assert "summary.pdf" in report.checks[-1].detail


async def test_no_single_changed_byte_passes(true_pack: bytes) -> None:
    changed = bytearray(true_pack)
    for position in range(len(changed)):
        mask = 1 << (position % 8)
        changed[position] ^= mask
        report = verify_bytes(bytes(changed), KEYS)
        assert report.exit_code == 1, position
        assert report.failed == "layout", position
        changed[position] ^= mask


async def test_a_cut_or_lengthened_pack_fails(true_pack: bytes) -> None:
    for size in (0, 1, 4, 29, 30, 1000, len(true_pack) - 1):
        assert verify_bytes(true_pack[:size], KEYS).failed == "layout"
    assert verify_bytes(true_pack + b"\0", KEYS).failed == "layout"


async def test_no_changed_byte_passes_in_a_repaired_archive(true_pack: bytes) -> None:
    for name, content in _read_archive(true_pack).items():
        step = 1 if name in {"manifest.json", "statement.dsse.json", "checkpoint.txt"} else 7
        for position in range(0, len(content), step):
            changed = bytearray(content)
            changed[position] ^= 1 << (position % 8)
            report = verify_bytes(repack(true_pack, lambda files, n=name, c=bytes(changed): files.update({n: c})), KEYS)
            assert report.exit_code != 0, (name, position)
            if name not in {"manifest.json", "statement.dsse.json"}:
                assert report.failed == "manifest"
                assert name in report.checks[-1].detail


async def test_a_missing_foreign_or_unlisted_file_is_named(true_pack: bytes) -> None:
    def drop(files: Files) -> None:
        del files["checkpoint.txt"]

    report = verify_bytes(repack(true_pack, drop), KEYS)
    assert (report.failed, report.checks[-1].detail) == ("manifest", "checkpoint.txt is missing")
    report = verify_bytes(repack(true_pack, lambda files: files.update({"entries/999.json": b"{}"})), KEYS)
    assert (report.failed, report.checks[-1].detail) == ("manifest", "entries/999.json is not listed")
    for name in ("evil.txt", "entries/../../evil"):
        report = verify_bytes(repack(true_pack, lambda files, n=name: files.update({n: b"x"})), KEYS)
        assert report.failed == "layout"


async def test_a_manifest_rewritten_by_somebody_else_is_not_the_operators(true_pack: bytes) -> None:
    forged = repack(true_pack, lambda files: edit(files, "manifest.json", scope="action:other"), key=TestKey("thief"))
    report = verify_bytes(forged, KEYS)
    assert report.failed == "statement"  # the scope in the statement is still the old one
    same = repack(true_pack, lambda _: None, key=TestKey("thief"))
    report = verify_bytes(same, KEYS)
    assert (report.failed, report.exit_code) == (None, 2)
    stolen_name = TestKey("thief")
    stolen_name.kid = STATEMENT_KEY.kid
    report = verify_bytes(repack(true_pack, lambda _: None, key=stolen_name), KEYS)
    assert (report.failed, report.exit_code) == ("statement", 1)


async def test_keys_serve_only_the_use_they_are_published_for(true_pack: bytes) -> None:
    for use, check in (("statement", "statement"), ("checkpoint", "checkpoint"), ("grant", "grants")):
        keys = {**KEYS, use: {}, "other": KEYS[use]}
        report = verify_bytes(true_pack, keys)
        assert [each.name for each in report.checks if each.result == "unknown"] == [check]
        assert report.exit_code == 2


def lie(files: Files, folder: str, change: Callable[[Any], Any]) -> None:
    name = next(name for name in sorted(files) if name.startswith(folder))
    files[name] = json.dumps(change(json.loads(files[name]))).encode()


def wrong_salt(files: Files) -> None:
    salts = json.loads(files["salts.json"])
    salts["entries"]["000"] = "00" * 32
    edit(files, "salts.json", entries=salts["entries"])


def moved_boundary(files: Files) -> None:
    """One byte of the payload counted as salt: the digest stays the same."""
    name = next(name for name in files if name.startswith("payloads/"))
    salts = json.loads(files["salts.json"])
    key = name.removeprefix("payloads/").removesuffix(".json")
    salts["payloads"][key] += files[name][:1].hex()
    files[name] = files[name][1:]
    edit(files, "salts.json", payloads=salts["payloads"])


def other_payload(files: Files) -> None:
    """A payload that is consistent in itself, but is not what was granted."""
    data = b'{"to":"other@example.com"}'
    key = hashlib.sha256(sample.SALT + data).hexdigest()
    salts = json.loads(files["salts.json"])
    salts["payloads"][key] = sample.SALT.hex()
    files[f"payloads/{key}.json"] = data
    edit(files, "salts.json", payloads=salts["payloads"])


def without(prefix: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        for name in [name for name in files if name.startswith(prefix)]:
            del files[name]

    return change


def no_entries(files: Files) -> None:
    without("entries/")(files)
    without("proofs/")(files)
    edit(files, "salts.json", entries={})
    edit(files, "manifest.json", entries=0)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda files: lie(files, "entries/", lambda entry: {**entry, "actor": "user:8"}), "entries"),
        (wrong_salt, "entries"),
        (lambda files: lie(files, "proofs/", lambda proof: {**proof, "seq": 5}), "entries"),
        (lambda files: lie(files, "proofs/", lambda proof: {**proof, "path": proof["path"][:-1]}), "entries"),
        (without("proofs/000"), "entries"),
        (no_entries, "entries"),
        (without("grants/"), "grants"),
        (lambda files: lie(files, "grants/", lambda grant: {**grant, "index": 0}), "grants"),
        (
            lambda files: lie(
                files, "grants/", lambda grant: {**grant, "claims": grant["claims"].replace("sandbox", "live")}
            ),
            "grants",
        ),
        (moved_boundary, "payloads"),
        (other_payload, "payloads"),
        (lambda files: lie(files, "payloads/", lambda payload: {**payload, "to": "other@example.com"}), "payloads"),
        (lambda files: lie(files, "views/", lambda view: {**view, "title": "غيره"}), "approvals"),
        (without("views/"), "approvals"),
        (lambda files: lie(files, "receipts/", lambda receipt: {**receipt, "mode": "live"}), "receipts"),
        (without("receipts/"), "receipts"),
        (without("policies/"), "policies"),
        (lambda files: edit(files, "manifest.json", version=4), "manifest"),
        (lambda files: edit(files, "manifest.json", witness=["nobody"]), "witness"),
        (lambda files: edit(files, "manifest.json", checkpoint={"size": 9, "root": "00" * 32}), "checkpoint"),
        (lambda files: files.update({"checkpoint.txt": files["checkpoint.txt"].replace(b"303", b"304")}), "checkpoint"),
    ],
)
async def test_even_the_operators_statement_does_not_cover_up_a_lie(
    true_pack: bytes, change: Callable[[Files], None], check: str
) -> None:
    report = verify_bytes(repack(true_pack, change, key=STATEMENT_KEY), KEYS)
    assert report.failed == check
    assert report.exit_code == 1


def told(**changes: Any) -> Story:
    story_ = story()
    for name, value in changes.items():
        setattr(story_, name, value)
    return story_


OTHER = sample.claims(payload_digest="00" * 32)


@pytest.mark.parametrize(
    ("dishonest", "check"),
    [
        (told(approval=None), "approvals"),
        (told(approval=sample.approval(state="rejected"), approval_step="rejected"), "approvals"),
        (told(approval=sample.approval(payload_hash="11" * 32)), "approvals"),
        (told(approval=sample.approval(view_hash="11" * 32)), "approvals"),
        (told(approval=sample.approval(action_id=new_id())), "approvals"),
        (told(claims=OTHER, grant=sample.grant(OTHER)), "approvals"),
        (told(grant=sample.grant(sample.claims(nonce="n-2"))), "grants"),
        (told(receipt=sample.receipt(grant_id=new_id())), "receipts"),
        (told(receipt=sample.receipt(mode="live")), "receipts"),
        (told(receipt=sample.receipt(operation="send_bulk")), "receipts"),
        (told(receipt=sample.receipt(attempt=2)), "receipts"),
        (told(receipt=sample.receipt(tenant_id=new_id())), "receipts"),
    ],
)
async def test_a_log_that_was_honestly_kept_of_a_wrong_deed_shows_it(dishonest: Story, check: str) -> None:
    report = verify_bytes(await pack(dishonest), KEYS)
    assert report.failed == check
    assert report.exit_code == 1


async def test_a_grant_signed_by_a_stranger_or_with_a_bad_signature_does_not_hold() -> None:
    report = verify_bytes(await pack(told(grant=sample.grant(sample.claims(), TestKey("stranger")))), KEYS)
    assert [check.name for check in report.checks if check.result == "unknown"] == ["grants"]
    impostor = TestKey("stranger")
    impostor.kid = sample.GRANT_KEY.kid
    report = verify_bytes(await pack(told(grant=sample.grant(sample.claims(), impostor))), KEYS)
    assert (report.failed, report.exit_code) == ("grants", 1)


async def test_one_grant_never_covers_two_receipts() -> None:
    report = verify_bytes(await pack(told(second=sample.receipt(receipt_id=UUID(int=50)))), KEYS)
    assert report.failed == "receipts"
    assert report.checks[-2].detail == f"grant {GRANT_ID} was used twice"


async def test_a_pack_of_erased_entries_says_so_and_keeps_the_rest() -> None:
    tenant = new_id()
    store = MemoryLedgerStore()
    sealed = seal(Entry(tenant, "consent", "user:1", "contact:1", NOON) for _ in range(3))
    async with store.transaction([tenant]):
        await store.append(sealed)
    with pytest.raises(NotYetProvable):
        await gather(store, [EntryFilter(tenant)])
    with pytest.raises(NoSuchEntry):
        await gather(store, [EntryFilter(new_id())])
    sequencer = Sequencer(store, KEY, origin=ORIGIN)
    await sequencer.drain()
    await sequencer.checkpoint()
    await store.erase(tenant, [sealed[1].entry.entry_id])
    gathered = await gather(store, [EntryFilter(tenant), EntryFilter(tenant, kind="consent")])
    assert ([entry.proof.leaf.seq for entry in gathered.entries], gathered.erased) == ([0, 2], (1,))
    made = sample.PackContents(
        "period:2026-11-21..2026-11-21", tenant, NOON, gathered.note, gathered.entries, gathered.erased
    )
    report = verify_bytes(build_pack(made, STATEMENT_KEY), KEYS)
    assert report.exit_code == 0
    assert "1 entries of the scope were erased on request" in [note.en for note in report.notes]


async def test_a_period_brings_along_whatever_its_actions_rest_on() -> None:
    tenant = new_id()
    store = MemoryLedgerStore()
    at = [NOON - timedelta(days=2), NOON, NOON]
    sealed = seal(
        Entry(tenant, "access", "user:1", target, when)
        for target, when in zip(["action:1", "action:1", "session"], at, strict=True)
    )
    async with store.transaction([tenant]):
        await store.append(sealed)
    sequencer = Sequencer(store, KEY, origin=ORIGIN)
    await sequencer.drain()
    await sequencer.checkpoint()
    today = EntryFilter(tenant, since=NOON)
    whole = await gather(store, [today])
    made = sample.PackContents(
        "period:2026-11-21..2026-11-21", tenant, NOON, whole.note, whole.entries, policies=[sample.POLICY]
    )
    assert verify_bytes(build_pack(made, STATEMENT_KEY), KEYS).failed is None
    for other in ("2026-11-18..2026-11-19", "2026-11-22..2026-11-22"):
        report = verify_bytes(build_pack(replace(made, scope=f"period:{other}"), STATEMENT_KEY), KEYS)
        assert report.failed == "scope"
    assert [entry.proof.leaf.seq for entry in (await gather(store, [today])).entries] == [0, 1, 2]
    async with store.transaction([tenant]):
        await store.append(seal([Entry(tenant, "login", "user:1", "session", NOON)]))
    with pytest.raises(NotYetProvable):
        await gather(store, [today])
    for _ in range(2):  # not placed yet, then placed but without a checkpoint
        so_far = await gather(store, [today], complete=False)
        assert [entry.proof.leaf.seq for entry in so_far.entries] == [0, 1, 2]
        await sequencer.drain()
    with pytest.raises(NotYetProvable):
        await gather(store, [today])


async def test_another_tenants_log_cannot_stand_in(true_pack: bytes) -> None:
    def swap(files: Files) -> None:
        edit(files, "manifest.json", tenant_id=str(new_id()))

    report = verify_bytes(repack(true_pack, swap, key=STATEMENT_KEY), KEYS)
    assert report.exit_code == 1
    assert {check.name for check in report.checks if check.result == "failed"} >= {"statement", "checkpoint", "entries"}


async def test_packs_in_names_that_repeat_are_refused(true_pack: bytes) -> None:
    files = _read_archive(true_pack)
    twice = build_archive({"a": b""})[: 30 + 1]
    assert verify_bytes(twice + twice + build_archive(files), KEYS).failed == "layout"


def command(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


async def test_one_file_verifies_without_the_rest_of_the_program(true_pack: bytes, tmp_path: Path) -> None:
    (tmp_path / "pack.zip").write_bytes(true_pack)
    (tmp_path / "jwks.json").write_text(json.dumps(sample.jwks()))
    (tmp_path / "check.py").write_bytes(VERIFY.read_bytes())
    alone = command("-I", "check.py", "pack.zip", "--trust-root", "jwks.json", cwd=tmp_path)
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert "All checks hold." in alone.stdout
    assert "no witness" in alone.stdout
    in_place = command(VERIFY, "pack.zip", "--trust-root", "jwks.json", "--lang", "ar", cwd=tmp_path)
    assert in_place.returncode == 0, in_place.stdout + in_place.stderr
    assert "كل الفحوص سليمة." in in_place.stdout


async def test_the_exit_code_says_what_happened(
    true_pack: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, keys = tmp_path / "good.zip", tmp_path / "bad.zip", tmp_path / "jwks.json"
    good.write_bytes(true_pack)
    bad.write_bytes(true_pack.replace("السلام".encode(), "سلامال".encode(), 1))
    keys.write_text(json.dumps(sample.jwks()))
    assert verify.main([str(good), "--trust-root", str(keys)]) == 0
    assert verify.main([str(bad), "--trust-root", str(keys)]) == 1
    assert "Check failed: layout" in capsys.readouterr().out
    assert verify.main([str(good)]) == 2
    assert "Signer unknown" in capsys.readouterr().out
    assert verify.main([str(tmp_path / "absent.zip"), "--trust-root", str(keys)]) == 1
    capsys.readouterr()
    assert verify.main([str(good), "--trust-root", str(keys), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failed"] is None


@pytest.mark.parametrize("root", ["", "{}", '{"keys": []}', '{"keys": [{"kty": "RSA"}]}', '{"keys": 5}', "absent"])
async def test_a_trust_root_without_a_usable_key_is_no_trust_root(true_pack: bytes, tmp_path: Path, root: str) -> None:
    good, keys = tmp_path / "good.zip", tmp_path / "jwks.json"
    good.write_bytes(true_pack)
    if root != "absent":
        keys.write_text(root)
    report = verify_pack(good, keys)
    assert report.exit_code == 2
    assert any(note.en.startswith("signer unknown") for note in report.notes)


async def test_a_report_without_results_is_no_success() -> None:
    assert verify.Report().exit_code == 2


async def test_a_pack_says_what_it_holds_by_type() -> None:
    inside = contents_of(await pack(story()))
    assert (
        inside.counts["entries"]
        == inside.counts["proofs"]
        == sum(n for k, n in inside.counts.items() if k.startswith("entry."))
    )
    assert inside.counts["grants"] == inside.counts["receipts"] == 1 and inside.counts["payloads"] >= 1
    assert inside.checkpoint.split(":")[0].isdigit() and inside.cosignatures == 0
    with pytest.raises(zipfile.BadZipFile):
        contents_of(b"no pack")
