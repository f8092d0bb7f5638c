"""`dealix witness`: keep and cosign a log's checkpoints, for a customer or an auditor."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dev.commands.common import BadInput, Connect, DataDirOption, read_text
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output

if TYPE_CHECKING:
    from dev.client import Client
    from dev.witness import Key


WHOSE = {"own": ("Your log", "دفتر المنشأة"), "platform": ("The platform's log", "دفتر المنصة")}


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @app.command()
    def witness(
        url: Annotated[str | None, typer.Option("--url", help="The gateway (default: the running system).")] = None,
        name: Annotated[
            str, typer.Option("--name", help="The witness's name, as in cosignatures.")
        ] = "witness.example",
        folder: Annotated[
            Path, typer.Option("--folder", help="Where key, memory and trust root are kept: somewhere of your own.")
        ] = Path("witness"),
        trust_root: Annotated[
            Path | None,
            typer.Option(
                "--trust-root", help="The operator's keys, obtained elsewhere (default: those of the first visit)."
            ),
        ] = None,
        every: Annotated[float, typer.Option("--every", min=1, help="Seconds between visits.")] = 10.0,
        platform: Annotated[
            bool, typer.Option("--platform/--no-platform", help="Cosign the platform's log as well.")
        ] = True,
        once: Annotated[bool, typer.Option("--once", help="Visit once.")] = False,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Cosign new checkpoints once they are seen to extend the old ones. Exit code 1 when the log forks: nothing is cosigned."""
        from dev.witness import load_key

        out = output(lang, as_json)
        key = load_key(folder / "witness.key", name)
        while True:
            with connect(out, url, data_dir) as client:
                root = _root(out, client, folder, trust_root)
                result = _visit(out, client, key, folder, root, "own")
                if platform:
                    result["platform"] = _visit(out, client, key, folder, root, "platform")
            out.result(result)
            if once:
                return
            time.sleep(every)


def _root(out: Output, client: Client, folder: Path, given: Path | None) -> dict[str, Any]:
    kept = folder / "trust-root.json"
    if given is None and not kept.exists():
        kept.write_bytes(client.raw("//.well-known/jwks.json"))
        out.say(
            Sentence(
                f"The operator's keys of this first visit are kept in {kept}: compare them with a copy from elsewhere.",
                f"حُفظت مفاتيح المشغّل من هذه الزيارة الأولى في {kept}: قارنها بنسخة من مصدر آخر.",
            )
        )
    path = given or kept
    try:
        found: dict[str, Any] = json.loads(read_text(str(path)))
    except ValueError as error:
        raise BadInput(f"{path} is not a key set.", f"الملف {path} ليس مجموعة مفاتيح.") from error
    return found


def _visit(out: Output, client: Client, key: Key, folder: Path, trust_root: dict[str, Any], log: str) -> dict[str, Any]:
    from dev.witness import check_extends, check_signed, check_whose, parse, read_memory, remember

    memory = folder / ("seen.json" if log == "own" else f"seen-{log}.json")
    before = read_memory(memory)
    shown = client.get("/proof-ledger/checkpoint", log=log)
    en, ar = WHOSE[log]
    if not shown["note"]:
        out.say(Sentence(f"{en}: still empty.", f"{ar}: ما زال فارغًا."))
        return {"size": 0, "cosigned": False}
    now = parse(shown["note"])
    check_signed(now, trust_root)
    check_whose(now, log)
    path: list[bytes] = []
    if before is not None and 0 < before.size < now.size:
        asked: dict[str, Any] = {"from": before.size, "to": now.size, "log": log}
        proof = client.get("/proof-ledger/consistency", **asked)
        path = [bytes.fromhex(step) for step in proof["path"]]
    try:
        check_extends(before, now, path)
    except Exception:  # what does not fit is kept as evidence first, whatever it is
        (folder / f"fork-{log}-{int(time.time())}.txt").write_text(
            f"{before.note if before else ''}\n\n{now.note}", encoding="utf-8"
        )
        raise
    if before is not None and before.size == now.size:
        out.say(Sentence(f"{en}: nothing new, {now.size} leaves.", f"{ar}: لا جديد، وعدد القيود {now.size}."))
        return {"size": now.size, "cosigned": False}
    # Remembered first: a witness that cosigned and forgot could be shown another history later.
    remember(memory, now)
    client.post("/proof-ledger/cosignatures", {"note": key.cosign(now.note, int(time.time())), "witness": key.vkey})
    out.say(Sentence(f"{en}: cosigned {now.size} leaves.", f"{ar}: صودق على القيود حتى {now.size}."))
    return {"size": now.size, "cosigned": True, "witness": key.vkey}
