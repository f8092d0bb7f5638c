"""`dealix plugins`: what is installed beside our own code, and what it may do."""

from __future__ import annotations

import typer

from dev.commands.common import Connect
from dev.commands.listing import Column, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import plain

PLUGINS = (
    Column("plugin", "الإضافة", "name"),
    Column("version", "الإصدار", "version"),
    Column(
        "task types",
        "أنواع المهام",
        lambda one, _: plain(", ".join(f"{t['task_type']} ({t['action_class']})" for t in one["tasks"])),
    ),
    Column("hooks", "نقاط المراقبة", lambda one, _: plain(", ".join(hook["point"] for hook in one["hooks"]))),
    Column("digest", "البصمة", lambda one, _: plain(one["digest"][:16])),
)
NOTHING = Sentence("No plugin is installed.", "لا توجد إضافات مثبَّتة.")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Installed plugins.", no_args_is_help=True)
    app.add_typer(group, name="plugins")

    @command(group, connect, "list")
    def listed(here: Session) -> None:
        """Plugins with their task types, classes, hooks and digest."""
        found = here.client.get("/plugins")
        here.out.result(found)
        show_items(here.out, found["items"], PLUGINS, NOTHING)
