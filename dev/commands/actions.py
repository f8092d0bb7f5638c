"""`dealix actions`: submit, look, follow across the planes, take back."""

from __future__ import annotations

import json
import uuid
from enum import StrEnum
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, Connect, LimitOption, read_json_input
from dev.commands.listing import CursorOption, listing
from dev.commands.session import Session, command
from dev.messages import DealixError, Sentence
from dev.output import Output
from dev.terminal import facts, plain
from dev.views import actions as views
from dev.views import journey as journeys
from dev.words import word, words

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the action.")]
MOST = 1000
NOTHING = Sentence("No actions.", "لا توجد إجراءات.")


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    NOT_SENT = "not_sent"


class NotAccepted(DealixError):
    """At least one item was not accepted; nothing of it is stored."""


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Governed actions: submit, follow, take back.", no_args_is_help=True)
    app.add_typer(group, name="actions")

    @command(group, connect)
    def submit(
        here: Session,
        file: Annotated[
            str, typer.Argument(metavar="FILE", help='JSON: one action or {"items": […]}; - reads standard input.')
        ],
        wait: Annotated[int, typer.Option("--wait", min=0, max=10, help="Seconds to wait for the final state.")] = 5,
        key: Annotated[
            str | None, typer.Option("--idempotency-key", help="The same key and body give the first answer.")
        ] = None,
    ) -> None:
        """Submit an action, or up to 1,000."""
        body = action_body(read_json_input(file), file)
        reply = here.client.post("/actions", body, key=key or str(uuid.uuid4()), wait=wait)
        here.out.result(reply)
        _say_submitted(here.out, reply)

    @command(group, connect, "list")
    def list_(
        here: Session,
        state: Annotated[str | None, typer.Option("--state", help="Only actions in this state.")] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """Actions, newest first."""
        if state is not None and state not in words()["action_state"]:
            known = ", ".join(words()["action_state"])
            raise BadInput(
                f"There is no state {state}; choose one of {known}.", f"لا توجد حالة {state}؛ اختر من: {known}."
            )
        listing(here, "/actions", views.listing, NOTHING, limit=limit, cursor=cursor, state=state)

    @command(group, connect)
    def show(here: Session, action_id: IdArgument) -> None:
        """One action: state, reasons, receipt, timeline."""
        action = here.client.get(f"/actions/{action_id}")
        here.out.result(action)
        here.out.show(views.in_full(here.out.lang, action))

    @command(group, connect)
    def cancel(here: Session, action_id: IdArgument) -> None:
        """Take back an action that has not been dispatched."""
        action = here.client.post(f"/actions/{action_id}/cancel")
        here.out.result(action)
        state = word("action_state", action.get("state"), here.out.lang)
        here.out.say(Sentence(f"The action: {state}.", f"الإجراء: {state}."))

    _after(group, connect)

    @command(group, connect)
    def journey(here: Session, action_id: IdArgument) -> None:
        """What happened to an action, as a tree with times across the planes; linked traces are trees of their own."""
        found = here.client.get(f"/actions/{action_id}/journey")
        here.out.result(found)
        traces = found.get("traces") or []
        if not traces:
            here.out.say(
                Sentence(
                    "No spans are kept of this action (any more); its timeline: dealix actions show.",
                    "لم تعد خطوات هذا الإجراء محفوظة؛ تسلسله: dealix actions show.",
                )
            )
        here.out.show(*journeys.trees(here.out.lang, traces))


def _after(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def compensate(
        here: Session,
        action_id: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why; approvers see it.")] = "",
    ) -> None:
        """Undo an action that succeeded, by an action of its own."""
        begun = here.client.post(f"/actions/{action_id}/compensate", {"reason": reason})
        here.out.result(begun)
        by = plain(begun.get("compensating_action_id"))
        state = word("action_state", begun.get("state"), here.out.lang)
        here.out.say(
            Sentence(
                f"It is being undone: {state}. dealix actions show {by}",
                f"يجري التراجع: {state}. dealix actions show {by}",
            )
        )

    @command(group, connect)
    def compensation(here: Session, action_id: IdArgument) -> None:
        """What undoing an action would do. Changes nothing."""
        plan = here.client.get(f"/actions/{action_id}/compensation")
        here.out.result(plan)
        refused = plan.get("refused")
        if refused:
            here.out.say(Sentence(plain(refused["en"]), plain(refused["ar"])))
            return
        from libs.contracts.catalogue.words import effect_title  # pydantic: too slow for commands that name no effect

        by = effect_title(plan["action_type"])
        here.out.say(Sentence(f"It is undone by: {by.en}.", f"يُتراجع عنه بالإجراء: {by.ar}."))
        here.out.show(
            facts(
                [
                    (
                        "payload" if here.out.lang == "en" else "الحمولة",
                        plain(json.dumps(plan["payload"], ensure_ascii=False)),
                    )
                ]
            )
        )

    @command(group, connect)
    def settle(
        here: Session,
        action_id: IdArgument,
        outcome: Annotated[Outcome, typer.Argument(help="What became of it: succeeded or not_sent.")],
        evidence: Annotated[
            str, typer.Option("--evidence", help="How you know, in 10 characters or more; the ledger keeps it.")
        ],
    ) -> None:
        """Settle an unknown outcome, as you found it at the vendor."""
        action = here.client.post(f"/actions/{action_id}/settle", {"outcome": outcome.value, "evidence": evidence})
        here.out.result(action)
        state = word("action_state", action.get("state"), here.out.lang)
        here.out.say(Sentence(f"The action: {state}.", f"الإجراء: {state}."))


def action_body(given: Any, name: str) -> dict[str, Any]:
    """The body of the request. A bare list counts as items. Raises BadInput for what cannot be an action."""
    body = {"items": given} if isinstance(given, list) else given
    items = body.get("items") if isinstance(body, dict) and "items" in body else [body]
    if not isinstance(items, list) or not 1 <= len(items) <= MOST or not all(isinstance(i, dict) for i in items):
        raise BadInput(
            f'{name} holds no action: give one JSON object, or {{"items": […]}} with 1 to {MOST} of them.',
            f'لا يوجد إجراء في {name}: ضع كائن JSON واحدًا أو {{"items": […]}} من 1 إلى {MOST}.',
        )
    for at, item in enumerate(items):
        missing = [field for field in ("action_type", "resource", "payload") if field not in item]
        if missing:
            where = f"items[{at}]" if len(items) > 1 else name
            raise BadInput(f"{where} lacks {', '.join(missing)}.", f"ينقص {where}: {', '.join(missing)}.")
    assert isinstance(body, dict)
    return body


def _say_submitted(out: Output, reply: dict[str, Any]) -> None:
    results = reply.get("results") or reply.get("items") or [reply]
    for result in results:
        error = result.get("error")
        if error:
            out.say(Sentence(f"not accepted: {plain(error.get('en'))}", f"لم يُقبل: {plain(error.get('ar'))}"))
            continue
        state = word("action_state", result.get("state"), out.lang)
        out.say(Sentence(f"{plain(result.get('action_id'))}  {state}", f"{plain(result.get('action_id'))}  {state}"))
        for reason in result.get("reasons") or ():
            out.say(Sentence(f"  {plain(reason.get('en'))}", f"  {plain(reason.get('ar'))}"))
        if result.get("approval_id"):
            look = f"dealix approvals show {plain(result['approval_id'])}"
            out.say(Sentence(f"  {look}", f"  {look}"))
    failed = sum(1 for result in results if result.get("error"))
    if failed:
        raise NotAccepted(
            f"{failed} of {len(results)} actions were not accepted.", f"لم يُقبل {failed} من أصل {len(results)}."
        )
