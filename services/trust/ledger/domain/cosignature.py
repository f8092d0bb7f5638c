"""Cosignatures of witnesses in the C2SP form tlog-cosignature (cosignature/v1, Ed25519, signature type 0x04).

A witness signs that it has seen a checkpoint and that it extends everything that it had seen before. The signed text is

    cosignature/v1
    time 1795248000
    <the checkpoint's text>

and the signature line's blob is the key id (4 bytes), the time (8 bytes, big-endian seconds) and the signature (64 bytes).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from services.trust.ledger.errors import MalformedNote, UnverifiedNote

_TYPE = b"\x04"
_DASH = "— "


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's name and raw Ed25519 public key."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.public_key)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A verified cosignature: the line as it stands in a note, and when it was made (Unix seconds)."""

    witness: WitnessKey
    line: str
    time: int


def key_id(name: str, public_key: bytes) -> bytes:
    """First 4 bytes of SHA-256(name ‖ 0x0A ‖ 0x04 ‖ public key)."""
    return sha256(name.encode() + b"\n" + _TYPE + public_key).digest()[:4]


def parse_vkey(text: str) -> WitnessKey:
    """A witness's verifier key `name+keyid+base64(0x04 ‖ public key)`. Raises MalformedNote."""
    name, _, rest = text.strip().partition("+")
    stated, _, encoded = rest.partition("+")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedNote("the verifier key is not base64") from error
    if not name or any(c.isspace() for c in name) or len(blob) != 33 or blob[:1] != _TYPE:
        raise MalformedNote("a witness's verifier key is name+keyid+key, of type 0x04")
    found = WitnessKey(name, blob[1:])
    if stated != found.key_id.hex():
        raise MalformedNote("the verifier key's id is not that of its name and key")
    return found


def split_note(note: str) -> tuple[str, tuple[str, ...]]:
    """A note's text, final newline included, and its signature lines. Raises MalformedNote."""
    body, separator, block = note.rpartition("\n\n")
    lines = tuple(block[:-1].split("\n")) if separator and block.endswith("\n") else ()
    if not lines or any(not line.startswith(_DASH) for line in lines):
        raise MalformedNote("no signature block")
    return f"{body}\n", lines


def verify_cosignature(body: str, lines: tuple[str, ...], witness: WitnessKey) -> Cosignature:
    """The witness's cosignature among a note's lines. Raises MalformedNote, or UnverifiedNote when there is none that holds."""
    for line in lines:
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        try:
            blob = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise MalformedNote("a signature line is not base64") from error
        if name != witness.name or blob[:4] != witness.key_id:
            continue
        if len(blob) != 76:
            raise MalformedNote("a cosignature has 76 bytes")
        time = int.from_bytes(blob[4:12])
        try:
            VerifyKey(witness.public_key).verify(cosigned_text(body, time), blob[12:])
        except (BadSignatureError, ValueError) as error:
            raise UnverifiedNote("the witness's cosignature is wrong") from error
        return Cosignature(witness, line, time)
    raise UnverifiedNote("this witness has not cosigned the note")


def cosigned_text(body: str, time: int) -> bytes:
    """What a cosignature covers."""
    return f"cosignature/v1\ntime {time}\n{body}".encode()
