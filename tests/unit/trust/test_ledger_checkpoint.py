"""A checkpoint is believed when, and only when, a known key signed exactly this text for exactly this log."""

import base64
from uuid import UUID

import pytest

from services.trust.ledger.domain.checkpoint import (
    Checkpoint,
    key_id,
    origin_of,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from services.trust.ledger.errors import LedgerFault, MalformedNote, UnverifiedNote
from tests.unit.trust.ledger_promises import KEY, TestKey

ORIGIN = origin_of("example.test/ledger", UUID(int=7))
CHECKPOINT = Checkpoint(ORIGIN, 42, bytes(range(32)))
NOTE = sign_checkpoint(CHECKPOINT, KEY)


def test_a_note_has_the_c2sp_form() -> None:
    origin, size, root, empty, signature, end = NOTE.split("\n")
    assert (origin, size, root) == (ORIGIN, "42", base64.b64encode(CHECKPOINT.root).decode())
    assert (empty, end) == ("", "")
    dash, name, blob = signature.split(" ")
    assert (dash, name) == ("\N{EM DASH}", ORIGIN)
    assert base64.b64decode(blob)[:4] == key_id(ORIGIN, KEY.public_key)
    assert len(base64.b64decode(blob)) == 68


def test_the_published_example_of_the_form_verifies() -> None:
    # golang.org/x/mod/sumdb/note, documentation: key PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
    key = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert key[0] == 1
    assert key_id("PeterNeumann", key[1:]).hex() == "c74f20a3"


def test_a_signed_checkpoint_says_what_was_signed() -> None:
    assert verify_checkpoint(NOTE, ORIGIN, TestKey("other").public_key, KEY.public_key) == CHECKPOINT
    assert parse_checkpoint(NOTE) == CHECKPOINT


def test_signatures_of_strangers_beside_ours_do_no_harm() -> None:
    stranger = sign_checkpoint(CHECKPOINT, TestKey("witness")).split("\n\n")[1]
    assert verify_checkpoint(NOTE + stranger, ORIGIN, KEY.public_key) == CHECKPOINT


@pytest.mark.parametrize("keys", [(), (TestKey("other").public_key,)])
def test_an_unknown_key_proves_nothing(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(UnverifiedNote):
        verify_checkpoint(NOTE, ORIGIN, *keys)


def test_another_logs_checkpoint_is_not_this_logs() -> None:
    other = origin_of("example.test/ledger", UUID(int=8))
    with pytest.raises(UnverifiedNote):
        verify_checkpoint(NOTE, other, KEY.public_key)
    relabelled = sign_checkpoint(Checkpoint(other, 42, CHECKPOINT.root), KEY).replace(f"— {other}", f"— {ORIGIN}")
    with pytest.raises(UnverifiedNote):
        verify_checkpoint(relabelled, ORIGIN, KEY.public_key)


def test_no_single_changed_byte_is_believed() -> None:
    raw = NOTE.encode()
    for position in range(len(raw)):
        for flip in (0x01, 0x20, 0x80):
            changed = bytearray(raw)
            changed[position] ^= flip
            with pytest.raises((LedgerFault, UnicodeDecodeError)):
                verify_checkpoint(changed.decode(), ORIGIN, KEY.public_key)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "a\n1\n",
        NOTE[:-1],
        NOTE.replace("42", "042"),
        NOTE.replace("42", "-1"),
        NOTE.replace("—", "-"),
        NOTE + "\n",
    ],
)
def test_what_is_not_a_note_is_refused(note: str) -> None:
    with pytest.raises(MalformedNote):
        parse_checkpoint(note)


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak"])
def test_an_origin_that_cannot_name_a_key_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="key name"):
        sign_checkpoint(Checkpoint(origin, 1, bytes(32)), KEY)
