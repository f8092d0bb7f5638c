"""`dealix keys rotate/list`: replace the signing keys of the running system, and see the published set."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, data_directory
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.settings import operator_environment
from dev.terminal import plain, table


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

    @group.command("list")
    def list_(
        base_url: BaseUrlOption = None, data_dir: DataDirOption = None, lang: LangOption = None, as_json: JsonOption = False
    ) -> None:  # fmt: skip
        """The published key set: current, retired and compromised keys."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("//.well-known/jwks.json")
        out.result(found)
        rows = [(plain(k["kid"]), plain(k.get("dealix_use")), plain(k.get("dealix_state")), plain(k.get("dealix_retired_at") or ""))
                for k in found["keys"]]  # fmt: skip
        out.show(
            table(out.lang, [("key", "المفتاح"), ("signs", "يوقّع"), ("state", "الحالة"), ("retired", "أُوقف")], rows)
        )
