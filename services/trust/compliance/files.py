"""Evidence on its way from the gateway: read once from the bus's object store, and gone from there."""

from __future__ import annotations

import logging
from typing import Any

import nats.js.errors

from libs.contracts.subjects import EVIDENCE_FILES
from libs.runtime.bus import NatsBus
from services.trust.compliance.domain.evidence import MOST_BYTES
from services.trust.compliance.errors import EVIDENCE_MISSING, EVIDENCE_SIZE, BadEvidence

log = logging.getLogger(__name__)


class EvidenceFiles:
    def __init__(self, bus: NatsBus) -> None:
        self._bus = bus

    async def take(self, name: str) -> bytes:
        """The file under a name. Raises BadEvidence when it is not there, or larger than evidence may be."""
        bucket = await self._bus.client.jetstream(timeout=10).object_store(EVIDENCE_FILES.name)
        try:
            info = await bucket.get_info(name)
            if (info.size or 0) > MOST_BYTES:
                raise BadEvidence(*EVIDENCE_SIZE)
            return (await bucket.get(name)).data or b""
        except (nats.js.errors.ObjectNotFoundError, nats.js.errors.ObjectDeletedError) as error:
            raise BadEvidence(*EVIDENCE_MISSING) from error
        finally:
            await _forget(bucket, name)


async def _forget(bucket: Any, name: str) -> None:
    try:
        await bucket.delete(name)
    except nats.js.errors.Error as error:
        log.warning("evidence stays in the object store until its time is over: %s", type(error).__name__)
