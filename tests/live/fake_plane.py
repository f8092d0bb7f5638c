"""A plane of a few lines for tests of the supervisor: says that it serves, obeys files, ends on SIGTERM.

argv: name of the plane
<data_dir>/crash-<name>    while this file is there: end with code 3 before being ready
<data_dir>/env-<name>.json the environment it was given
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, format: str, *args: object) -> None:
        return


def main() -> None:
    name = sys.argv[1]
    data_dir = Path(os.environ["DEALIX_DATA_DIR"])
    (data_dir / f"env-{name}.json").write_text(json.dumps(dict(os.environ)))
    if (data_dir / f"crash-{name}").exists():
        print("cannot read the policy bundle", flush=True)
        sys.exit(3)
    if name in ("gateway", "one_process"):
        server = http.server.HTTPServer((os.environ["DEALIX_HTTP_HOST"], int(os.environ["DEALIX_HTTP_PORT"])), Ready)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    if name == "data":  # a child of a child must not outlive the system either
        grandchild = subprocess.Popen(["sleep", "1000"])
        (data_dir / "grandchild.pid").write_text(str(grandchild.pid))
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    print(json.dumps({"level": "info", "message": "serving", "plane": name}), flush=True)
    Path(os.environ["DEALIX_READY_FILE"]).write_text(json.dumps({"pid": os.getpid(), "version": "9.9.9"}))
    ended.wait()
    print("stopped cleanly", flush=True)


if __name__ == "__main__":
    main()
