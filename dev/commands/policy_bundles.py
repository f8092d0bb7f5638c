"""`dealix policy propose/bundles/diff/replay/activate`: how a policy bundle comes into force."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dev.commands.common import BadInput, Connect, progress, read_text
from dev.commands.listing import Column, moment, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import plain, table

if TYPE_CHECKING:
    from dev.client import Client

POLL_SECONDS = 0.3
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="A bundle's version.")]

BUNDLES = (
    Column("version", "الإصدار", "version", whole=True),
    Column("state", "الحالة", "state"),
    Column("title", "العنوان", "title"),
    Column("by", "من", "proposed_by"),
)
PER_APPROVER = (
    Column("approver", "المعتمِد", "approver"),
    Column("a day before", "يوميًا قبل", "before_per_day", number=True),
    Column("after", "بعد", "after_per_day", number=True),
)
NEWLY_ALLOWED = (
    Column("newly allowed", "ستُسمح", moment("decided_at")),
    Column("effect", "الأثر", "effect"),
    Column("who", "من", "subject"),
    Column("action", "الإجراء", "action_id", whole=True),
)


def register(group: typer.Typer, connect: Connect) -> None:
    """Add the commands to the group."""

    @command(group, connect)
    def propose(
        here: Session,
        file: Annotated[str, typer.Argument(metavar="FILE", help="Cedar policies; - reads standard input.")],
        title: Annotated[str, typer.Option("--title", help="What the bundle is for.")] = "",
    ) -> None:
        """Propose a bundle: additions that forbid, or a whole bundle. Nothing is in force by it."""
        made = here.client.post("/policy/bundles", {"text": read_text(file), "title": title})
        here.out.result(made)
        here.out.say(Sentence(f"Proposed. Version {made['version']}", f"قُدّمت الحزمة. الإصدار {made['version']}"))

    @command(group, connect)
    def bundles(here: Session) -> None:  # fmt: skip
        """The tenant's bundles and the platform's own."""
        page = here.client.get("/policy/bundles")
        here.out.result(page)
        show_items(here.out, page["items"], BUNDLES)

    @command(group, connect)
    def diff(
        here: Session,
        version: VersionArgument,
        against: Annotated[
            str | None, typer.Option("--against", help="Another version (default: the one in force).")
        ] = None,
    ) -> None:
        """What a bundle changes."""
        found = here.client.get(f"/policy/bundles/{version}/diff", against=against)
        here.out.result(found)
        here.out.show(found["text"] or here.out.text("No difference.", "لا فرق."))

    @command(group, connect)
    def replay(
        here: Session,
        version: VersionArgument,
        since: Annotated[
            datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (default: 30 days ago).")
        ] = None,
        until: Annotated[
            datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Day after the last (default: now).")
        ] = None,
    ) -> None:
        """Decide history again under a bundle, and report what would be other."""
        now = datetime.now(UTC)
        begin = since.replace(tzinfo=UTC) if since else now - timedelta(days=30)
        end = until.replace(tzinfo=UTC) if until else now
        body = {"bundle": version, "from": begin.isoformat(), "to": end.isoformat()}
        done = _wait(here.out, here.client, here.client.post("/policy/replay", body))
        allowed = here.client.get(f"/policy/replays/{done['replay_id']}/changes", kind="newly_allowed")["items"]
        here.out.result({**done, "newly_allowed": allowed})
        _show_report(here.out, done, allowed)

    @command(group, connect)
    def activate(
        here: Session,
        version: VersionArgument,
        replay_id: Annotated[str, typer.Option("--replay", help="The finished replay that approvers will see.")],
        canary: Annotated[
            int | None, typer.Option("--canary", min=1, max=99, help="Decide this percentage of actions first.")
        ] = None,
        reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    ) -> None:
        """Ask for a bundle's activation; two people approve exactly this bundle with exactly this report."""
        body: dict[str, Any] = {"replay_id": replay_id, "reason": reason}
        if canary is not None:
            body |= {"mode": "canary", "percent": canary}
        asked = here.client.post(f"/policy/bundles/{version}/activate", body)
        here.out.result(asked)
        here.out.say(
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
        show_items(out, report["approvals_per_approver"], PER_APPROVER)
    if allowed:
        show_items(out, allowed, NEWLY_ALLOWED)
    out.say(
        Sentence(
            f"Attach it: dealix policy activate {done['bundle'][:12]}… --replay {done['replay_id']}",
            f"لإرفاقه: dealix policy activate {done['bundle'][:12]}… --replay {done['replay_id']}",
        )
    )
