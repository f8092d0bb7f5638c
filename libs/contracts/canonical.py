"""Canonical JSON (RFC 8785, JCS) and salted digests: one value, one byte string, whoever computes it.

Payload hashes, view hashes, grants and ledger leaves are all taken over `canonical(value)`.
"""

from contextlib import suppress
from hashlib import sha256

import orjson
import rfc8785

MAX_SAFE_INTEGER = 2**53 - 1

_FAST = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


class CanonicalizationError(ValueError):
    """The value has no canonical JSON form: a NaN, an integer past 2^53 - 1, a type or key that is not JSON's."""


def canonical(value: object) -> bytes:
    """RFC 8785 bytes of a JSON value (None, bool, int, float, str, list, tuple, dict with string keys).

    Raises CanonicalizationError for anything else. Values without floats and with ASCII keys only, which is nearly
    all, take orjson: for these its sorted output is the canonical one and costs a seventh.
    """
    try:
        if _is_plain(value):
            with suppress(orjson.JSONEncodeError):  # past its nesting limit; the slow way has none of its own
                return orjson.dumps(value, option=_FAST)
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks the type itself and raises
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise CanonicalizationError(str(error)) from error
    except RecursionError as error:
        raise CanonicalizationError("nested too deep") from error


def digest(salt: bytes, data: bytes) -> str:
    """SHA-256 of salt ‖ data in lower-case hex. The salt keeps small value sets (phone numbers) from being guessed."""
    return sha256(salt + data).hexdigest()


def _is_plain(value: object) -> bool:
    # Exact types on purpose: orjson would also write enums, UUIDs and dates, which RFC 8785 does not know.
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER  # type: ignore[operator]  # kind is int
    if kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]  # kind is dict
            if type(key) is not str or not key.isascii():
                return False
            if type(item) is not str and not _is_plain(item):
                return False
        return True
    if kind is list or kind is tuple:
        return all(type(item) is str or _is_plain(item) for item in value)  # type: ignore[attr-defined]  # a sequence
    return False
