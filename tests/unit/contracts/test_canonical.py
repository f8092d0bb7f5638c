"""One value has one byte string, and the fast way to it never differs from RFC 8785."""

import enum
import uuid
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.canonical import CanonicalizationError, canonical, digest

safe = 2**53 - 1
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-safe, safe)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=6)
        | st.dictionaries(st.text(st.characters(codec="ascii"), max_size=6), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(values)
def test_every_value_has_the_bytes_of_rfc_8785(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # drawn from JSON values only


@pytest.mark.parametrize("code", range(0x100))
def test_control_characters_are_escaped_as_the_rfc_says(code: int) -> None:
    assert canonical({chr(code): chr(code)}) == rfc8785.dumps({chr(code): chr(code)})


def test_the_rfcs_own_sorting_example_holds() -> None:
    # RFC 8785 §3.2.3
    value = {"€": "Euro", "\r": "CR", "\ufb33": "Dalet", "1": "One", "😀": "Smiley", "\x80": "Control", "ö": "o"}
    keys = [key for key, _ in sorted(value.items(), key=lambda pair: pair[0].encode("utf-16be"))]
    assert canonical(value) == b"{" + b",".join(canonical(k) + b":" + canonical(value[k]) for k in keys) + b"}"
    assert keys == ["\r", "1", "\x80", "ö", "€", "😀", "\ufb33"]


class Colour(str, enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    [2**53, -(2**53), float("nan"), float("inf"), {1: "a"}, {"a": {2: 3}}, {"a": uuid.UUID(int=1)}, b"x", {"x": {1}}],
)
def test_what_is_not_json_has_no_canonical_form(value: object) -> None:
    with pytest.raises(CanonicalizationError):
        canonical(value)


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}, ["\udfff"], {"é\ud800": 1.5}])
def test_a_lone_surrogate_has_no_canonical_form(value: object) -> None:
    with pytest.raises(CanonicalizationError):
        canonical(value)


def test_nesting_without_end_is_an_error_of_the_value() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(CanonicalizationError, match="deep"):
        canonical(value)


def test_moderately_deep_values_still_work() -> None:
    value: object = 1
    for _ in range(300):  # past orjson's own limit of 254
        value = [value]
    assert canonical(value) == b"[" * 300 + b"1" + b"]" * 300


def test_text_enumerations_are_written_as_their_text() -> None:
    assert canonical({"colour": Colour.RED}) == b'{"colour":"red"}'


def test_the_salt_is_part_of_the_digest() -> None:
    assert digest(b"s" * 32, b"{}") == sha256(b"s" * 32 + b"{}").hexdigest()
    assert digest(b"s" * 32, b"{}") != digest(b"t" * 32, b"{}")
