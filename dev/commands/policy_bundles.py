"""`dealix policy propose/bundles/diff/replay/activate`: how a policy bundle comes into force."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, progress, read_text
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table

if TYPE_CHECKING:
    from dev.client import Client

POLL_SECONDS = 0.3
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="A bundle's version.")]


def register(group: typer.Typer, connect: Connect) -> None:
    """Add the commands to the group."""

    @group.command()
    def propose(
        file: Annotated[str, typer.Argument(metavar="FILE", help="Cedar policies; - reads standard input.")],
        title: Annotated[str, typer.Option("--title", help="What the bundle is for.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Propose a bundle: additions that forbid, or a whole bundle. Nothing is in force by it."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            made = client.post("/policy/bundles", {"text": read_text(file), "title": title})
        out.result(made)
        out.say(Sentence(f"Proposed. Version {made['version']}", f"قُدّمت الحزمة. الإصدار {made['version']}"))

    @group.command()
    def bundles(
        base_url: BaseUrlOption = None, data_dir: DataDirOption = None, lang: LangOption = None, as_json: JsonOption = False
    ) -> None:  # fmt: skip
        """The tenant's bundles and the platform's own."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            page = client.get("/policy/bundles")
        out.result(page)
        rows = [(b["version"], plain(b["state"]), plain(b["title"]), plain(b["proposed_by"])) for b in page["items"]]
        out.show(
            table(out.lang, [("version", "الإصدار"), ("state", "الحالة"), ("title", "العنوان"), ("by", "من")], rows)
        )

    @group.command()
    def diff(
        version: VersionArgument,
        against: Annotated[
            str | None, typer.Option("--against", help="Another version (default: the one in force).")
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What a bundle changes."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"/policy/bundles/{version}/diff", against=against)
        out.result(found)
        out.show(found["text"] or out.text("No difference.", "لا فرق."))

    @group.command()
    def replay(
        version: VersionArgument,
        since: Annotated[
            datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (default: 30 days ago).")
        ] = None,
        until: Annotated[
            datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Day after the last (default: now).")
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Decide history again under a bundle, and report what would be other."""
        out = output(lang, as_json)
        now = datetime.now(UTC)
        begin = since.replace(tzinfo=UTC) if since else now - timedelta(days=30)
        end = until.replace(tzinfo=UTC) if until else now
        body = {"bundle": version, "from": begin.isoformat(), "to": end.isoformat()}
        with connect(out, base_url, data_dir) as client:
            done = _wait(out, client, client.post("/policy/replay", body))
            allowed = client.get(f"/policy/replays/{done['replay_id']}/changes", kind="newly_allowed")["items"]
        out.result({**done, "newly_allowed": allowed})
        _show_report(out, done, allowed)

    @group.command()
    def activate(
        version: VersionArgument,
        replay_id: Annotated[str, typer.Option("--replay", help="The finished replay that approvers will see.")],
        canary: Annotated[
            int | None, typer.Option("--canary", min=1, max=99, help="Decide this percentage of actions first.")
        ] = None,
        reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Ask for a bundle's activation; two people approve exactly this bundle with exactly this report."""
        out = output(lang, as_json)
        body: dict[str, Any] = {"replay_id": replay_id, "reason": reason}
        if canary is not None:
            body |= {"mode": "canary", "percent": canary}
        with connect(out, base_url, data_dir) as client:
            asked = client.post(f"/policy/bundles/{version}/activate", body)
        out.result(asked)
        out.say(
            Sentence(
                f"Approval requested: action {asked['action_id']}. The bundle is in force once two people have approved.",
                f"طُلبت الموافقة: الإجراء {asked['action_id']}. تسري الحزمة بعد موافقة شخصين.",
            )
        )


def _wait(out: Output, client: Client, asked: dict[str, Any]) -> dict[str, Any]:
    """Follow a replay until it ends. Raises BadInput when it fails."""
    with progress(out) as step:
        while asked["state"] in ("queued", "running"):
            step(
                out.text("deciding again", "إعادة التقييم"), asked["done"] / asked["total"] if asked["total"] else None
            )
            time.sleep(POLL_SECONDS)
            asked = client.get(f"/policy/replays/{asked['replay_id']}")
    if asked["state"] != "done":
        raise BadInput(f"The replay {asked['replay_id']} failed.", f"فشلت إعادة التقييم {asked['replay_id']}.")
    return asked


def _show_report(out: Output, done: dict[str, Any], allowed: list[dict[str, Any]]) -> None:
    report = done["report"]
    words = {
        "decisions": ("decisions", "القرارات"),
        "newly_allowed": ("newly allowed", "ستُسمح"),
        "newly_blocked": ("newly blocked", "ستُمنع"),
        "newly_parked": ("newly waiting for approval", "ستنتظر موافقة"),
        "value_delayed_sar": ("value delayed (SAR)", "القيمة المؤجلة (ريال)"),
        "actions_of_unknown_value": ("of unknown value", "بلا قيمة معروفة"),
    }
    rows = [(out.text(*label), plain(report[name])) for name, label in words.items()]
    out.show(table(out.lang, [("", ""), ("count", "العدد")], rows))
    if report["approvals_per_approver"]:
        per = [
            (plain(a["approver"]), a["before_per_day"], a["after_per_day"]) for a in report["approvals_per_approver"]
        ]
        out.show(table(out.lang, [("approver", "المعتمِد"), ("a day before", "يوميًا قبل"), ("after", "بعد")], per))
    if allowed:
        listed = [
            (plain(c["decided_at"]), plain(c["effect"]), plain(c["subject"]), plain(c["action_id"])) for c in allowed
        ]
        out.show(
            table(
                out.lang,
                [("newly allowed", "ستُسمح"), ("effect", "الأثر"), ("who", "من"), ("action", "الإجراء")],
                listed,
            )
        )
    out.say(
        Sentence(
            f"Attach it: dealix policy activate {done['bundle'][:12]}… --replay {done['replay_id']}",
            f"لإرفاقه: dealix policy activate {done['bundle'][:12]}… --replay {done['replay_id']}",
        )
    )
