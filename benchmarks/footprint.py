"""What one governed action leaves behind: rows and bytes in PostgreSQL, write-ahead log, messages and bytes in NATS.

python -m benchmarks.footprint --actions 5000     prints JSON; docs/scale.md reckons with it
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import asyncpg

from libs.contracts.message import Plane, new_id
from libs.runtime.bus import NatsBus
from tests.chaos.__main__ import Storm
from tests.chaos.processes import Replica
from tests.live.harness import prepared_servers

_TABLES = """select s.schemaname || '.' || s.relname as name, pg_total_relation_size(s.relid) as bytes
  from pg_stat_user_tables s where pg_total_relation_size(s.relid) > 65536 order by 2 desc"""


async def measure(actions: int) -> dict[str, Any]:
    """Run `actions` through execution and trust and look at what grew."""
    with tempfile.TemporaryDirectory(prefix="dealix-footprint-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with prepared_servers(folder) as (servers, secrets):
            replicas = [Replica(plane, 1, servers, secrets, folder) for plane in ("trust", "execution")]
            for replica in replicas:
                await replica.start()
            bus = NatsBus(Plane.GATEWAY, servers.nats_url, secrets.nats_seeds["gateway"])
            await bus.start()
            admin = await asyncpg.connect(servers.admin_url)
            try:
                storm = Storm(servers, bus, replicas, [new_id() for _ in range(10)], random.Random(1))
                people = asyncio.create_task(storm.approve())
                await storm.load(200)
                await storm.settle(lambda: asyncpg.connect(servers.admin_url), 60)
                before = await _state(admin, servers.nats.monitoring_url)
                await storm.load(actions + 200)
                await storm.settle(lambda: asyncpg.connect(servers.admin_url), 120)
                storm.over = True
                people.cancel()
                after = await _state(admin, servers.nats.monitoring_url)
            finally:
                await admin.close()
                await bus.stop()
                for replica in replicas:
                    await replica.stop()
    done = len(storm.accepted) - 200
    grown = {table: round((size - before["tables"].get(table, 0)) / done, 1) for table, size in after["tables"].items()}
    return {
        "actions": done,
        "database_bytes_per_action": round((after["database"] - before["database"]) / done, 1),
        "wal_bytes_per_action": round((after["wal"] - before["wal"]) / done, 1),
        "nats_messages_per_action": round((after["messages"] - before["messages"]) / done, 3),
        "nats_bytes_per_action": round((after["nats"] - before["nats"]) / done, 1),
        "table_bytes_per_action": {table: size for table, size in grown.items() if size >= 1},
    }


async def _state(admin: Any, monitoring: str) -> dict[str, Any]:
    await admin.execute("checkpoint")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{monitoring}/jsz", timeout=5) as answer:
        streams = json.load(answer)
    return {
        "database": await admin.fetchval("select pg_database_size(current_database())"),
        "wal": await admin.fetchval("select (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint"),
        "tables": {row["name"]: row["bytes"] for row in await admin.fetch(_TABLES)},
        "messages": streams["messages"],
        "nats": streams["bytes"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=__doc__)
    parser.add_argument("--actions", type=int, default=5000)
    print(json.dumps(asyncio.run(measure(parser.parse_args().actions)), indent=1))


if __name__ == "__main__":
    main()
