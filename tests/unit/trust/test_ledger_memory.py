"""The shipped in-memory ledger keeps the promises of the real one."""

import pytest

from services.trust.ledger.memory import MemoryLedgerStore
from tests.unit.trust.ledger_promises import LedgerPromises


class TestMemoryLedger(LedgerPromises):
    @pytest.fixture
    def store(self) -> MemoryLedgerStore:
        return MemoryLedgerStore()
