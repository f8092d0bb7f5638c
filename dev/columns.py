"""What `--mapping` says: which field each column of a list feeds, from a file or from pairs typed one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from dev.commands.common import BadInput, read_text

FILES = (".json", ".yaml", ".yml")


def read_mapping(given: Sequence[str]) -> dict[str, str]:
    """Column to field, an empty field for a column that is left out. Each of `given` is a JSON or YAML file, or `column=field`; what comes later
    counts. A field goes by its key or by the name that people see. Raises BadInput naming the place of the mistake."""
    found: dict[str, str] = {}
    for one in given:
        pairs = _of_file(one) if Path(one).suffix.lower() in FILES else dict([_pair(one)])
        found |= {column: _field(field, of=column) for column, field in pairs.items()}
    return found


def _pair(text: str) -> tuple[str, str]:
    # A heading may have an equals sign; a field has none.
    column, equals, field = text.rpartition("=")
    if not equals or not column.strip():
        raise BadInput(
            f"--mapping takes column=field or a JSON or YAML file, not “{text}”.",
            f"قيمة --mapping إما column=field أو ملف JSON أو YAML، وليست «{text}».",
        )
    return column.strip(), field.strip()


def _of_file(path: str) -> dict[str, str]:
    text = read_text(path)
    try:
        found: Any = json.loads(text) if path.lower().endswith(".json") else yaml.load(text, Loader=yaml.BaseLoader)
    except (ValueError, yaml.YAMLError) as error:
        raise BadInput(f"{path} cannot be read: {error}", f"تعذّرت قراءة {path}: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(field, str | None) for field in found.values()):
        raise BadInput(
            f"{path} must map column names to field names, one to one.",
            f"يجب أن يربط {path} كل عمود بحقل واحد.",
        )
    return {str(column): field or "" for column, field in found.items()}


def _field(named: str, *, of: str) -> str:
    from services.data.importing.domain.mapping import fields, label
    from services.data.importing.domain.text import fold

    if not named or named in fields():
        return named
    by_name = {fold(label(key, language)): key for key in fields() for language in ("en", "ar")}
    if fold(named) in by_name:
        return by_name[fold(named)]
    raise BadInput(
        f"There is no field “{named}” (column “{of}”); choose one of {', '.join(sorted(fields()))}.",
        f"لا يوجد حقل «{named}» (العمود «{of}»)؛ اختر من: {'، '.join(sorted(fields()))}.",
    )
