"""What commands against a running system share: their options, how they find it, and their progress bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from dev.messages import DealixError
from dev.output import Output
from dev.settings import load_settings, operator_environment

if TYPE_CHECKING:
    from dev.client import Client

BaseUrlOption = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="The gateway (default: DEALIX_BASE_URL, else the running system)."),
]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="Data directory of the running system (default: .dealix).")
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")]

Connect = Callable[[Output, str | None, Path | None], "Client"]
"""From the output, `--base-url` and `--data-dir` to a client. Tests hand in their own."""

Step = Callable[[str, float | None], None]
"""Reports progress: what is being done, and how much of it (0-1; None when nobody knows)."""


class BadInput(DealixError):
    """A file or an argument that cannot be used."""

    exit_code = 2


def connect(out: Output, base_url: str | None, data_dir: Path | None) -> Client:
    """The client of the system that the options and the environment name. Raises NotRunning, BadSetting."""
    from dev.client import Client, locate  # httpx takes longer to import than most commands take to run

    operator = operator_environment()
    directory = data_directory(data_dir)
    return Client(locate(base_url, directory, operator), out.lang)


def data_directory(given: Path | None) -> Path:
    """The data directory of the settings, absolute."""
    path = load_settings(operator_environment(), data_dir=given).data_dir.expanduser().absolute()
    return path.resolve() if path.exists() else path


@contextmanager
def progress(out: Output) -> Iterator[Step]:
    """A progress bar on stderr, where there is a terminal and no `--json`."""
    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=out.as_json or not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def step(what: str, done: float | None) -> None:
            bar.tasks[0].total = None if done is None else 1.0  # `update` cannot take a total back
            bar.update(task, description=what, completed=done or 0.0)

        yield step


def read_text(path: str) -> str:
    """The text of a file, or of standard input for `-`. Raises BadInput."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error


def read_json_input(path: str) -> Any:
    """The JSON of a file or of standard input. Raises BadInput naming the place of the mistake."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise BadInput(
            f"{path} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.",
            f"{path} ليس JSON صحيحًا: الخطأ في السطر {error.lineno}، العمود {error.colno}.",
        ) from error


def read_object(path: str) -> dict[str, Any]:
    """The JSON object of a file or of standard input. Raises BadInput."""
    found = read_json_input(path)
    if not isinstance(found, dict):
        raise BadInput(f"{path} holds no JSON object.", f"لا يحتوي {path} كائن JSON.")
    return found


def json_object(text: str, option: str) -> dict[str, Any]:
    """The JSON object that an option was given. Raises BadInput."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"{option} is not JSON: {error.msg}.", f"قيمة {option} ليست JSON صحيحًا: {error.msg}.") from error
    if not isinstance(found, dict):
        raise BadInput(f"{option} must be a JSON object.", f"يجب أن تكون قيمة {option} كائن JSON.")
    return found


def existing_file(path: Path) -> Path:
    """The path of a file that is there. Raises BadInput."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", f"لا يوجد ملف {path}.")
    return path


def unreadable(path: str | Path, error: Exception) -> BadInput:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BadInput(f"{path} cannot be read: {why}.", f"تعذّرت قراءة {path}: {why}.")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a result where the person wants it. Raises BadInput."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written: {error.strerror}.", f"تعذّرت الكتابة في {path}: {error.strerror}."
        ) from error
