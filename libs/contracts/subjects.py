"""Every subject on the bus, once: who answers it, who may call it, what travels.

The NATS account file, the AsyncAPI document, the Kubernetes NetworkPolicies and the page of subjects are generated from here.
"""

from __future__ import annotations

from collections.abc import Iterator

from libs.contracts import (  # isort: skip
    agents, analytics, approvals, attribution, board_pack, briefs, canaries, claims, completions, compliance,
    experiments, learning,
    connectors, consent, crm, data, dead_events, dead_letters, deal_history, decision, embedding, enrichment, execution,
    incidents, executive, flag_values, flows, forecasts, governance, growth, import_rows, inbound, inbox, knowledge, launch, ledger,
    mappings, memos, negotiation, onboarding, operating, outreach, partners, plugins, policy, predictive, prices,
    proof_pack, push, quality, reachable, receipts, recoveries, rights, risk_map, scopes, screening, settling,
    simulations, slos, tenant_hours, trust, waiting, work_units,
)  # fmt: skip
from libs.contracts.declaring import MAY_CALL as MAY_CALL
from libs.contracts.declaring import Bucket as Bucket
from libs.contracts.declaring import Call as Call
from libs.contracts.declaring import Event as Event
from libs.contracts.declaring import Signal as Signal
from libs.contracts.declaring import by as _by
from libs.contracts.declaring import check
from libs.contracts.families import AUDITED as AUDITED
from libs.contracts.families import ERASED as ERASED
from libs.contracts.families import HOLDERS as HOLDERS
from libs.contracts.families import LINEAGE as LINEAGE
from libs.contracts.families import METRIC_COUNTED as METRIC_COUNTED
from libs.contracts.families import METRIC_PARTS as METRIC_PARTS
from libs.contracts.families import METRIC_ROWS as METRIC_ROWS
from libs.contracts.families import METRIC_SERIES as METRIC_SERIES
from libs.contracts.families import METRICS as METRICS
from libs.contracts.families import OBSERVED as OBSERVED
from libs.contracts.families import OBSERVED_BEFORE as OBSERVED_BEFORE
from libs.contracts.families import OWN_CREDENTIALS as OWN_CREDENTIALS
from libs.contracts.families import PERSON as PERSON
from libs.contracts.families import PINGS as PINGS
from libs.contracts.families import RECORDED_BEFORE as RECORDED_BEFORE
from libs.contracts.families import TAKE_EVENT as TAKE_EVENT
from libs.contracts.message import Message, Ok, Plane

_D, _E, _T, _DA, _O, _G = Plane.DECISION, Plane.EXECUTION, Plane.TRUST, Plane.DATA, Plane.OPERATING, Plane.GATEWAY

