"""Files that come in: what their names may say, and the `Idempotency-Key` of a POST that brings one.

The body of an upload is not read around the application as other bodies are (`replays.py`): it is compared by what its fields and
its file say, for its multipart boundary differs each time.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import UploadFile
from pydantic import BaseModel

from libs.contracts.message import Principal
from services.gateway.http.context import Gateway
from services.gateway.http.guards import Ids
from services.gateway.http.replays import replay
from services.gateway.idempotency import Answer, fields


async def once(
    gateway: Gateway,
    who: Principal,
    route: str,
    key: str | None,
    given: Mapping[str, str],
    file: UploadFile | None,
    work: Callable[[Ids], Awaitable[BaseModel]],
    *,
    ids: Ids,
    status: int = 200,
) -> Any:
    """What `work` makes; under a key that was there already the first answer, marked as such.

    `ids` serve where no key is given; under a key they follow from it. Raises what `work` raises, and then the key is free again;
    BadRequest and the conflicts of a key that another body or a running request has.
    """
    if key is None:
        return await work(ids)
    content = await digest_of(file) if file is not None else b""
    named = {**given, "name": (file.filename if file is not None else "") or ""}
    held = await gateway.idempotency.begin(who, route, key, fields(named), content)
    if isinstance(held, Answer):
        return replay(held)
    try:
        made = await work(Ids(held.reservation_id))
    except BaseException:  # a cancelled request as well: whoever asks again must not wait for the reservation's end
        await asyncio.shield(gateway.idempotency.give_up(held))
        raise
    kept = Answer(status, (("content-type", "application/json"),), made.model_dump_json().encode())
    await gateway.idempotency.end(held, kept)
    return made


async def digest_of(file: UploadFile) -> bytes:
    """Fingerprint of an upload: what it holds, in pieces."""
    digest = hashlib.sha256()
    await file.seek(0)
    while piece := await file.read(1024 * 1024):
        digest.update(piece)
    return digest.digest()


def file_name(given: str | None) -> str:
    """The last part of a file's name, without characters that lie about it (paths, control and direction marks)."""
    last = re.split(r"[\\/]", given or "")[-1]
    clean = re.sub(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", last).strip()
    return clean.encode("utf-8", "ignore").decode()[:255] or "file"
