"""What every command against a running system takes and gets: `--base-url`, `--data-dir`, `--lang`, `--json`, an output and a client."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption
from dev.output import JsonOption, LangOption, Output, output

if TYPE_CHECKING:
    from dev.client import Client

_SHARED = {"base_url": BaseUrlOption, "data_dir": DataDirOption, "lang": LangOption, "as_json": JsonOption}


class Session:
    """One run of a command: how it talks, and the system that its options name."""

    def __init__(self, out: Output, connect: Callable[[], Client], until: ExitStack) -> None:
        self.out = out
        self._connect = connect
        self._until = until

    @cached_property
    def client(self) -> Client:
        """Connected when it is first asked for, so that bad input is told without a system. Raises NotRunning, BadSetting."""
        return self._until.enter_context(self._connect())


@contextmanager
def session(out: Output, connect: Connect, base_url: str | None, data_dir: Path | None) -> Iterator[Session]:
    """For a command that can't be added by `command`; its connection is closed behind it."""
    with ExitStack() as until:
        yield Session(out, lambda: connect(out, base_url, data_dir), until)


def command(
    group: typer.Typer, connect: Connect, name: str | None = None, *, help: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add a function to a group as a command. It takes a Session first, then its own arguments and options."""

    def add(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def run(*, base_url: str | None, data_dir: Path | None, lang: str | None, as_json: bool, **given: Any) -> None:
            with session(output(lang, as_json), connect, base_url, data_dir) as here:
                function(here, **given)

        hints = get_type_hints(function, include_extras=True)
        own = list(inspect.signature(function).parameters.values())[1:]
        parameters = [one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
        for shared, annotation in _SHARED.items():
            default = False if shared == "as_json" else None
            parameters.append(
                inspect.Parameter(shared, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            )
        # Typer reads a command's options from its signature, and follows `__wrapped__` unless there is one.
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions take attributes
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        group.command(name, help=help)(run)
        return run

    return add
