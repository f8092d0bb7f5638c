"""Signed checkpoints in the C2SP forms tlog-checkpoint and signed-note (Ed25519, signature type 0x01).

    dealix.local/ledger/0193…          origin: which log
    1042                               number of leaves
    Kx3…=                              base64 of the root hash

    — dealix.local/ledger/0193… AbC…=  key name, base64(4 bytes of key id ‖ 64 bytes of signature)

One key signs the checkpoints of all logs. Its name in a note is the log's origin, which is part of the key id, so a signature
made for one log does not read as another's.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from libs.contracts.merkle import HASH_SIZE
from services.trust.ledger.errors import MalformedNote, UnverifiedNote

_ED25519 = b"\x01"
_DASH = "— "


class Signer(Protocol):
    """A private Ed25519 key that signs and says which public key (32 raw bytes) verifies, and under which JWKS `kid`."""

    @property
    def kid(self) -> str: ...

    @property
    def public_key(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: the log, how many leaves, and their root."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The signed text, its final newline included."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def origin_of(prefix: str, log_id: UUID) -> str:
    """The origin line of a log: a name without scheme or spaces, unique to it."""
    return f"{prefix.rstrip('/')}/{log_id}"


def key_id(name: str, public_key: bytes) -> bytes:
    """The signed-note key id: first 4 bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)."""
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> str:
    """The note: the checkpoint's text, an empty line, one signature line. Raises ValueError for an origin unfit as a key name."""
    name = checkpoint.origin
    if not name or "+" in name or any(character.isspace() for character in name):
        raise ValueError(f"not a key name: {name!r}")
    body = checkpoint.body()
    blob = key_id(name, signer.public_key) + signer.sign(body.encode())
    return f"{body}\n{_DASH}{name} {base64.b64encode(blob).decode()}\n"


def parse_checkpoint(note: str) -> Checkpoint:
    """What a note says, *unverified*. Raises MalformedNote."""
    return parse_body(_split(note)[0])


def verify_checkpoint(note: str, origin: str, *public_keys: bytes) -> Checkpoint:
    """What a note of the log `origin` says, once one of `public_keys` (raw Ed25519) is seen to have signed it.

    Signatures by other keys are skipped, as the form asks. Raises MalformedNote, or UnverifiedNote when no known key signed
    or a known key's signature is wrong.
    """
    body, lines = _split(note)
    known = {key_id(origin, key): key for key in public_keys}
    verified = False
    for line in lines:
        name, blob = _signature(line)
        key = known.get(blob[:4])
        if name != origin or key is None:
            continue
        try:
            VerifyKey(key).verify(body.encode(), blob[4:])
        except (BadSignatureError, ValueError) as error:
            raise UnverifiedNote("a known key's signature on the checkpoint is wrong") from error
        verified = True
    if not verified:
        raise UnverifiedNote("no known key has signed the checkpoint")
    checkpoint = parse_body(body)
    if checkpoint.origin != origin:
        raise UnverifiedNote(f"the checkpoint is of {checkpoint.origin!r}, not of {origin!r}")
    return checkpoint


def _split(note: str) -> tuple[str, list[str]]:
    body, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise MalformedNote("no signature block")
    lines = signatures[:-1].split("\n")
    if any(not line.startswith(_DASH) for line in lines):
        raise MalformedNote("a signature line does not start with an em dash")
    return body + "\n", lines


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    blob = _decode(encoded)
    if not name or len(blob) < 5:
        raise MalformedNote("a signature line is incomplete")
    return name, blob


def parse_body(body: str) -> Checkpoint:
    """What a checkpoint's text says. Raises MalformedNote."""
    lines = body.split("\n")
    if len(lines) < 4 or not lines[0] or lines[-1]:
        raise MalformedNote("a checkpoint has an origin, a size and a root")
    origin, size, root = lines[:3]
    if not (size.isascii() and size.isdigit()) or (size != "0" and size.startswith("0")):
        raise MalformedNote("the size is not a plain decimal number")
    decoded = _decode(root)
    if len(decoded) != HASH_SIZE:
        raise MalformedNote("the root is not a SHA-256 hash")
    return Checkpoint(origin, int(size), decoded)


def _decode(text: str) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedNote("not base64") from error
    if base64.b64encode(decoded).decode() != text:  # the spare bits of the last character must be zero
        raise MalformedNote("not canonical base64")
    return decoded
