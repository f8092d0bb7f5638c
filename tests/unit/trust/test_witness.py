"""Witnesses: what they cosign holds on both sides, a fork is never cosigned, and packs say who has seen the log."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from dev import witness
from dev.verify import verify_bytes
from dev.witness import WitnessRefuses
from libs.contracts import merkle
from libs.contracts.message import PLATFORM
from services.trust.ledger.domain.checkpoint import Checkpoint, sign_checkpoint
from services.trust.ledger.domain.cosignature import parse_vkey, split_note, verify_cosignature
from services.trust.ledger.domain.entry import Entry, seal
from services.trust.ledger.errors import MalformedNote, UnverifiedNote
from services.trust.ledger.pack import build_pack
from tests.unit.trust.ledger_promises import KEY, NOON, ORIGIN, TestKey
from tests.unit.trust.pack_sample import KEYS, STATEMENT_KEY, TENANT, contents, edit, jwks, repack, story

LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(9)]
TIME = 1_795_248_000


def seen(size: int, origin: str = "example.test/log", leaves: list[bytes] = LEAVES) -> witness.Seen:
    note = sign_checkpoint(Checkpoint(origin, size, merkle.root(leaves[:size])), KEY)
    return witness.parse(note)


@pytest.fixture
def key(tmp_path: Path) -> witness.Key:
    return witness.load_key(tmp_path / "own" / "witness.key", "witness.example")


def test_what_a_witness_cosigns_the_log_takes(key: witness.Key) -> None:
    body, lines = split_note(key.cosign(seen(5).note, TIME))
    found = verify_cosignature(body, lines, parse_vkey(key.vkey))
    assert (found.time, found.witness.name) == (TIME, "witness.example")
    assert len(lines) == 2  # the operator's own signature stands beside it


@pytest.mark.parametrize("at", ["text", "time", "signature"])
def test_a_changed_cosignature_is_none(key: witness.Key, at: str) -> None:
    body, lines = split_note(key.cosign(seen(5).note, TIME))
    blob = bytearray(base64.b64decode(lines[-1].split(" ")[2]))
    if at == "text":
        body = body.replace("\n5\n", "\n6\n")
    else:
        blob[{"time": 11, "signature": 40}[at]] ^= 1
    forged = (f"— witness.example {base64.b64encode(bytes(blob)).decode()}",)
    with pytest.raises(UnverifiedNote):
        verify_cosignature(body, forged, parse_vkey(key.vkey))


@pytest.mark.parametrize("vkey", ["", "name", "n+00000000+AAAA", "a b+00+AA==", "witness.example+00000000+" + "A" * 44])
def test_a_verifier_key_that_is_none_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedNote):
        parse_vkey(vkey)


def test_a_witness_key_is_kept_for_its_owners_eyes_alone(tmp_path: Path) -> None:
    made = witness.load_key(tmp_path / "k", "w.example")
    assert os.stat(tmp_path / "k").st_mode & 0o077 == 0
    assert witness.load_key(tmp_path / "k", "w.example").public == made.public
    (tmp_path / "k").write_text("not a key")
    with pytest.raises(WitnessRefuses):
        witness.load_key(tmp_path / "k", "w.example")


@pytest.mark.parametrize(("first", "second"), [(1, 9), (4, 9), (5, 7), (5, 5)])
def test_a_log_that_only_grew_is_cosigned(first: int, second: int) -> None:
    path = list(merkle.consistency_path(LEAVES[:second], first)) if first < second else []
    witness.check_extends(seen(first), seen(second), path)
    witness.check_extends(None, seen(second), [])


def test_a_fork_a_shorter_log_and_another_log_are_refused() -> None:
    other = [*LEAVES[:3], merkle.leaf_hash(b"forged"), *LEAVES[4:]]
    for now, path in (
        (seen(9, leaves=other), list(merkle.consistency_path(other, 5))),
        (seen(5, leaves=other), []),
        (seen(4), []),
        (seen(9), []),
        (seen(9, "example.test/another"), list(merkle.consistency_path(LEAVES, 5))),
    ):
        with pytest.raises(WitnessRefuses) as error:
            witness.check_extends(seen(5), now, path)
        assert error.value.sentence.ar


def test_a_checkpoint_that_no_known_key_signed_is_refused() -> None:
    root = jwks()
    witness.check_signed(seen(5), root)
    stranger = witness.parse(
        sign_checkpoint(Checkpoint("example.test/log", 5, merkle.root(LEAVES[:5])), TestKey("else"))
    )
    for note, keys in ((stranger, root), (seen(5), {"keys": []})):
        with pytest.raises(WitnessRefuses):
            witness.check_signed(note, keys)


def test_a_witness_remembers_and_a_damaged_memory_stops_it(tmp_path: Path) -> None:
    memory = tmp_path / "seen.json"
    assert witness.read_memory(memory) is None
    witness.remember(memory, seen(5))
    assert witness.read_memory(memory) == seen(5)
    memory.write_text("{}")
    with pytest.raises(WitnessRefuses):
        witness.read_memory(memory)


# -- packs ----------------------------------------------------------------------------------------------------------------------


async def anchored(note: str, **changes: Any) -> dict[str, Any]:
    """The note's checkpoint in a platform log of three leaves."""
    said = witness.parse(note)
    data = {"origin": said.origin, "size": said.size, "root": said.root.hex(), **changes}
    (entry,) = seal([Entry(PLATFORM, "ledger.checkpoint", "system:ledger", f"log:{TENANT}", NOON, data)])
    hashes = [LEAVES[0], entry.leaf_hash, LEAVES[1]]
    return {
        "checkpoint": sign_checkpoint(Checkpoint(f"{ORIGIN}/{PLATFORM}", 3, merkle.root(hashes)), KEY),
        "entry": entry.body.decode(),
        "salt": entry.salt.hex(),
        "proof": {
            "seq": 1,
            "leaf_hash": entry.leaf_hash.hex(),
            "path": [step.hex() for step in merkle.inclusion_path(hashes, 1)],
        },
    }


