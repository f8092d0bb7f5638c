"""From a verified ID token's claims to a person with roles. No claim gives a right by itself: the installation's map of groups does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, as the provider says, with the roles that this installation gives their groups."""

    email: str
    name: str
    roles: tuple[str, ...]
    second_factor: bool | None = None


class NotAdmitted(Exception):
    """The claims are true and give no way in; `why` is `no_email`, `unverified_email` or `no_group`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


_KNOWS = frozenset({"pwd", "pin", "kba"})
_HAS = frozenset({"otp", "hwk", "swk", "sms", "tel", "sc", "pop"})
_IS = frozenset({"face", "fpt", "iris", "retina", "vbm"})


def second_factor(claims: Mapping[str, Any], strong_acr: frozenset[str]) -> bool | None:
    """Whether the provider says that more than one factor was shown; None when it says nothing about how.

    `amr` values are those of RFC 8176 section 2: `mfa` and `mca` say it outright, else methods of two kinds (what somebody knows, has, is) do.
    What an `acr` means is the provider's own; `strong_acr` names those that the installation takes for more than one factor.
    """
    if claims.get("acr") in strong_acr:
        return True
    said = claims.get("amr")
    if not isinstance(said, list) or not said:
        return None
    methods = {one for one in said if isinstance(one, str)}
    if methods & {"mfa", "mca"}:
        return True
    return sum(bool(methods & kind) for kind in (_KNOWS, _HAS, _IS)) > 1


def person(
    claims: Mapping[str, Any],
    groups_claim: str,
    roles_of: Mapping[str, str],
    strong_acr: frozenset[str] = frozenset(),
) -> Person:
    """Read the claims (OpenID Connect Core section 5.1; the groups claim is whatever the provider calls it).

    Raises NotAdmitted: without a verified address somebody else's account could be claimed by typing its address at the provider.
    """
    email = claims.get("email")
    if not isinstance(email, str) or "@" not in email:
        raise NotAdmitted("no_email")
    if claims.get("email_verified") is not True:
        raise NotAdmitted("unverified_email")
    said = claims.get(groups_claim)
    groups = (
        {said}
        if isinstance(said, str)
        else {g for g in said if isinstance(g, str)}
        if isinstance(said, list)
        else set()
    )
    given = tuple(sorted({roles_of[group] for group in groups if group in roles_of}))
    if not given:
        raise NotAdmitted("no_group")
    name = claims.get("name")
    return Person(
        email,
        name[:200] if isinstance(name, str) and name else email.partition("@")[0],
        given,
        second_factor(claims, strong_acr),
    )
