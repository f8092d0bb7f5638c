"""The flows of the catalogue, as declarations."""

from __future__ import annotations

from services.execution.flows.declared.long import LONG
from services.execution.flows.declared.medium import MEDIUM
from services.execution.flows.declared.outreach import OutreachSequence, OutreachSequenceV1
from services.execution.flows.declared.short import SHORT

FLOWS = (*SHORT, *MEDIUM, OutreachSequenceV1, OutreachSequence, *LONG)