# trust -------------------------------------------------------------------------------------------------------------------------
AUTHORIZE = Call("trust.authorize.v1", trust.AuthorizeRequest, trust.AuthorizeReply, frozenset({_E}), 5.0, hot=True)
EVALUATE = Call("trust.evaluate.v1", trust.EvaluateRequest, trust.AuthorizeReply, _by(_D))
APPROVALS = Call("trust.approvals.v1", trust.ApprovalsRequest, trust.ApprovalsReply, _by(_D))
APPROVAL = Call("trust.approval.v1", trust.ApprovalRequest, trust.Approval, _by(_D))
VOTES_WAITING = Call("trust.votes_waiting.v1", inbox.VotesRequest, inbox.VotesReply, frozenset({_D}))
APPROVE = Call("trust.approve.v1", trust.ApproveRequest, trust.Approval, _by(_D))
REJECT = Call("trust.reject.v1", trust.RejectRequest, trust.Approval, _by(_D))
REVISE = Call("trust.revise.v1", trust.ReviseRequest, trust.Approval, _by())
WITHDRAW = Call("trust.withdraw.v1", trust.WithdrawRequest, trust.Approval, _by(_D))
RULES = Call("trust.rules.v1", approvals.RulesRequest, approvals.RulesReply, _by())
TENANT_HOURS = Call("trust.tenant_hours.v1", tenant_hours.HoursRequest, tenant_hours.TenantHours, _by(_E, _D), 2.0)
SET_RULES = Call("trust.set_rules.v1", approvals.SetRules, approvals.RulesReply, _by())
DELEGATE = Call("trust.delegate.v1", approvals.DelegateRequest, approvals.Delegation, _by())
END_DELEGATION = Call("trust.end_delegation.v1", approvals.EndDelegation, approvals.Delegation, _by())
DELEGATIONS = Call("trust.delegations.v1", approvals.DelegationsRequest, approvals.DelegationsReply, _by())
COMPARE = Call("trust.compare_approvals.v1", approvals.CompareRequest, approvals.Comparison, _by())
APPROVE_BULK = Call("trust.approve_bulk.v1", approvals.BulkRequest, approvals.BulkReply, _by(), 15.0)
EDIT = Call("trust.edit.v1", approvals.EditGet, approvals.Edit, frozenset({_E}))
TOKEN = Call("trust.approval_token.v1", approvals.TokenRequest, approvals.TokenReply, _by())
APPROVAL_BRIEF = Call("trust.approval_brief.v1", briefs.MakeBrief, briefs.ApprovalBrief, _by())
BRIEF_WAITING = Call("trust.brief_waiting.v1", briefs.BriefWaiting, briefs.BriefWaitingReply, frozenset({_G}))
OWN_NUMBER = Call("trust.own_number.v1", briefs.OwnNumber, Ok, frozenset({_G}))
BRIEF_REPLY = Call("trust.brief_reply.v1", briefs.WhatsAppReply, briefs.BriefAnswer, _by(), 10.0)
CONTACTABILITY = Call(
    "trust.contactability.v1", trust.ContactabilityRequest, trust.ContactabilityReply, _by(_D, _DA), 20.0
)
REACHABLE = Call("trust.reachable.v1", reachable.ReachableRequest, reachable.ReachableReply, _by(_DA), 20.0)
NEWCOMERS = Call("trust.newcomers.v1", reachable.NewcomersRequest, reachable.NewcomersReply, _by(_DA), 20.0)
RECORD_CONSENTS = Call("trust.record_consents.v1", trust.RecordConsents, Ok, _by(), 20.0)
WITHDRAW_CONSENT = Call("trust.withdraw_consent.v1", trust.WithdrawConsent, Ok, _by())
CONSENTS = Call("trust.consents.v1", trust.ConsentsRequest, trust.ConsentsReply, _by())
SUPPRESS = Call("trust.suppress.v1", trust.SuppressRequest, Ok, _by())
SUPPRESSIONS = Call("trust.suppressions.v1", consent.SuppressionsRequest, consent.SuppressionsReply, _by())
UNSUBSCRIBE_LINK = Call("trust.unsubscribe_link.v1", consent.LinkRequest, consent.LinkReply, _by(_D))
UNSUBSCRIBE = Call("trust.unsubscribe.v1", consent.Unsubscribe, consent.UnsubscribeReply, _by())
REGISTER = Call("trust.register.v1", rights.RegisterList, rights.RegisterReply, _by())
REGISTER_ENTRY = Call("trust.register_entry.v1", rights.RegisterGet, rights.RegisterEntry, _by())
REGISTER_PUT = Call("trust.register_put.v1", rights.RegisterPut, rights.RegisterEntry, _by())
REGISTER_DELETE = Call("trust.register_delete.v1", rights.RegisterDelete, Ok, _by())
OPEN_RIGHTS = Call("trust.open_rights.v1", rights.OpenRights, rights.RightsRequest, _by())
RIGHTS = Call("trust.rights.v1", rights.RightsList, rights.RightsReply, _by())
RIGHTS_REQUEST = Call("trust.rights_request.v1", rights.RightsGet, rights.RightsRequest, _by())
IDENTIFY_RIGHTS = Call("trust.identify_rights.v1", rights.IdentifyRights, rights.RightsRequest, _by())
EXTEND_RIGHTS = Call("trust.extend_rights.v1", rights.ExtendRights, rights.RightsRequest, _by())
CLOSE_RIGHTS = Call("trust.close_rights.v1", rights.CloseRights, rights.RightsRequest, _by())
ERASE_RIGHTS = Call("trust.erase_rights.v1", rights.EraseRights, rights.RightsRequest, _by())
LEDGER = Call("trust.ledger.v1", trust.LedgerRequest, trust.LedgerReply, _by())
PROOF = Call("trust.proof.v1", trust.ProofRequest, trust.ProofReply, _by())
CHECKPOINT = Call("trust.checkpoint.v1", trust.CheckpointRequest, trust.CheckpointReply, _by())
CONSISTENCY = Call("trust.consistency.v1", trust.ConsistencyRequest, trust.ConsistencyReply, _by())
EVIDENCE_EXPORT = Call("trust.evidence_export.v1", trust.EvidenceRequest, trust.EvidenceReply, _by(), 30.0)
EVIDENCE = Call("trust.evidence.v1", trust.EvidenceGet, trust.EvidenceReply, _by(_D))
EVIDENCE_READ = Call("trust.evidence_read.v1", trust.EvidenceRead, trust.EvidenceChunk, _by())
KEYS = Call("trust.keys.v1", trust.KeysRequest, trust.KeysReply, _by(_E))
WORK_UNITS = Call("trust.work_units.v1", work_units.WorkUnitsRequest, work_units.WorkUnitsReply, _by(_D), 20.0)
COSIGN = Call("trust.cosign.v1", ledger.CosignRequest, ledger.Cosignature, _by())
COSIGNATURES = Call("trust.cosignatures.v1", ledger.CosignaturesRequest, ledger.CosignaturesReply, _by())
REVIEW_EVIDENCE = Call("trust.evidence_review.v1", ledger.PackStep, trust.EvidenceReply, _by())
SEAL_EVIDENCE = Call("trust.evidence_seal.v1", ledger.PackStep, trust.EvidenceReply, _by())
TOOL_RECEIPTS = Call("trust.tool_receipts.v1", receipts.ToolReceiptsRequest, receipts.ToolReceiptsReply, _by())
VERIFY_TOOL = Call("trust.verify_tool.v1", receipts.VerifyTool, receipts.ToolVerdict, _by(_D, _E))
RECONCILIATION = Call("trust.reconciliation.v1", receipts.ReconciliationRequest, receipts.ReconciliationReply, _by())
POLICY_BUNDLES = Call("trust.policy_bundles.v1", policy.BundlesRequest, policy.BundlesReply, _by())
POLICY_BUNDLE = Call("trust.policy_bundle.v1", policy.BundleRequest, policy.PolicyBundle, _by())
POLICY_PROPOSE = Call("trust.policy_propose.v1", policy.ProposeBundle, policy.PolicyBundle, _by())
POLICY_DIFF = Call("trust.policy_diff.v1", policy.BundleDiffRequest, policy.BundleDiff, _by())
POLICY_SHADOW = Call("trust.policy_shadow.v1", policy.ShadowBundle, policy.PolicyBundle, _by())
POLICY_PREPARE = Call("trust.policy_prepare.v1", policy.PrepareActivation, policy.PreparedActivation, _by())
POLICY_EXPLAIN = Call("trust.policy_explain.v1", policy.ExplainRequest, policy.ExplainReply, _by())
POLICY_REPLAY = Call("trust.policy_replay.v1", policy.ReplayRequest, policy.Replay, _by())
POLICY_REPLAY_GET = Call("trust.policy_replay_get.v1", policy.ReplayGet, policy.Replay, _by())
POLICY_REPLAYS = Call("trust.policy_replays.v1", policy.ReplaysRequest, policy.ReplaysReply, _by())
POLICY_REPLAY_CHANGES = Call(
    "trust.policy_replay_changes.v1", policy.ReplayChangesRequest, policy.ReplayChangesReply, _by()
)
VIOLATIONS = Call("trust.violations.v1", policy.ViolationsRequest, policy.ViolationsReply, _by())
CONTROL_MATRIX = Call("trust.control_matrix.v1", compliance.MatrixRequest, compliance.MatrixReply, _by(_D), 10.0)
RUN_COMPLIANCE = Call("trust.run_compliance.v1", compliance.RunCompliance, compliance.MatrixReply, _by(), 60.0)
CONTROL_STATE = Call("trust.control_state.v1", compliance.ControlGet, compliance.ControlDetail, _by())
ATTEST = Call("trust.attest.v1", compliance.Attest, compliance.ControlDetail, _by(), 15.0)
LAUNCH_FACTS = Call("trust.launch_facts.v1", launch.LaunchFactsRequest, launch.LaunchFacts, frozenset({_O}), 4.0)
ASSIGN_CONTROL = Call("trust.assign_control.v1", compliance.AssignControl, compliance.ControlDetail, _by())

