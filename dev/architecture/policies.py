"""What leaves, put to the policies: nothing goes without an approval that a policy asks for, and every policy has a test that names it."""

from __future__ import annotations

import re
from typing import Any, Final

from dev.architecture.tree import Tree
from libs.architecture.registries import INSIDE, made
from libs.contracts.architecture import Check, Finding
from libs.contracts.catalogue.actions import effects
from services.trust.domain.policy import Bundle, Question
from services.trust.errors import PolicyInvalid

PLATFORM: Final = "services/trust/policies/platform.cedar"
STAND_IN: Final = "send_email"
"""Asked for an effect that this process does not know, of a tree that is not its own: policies speak of classes and facts."""


def policy_check(tree: Tree) -> Check:
    """Every effect that leaves is asked about, live and unapproved: the bundle must refuse, unless the system alone asks, or it is a draft."""
    document: dict[str, Any] = tree.catalogue("actions.yaml")
    defaults = document.get("defaults") or {}
    leaving = {
        name: one
        for name, fields in (document.get("effects") or {}).items()
        if (one := {**defaults, **fields}).get("connector", "none") not in INSIDE
    }
    asked = {name: one for name, one in leaving.items() if not one.get("draft") and not one.get("system")}
    try:
        bundle = Bundle(tree.text(PLATFORM))
    except PolicyInvalid as error:
        findings = [Finding(where=PLATFORM, en=str(error), ar="سياسات المنصة غير صالحة.")]
    else:
        unapproved = bundle.ask([_question(name, one, "none") for name, one in asked.items()])
        approved = bundle.ask([_question(name, one, "approved") for name, one in asked.items()])
        findings = [
            Finding(
                where=f"{PLATFORM}: {name}", en="The policies let it leave live with nobody's approval.",
                ar="تسمح السياسات بتنفيذه فعليًا دون موافقة أحد.",
            )
            for name, answer in zip(asked, unapproved, strict=True) if answer.allowed
        ]  # fmt: skip
        # What is refused although a person approved it says nothing about approvals: then this rule has stopped asking its question.
        findings += [
            Finding(
                where=f"{PLATFORM}: {name}", en="Even an approval does not let it leave, so that nothing shows what an approval is for.",
                ar="لا يُنفَّذ حتى بعد الموافقة، فلا يتبيّن أثر الموافقة.",
            )
            for name, answer in zip(asked, approved, strict=True)
            if not answer.allowed and not asked[name].get("blocked") and asked[name]["class"] == "B"
        ]  # fmt: skip
    return made(
        "policies_refuse",
        "Without an approval no policy lets anything leave",
        "لا سياسة تسمح بخروج شيء دون موافقة",
        len(leaving),
        findings,
    )


def _question(name: str, effect: dict[str, Any], approval: str) -> Question:
    """A live send that lacks nothing but, perhaps, its approval."""
    return Question(
        effect=name if name in effects() else STAND_IN, principal_kind="user", action_class=str(effect["class"]), registered=True,
        tenant_match=True, external=True, draft_effect=False, connector_mode="live", facts="known", recipient_match=True, opted_out="no",
        consent="active", source_policy="allowed", opt_out_text=True, sender_identity=True, channel=str(effect.get("channel") or ""),
        purpose=str(effect.get("purpose") or ""), approval=approval,
    )  # fmt: skip


def policy_ids(tree: Tree) -> list[str]:
    """The policies by their `@id`."""
    return re.findall(r'^@id\("([a-z0-9_]+)"\)', tree.text(PLATFORM), re.MULTILINE)
