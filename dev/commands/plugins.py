"""`dealix plugins`: what is installed beside our own code, and what it may do."""

from __future__ import annotations

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import plain, table


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Installed plugins.", no_args_is_help=True)
    app.add_typer(group, name="plugins")

    @group.command("list")
    def listed(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Plugins with their task types, classes, hooks and digest."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/plugins")
        out.result(found)
        if not found["items"]:
            out.say(Sentence("No plugin is installed.", "لا توجد إضافات مثبَّتة."))
            return
        headings = [
            ("plugin", "الإضافة"), ("version", "الإصدار"), ("task types", "أنواع المهام"), ("hooks", "نقاط المراقبة"), ("digest", "البصمة"),
        ]  # fmt: skip
        rows = [
            [
                plain(one["name"]),
                plain(one["version"]),
                plain(", ".join(f"{task['task_type']} ({task['action_class']})" for task in one["tasks"])),
                plain(", ".join(hook["point"] for hook in one["hooks"])),
                plain(one["digest"][:16]),
            ]
            for one in found["items"]
        ]
        out.show(table(out.lang, headings, rows))
