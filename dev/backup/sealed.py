"""A sealed stream: what is written leaves encrypted and authenticated, and a cut or changed file is refused when it is read.

libsodium's secretstream (XChaCha20-Poly1305) under a key from a passphrase (Argon2id). Form: magic, salt (16), header (24), frames of
4 bytes length and ciphertext; the last frame is tagged as such, so that a missing end is seen.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

import nacl.bindings as sodium
import nacl.pwhash.argon2id as argon2
import nacl.utils
from nacl.exceptions import CryptoError

MAGIC = b"DEALIX-BACKUP-1\n"
FRAME = 1024 * 1024
SHORTEST = 12
"""Characters that a passphrase has at least."""


class Unsealable(Exception):
    """The file is no backup, is damaged or cut, or the passphrase is another one; the message says which."""


def _key(passphrase: str, salt: bytes) -> bytes:
    return bytes(
        argon2.kdf(32, passphrase.encode(), salt, opslimit=argon2.OPSLIMIT_MODERATE, memlimit=argon2.MEMLIMIT_MODERATE)
    )


class SealedWriter:
    """A file to write to. Without `close` the file has no end and cannot be read."""

    def __init__(self, path: Path, passphrase: str) -> None:
        salt = nacl.utils.random(argon2.SALTBYTES)
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        header = sodium.crypto_secretstream_xchacha20poly1305_init_push(self._state, _key(passphrase, salt))
        self._file: IO[bytes] = path.open("wb")
        path.chmod(0o600)
        self._file.write(MAGIC + salt + header)
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > FRAME:
            self._push(bytes(self._waiting[:FRAME]), sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE)
            del self._waiting[:FRAME]
        return len(data)

    def close(self) -> None:
        self._push(bytes(self._waiting), sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL)
        self._file.flush()
        self._file.close()

    def _push(self, data: bytes, tag: int) -> None:
        sealed = sodium.crypto_secretstream_xchacha20poly1305_push(self._state, data, None, tag)
        self._file.write(struct.pack(">I", len(sealed)) + sealed)


class SealedReader:
    """A file to read from. Raises Unsealable as soon as a byte is not what was written."""

    def __init__(self, path: Path, passphrase: str) -> None:
        self._file = path.open("rb")
        if self._file.read(len(MAGIC)) != MAGIC:
            raise Unsealable("it is no backup of Dealix")
        salt = self._file.read(argon2.SALTBYTES)
        header = self._file.read(sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES)
        if len(header) != sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES:
            raise Unsealable("it is cut off")
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        sodium.crypto_secretstream_xchacha20poly1305_init_pull(self._state, header, _key(passphrase, salt))
        self._ready = bytearray()
        self._ended = False
        self._frames = 0

    def read(self, size: int) -> bytes:
        while len(self._ready) < size and not self._ended:
            self._pull()
        out = bytes(self._ready[:size])
        del self._ready[:size]
        return out

    def finish(self) -> None:
        """Read to the end, so that a cut file is seen even where its content was complete. Raises Unsealable."""
        while not self._ended:
            self._pull()
        if self._file.read(1):
            raise Unsealable("something was added behind its end")

    def close(self) -> None:
        self._file.close()

    def _pull(self) -> None:
        length = self._file.read(4)
        size = struct.unpack(">I", length)[0] if len(length) == 4 else 0
        sealed = self._file.read(size) if 0 < size <= FRAME + 64 else b""
        if len(length) != 4 or len(sealed) != size or not sealed:
            raise Unsealable("it is cut off or damaged")
        try:
            data, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(self._state, sealed, None)
        except (CryptoError, RuntimeError, ValueError) as error:
            raise Unsealable(
                "it is damaged" if self._frames else "the passphrase is another one, or it is damaged"
            ) from error
        self._frames += 1
        self._ready += data
        self._ended = tag == sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
