"""How large a JSON value is, as it is kept."""

from __future__ import annotations

import json
from typing import Any

import orjson


def json_size(value: dict[str, Any]) -> int:
    """Bytes of a JSON object as JSON in UTF-8. Raises ValueError for text that is no Unicode: it could not be kept."""
    try:
        return len(orjson.dumps(value))
    except orjson.JSONEncodeError:  # integers past 64 bits, deep nesting
        return len(json.dumps(value, ensure_ascii=False).encode())
