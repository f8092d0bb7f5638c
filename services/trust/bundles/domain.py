"""What a tenant's bundle may be, how two differ, and whose decisions a canary takes. No I/O."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import cedarpy

from libs.contracts.policy import BundleDiff, PolicyRule
from services.trust.bundles.errors import LiftsHardRule, OnlyForbids
from services.trust.domain.policy import Bundle
from services.trust.errors import PolicyInvalid

_SEPARATOR = "// Additions of this tenant: they can only forbid."

UNUSABLE = """@id("additions_unusable")
@mode("blocked")
@reason_en("The tenant's own policies no longer fit the platform's, so everything is denied until they are replaced.")
@reason_ar("سياسات المنشأة لم تعد متوافقة مع سياسات المنصة، فيُمنع كل شيء حتى تُستبدل.")
forbid (principal, action, resource);"""
"""Stands in for additions that stopped validating: what they forbade can't be known, so all is denied."""


def compose(platform: str, additions: str) -> str:
    """A bundle's text. Without additions it is the platform's own, byte for byte."""
    return f"{platform.rstrip()}\n\n{_SEPARATOR}\n\n{additions.strip()}\n" if additions.strip() else platform


def additions_of(text: str, platform: Bundle) -> str:
    """The additions that a proposal makes, whether it is a whole bundle or the additions alone.

    Raises PolicyInvalid, LiftsHardRule when a whole bundle lacks or changes a policy of the platform, and OnlyForbids.
    """
    given, base = _policies(text), _policies(platform.text)
    named = {_name(policy): policy for policy in base.values()}
    added = {}
    found: set[str] = set()
    for generated, policy in given.items():
        name = _name(policy)
        if name in named:
            if policy != named[name]:
                raise LiftsHardRule(name)
            found.add(name)
        else:
            if policy["effect"] != "forbid":
                raise OnlyForbids(name or generated)
            added[generated] = policy
    if found and found != named.keys():
        raise LiftsHardRule(sorted(named.keys() - found)[0])
    return _text(added) if found else text.strip()


def checked(platform: Bundle, text: str) -> tuple[str, Bundle]:
    """A proposal's additions and the bundle that they give. Raises as `additions_of`, and PolicyInvalid."""
    additions = additions_of(text, platform)
    return additions, Bundle(compose(platform.text, additions))


def rebased(platform: Bundle, additions: str) -> Bundle:
    """Additions on another platform text. Ones that no longer fit deny everything, and say so."""
    try:
        return checked(platform, additions)[1]
    except (PolicyInvalid, LiftsHardRule, OnlyForbids):
        return Bundle(compose(platform.text, UNUSABLE))


def rules(bundle: Bundle, platform: Bundle) -> tuple[PolicyRule, ...]:
    """A bundle's policies in the order of their ids."""
    own = {_name(policy) for policy in _policies(platform.text).values()}
    found = [
        PolicyRule(
            id=_name(policy),
            origin="platform" if _name(policy) in own else "tenant",
            effect=policy["effect"],
            mode=policy["annotations"]["mode"],
            en=policy["annotations"]["reason_en"],
            ar=policy["annotations"]["reason_ar"],
            text=_text({generated: policy}),
        )
        for generated, policy in _policies(bundle.text).items()
    ]
    return tuple(sorted(found, key=lambda rule: rule.id))


def diff(before: Bundle, after: Bundle, platform: Bundle) -> BundleDiff:
    """What changes, policy by policy."""
    old, new = ({rule.id: rule for rule in rules(bundle, platform)} for bundle in (before, after))
    lines = difflib.unified_diff(
        before.text.splitlines(), after.text.splitlines(), before.version[:12], after.version[:12], lineterm=""
    )
    return BundleDiff(
        before=before.version,
        after=after.version,
        added=tuple(new[name] for name in sorted(new.keys() - old.keys())),
        removed=tuple(old[name] for name in sorted(old.keys() - new.keys())),
        changed=tuple(new[name] for name in sorted(new.keys() & old.keys()) if new[name].text != old[name].text),
        text="\n".join(lines),
    )


def in_canary(action_id: UUID, percent: int) -> bool:
    """Whether a canary takes this action: by its id alone, so that every attempt of it is decided by the same bundle."""
    return int.from_bytes(hashlib.sha256(action_id.bytes).digest()[:4]) % 100 < percent


def left_band(band: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """Why a canary has to end: `deny_rate`, `approver_load`, or nothing while it is inside its band or has decided too little."""
    if measured["decisions"] < band["min_decisions"]:
        return ""
    if measured["refused"] / measured["decisions"] > band["max_deny_rate"]:
        return "deny_rate"
    if measured["parked"] / max(measured["hours"], 1.0) > band["max_approvals_per_hour"]:
        return "approver_load"
    return ""


def _policies(text: str) -> dict[str, dict[str, Any]]:
    try:
        document = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise PolicyInvalid(f"The policies do not parse: {error}") from error
    if document["templates"] or document["templateLinks"]:
        raise PolicyInvalid("Templates are not supported: write each policy out.")
    found: dict[str, dict[str, Any]] = document["staticPolicies"]
    return found


def _name(policy: Mapping[str, Any]) -> str:
    return str((policy.get("annotations") or {}).get("id") or "")


def _text(policies: Mapping[str, Any]) -> str:
    if not policies:
        return ""
    document = {"templates": {}, "staticPolicies": policies, "templateLinks": []}
    return str(cedarpy.format_policies(cedarpy.policies_from_json_str(json.dumps(document)))).strip()
