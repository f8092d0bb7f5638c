"""`python -m services.data.importing.child TENANT IMPORT FILE`: carries a large import out in a process of its own. How to read the file
(`Order`) comes on standard input once the file is there; until then it loads its code."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from uuid import UUID

from services.data.importing.reading import Beside

LOWER_PRIORITY = 5
"""Niceness: a large import leaves the processor to whoever answers people."""


def main(tenant_id: UUID, import_id: UUID, file: Path) -> dict[str, str]:
    """How it ended."""
    with os.fdopen(os.dup(sys.stdin.fileno())) as orders:
        beside = Beside(file, orders)
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
    sys.stdout.write(json.dumps(main(UUID(sys.argv[1]), UUID(sys.argv[2]), Path(sys.argv[3]))))
    sys.stdout.flush()
    # Taking a hundred thousand accounts apart one by one would last a second, and nobody needs their memory sooner.
    os._exit(0)
