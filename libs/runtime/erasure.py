"""Taking a person out of a plane's tables: what is known goes by id, and a sweep looks through everything else.

The sweep reads the catalogue of tables, so that one that was added later is looked through as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from libs.contracts.message import Plane

ERASED = "[erased]"
SHORTEST = 6
"""Characters below which a text is no identifier that could be replaced without harming others."""
_TYPES = ("text", "json", "jsonb", "text[]", "varchar", "character varying")

_COLUMNS = """
select c.oid::regclass::text as name, a.attname, format_type(a.atttypid, a.atttypmod) as type
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  and exists (select 1 from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id' and not t.attisdropped)
  and has_table_privilege(c.oid, 'update')
  and not exists (select 1 from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any(i.indkey))
  and format_type(a.atttypid, a.atttypmod) = any($2::text[])
order by 1, 2
"""


def spellings(email: str | None, phone: str | None, *names: str | None) -> list[str]:
    """How an identifier may be written in a text: numbers in international and national form, everything also as JSON escapes it.

    The longest come first, so that what is replaced is the whole of it.
    """
    found: set[str] = set()
    if email:
        found |= {email, email.lower()}
    if phone:
        digits = "".join(c for c in phone if c.isdigit())
        found |= {phone, digits, f"00{digits}"}
        if digits.startswith("966"):
            found |= {f"0{digits[3:]}", digits[3:]}
    found |= {name.strip() for name in names if name and " " in name.strip()}
    found |= {json.dumps(text)[1:-1] for text in found}
    return sorted((t for t in found if len(t) >= SHORTEST and '"' not in t), key=len, reverse=True)


async def sweep(connection: Any, plane: Plane, tenant_id: UUID, texts: Iterable[str]) -> dict[str, int]:
    """Replace texts wherever they stand in this tenant's rows of this plane. Returns how many rows of which table changed."""
    wanted = list(texts)
    if not wanted:
        return {}
    counts: dict[str, int] = {}
    for column in await connection.fetch(_COLUMNS, plane.value, list(_TYPES)):
        table, name, kind = column["name"], column["attname"], column["type"]
        value = f'"{name}"::text'
        for number in range(len(wanted)):
            value = f"replace({value}, ${number + 2}, '{ERASED}')"
        found = " or ".join(f'position(${number + 2} in "{name}"::text) > 0' for number in range(len(wanted)))
        status = await connection.execute(
            f'update {table} set "{name}" = ({value})::{kind} where tenant_id = $1 and ({found})', tenant_id, *wanted
        )
        changed = int(status.rpartition(" ")[2])
        if changed:
            counts[table.rpartition(".")[2]] = counts.get(table.rpartition(".")[2], 0) + changed
    return counts