RECORD_CLAIMS = Call("trust.record_claims.v1", claims.RecordClaims, claims.ClaimsRecorded, _by(_D, _DA))
CONTRADICTIONS = Call("trust.contradictions.v1", claims.ContradictionsRequest, claims.ContradictionsReply, _by(_D))
CONTRADICTION = Call("trust.contradiction.v1", claims.ContradictionGet, claims.Contradiction, _by())
CLAIM_SUGGESTIONS = Call("trust.claim_suggestions.v1", claims.SuggestionsRequest, claims.SuggestionsReply, _by())
DECIDE_SUGGESTION = Call("trust.decide_suggestion.v1", claims.DecideSuggestion, claims.SuggestionDecided, _by())
ACKNOWLEDGE = Call("trust.acknowledge_contradiction.v1", claims.Acknowledge, claims.Contradiction, _by())
RESOLVE = Call("trust.resolve_contradiction.v1", claims.Resolve, claims.Contradiction, _by())

SCREEN = Call("trust.screen.v1", screening.ScreenText, screening.ScreenReply, _by(_D, _DA, _E))
FINDINGS = Call("trust.gate_findings.v1", screening.FindingsRequest, screening.FindingsReply, _by())
DECIDE_FINDING = Call("trust.decide_finding.v1", screening.DecideFinding, screening.GateFinding, _by())
STANDINGS = Call("trust.standings.v1", governance.StandingsRequest, governance.StandingsReply, _by(_D))
SET_STANDING = Call("trust.set_standing.v1", governance.SetStanding, governance.Standing, _by())
TRUST_SCORE = Call("trust.trust_score.v1", governance.TrustScoreGet, governance.TrustScore, _by(_D))

LEDGER_FEED = Call("trust.ledger_feed.v1", push.FeedRequest, push.FeedReply, frozenset({_E}), 10.0)

EVIDENCE_FILES = Bucket("evidence", writers=frozenset({_G}), readers=frozenset({_T}), max_bytes=256 * 1024**2)

OUTCOME_RESOLVED = Event("trust.outcome_resolved.v1", receipts.OutcomeResolved, frozenset({_E}))
APPROVAL_REQUESTED = Event("trust.approval_requested.v1", trust.ApprovalRequested, frozenset({_D}))
EVIDENCE_ASSEMBLED = Event("trust.evidence_assembled.v1", ledger.EvidenceAssembled, frozenset({_D}))
APPROVAL_ESCALATED = Event("trust.approval_escalated.v1", approvals.ApprovalEscalated, frozenset({_D}))
CONSENTS_CHANGED = Event("trust.consents_changed.v1", consent.ConsentsChanged, frozenset({_DA}))
CONTACT_STOPPED = Event("trust.contact_stopped.v1", consent.ContactStopped, frozenset({_E, _DA}))
ERASURE_ORDERED = Event("trust.erasure_ordered.v1", rights.ErasureOrdered, frozenset({_D, _E, _DA}))
FINDING_DECIDED = Event("trust.finding_decided.v1", screening.FindingDecided, frozenset({_DA}))
CONTRADICTION_OPENED = Event("trust.contradiction_opened.v1", claims.ContradictionOpened, frozenset({_D}))
CONTRADICTION_DECIDED = Event("trust.contradiction_decided.v1", claims.ContradictionDecided, frozenset({_D}))
APPROVAL_DECIDED = Event("trust.approval_decided.v1", trust.ApprovalDecided, frozenset({_E, _D}))

