"""`dealix policy`: check a policy file without a server, and ask what the active policies say of a hypothetical action."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, read_json_input, read_text
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
        """Parse a policy file and validate it against the schema of all effects. Needs no server."""
        from services.trust.domain.policy import Bundle
        from services.trust.errors import PolicyInvalid

        out = output(lang, as_json)
        try:
            bundle = Bundle(read_text(file))
        except PolicyInvalid as error:
            raise PolicyRejected(f"{file}: {error.en}", f"{file}: {error.ar} {error.en}") from error
        out.result({"valid": True, "version": bundle.version})
        out.say(Sentence(f"{file} is valid. Version {bundle.version}", f"{file} صالح. الإصدار {bundle.version}"))

    @group.command()
    def explain(
        file: Annotated[str, typer.Argument(metavar="FILE", help="The question as JSON; - reads standard input.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What the active policies would decide, and why. Nothing is granted and nothing is requested."""
        out = output(lang, as_json)
        question = read_json_input(file)
        with connect(out, base_url, data_dir) as client:
            answer = client.post("/policy/explain", question)
        out.result(answer)
        for decision in answer.get("decisions") or answer.get("items") or [answer]:
            _show(out, decision)


def _show(out: Output, decision: dict[str, Any]) -> None:
    allowed = bool(decision.get("allowed", decision.get("decision")))
    word = out.text("allowed", "مسموح") if allowed else out.text("not allowed", "غير مسموح")
    kind = decision.get("class") or decision.get("action_class") or ""
    out.show(toned(f"{word} · {plain(decision.get('mode'))} · {plain(kind)}", "approved" if allowed else "rejected"))
    rows = [(plain(r.get("policy_id") or r.get("code")), plain(r.get(out.lang))) for r in decision.get("reasons") or ()]
    if rows:
        out.show(table(out.lang, [("policy", "السياسة"), ("says", "تقول")], rows))
    for policy in decision.get("policies") or ():
        out.show(Text(plain(policy.get("text") if isinstance(policy, dict) else policy, lines=True)))
    if version := decision.get("policy_version"):
        out.say(Sentence(f"Policy version {plain(version)}", f"إصدار السياسة {plain(version)}"))
