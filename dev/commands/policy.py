"""`dealix policy`: check a policy file without a server, ask what policies say of a hypothetical action, propose a bundle, replay
history under it, and ask for its activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from dev.commands import policy_bundles
from dev.commands.common import BadInput, Connect, read_json_input, read_text
from dev.commands.session import Session, command
from dev.messages import DealixError, Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table, toned


class PolicyRejected(DealixError):
    """The file cannot be activated as it is."""


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Policies: check a file, explain a decision.", no_args_is_help=True)
    app.add_typer(group, name="policy")

    @group.command()
    def check(
        file: Annotated[str, typer.Argument(metavar="FILE", help="Cedar policies; - reads standard input.")],
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Parse a policy file, validate it against the schema of all effects, and see that it lifts no rule of the platform. Needs no server."""
        from libs.contracts.errors import DealixError as Refusal
        from services.trust.app import POLICIES
        from services.trust.bundles.domain import checked
        from services.trust.domain.policy import Bundle

        out = output(lang, as_json)
        try:
            _, bundle = checked(Bundle(POLICIES.read_text(encoding="utf-8")), read_text(file))
        except Refusal as error:
            raise PolicyRejected(f"{file}: {error.en}", f"{file}: {error.ar} {error.en}") from error
        out.result({"valid": True, "version": bundle.version})
        out.say(Sentence(f"{file} is valid. Version {bundle.version}", f"{file} صالح. الإصدار {bundle.version}"))

    @command(group, connect)
    def explain(
        here: Session,
        file: Annotated[
            str,
            typer.Argument(
                metavar="FILE",
                help="An action as for `actions submit`, or an AuthZEN question; - reads standard input.",
            ),
        ],
    ) -> None:
        """What the active policies would decide, and why. Nothing is granted and nothing is requested."""
        asked = read_json_input(file)
        body = question(asked, file, lambda: here.client.get("/me"))
        several = "evaluations" in body
        path, sent = ("//access/v1/evaluations", body) if several else ("/policy/explain", {"question": body})
        answer = here.client.post(path, sent)
        here.out.result(answer)
        for one in answer.get("evaluations") or [answer]:
            _show(here.out, one)

    policy_bundles.register(group, connect)


def question(asked: Any, name: str, me: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The AuthZEN question that a file asks. An action asks as oneself. Raises BadInput."""
    if isinstance(asked, dict) and "action_type" in asked:
        who = me()
        asked = {
            "subject": {"type": "user", "id": who["principal_id"]},
            "action": {"name": asked["action_type"], "properties": {"payload": asked.get("payload") or {}}},
            "resource": asked.get("resource") or {"type": "tenant", "id": who["tenant_id"]},
        }
    if not isinstance(asked, dict) or not ("action" in asked or "evaluations" in asked):
        raise BadInput(
            f"{name} asks nothing: give an action (action_type, resource, payload) or an AuthZEN question.",
            f"لا يوجد سؤال في {name}: ضع إجراءً (action_type, resource, payload) أو سؤال AuthZEN.",
        )
    return asked


def _show(out: Output, answer: dict[str, Any]) -> None:
    told: dict[str, Any] = answer.get("context") or answer
    now = out.text("runs at once", "يُنفّذ فورًا")
    waits = out.text("waits for an approval", "ينتظر موافقة")
    never = out.text("is not carried out", "لا يُنفّذ")
    verdict, tone = (now, "approved") if answer.get("decision") else (never, "refused")
    if not answer.get("decision") and told.get("approval_required"):
        verdict, tone = waits, "pending"
    out.show(
        toned(f"{verdict} ({plain(told.get('outcome'))}, {plain(told.get('mode'))}, {plain(told.get('class'))})", tone)
    )
    rows = [(plain(r.get("policy_id") or r.get("code")), plain(r.get(out.lang))) for r in told.get("reasons") or ()]
    if rows:
        out.show(table(out.lang, [("policy", "السياسة"), ("says", "تقول")], rows))
    for rule in answer.get("policies") or ():
        out.show(plain(rule["text"]))
    if version := told.get("policy_version"):
        out.say(Sentence(f"Policy version {plain(version)}", f"إصدار السياسة {plain(version)}"))