# execution ---------------------------------------------------------------------------------------------------------------------
SUBMIT = Call(
    "execution.submit.v1", execution.SubmitRequest, execution.SubmitReply, frozenset({_G, _D}), 10.0, hot=True
)
ACTION = Call("execution.action.v1", execution.ActionGet, execution.Action, _by(_D), 15.0)
ACTIONS = Call("execution.actions.v1", execution.ActionsRequest, execution.ActionsReply, _by())
ACTION_STATES = Call("execution.action_states.v1", execution.StatesRequest, execution.StatesReply, _by(_D), 15.0)
CANCEL = Call("execution.cancel.v1", execution.CancelAction, execution.Action, _by(_D))
SANDBOX = Call("execution.sandbox.v1", execution.SandboxRequest, execution.SandboxReply, _by())
CONNECTORS = Call("execution.connectors.v1", execution.ConnectorsRequest, execution.ConnectorsReply, _by())
CANARIES = Call("execution.canaries.v1", canaries.CanariesRequest, canaries.CanariesReply, _by())
CANARY = Call("execution.canary.v1", canaries.CanaryGet, canaries.Canary, _by())
CANARY_RUNS = Call("execution.canary_runs.v1", canaries.CanaryRunsRequest, canaries.CanaryRunsReply, _by())
START_CANARY = Call("execution.start_canary.v1", canaries.StartCanary, canaries.Canary, _by())
CHANGE_CANARY = Call("execution.change_canary.v1", canaries.ChangeCanary, canaries.Canary, _by())
ASSIGN_RUN = Call("execution.assign_run.v1", canaries.AssignRun, canaries.Assigned, frozenset({_D}))
REPORT_RUN = Call("execution.report_run.v1", canaries.ReportRun, Ok, frozenset({_D}))
COMPLETE = Call("execution.complete.v1", completions.Complete, completions.Completed, frozenset({_D}), 50.0)
MODELS = Call("execution.models.v1", completions.ModelsRequest, completions.ModelsReply, _by())
SET_MODEL = Call("execution.set_model.v1", completions.SetModel, completions.ModelsReply, _by())
DROP_MODEL = Call("execution.drop_model.v1", completions.DropModel, completions.ModelsReply, _by())
SET_MODEL_BUDGET = Call("execution.set_model_budget.v1", completions.SetModelBudget, completions.ModelsReply, _by())
PLUGINS = Call("execution.plugins.v1", plugins.PluginsRequest, plugins.PluginsReply, _by())
SET_CONNECTOR = Call("execution.set_connector.v1", connectors.SetConnector, execution.ConnectorInfo, _by())
SET_PRICE = Call("execution.set_price.v1", prices.SetPrice, prices.PricesReply, _by())
PRICES = Call("execution.prices.v1", prices.PricesRequest, prices.PricesReply, _by())
PUT_CREDENTIAL = Call("execution.put_credential.v1", connectors.PutCredential, execution.ConnectorInfo, _by())
DROP_CREDENTIAL = Call("execution.drop_credential.v1", connectors.DropCredential, execution.ConnectorInfo, _by())
PROBE_CONNECTOR = Call("execution.probe_connector.v1", connectors.ProbeConnector, execution.ConnectorInfo, _by(), 30.0)
SWITCH_LIVE = Call("execution.switch_live.v1", connectors.SwitchLive, execution.SubmitResult, _by(), 12.0)
EXECUTION_CONTROL = Call("execution.control.v1", execution.ControlRow, execution.ControlReply, frozenset({_O}), 2.0)
COMPENSATE = Call("execution.compensate.v1", settling.Compensate, settling.Compensating, _by(), 12.0)
COMPENSATION = Call("execution.compensation.v1", settling.CompensationGet, settling.CompensationPlan, _by())
SETTLE_UNKNOWN = Call("execution.settle_unknown.v1", settling.SettleUnknown, execution.Action, _by())
DEAD_LETTERS = Call("execution.dead_letters.v1", dead_letters.DeadLettersRequest, dead_letters.DeadLettersReply, _by())
DEAD_LETTER = Call("execution.dead_letter.v1", dead_letters.DeadLetterGet, dead_letters.DeadLetterDetail, _by())
REPLAY_LETTER = Call("execution.replay_letter.v1", dead_letters.ReplayLetter, execution.Action, _by())
RESUBMIT_LETTER = Call(
    "execution.resubmit_letter.v1", dead_letters.ResubmitLetter, dead_letters.DeadLetter, _by(), 12.0
)
DISCARD_LETTER = Call("execution.discard_letter.v1", dead_letters.DiscardLetter, dead_letters.DeadLetter, _by())
LIST_EFFECTS = Call(
    "execution.list_effects.v1", execution.EffectsRequest, execution.EffectsReply, frozenset({_T}), 30.0
)

FLOW_ACTIONS = Call("execution.flow_actions.v1", scopes.FlowActionsRequest, scopes.FlowActions, frozenset({_T}), 10.0)
RECORD_ACTIONS = Call(
    "execution.record_actions.v1", scopes.RecordActionsRequest, scopes.RecordActions, frozenset({_T}), 10.0
)
START_FLOW = Call("execution.start_flow.v1", flows.StartFlow, flows.Flow, _by(_D))
START_FLOWS = Call("execution.start_flows.v1", flows.StartFlows, flows.FlowsStarted, _by(_D), 30.0)
FLOWS = Call("execution.flows.v1", flows.FlowsRequest, flows.FlowsReply, _by())
FLOW = Call("execution.flow.v1", flows.FlowGet, flows.Flow, _by(_D))
FLOW_REVISIONS = Call("execution.flow_revisions.v1", flows.RevisionsRequest, flows.RevisionsReply, _by())
FLOW_KINDS = Call("execution.flow_kinds.v1", flows.FlowKindsRequest, flows.FlowKindsReply, _by())
SIGNAL_FLOW = Call("execution.signal_flow.v1", flows.SignalFlow, flows.Flow, _by(_D))
COMMAND_FLOW = Call("execution.command_flow.v1", flows.CommandFlow, flows.Flow, _by(), 10.0)

