"""`python -m services.data.importing.child TENANT IMPORT FILE`, with how to read it (`Order`) on standard input: carries a large import out
in a process of its own."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from uuid import UUID

from services.data.importing.reading import Beside, Order

LOWER_PRIORITY = 5
"""Niceness: a large import leaves the processor to whoever answers people."""


def main(tenant_id: UUID, import_id: UUID, file: Path, order: Order) -> dict[str, str]:
    """How it ended."""
    beside = Beside(file, order)
    try:
        # The other process reads while this one loads what writing takes, which is most of what there is.
        import uvloop

        from services.data.importing.apart import carry_out_here

        return uvloop.run(carry_out_here(tenant_id, import_id, beside))
    finally:
        beside.close()


if __name__ == "__main__":
    gc.disable()  # it lives for one import, whose rows are trees without cycles: going through them again and again helps nobody
    os.nice(LOWER_PRIORITY)
    told = Order.from_json(sys.stdin.read())
    sys.stdout.write(json.dumps(main(UUID(sys.argv[1]), UUID(sys.argv[2]), Path(sys.argv[3]), told)))
