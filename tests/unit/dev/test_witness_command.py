"""`dealix witness` against a hand-written gateway: what it cosigns, and what it never does."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from libs.contracts import merkle
from services.trust.ledger.domain.checkpoint import Checkpoint, sign_checkpoint
from services.trust.ledger.domain.cosignature import parse_vkey, split_note, verify_cosignature
from tests.unit.dev.fake_gateway import FakeGateway
from tests.unit.trust.ledger_promises import KEY
from tests.unit.trust.pack_sample import jwks

LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(9)]
OTHER = [*LEAVES[:2], merkle.leaf_hash(b"forged"), *LEAVES[3:]]


PLATFORMS = "example.test/00000000-0000-0000-0000-000000000000"


def gateway(
    size: int, leaves: list[bytes] = LEAVES, first: int = 0, platform: tuple[int, list[bytes], int] = (0, LEAVES, 0)
) -> FakeGateway:
    """`platform` is the platform's log in the same words; of no size it is empty."""
    logs = {"own": ("example.test/log", size, leaves, first), "platform": (PLATFORMS, *platform)}

    def note(request: httpx.Request) -> object:
        origin, size, leaves, _ = logs[request.url.params["log"]]
        return {"note": sign_checkpoint(Checkpoint(origin, size, merkle.root(leaves[:size])), KEY) if size else ""}

    def consistency(request: httpx.Request) -> object:
        _, size, leaves, first = logs[request.url.params["log"]]
        path = [step.hex() for step in merkle.consistency_path(leaves[:size], first)] if 0 < first < size else []
        return {"first": first, "second": size, "path": path}

    return FakeGateway(
        {
            "GET /.well-known/jwks.json": jwks(),
            "GET /proof-ledger/checkpoint": note,
            "GET /proof-ledger/consistency": consistency,
            "POST /proof-ledger/cosignatures": {},
        }
    )


def test_the_platforms_log_is_cosigned_beside_ones_own_and_a_fork_of_it_is_not(tmp_path: Path) -> None:
    first = gateway(4, platform=(3, LEAVES, 0))
    assert visit(first, tmp_path) == 0
    origins = [sent["note"].split("\n")[0] for sent in first.bodies("POST", "/proof-ledger/cosignatures")]
    assert origins == ["example.test/log", PLATFORMS]
    grown = gateway(4, platform=(8, LEAVES, 3))
    assert visit(grown, tmp_path) == 0
    assert len(grown.bodies("POST", "/proof-ledger/cosignatures")) == 1
    for forked in ((9, OTHER, 8), (2, LEAVES, 0), (8, OTHER, 8)):
        at = gateway(4, platform=forked)
        assert visit(at, tmp_path) == 1
        assert not at.bodies("POST", "/proof-ledger/cosignatures")
    assert any(tmp_path.glob("fork-platform-*.txt"))
    assert json.loads((tmp_path / "seen-platform.json").read_text())["size"] == 8


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