DEAD_LETTER_ARRIVED = Event("execution.dead_letter_arrived.v1", dead_letters.DeadLetterArrived, frozenset({_D}))
DEAD_LETTER_CLOSED = Event("execution.dead_letter_closed.v1", dead_letters.DeadLetterClosed, frozenset({_D}))
SUBSCRIBE = Call("execution.subscribe.v1", push.Subscribe, push.SubscriptionMade, _by(), 15.0)
SUBSCRIPTIONS = Call("execution.subscriptions.v1", push.SubscriptionsRequest, push.SubscriptionsReply, _by())
SUBSCRIPTION = Call("execution.subscription.v1", push.SubscriptionGet, push.Subscription, _by())
CHANGE_SUBSCRIPTION = Call("execution.change_subscription.v1", push.ChangeSubscription, push.Subscription, _by(), 15.0)
COMMAND_SUBSCRIPTION = Call("execution.command_subscription.v1", push.CommandSubscription, push.Subscription, _by())
ROTATE_SECRET = Call("execution.rotate_secret.v1", push.RotateSecret, push.SubscriptionMade, _by())
DELIVERIES = Call("execution.deliveries.v1", push.DeliveriesRequest, push.DeliveriesReply, _by())
DELIVERY = Call("execution.delivery.v1", push.DeliveryGet, push.DeliveryDetail, _by())
RETRY_DELIVERY = Call("execution.retry_delivery.v1", push.RetryDelivery, push.Delivery, _by())
REPLAY_RANGE = Call("execution.replay_range.v1", push.ReplayRange, push.Replaying, _by(), 15.0)

SUBSCRIPTION_DISABLED = Event("execution.subscription_disabled.v1", push.SubscriptionDisabled, frozenset({_D}))
FLOW_STALLED = Event("execution.flow_stalled.v1", flows.FlowStalled, frozenset({_D}))
TASK_REQUESTED = Event("execution.task_requested.v1", flows.TaskRequested, frozenset({_DA}))
LIVE_SWITCHED = Event("execution.live_switched.v1", connectors.LiveSwitched, frozenset({_O}))
OUTCOME_SETTLED = Event("execution.outcome_settled.v1", settling.OutcomeSettled, frozenset({_T}))
ACTIONS_SETTLED = Event("execution.actions_settled.v1", execution.ActionsSettled, frozenset({_T, _DA}))

# data --------------------------------------------------------------------------------------------------------------------------
SET_OFFER = Call("data.set_offer.v1", data.SetOffer, data.TenantProfile, _by())
ENSURE_TENANT = Call("data.ensure_tenant.v1", data.EnsureTenant, data.TenantProfile, frozenset({_G}))
TENANT = Call("data.tenant.v1", data.TenantRequest, data.TenantProfile, _by(_D, _T, _E))
IMPORT = Call("data.import.v1", data.ImportRequest, data.ImportStatus, frozenset({_G}), 15.0)
IMPORT_STATUS = Call("data.import_status.v1", data.ImportGet, data.ImportStatus, _by(_D))
IMPORTS = Call("data.imports.v1", data.ImportsRequest, data.ImportsReply, _by())
IMPORT_REJECTS = Call("data.import_rejects.v1", data.RejectsRequest, data.RejectsReply, _by())
IMPORT_REMARKS = Call("data.import_remarks.v1", import_rows.RemarksRequest, import_rows.RemarksReply, _by(), 10.0)
IMPORT_CANCEL = Call("data.import_cancel.v1", data.ImportGet, data.ImportStatus, _by())
IMPORT_UNDO = Call("data.import_undo.v1", data.ImportGet, data.UndoReply, _by(), 60.0)
FACTS = Call("data.facts.v1", data.FactsRequest, data.FactsReply, frozenset({_T}), 10.0)
DEAL_RECORDS = Call("data.deal_records.v1", scopes.DealRecordsRequest, scopes.DealRecords, frozenset({_T}), 10.0)
LEADS = Call("data.leads.v1", data.LeadsRequest, data.LeadsReply, _by(_D), 20.0)
LEAD_PAGES = Call("data.lead_pages.v1", data.LeadPagesRequest, data.LeadPagesReply, frozenset({_D}), 20.0)