async def witnessed(key: witness.Key) -> bytes:
    bare = await contents(story())
    line = key.cosign(bare.note, TIME).removeprefix(bare.note).rstrip("\n")
    full = await contents(story(), cosignatures=[(key.name, line)], platform=await anchored(bare.note))
    return build_pack(full, STATEMENT_KEY)


def with_witness(key: witness.Key) -> Any:
    return {**KEYS, "witness": {key.name: key.public}}


async def test_a_pack_shows_its_witness_and_its_place_in_the_platforms_log(key: witness.Key) -> None:
    report = verify_bytes(await witnessed(key), with_witness(key))
    assert report.exit_code == 0
    assert {c.name: c.detail for c in report.checks}["witness"] == "1 of 1 checked"
    assert {c.name: c.detail for c in report.checks}["platform"] == "entry 1 of 3, 0 witnesses checked"
    assert [note.en for note in report.notes if "witness" in note.en] == [
        "no witness of the trust root has cosigned this checkpoint of the platform's log"
    ]


async def platform_witnessed(key: witness.Key, *, flip: bool = False) -> bytes:
    bare = await contents(story())
    anchor = await anchored(bare.note)
    note = key.cosign(anchor["checkpoint"], TIME)
    if flip:
        head, _, encoded = note.rstrip("\n").rpartition(" ")
        blob = bytearray(base64.b64decode(encoded))
        blob[30] ^= 1
        note = f"{head} {base64.b64encode(bytes(blob)).decode()}\n"
    return build_pack(await contents(story(), platform={**anchor, "checkpoint": note}), STATEMENT_KEY)


async def test_a_pack_shows_who_cosigned_the_platforms_log(key: witness.Key, tmp_path: Path) -> None:
    report = verify_bytes(await platform_witnessed(key), with_witness(key))
    assert report.exit_code == 0, report.as_dict()
    assert {c.name: c.detail for c in report.checks}["platform"] == "entry 1 of 3, 1 witnesses checked"
    # Somebody else's witness of the same name says nothing here, and is no forgery.
    other = witness.load_key(tmp_path / "other", key.name)
    stranger = verify_bytes(await platform_witnessed(key), with_witness(other))
    assert {c.name: c.detail for c in stranger.checks}["platform"] == "entry 1 of 3, 0 witnesses checked"


async def test_a_forged_cosignature_of_the_platforms_log_is_named(key: witness.Key) -> None:
    report = verify_bytes(await platform_witnessed(key, flip=True), with_witness(key))
    assert (report.exit_code, report.failed) == (1, "platform")


def test_a_witness_is_shown_the_log_that_it_asked_for() -> None:
    witness.check_whose(seen(5), "own")
    witness.check_whose(seen(5, f"example.test/{PLATFORM}"), "platform")
    for log, origin in (("own", f"example.test/{PLATFORM}"), ("platform", "example.test/log")):
        with pytest.raises(WitnessRefuses):
            witness.check_whose(seen(5, origin), log)


async def test_a_witness_that_the_trust_root_does_not_know_is_said_to_be_unchecked(key: witness.Key) -> None:
    report = verify_bytes(await witnessed(key), KEYS)
    assert report.exit_code == 0
    assert any("was not checked" in note.en for note in report.notes)


async def test_a_forged_witness_or_platform_is_named(key: witness.Key, tmp_path: Path) -> None:
    data = await witnessed(key)
    other = witness.load_key(tmp_path / "other", key.name)
    assert verify_bytes(data, {**KEYS, "witness": {key.name: other.public}}).failed == "witness"

    def flip(files: dict[str, bytes]) -> None:
        head, _, encoded = files["checkpoint.txt"].rstrip(b"\n").rpartition(b" ")
        blob = bytearray(base64.b64decode(encoded))
        blob[30] ^= 1
        files["checkpoint.txt"] = head + b" " + base64.b64encode(bytes(blob)) + b"\n"

    assert verify_bytes(repack(data, flip, key=STATEMENT_KEY), with_witness(key)).failed == "witness"
    dropped = repack(data, lambda files: files.pop("platform.json") and None, key=STATEMENT_KEY)
    assert verify_bytes(dropped, with_witness(key)).failed == "platform"
    bare = await contents(story())
    for change in ({"size": 1}, {"root": hashlib.sha256(b"").hexdigest()}, {"origin": "elsewhere/log"}):
        forged = await contents(story(), platform=await anchored(bare.note, **change))
        assert verify_bytes(build_pack(forged, STATEMENT_KEY), KEYS).failed == "platform"
    salted = repack(data, lambda files: edit(files, "platform.json", salt="00" * 32), key=STATEMENT_KEY)
    assert verify_bytes(salted, with_witness(key)).failed == "platform"


async def test_any_changed_byte_of_a_witnessed_pack_is_found(key: witness.Key) -> None:
    data = await witnessed(key)
    for at in range(0, len(data), 97):
        changed = bytearray(data)
        changed[at] ^= 1
        assert verify_bytes(bytes(changed), with_witness(key)).exit_code == 1, at


def test_the_trust_root_takes_a_witness_beside_the_operator(key: witness.Key, tmp_path: Path) -> None:
    from dev.verify import load_trust_root

    file = tmp_path / "root.json"
    file.write_text(json.dumps({"keys": [*jwks()["keys"], key.jwk()]}))
    assert load_trust_root(file)["witness"] == {key.name: key.public}
