"""`dealix keys rotate/list`: replace the signing keys of the running system, and see the published set."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands.common import BadInput, Connect, DataDirOption, data_directory
from dev.commands.listing import Column, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.settings import operator_environment

KEYS = (
    Column("key", "المفتاح", "kid"),
    Column("signs", "يوقّع", "dealix_use"),
    Column("state", "الحالة", "dealix_state"),
    Column("retired", "أُوقف", "dealix_retired_at"),
)


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Signing keys: rotate, list.", no_args_is_help=True)
    app.add_typer(group, name="keys")

    @group.command()
    def rotate(
        use: Annotated[
            list[str] | None,
            typer.Option("--use", help="grant, checkpoint or statement; repeat for several (default: all)."),
        ] = None,
        compromised: Annotated[
            bool,
            typer.Option("--compromised", help="The old keys are known to others: nothing they sign counts any more."),
        ] = False,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Make new signing keys. A running system takes them up within seconds and without a stop; old public keys stay published."""
        from dev.secrets import SIGNING_KEYS, rotate_keys

        out = output(lang, as_json)
        uses = tuple(use or SIGNING_KEYS)
        if unknown := [name for name in uses if name not in SIGNING_KEYS]:
            raise BadInput(f"There is no key for {unknown[0]}.", f"لا يوجد مفتاح باسم {unknown[0]}.")
        if operator_environment().get("DEALIX_TRUST_KEYS"):
            raise BadInput(
                "DEALIX_TRUST_KEYS is set in the environment: replace the keys there, and in the file that DEALIX_TRUST_KEYS_FILE names.",
                "المتغير DEALIX_TRUST_KEYS مضبوط في البيئة: استبدل المفاتيح هناك وفي الملف الذي يحدده DEALIX_TRUST_KEYS_FILE.",
            )
        made = rotate_keys(data_directory(data_dir), uses, compromised=compromised)
        out.result({"rotated": made})
        for name, (before, after) in made.items():
            out.say(Sentence(f"{name}: {before} -> {after}", f"{name}: {before} ← {after}"))
        out.say(
            Sentence(
                "Back up the data directory's secrets.json now, and hand the new trust root to your auditors and witnesses.",
                "انسخ secrets.json من مجلد البيانات احتياطيًا الآن، وسلّم مفاتيح الثقة الجديدة للمدققين والشهود.",
            )
        )

    @command(group, connect, "list")
    def list_(here: Session) -> None:  # fmt: skip
        """The published key set: current, retired and compromised keys."""
        found = here.client.get("//.well-known/jwks.json")
        here.out.result(found)
        show_items(here.out, found["keys"], KEYS)