RECORDS = Call("data.records.v1", crm.ListRecords, crm.RecordsReply, _by(_D))
RECORD = Call("data.record.v1", crm.GetRecord, crm.Record, _by(_D))
CREATE_RECORD = Call("data.create_record.v1", crm.CreateRecord, crm.Record, _by(_D), 10.0)
CHANGE_RECORD = Call("data.change_record.v1", crm.ChangeRecord, crm.Record, _by(_D), 10.0)
DELETE_RECORD = Call("data.delete_record.v1", crm.DeleteRecord, Ok, _by(), 10.0)
RECEIVE_MESSAGE = Call("data.receive_message.v1", inbound.ReceiveMessage, inbound.Received, frozenset({_G}), 10.0)
MOVE_DEAL = Call("data.move_deal.v1", crm.MoveDeal, crm.Record, _by(_D), 10.0)
BULK_CHANGE = Call("data.bulk_change.v1", crm.BulkChange, crm.BulkChanged, _by(), 60.0)
UNDO_BULK = Call("data.undo_bulk.v1", crm.UndoBulk, crm.BulkChanged, _by(), 60.0)
TIMELINE = Call("data.timeline.v1", crm.TimelineRequest, crm.TimelineReply, _by(_D))
SEARCH = Call("data.search.v1", crm.SearchRequest, crm.SearchReply, _by(_D), 10.0)
MERGE_RECORDS = Call("data.merge_records.v1", crm.MergeRecords, crm.MergeReply, _by(), 20.0)
UNDO_MERGE = Call("data.undo_merge.v1", crm.UndoMerge, crm.UndoMergeReply, _by(), 20.0)
REVIEWS = Call("data.reviews.v1", crm.ReviewsRequest, crm.ReviewsReply, _by())
REVIEW = Call("data.review.v1", crm.ReviewGet, crm.Review, _by())
DECIDE_REVIEW = Call("data.decide_review.v1", crm.DecideReview, crm.Review, _by(), 20.0)
CUSTOM_FIELDS = Call("data.custom_fields.v1", crm.CustomFieldsRequest, crm.CustomFieldsReply, _by())
SAVE_CUSTOM_FIELD = Call("data.save_custom_field.v1", crm.SaveCustomField, crm.CustomField, _by())
DROP_CUSTOM_FIELD = Call("data.drop_custom_field.v1", crm.DropCustomField, Ok, _by())
SAVED_VIEWS = Call("data.saved_views.v1", crm.ViewsRequest, crm.ViewsReply, _by())
SAVE_VIEW = Call("data.save_view.v1", crm.SaveView, crm.SavedView, _by())
REPUTATION = Call("data.reputation.v1", outreach.ReputationRequest, outreach.ReputationReply, _by(_D))
RECORD_SIGNALS = Call("data.record_signals.v1", outreach.RecordSignals, outreach.SignalsReply, _by())
EXPORT_PAGE = Call("data.export_page.v1", outreach.ExportRequest, outreach.ExportReply, _by(), 20.0)
WAITING = Call("data.waiting.v1", waiting.WaitingRequest, waiting.WaitingReply, frozenset({_D}), 10.0)
INBOX_RECORDS = Call("data.inbox_records.v1", inbox.InboxRecordsRequest, inbox.InboxRecordsReply, frozenset({_D}), 10.0)
OUTCOMES = Call("data.outcomes.v1", learning.OutcomesRequest, learning.OutcomesReply, frozenset({_D}), 20.0)
ONBOARDINGS = Call("data.onboardings.v1", onboarding.OnboardingsRequest, onboarding.OnboardingsReply, _by(_D), 10.0)
ONBOARDING = Call("data.onboarding.v1", onboarding.OnboardingGet, onboarding.CustomerOnboarding, _by())
MARK_ONBOARDING = Call("data.mark_onboarding.v1", onboarding.MarkStep, onboarding.CustomerOnboarding, _by(_D))
DROP_VIEW = Call("data.drop_view.v1", crm.DropView, Ok, _by())

ENRICH = Call("data.enrich.v1", enrichment.Enrich, enrichment.Enriched, _by(), 120.0)
ENRICHED_FACTS = Call("data.enriched_facts.v1", enrichment.FactsList, enrichment.FactsListed, _by(_D))
DECIDE_FACT = Call("data.decide_fact.v1", enrichment.DecideFact, enrichment.EnrichedFact, _by())
MAPPINGS = Call("data.mappings.v1", mappings.MappingsRequest, mappings.MappingsReply, _by())
FORGET_MAPPING = Call("data.forget_mapping.v1", mappings.ForgetMapping, mappings.Forgotten, _by())
DEAL_HISTORY = Call(
    "data.deal_history.v1", deal_history.DealHistoryRequest, deal_history.DealHistoryReply, frozenset({_D}), 15.0
)
LOAD_CLOSED_DEALS = Call(
    "data.load_closed_deals.v1", deal_history.LoadClosedDeals, deal_history.ClosedDealsLoaded, _by(), 30.0
)
DATA_QUALITY = Call("data.quality.v1", quality.QualityRequest, quality.QualityReply, _by(), 60.0)
ADD_DOCUMENT = Call("data.add_document.v1", knowledge.AddDocument, knowledge.Document, _by(), 90.0)
DOCUMENTS = Call("data.documents.v1", knowledge.DocumentsRequest, knowledge.DocumentsReply, _by(_D))
DOCUMENT = Call("data.document.v1", knowledge.DocumentGet, knowledge.Document, _by(_D))
DROP_DOCUMENT = Call("data.drop_document.v1", knowledge.DocumentGet, Ok, _by())
SEARCH_KNOWLEDGE = Call("data.search_knowledge.v1", knowledge.KnowledgeSearch, knowledge.KnowledgeReply, _by(_D), 15.0)
EMBED = Call("data.embed.v1", embedding.EmbedTexts, embedding.Embedded, frozenset({_D}), 10.0)
REMEMBER = Call("data.remember.v1", knowledge.Remember, knowledge.Memory, _by(_D))
MEMORIES = Call("data.memories.v1", knowledge.MemoriesRequest, knowledge.MemoriesReply, _by(_D))
FORGET_MEMORY = Call("data.forget_memory.v1", knowledge.ForgetMemory, Ok, _by())
ERASE_MEMORIES = Call("data.erase_memories.v1", knowledge.EraseSubject, knowledge.Erased, _by())

REPLY_RECEIVED = Event("data.reply_received.v1", inbound.ReplyReceived, frozenset({_E, _T}))
DEAL_MOVED = Event("data.deal_moved.v1", inbound.DealMoved, frozenset({_E}))
IMPORT_COMPLETED = Event("data.import_completed.v1", data.ImportCompleted, frozenset({_D}))
TEXTS_SCREENED = Event("data.texts_screened.v1", screening.TextsScreened, frozenset({_T}))
LEADS_CHANGED = Event("data.leads_changed.v1", data.LeadsChanged, frozenset({_D}))
CLAIMS_SUGGESTED = Event("data.claims_suggested.v1", claims.ClaimsSuggested, frozenset({_T}))
QUALITY_CHECKED = Event("data.quality_checked.v1", quality.QualityChecked, frozenset({_D, _O}))
CHANNEL_PAUSED = Event("data.channel_paused.v1", outreach.ChannelPaused, frozenset({_O}))
CONTACTS_CHANGED = Event("data.contacts_changed.v1", data.ContactsChanged, frozenset({_T, _DA}))

