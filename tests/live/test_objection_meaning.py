"""Objections read by meaning, on real servers: decision asks data for vectors, and nobody else may."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from libs.contracts.message import Plane
from libs.contracts.subjects import EMBED
from services.decision.negotiation.domain.classify import classify
from services.decision.negotiation.domain.weights import weights
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
SAID = "مساء الخير. مبلغ الاشتراك ثقيل علينا هالسنة"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(
        tmp_path_factory.mktemp("meaning"), Plane.TRUST, Plane.DATA, Plane.DECISION, Plane.EXECUTION, Plane.OPERATING, Plane.GATEWAY
    ) as made:  # fmt: skip
        yield made


async def test_what_no_phrase_says_is_read_by_its_meaning_and_the_answer_names_what_read_it(running: Served) -> None:
    assert classify(SAID).objection is None
    found: dict[str, object] = {}

    async def read() -> bool:
        # The first question loads the model; until then phrases alone are read, and the answer says so.
        answer = await running.http.post(f"{API}/negotiation/classify", json={"text": SAID})
        assert answer.status_code == 200, answer.text
        found.clear()
        found.update(answer.json())
        if found["note"] is not None:
            assert found["objection"] is None and found["provenance"]["model_id"] == "engine=rules"  # type: ignore[index]
        return found["note"] is None

    await eventually(90, read)
    assert found["objection"] == "price" and found["evidence"] == ["مبلغ الاشتراك ثقيل علينا هالسنة"]
    origin = found["provenance"]
    assert isinstance(origin, dict) and origin["model_id"] == "engine=embeddings"
    assert weights().version in origin["prompt_version"] and weights().model_id in origin["prompt_version"]
    assert weights().threshold <= float(str(found["confidence"])) < 1
    runs = (await running.http.get(f"{API}/conversations", params={"agent": "objection_handler"})).json()["items"]
    assert runs[0]["engine"] == "embeddings"


async def test_a_phrase_is_read_by_rules_and_a_harmless_text_as_nothing(running: Served) -> None:
    said = (await running.http.post(f"{API}/negotiation/classify", json={"text": "السعر غالي علينا"})).json()
    assert (said["objection"], said["provenance"]["model_id"]) == ("price", "engine=rules")
    nothing = (await running.http.post(f"{API}/negotiation/classify", json={"text": "تم، نلتقي يوم الأحد"})).json()
    assert nothing["objection"] is None


async def test_decision_alone_may_ask_for_vectors() -> None:
    assert EMBED.callers == frozenset({Plane.DECISION})
