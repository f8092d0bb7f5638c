"""Every console path, once: routes are declared and links are made from the same table."""

from typing import Final
from urllib.parse import urlencode

STATIC: Final = "/console/static"

PATHS: Final = {
    "sign_in": "/console/sign-in",
    "sign_in_code": "/console/sign-in/code",
    "sso": "/console/sign-in/sso",
    "sso_back": "/console/sign-in/sso/back",
    "sign_out": "/console/sign-out",
    "preferences": "/console/preferences",
    "command_center": "/console",
    "approvals": "/console/approvals",
    "together": "/console/approvals/together",
    "delegations": "/console/approvals/delegations",
    "delegation_end": "/console/approvals/delegations/{id}/end",
    "approval": "/console/approvals/{id}",
    "approval_confirm": "/console/approvals/{id}/confirm",
    "approval_approve": "/console/approvals/{id}/approve",
    "approval_reject": "/console/approvals/{id}/reject",
    "card_decision": "/console/cards/{id}/decision",
    "targeting": "/console/targeting",
    "targeting_upload": "/console/targeting/upload",
    "import_map": "/console/targeting/imports/{id}/map",
    "import_start": "/console/targeting/imports/{id}/start",
    "import": "/console/targeting/imports/{id}",
    "import_rejects": "/console/targeting/imports/{id}/rejects.csv",
    "import_cancel": "/console/targeting/imports/{id}/cancel",
    "import_undo": "/console/targeting/imports/{id}/undo",
    "opportunities": "/console/targeting/opportunities",
    "opportunity_draft": "/console/targeting/opportunities/{id}/draft",
    "crm": "/console/crm",
    "account": "/console/crm/accounts/{id}",
    "account_edit": "/console/crm/accounts/{id}/edit",
    "contact": "/console/crm/contacts/{id}",
    "contact_edit": "/console/crm/contacts/{id}/edit",
    "lead": "/console/crm/leads/{id}",
    "lead_edit": "/console/crm/leads/{id}/edit",
    "deal": "/console/crm/deals/{id}",
    "deal_edit": "/console/crm/deals/{id}/edit",
    "activity_add": "/console/crm/records/{id}/activities",
    "deal_add": "/console/crm/records/{id}/deals",
    "pipeline": "/console/crm/pipeline",
    "deal_move": "/console/crm/deals/{id}/move",
    "reviews": "/console/crm/reviews",
    "review_decide": "/console/crm/reviews/{id}/decision",
    "merge_undo": "/console/crm/merges/{id}/undo",
    "people": "/console/people",
    "rights_open": "/console/people/rights",
    "rights_request": "/console/people/rights/{id}",
    "rights_identify": "/console/people/rights/{id}/identify",
    "rights_extend": "/console/people/rights/{id}/extend",
    "rights_close": "/console/people/rights/{id}/close",
    "rights_refuse": "/console/people/rights/{id}/refuse",
    "rights_erase": "/console/people/rights/{id}/erase",
    "consent_withdraw": "/console/people/consents/withdraw",
    "suppress": "/console/people/suppressions",
    "register": "/console/people/registers/{id}",
    "compliance": "/console/compliance",
    "compliance_run": "/console/compliance/run",
    "control": "/console/compliance/controls/{id}",
    "control_attest": "/console/compliance/controls/{id}/attest",
    "control_assign": "/console/compliance/controls/{id}/assign",
    "contradictions": "/console/contradictions",
    "contradiction": "/console/contradictions/{id}",
    "contradiction_resolve": "/console/contradictions/{id}/resolve",
    "contradiction_acknowledge": "/console/contradictions/{id}/acknowledge",
    "numbers": "/console/numbers",
    "data_quality": "/console/numbers/quality",
    "data_quality_run": "/console/numbers/quality/run",
    "lineage": "/console/numbers/lineage",
    "knowledge": "/console/numbers/knowledge",
    "knowledge_add": "/console/numbers/knowledge/documents",
    "knowledge_drop": "/console/numbers/knowledge/erase",
    "policy": "/console/policy",
    "canaries": "/console/canaries",
    "canary_stop": "/console/canaries/{id}/stop",
    "policy_propose": "/console/policy/propose",
    "policy_bundle": "/console/policy/bundles/{id}",
    "policy_replay": "/console/policy/bundles/{id}/replay",
    "policy_shadow": "/console/policy/bundles/{id}/shadow",
    "policy_activate": "/console/policy/bundles/{id}/activate",
    "violations": "/console/violations",
    "receipts": "/console/receipts",
    "evidence": "/console/evidence",
    "evidence_entry": "/console/evidence/{id}",
    "sandbox_mailbox": "/console/settings/sandbox",
    "events": "/api/v1/events/stream",
    "jwks": "/.well-known/jwks.json",
}


def url(name: str, /, id: str | int | None = None, **query: str | int | None) -> str:
    """Path of a named page; `id` fills the place in the path, the rest becomes the query. Raises KeyError."""
    path = PATHS[name]
    if "{id}" in path:
        if id is None:
            raise KeyError(f"{name} needs an id")
        path = path.replace("{id}", str(id))
    given = {key: value for key, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path