IMPORT_FILES = Bucket("imports", writers=frozenset({_G}), readers=frozenset({_DA}))

# decision ----------------------------------------------------------------------------------------------------------------------
RANK = Call("decision.rank.v1", decision.RankRequest, decision.RankReply, _by(_DA), 60.0)
OPPORTUNITIES = Call("decision.opportunities.v1", decision.OpportunitiesRequest, decision.OpportunitiesReply, _by())
CARDS = Call("decision.cards.v1", decision.CardsRequest, decision.CardsReply, _by())
CARD = Call("decision.card.v1", decision.CardGet, decision.Card, _by())
DECIDE_CARD = Call("decision.decide_card.v1", decision.DecideCard, decision.DecideCardReply, _by(), 15.0)
WHATSAPP_BRIEF = Call("decision.whatsapp_brief.v1", decision.CardsRequest, decision.BriefReply, _by())
ANSWER_BRIEF = Call("decision.answer_brief.v1", decision.AnswerBrief, decision.BriefAnswered, _by(), 15.0)
COMMITTEE = Call("decision.committee.v1", outreach.CommitteeRequest, outreach.CommitteeReply, _by(), 15.0)
PREPARE_DRAFT = Call("decision.prepare_draft.v1", decision.PrepareDraft, decision.PrepareDraftReply, _by(), 15.0)
FORECAST = Call("decision.forecast.v1", forecasts.ForecastRequest, forecasts.Forecast, _by(), 30.0)
MAKE_FORECAST = Call("decision.make_forecast.v1", forecasts.ForecastRequest, forecasts.Forecast, _by(), 60.0)
FORECASTS_MADE = Call("decision.forecasts_made.v1", forecasts.MadeRequest, forecasts.MadeReply, _by())
FORECAST_VARIANCE = Call("decision.forecast_variance.v1", forecasts.VarianceRequest, forecasts.Variance, _by(), 30.0)
PREDICTIVE = Call("decision.predictive.v1", predictive.PredictiveRequest, predictive.Predictive, _by(), 30.0)
SIMULATE = Call("decision.simulate.v1", simulations.Simulate, simulations.Simulation, _by(), 30.0)
ROI = Call("decision.roi.v1", simulations.RoiRequest, simulations.Roi, _by())
PROOF_PACK = Call("decision.proof_pack.v1", proof_pack.ProofPackRequest, proof_pack.ProofPack, _by(), 40.0)
MEMO = Call("decision.memo.v1", memos.MemoRequest, memos.MemoReply, _by(), 30.0)
EXECUTIVE_ROOM = Call(
    "decision.executive_room.v1", executive.ExecutiveRoomRequest, executive.ExecutiveRoom, _by(), 40.0
)
BOARD_PACK = Call("decision.board_pack.v1", board_pack.BoardPackRequest, board_pack.BoardPack, _by(), 40.0)
RISK_MAP = Call("decision.risk_map.v1", risk_map.RiskMapRequest, risk_map.RiskMap, _by(), 40.0)
ANALYTICS = Call("decision.analytics.v1", analytics.AnalyticsRequest, analytics.Analytics, _by(), 40.0)
ATTRIBUTION = Call("decision.attribution.v1", attribution.AttributionRequest, attribution.Attribution, _by(), 15.0)
ATTRIBUTIONS = Call(
    "decision.attributions.v1", attribution.AttributionsRequest, attribution.AttributionsReply, _by(), 40.0
)
RUN_AGENT = Call("decision.run_agent.v1", agents.RunAgent, agents.AgentRun, _by(), 60.0)
MODEL_USES = Call("decision.model_uses.v1", completions.ModelUsesRequest, completions.ModelUsesReply, _by())
CONVERSATIONS = Call("decision.conversations.v1", agents.ConversationsRequest, agents.ConversationsReply, _by())
CLASSIFY_OBJECTION = Call(
    "decision.classify_objection.v1", negotiation.ClassifyObjection, negotiation.ObjectionReply, _by(), 10.0
)
ANSWER_OBJECTION = Call(
    "decision.answer_objection.v1", negotiation.AnswerObjection, negotiation.AnswerReply, _by(), 10.0
)
PARTNER_PIPELINE = Call("decision.partner_pipeline.v1", partners.PipelineRequest, partners.PipelineReply, _by(), 15.0)
SCORE_PARTNER = Call("decision.score_partner.v1", partners.PartnerGet, partners.PartnerScore, _by())
PARTNER_MESSAGE = Call("decision.partner_message.v1", partners.PartnerMessage, partners.PartnerMessageReply, _by())
PARTNER_BRIEF = Call("decision.partner_brief.v1", partners.PartnerGet, partners.MeetingBrief, _by())
PARTNER_SCORECARD = Call("decision.partner_scorecard.v1", partners.PartnerGet, partners.PartnerScorecard, _by(), 15.0)
PARTNER_OFFER = Call("decision.partner_offer.v1", partners.BuildOffer, partners.PartnerOffer, _by(), 15.0)
PARTNER_REVENUE = Call(
    "decision.partner_revenue.v1", partners.PartnerRevenueRequest, partners.PartnerRevenueReply, _by(), 20.0
)
DAILY_PLAN = Call("decision.daily_plan.v1", growth.DailyPlanRequest, growth.DailyPlanReply, _by(), 15.0)
WEEKLY_REPORT = Call("decision.weekly_report.v1", learning.WeeklyReportRequest, learning.WeeklyReport, _by(), 30.0)
EXPERIMENTS = Call("decision.experiments.v1", experiments.ExperimentsRequest, experiments.ExperimentsReply, _by(), 15.0)
EXPERIMENT = Call("decision.experiment.v1", experiments.ExperimentGet, experiments.Experiment, _by())
START_EXPERIMENT = Call("decision.start_experiment.v1", experiments.StartExperiment, experiments.Experiment, _by())
DECIDE_EXPERIMENT = Call("decision.decide_experiment.v1", experiments.DecideExperiment, experiments.Experiment, _by())
INBOX = Call("decision.inbox.v1", inbox.InboxRequest, inbox.InboxReply, _by(), 15.0)
DRAFTS = Call("decision.drafts.v1", decision.DraftsRequest, decision.DraftsReply, _by())
ASK_AGENT = Call("decision.ask_agent.v1", flows.AskAgent, flows.AgentAnswer, _by(_E), 60.0)

