"""`dealix witness` against a hand-written gateway: what it cosigns, and what it never does."""

from __future__ import annotations

import json
from pathlib import Path

from libs.contracts import merkle
from services.trust.ledger.domain.checkpoint import Checkpoint, sign_checkpoint
from services.trust.ledger.domain.cosignature import parse_vkey, split_note, verify_cosignature
from tests.unit.dev.fake_gateway import FakeGateway
from tests.unit.trust.ledger_promises import KEY
from tests.unit.trust.pack_sample import jwks

LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(9)]
OTHER = [*LEAVES[:2], merkle.leaf_hash(b"forged"), *LEAVES[3:]]


def gateway(size: int, leaves: list[bytes] = LEAVES, first: int = 0) -> FakeGateway:
    note = sign_checkpoint(Checkpoint("example.test/log", size, merkle.root(leaves[:size])), KEY)
    path = [step.hex() for step in merkle.consistency_path(leaves[:size], first)] if 0 < first < size else []
    return FakeGateway(
        {
            "GET /.well-known/jwks.json": jwks(),
            "GET /proof-ledger/checkpoint": {"note": note},
            "GET /proof-ledger/consistency": {"first": first, "second": size, "path": path},
            "POST /proof-ledger/cosignatures": {},
        }
    )


def visit(at: FakeGateway, folder: Path) -> int:
    return at.types("witness", "--once", "--folder", str(folder), "--name", "w.example").exit_code


def test_new_checkpoints_are_cosigned_once_they_extend_the_old_ones(tmp_path: Path) -> None:
    first, second = gateway(4), gateway(7, first=4)
    assert (visit(first, tmp_path), visit(second, tmp_path)) == (0, 0)
    (sent,) = second.bodies("POST", "/proof-ledger/cosignatures")
    body, lines = split_note(sent["note"])
    assert verify_cosignature(body, lines, parse_vkey(sent["witness"])).witness.name == "w.example"
    again = gateway(7)
    assert visit(again, tmp_path) == 0
    assert not again.bodies("POST", "/proof-ledger/cosignatures")


def test_a_fork_is_not_cosigned_and_both_views_are_kept(tmp_path: Path) -> None:
    visit(gateway(4), tmp_path)
    for forked in (gateway(7, OTHER, first=4), gateway(3), gateway(4, OTHER)):
        assert visit(forked, tmp_path) == 1
        assert not forked.bodies("POST", "/proof-ledger/cosignatures")
    assert json.loads((tmp_path / "seen.json").read_text())["size"] == 4
    assert any(tmp_path.glob("fork-*.txt"))


def test_a_checkpoint_of_an_unknown_signer_is_not_cosigned(tmp_path: Path) -> None:
    root = tmp_path / "else.json"
    root.write_text('{"keys": []}')
    at = gateway(4)
    assert at.types("witness", "--once", "--folder", str(tmp_path), "--trust-root", str(root)).exit_code == 1
    assert not at.bodies("POST", "/proof-ledger/cosignatures")
