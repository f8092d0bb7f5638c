"""The matrix over real HTTP, NATS and PostgreSQL: run, read, hand in evidence, export, from the command line too."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from nats.js.errors import NotFoundError

from libs.contracts.message import Plane
from tests.live.control_fixtures import ACTIVITY
from tests.live.served import Served, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

DIRECTORY: list[Path] = []
UNTIL = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    directory = tmp_path_factory.mktemp("matrix")
    async with served(directory) as made:
        DIRECTORY.append(directory)
        yield made


async def result(running: Served, control: str) -> dict[str, Any]:
    answer = await running.http.post("/api/v1/compliance/run", json={"control_ids": [control]})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = next(i for i in answer.json()["items"] if i["control"]["control_id"] == control)
    return found


async def test_imported_contacts_fail_until_their_activity_is_on_record(running: Served) -> None:
    header = "company,name,mobile,email,city,last_activity,notes\n"
    await running.imported(header + "شركة جارة للتجارة,محمد القحطاني,0555000111,m@jarah.example,جدة,2026-11-02,\n")
    failing = await result(running, "PDPL-06")
    assert (failing["result"], failing["reading"]["failing"], len(failing["reading"]["sample"])) == ("fail", 1, 1)
    put = await running.http.post("/api/v1/registers/processing-activities", json={"values": ACTIVITY})
    assert put.status_code == 201, put.text
    assert (await result(running, "PDPL-06"))["result"] == "pass"
    shown = (await running.http.get("/api/v1/compliance/controls/PDPL-06")).json()
    assert [h["result"] for h in shown["history"]][:2] == ["pass", "fail"]


async def test_no_data_is_never_a_pass(running: Served) -> None:
    found = (await running.http.post("/api/v1/compliance/run", json={})).json()
    assert len(found["items"]) == 58 and sum(found["counts"].values()) == 58
    passed = [one for one in found["items"] if one["result"] == "pass" and one["control"]["mode"] != "attest"]
    assert passed and all(one["reading"]["rows"] > 0 for one in passed)


async def test_evidence_is_read_once_checked_and_kept(running: Served) -> None:
    path = "/api/v1/compliance/controls/PDPL-12/attest"
    data = {"statement": "The approved privacy policy", "valid_until": UNTIL}
    wrong = await running.http.post(path, data=data, files={"file": ("policy.pdf", b"MZ not a document")})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "evidence_type")
    assert (await running.http.get("/api/v1/compliance/controls/PDPL-12")).json()["result"] == "unknown"
    right = await running.http.post(path, data=data, files={"file": ("policy.pdf", b"%PDF-1.7 text")})
    assert right.status_code == 200, right.text
    assert (right.json()["result"], right.json()["attestations"][0]["media_type"]) == ("pass", "application/pdf")
    bus = running.system.runtime(Plane.TRUST).bus
    store = await bus.client.jetstream().object_store("evidence")
    with pytest.raises(NotFoundError):  # what an empty store answers
        await store.list(ignore_deletes=True)


async def _dealix(running: Served, *words: str) -> tuple[int, str]:
    key = json.loads(await asyncio.to_thread((DIRECTORY[0] / "secrets" / "cli.json").read_text))["api_key"]
    environment = {**os.environ, "DEALIX_BASE_URL": str(running.http.base_url), "DEALIX_API_KEY": key}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dev.cli", "compliance", *words, "--data-dir", str(DIRECTORY[0]), env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 90)
    return process.returncode or 0, out.decode()


async def test_the_command_line_says_how_many_nobody_knows(running: Served, tmp_path: Path) -> None:
    code, said = await _dealix(running, "run", "--lang", "en")
    assert code == 0, said
    counts = (await running.http.get("/api/v1/compliance/matrix")).json()["counts"]
    assert counts["unknown"] > 0
    assert f"{counts['unknown']} unknown" in said and "not legal advice" in said
    assert (await _dealix(running, "show", "PDPL-06", "--lang", "ar"))[0] == 0
    file = tmp_path / "matrix.csv"
    code, said = await _dealix(running, "export", "-o", str(file), "--lang", "en")
    assert code == 0 and len(file.read_text(encoding="utf-8-sig").splitlines()) == 60, said
    code, said = await _dealix(running, "show", "PDPL-999", "--lang", "en")
    assert code != 0 and "no such control" in said
    aside = ("attest", "LI-8-2", "--not-applicable", "--statement", "We use no LinkedIn at all", "--until", UNTIL)
    code, said = await _dealix(running, *aside, "--lang", "en")
    assert code == 0 and "not applicable" in said, said