# operating ---------------------------------------------------------------------------------------------------------------------
PLANES = Call("operating.planes.v1", operating.HealthRequest, operating.HealthReply, frozenset({_G}))
# Trust pauses a connector whose vendor did something that nobody granted.
CONTROL = Call("operating.control.v1", operating.ControlCommand, operating.ControlState, frozenset({_G, _T}))
CONTROLS = Call("operating.controls.v1", operating.ControlList, operating.ControlListReply, frozenset({_G}))
FLAGS = Call("operating.flags.v1", operating.FlagsRequest, operating.FlagsReply, frozenset({_G, _T}), 2.0)
SET_FLAG = Call("operating.set_flag.v1", operating.SetFlag, operating.FlagsReply, frozenset({_G}))
FLAG_STANDINGS = Call(
    "operating.flag_standings.v1", flag_values.FlagStandingsRequest, flag_values.FlagStandings, frozenset({_G}), 2.0
)
PUT_FLAG = Call("operating.put_flag.v1", flag_values.PutFlag, flag_values.FlagStandings, frozenset({_G}))
DROP_FLAG = Call("operating.drop_flag.v1", flag_values.DropFlag, flag_values.FlagStandings, frozenset({_G}))
TRACE = Call("operating.trace.v1", operating.TraceRequest, operating.TraceReply, frozenset({_G}))
DATA_HEALTH = Call("operating.data_health.v1", quality.DataHealthRequest, quality.DataHealth, frozenset({_G}))
RECOVERIES = Call("operating.recoveries.v1", recoveries.RecoveriesRequest, recoveries.RecoveriesReply, frozenset({_G}))
REPORT_RESTORE = Call("operating.report_restore.v1", recoveries.ReportRestore, recoveries.Recovery, frozenset({_G}))

GO_LIVE = Call("operating.go_live.v1", launch.GoLiveRequest, launch.GoLiveReply, frozenset({_G}), 10.0)
GATE = Call("operating.gate.v1", launch.GateGet, launch.GateDetail, frozenset({_G}), 10.0)
ATTEST_GATE = Call("operating.attest_gate.v1", launch.AttestGate, launch.GateDetail, frozenset({_G}), 10.0)
LAUNCH_READINESS = Call(
    "operating.launch_readiness.v1", launch.GoLiveRequest, launch.LaunchReadiness, frozenset({_G}), 10.0
)
# Trust lets no connector be switched live while a blocking gate is open.
LIVE_ALLOWED = Call("operating.live_allowed.v1", launch.LiveAllowedRequest, launch.LiveAllowed, frozenset({_T}), 4.0)

DEAD_EVENTS = Call(
    "operating.dead_events.v1", dead_events.DeadEventsRequest, dead_events.DeadEventsReply, frozenset({_G})
)
DEAD_EVENT = Call("operating.dead_event.v1", dead_events.DeadEventGet, dead_events.DeadEventDetail, frozenset({_G}))
REPLAY_EVENT = Call("operating.replay_event.v1", dead_events.ReplayEvent, dead_events.DeadEvent, frozenset({_G}), 15.0)
DISCARD_EVENT = Call("operating.discard_event.v1", dead_events.DiscardEvent, dead_events.DeadEvent, frozenset({_G}))

INCIDENTS = Call("operating.incidents.v1", incidents.IncidentsRequest, incidents.IncidentsReply, frozenset({_G}))
INCIDENT = Call("operating.incident.v1", incidents.IncidentGet, incidents.IncidentDetail, frozenset({_G}))
REPORT_INCIDENT = Call(
    "operating.report_incident.v1", incidents.ReportIncident, incidents.IncidentDetail, frozenset({_G})
)
NOTE_INCIDENT = Call("operating.note_incident.v1", incidents.NoteIncident, incidents.IncidentDetail, frozenset({_G}))
SLOS = Call("operating.slos.v1", slos.SlosRequest, slos.SlosReply, frozenset({_G}))

HEALTH = Signal("health_reported", operating.HealthReported, _O)
SPANS = Signal("spans_exported", operating.SpansExported, _O)
SLO_COUNTED = Signal("slo_counted", slos.SloCounted, _O)


def _declared(kind: type) -> Iterator[object]:
    for value in tuple(globals().values()):
        for item in value.values() if isinstance(value, dict) else (value,):
            if isinstance(item, kind):
                yield item


CALLS: tuple[Call[Message, Message], ...] = tuple(c for c in _declared(Call) if isinstance(c, Call))
EVENTS: tuple[Event[Message], ...] = tuple(e for e in _declared(Event) if isinstance(e, Event))
SIGNALS: tuple[Signal[Message], ...] = tuple(s for s in _declared(Signal) if isinstance(s, Signal))
BUCKETS: tuple[Bucket, ...] = tuple(b for b in _declared(Bucket) if isinstance(b, Bucket))

check(CALLS, EVENTS)
