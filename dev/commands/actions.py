"""`dealix actions`: submit, look, follow across the planes, take back."""

from __future__ import annotations

import json
import uuid
from enum import StrEnum
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, LimitOption, read_json_input
from dev.messages import DealixError, Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import facts, plain
from dev.views import actions as views
from dev.views import journey as journeys
from dev.words import word, words

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the action.")]
MOST = 1000


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    NOT_SENT = "not_sent"


class NotAccepted(DealixError):
    """At least one item was not accepted; nothing of it is stored."""


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Governed actions: submit, follow, take back.", no_args_is_help=True)
    app.add_typer(group, name="actions")

    @group.command()
    def submit(
        file: Annotated[
            str, typer.Argument(metavar="FILE", help='JSON: one action or {"items": […]}; - reads standard input.')
        ],
        wait: Annotated[int, typer.Option("--wait", min=0, max=10, help="Seconds to wait for the final state.")] = 5,
        key: Annotated[
            str | None, typer.Option("--idempotency-key", help="The same key and body give the first answer.")
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Submit an action, or up to 1,000."""
        out = output(lang, as_json)
        body = action_body(read_json_input(file), file)
        with connect(out, base_url, data_dir) as client:
            reply = client.post("/actions", body, key=key or str(uuid.uuid4()), wait=wait)
        out.result(reply)
        _say_submitted(out, reply)

    @group.command("list")
    def list_(
        state: Annotated[str | None, typer.Option("--state", help="Only actions in this state.")] = None,
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Actions, newest first."""
        out = output(lang, as_json)
        if state is not None and state not in words()["action_state"]:
            known = ", ".join(words()["action_state"])
            raise BadInput(
                f"There is no state {state}; choose one of {known}.", f"لا توجد حالة {state}؛ اختر من: {known}."
            )
        with connect(out, base_url, data_dir) as client:
            items = client.items("/actions", limit, state=state)
        out.result({"items": items})
        if items:
            out.show(views.listing(out.lang, items))
        else:
            out.say(Sentence("No actions.", "لا توجد إجراءات."))

    @group.command()
    def show(
        action_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """One action: state, reasons, receipt, timeline."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            action = client.get(f"/actions/{action_id}")
        out.result(action)
        out.show(views.in_full(out.lang, action))

    @group.command()
    def cancel(
        action_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Take back an action that has not been dispatched."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            action = client.post(f"/actions/{action_id}/cancel")
        out.result(action)
        state = word("action_state", action.get("state"), out.lang)
        out.say(Sentence(f"The action: {state}.", f"الإجراء: {state}."))

    _after(group, connect)

    @group.command()
    def journey(
        action_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What happened to an action, as a tree with times across the planes; linked traces are trees of their own."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"/actions/{action_id}/journey")
        out.result(found)
        traces = found.get("traces") or []
        if not traces:
            out.say(
                Sentence(
                    "No spans are kept of this action (any more); its timeline: dealix actions show.",
                    "لم تعد خطوات هذا الإجراء محفوظة؛ تسلسله: dealix actions show.",
                )
            )
        out.show(*journeys.trees(out.lang, traces))


def _after(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def compensate(
        action_id: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why; approvers see it.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Undo an action that succeeded, by an action of its own."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            begun = client.post(f"/actions/{action_id}/compensate", {"reason": reason})
        out.result(begun)
        by = plain(begun.get("compensating_action_id"))
        state = word("action_state", begun.get("state"), out.lang)
        out.say(
            Sentence(
                f"It is being undone: {state}. dealix actions show {by}",
                f"يجري التراجع: {state}. dealix actions show {by}",
            )
        )

    @group.command()
    def compensation(
        action_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What undoing an action would do. Changes nothing."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            plan = client.get(f"/actions/{action_id}/compensation")
        out.result(plan)
        refused = plan.get("refused")
        if refused:
            out.say(Sentence(plain(refused["en"]), plain(refused["ar"])))
            return
        from libs.contracts.catalogue.words import effect_title  # pydantic: too slow for commands that name no effect

        by = effect_title(plan["action_type"])
        out.say(Sentence(f"It is undone by: {by.en}.", f"يُتراجع عنه بالإجراء: {by.ar}."))
        out.show(
            facts(
                [("payload" if out.lang == "en" else "الحمولة", plain(json.dumps(plan["payload"], ensure_ascii=False)))]
            )
        )

    @group.command()
    def settle(
        action_id: IdArgument,
        outcome: Annotated[Outcome, typer.Argument(help="What became of it: succeeded or not_sent.")],
        evidence: Annotated[
            str, typer.Option("--evidence", help="How you know, in 10 characters or more; the ledger keeps it.")
        ],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Settle an unknown outcome, as you found it at the vendor."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            action = client.post(f"/actions/{action_id}/settle", {"outcome": outcome.value, "evidence": evidence})
        out.result(action)
        state = word("action_state", action.get("state"), out.lang)
        out.say(Sentence(f"The action: {state}.", f"الإجراء: {state}."))


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
