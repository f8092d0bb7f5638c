"""`dealix approvals`: the queue, one request in full, yes and no. A yes carries the hashes of exactly what was shown."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dev.commands import approval_desk
from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.commands.listing import CursorOption, listing
from dev.commands.session import Session, command, session
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain
from dev.views import approvals as views
from dev.words import word, words

if TYPE_CHECKING:
    from dev.client import Client

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the approval.")]
StateOption = Annotated[
    str, typer.Option("--state", help="pending, approved, rejected, expired, withdrawn, superseded or all.")
]
RoleOption = Annotated[str | None, typer.Option("--role", help="Only what this role decides.")]
SELF_APPROVAL = "self_approval"
WAIT_SECONDS = 5
NOTHING = Sentence("Nothing waits for approval.", "لا طلبات بانتظار الموافقة.")
RESTING = ("accepted", "granted", "dispatched", "awaiting_approval")
"""States from which an approved action goes on by itself."""


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(invoke_without_command=True)
    app.add_typer(group, name="approvals")

    @group.callback()
    def default(
        context: typer.Context,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Decide what waits for a person; without a command, list it."""
        out = output(lang, as_json)
        if context.invoked_subcommand is None:
            with session(out, connect, base_url, data_dir) as here:
                _list(here, "pending", None, 50, None)
        elif base_url or data_dir:
            raise BadInput(
                "Put --base-url and --data-dir behind the command.", "ضع --base-url و--data-dir بعد اسم الأمر."
            )

    @command(group, connect, "list")
    def list_(
        here: Session,
        state: StateOption = "pending",
        role: RoleOption = None,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
    ) -> None:
        """What waits for a decision."""
        _list(here, state, role, limit, cursor)

    @command(group, connect)
    def show(here: Session, approval_id: IdArgument) -> None:
        """One request in full: the exact payload, what policy says, and the hashes that a yes is bound to."""
        approval = here.client.get(f"/approvals/{approval_id}")
        here.out.result(approval)
        here.out.show(views.in_full(here.out.lang, approval))

    @command(group, connect)
    def approve(
        here: Session,
        approval_id: IdArgument,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        note: Annotated[str, typer.Option("--note", help="A note for the record.")] = "",
    ) -> None:
        """Show the exact payload and hashes, ask, and approve exactly these."""
        seen = here.client.get(f"/approvals/{approval_id}")
        here.out.show(views.in_full(here.out.lang, seen))
        if not yes:
            here.out.ask(Sentence("Approve exactly this?", "أتوافق على هذا كما هو؟"), otherwise="--yes")
        body = {"payload_hash": seen["payload_hash"], "view_hash": seen["view_hash"], "note": note}
        approval = approve_exactly(here.out, here.client, f"/approvals/{approval_id}/approve", body)
        action = _after(here.client, approval)
        here.out.result({"approval": approval, "action": action})
        _say_after(here.out, approval, action)

    @command(group, connect)
    def reject(
        here: Session,
        approval_id: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why not; it is kept with the request.")],
    ) -> None:
        """Say no, with a reason. Nothing is sent."""
        if not reason.strip():
            raise BadInput('A rejection needs a reason: --reason "…"', 'الرفض يحتاج سببًا: --reason "…"')
        approval = here.client.post(f"/approvals/{approval_id}/reject", {"reason": reason})
        here.out.result(approval)
        here.out.say(Sentence("Rejected; nothing is sent.", "رُفض الطلب ولن يُرسل شيء."))

    approval_desk.extend(group, connect)


def approve_exactly(out: Output, client: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Vote for the hashes that were shown: the gateway refuses (409) when the request has changed since.

    An owner who is alone may approve an own request after proving once more who they are: then the password is asked for.
    """
    from dev.client import ApiError

    try:
        reply: dict[str, Any] = client.post(path, body)
    except ApiError as error:
        if error.code != SELF_APPROVAL or out.as_json or not sys.stdin.isatty():
            raise
        out.say(error.sentence)
        password = getpass.getpass(out.text("Your password, if you are the only one: ", "كلمة مرورك إن كنت وحدك: "))
        reply = client.post(path, {**body, "password": password})
    return reply


def _list(here: Session, state: str, role: str | None, limit: int, cursor: str | None) -> None:
    if state != "all" and state not in words()["approval_state"]:
        known = ", ".join((*words()["approval_state"], "all"))
        raise BadInput(f"There is no state {state}; choose one of {known}.", f"لا توجد حالة {state}؛ اختر من: {known}.")
    wanted = None if state == "all" else state
    items = listing(here, "/approvals", views.queue, NOTHING, limit=limit, cursor=cursor, state=wanted, role=role)
    if items:
        first = plain(items[0].get("approval_id"))
        here.out.say(
            Sentence(f"Look at one: dealix approvals show {first}", f"لعرض طلب: dealix approvals show {first}")
        )


def _after(client: Client, approval: dict[str, Any]) -> dict[str, Any] | None:
    """The approved action once it has come to rest, or as far as it is. None while another vote is needed."""
    if approval.get("state") != "approved":
        return None
    from dev.actions import settled

    return settled(client, str(approval["action_id"]), WAIT_SECONDS, RESTING)


def _say_after(out: Output, approval: dict[str, Any], action: dict[str, Any] | None) -> None:
    if action is None:
        state = approval.get("state")
        if state == "pending":
            out.say(
                Sentence("Your vote counts; another person must approve as well.", "سُجّل صوتك؛ تلزم موافقة شخص آخر.")
            )
        else:
            name = word("approval_state", state, out.lang)
            out.say(Sentence(f"The request: {name}.", f"حالة الطلب: {name}."))
        return
    name = word("action_state", action.get("state"), out.lang)
    journey = f"dealix actions journey {plain(action.get('action_id'))}"
    out.say(Sentence(f"Approved. The action: {name}.", f"تمت الموافقة. الإجراء: {name}."))
    for reason in action.get("reasons") or () if action.get("state") in ("refused", "failed") else ():
        out.say(Sentence(f"  {plain(reason.get('en'))}", f"  {plain(reason.get('ar'))}"))
    out.say(Sentence(f"What happened, step by step: {journey}", f"ما حدث خطوة بخطوة: {journey}"))
