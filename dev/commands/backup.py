"""`dealix backup`, `dealix restore`: the whole installation in one sealed file, and back, proven by the ledger."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dev.commands.common import BadInput, DataDirOption, data_directory, progress
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.settings import load_settings, operator_environment

VARIABLE = "DEALIX_BACKUP_PASSPHRASE"
PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help=f"File that holds the passphrase (default: {VARIABLE})."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""

    @app.command()
    def backup(
        to: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
        passphrase_file: PassphraseOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write database, keys and secrets to one encrypted file; the system may run meanwhile."""
        from dev.backup.copy import backup as make

        out = output(lang, as_json)
        secret = passphrase(passphrase_file)
        directory, url = data_directory(data_dir), _database_url()
        target = to or Path(f"dealix-{datetime.now(UTC):%Y%m%d-%H%M%S}.backup")
        if target.exists():
            raise BadInput(
                f"{target} already exists; choose another --output.", f"الملف {target} موجود؛ اختر اسمًا آخر."
            )
        with progress(out) as step:
            manifest = asyncio.run(make(directory, url, target, secret, step))
        leaves = sum(head["size"] for head in manifest["ledger"].values())
        rows = sum(manifest["rows"].values())
        shown = {"file": str(target), "bytes": target.stat().st_size, "rows": rows, "leaves": leaves}
        out.result({**manifest, "tables": manifest["rows"], **shown})
        out.say(
            Sentence(
                f"{target}: {rows:,} rows, {len(manifest['ledger'])} logs with {leaves:,} entries, {target.stat().st_size:,} bytes.",
                f"{target}: عدد الصفوف {rows:,}، وعدد السجلات {len(manifest['ledger'])}، وعدد القيود {leaves:,}، والحجم بالبايت {target.stat().st_size:,}.",
            )
        )

    @app.command()
    def restore(
        file: Annotated[Path, typer.Argument(help="A file that `dealix backup` wrote.")],
        passphrase_file: PassphraseOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Make a system out of a backup in an empty data directory, and verify every ledger in it."""
        from dev.backup.copy import restore as make

        out = output(lang, as_json)
        secret = passphrase(passphrase_file)
        directory = data_directory(data_dir)
        with progress(out) as step:
            done = asyncio.run(make(file, directory, _database_url(), secret, step))
        proven = done["ledger"]
        out.result({"data_dir": str(directory), **done})
        out.say(
            Sentence(
                f"Restored into {directory}: {done['rows']:,} rows; {proven['logs']} logs with {proven['leaves']:,} entries verified up to "
                f"{proven['checkpoints']} signed checkpoints. Start it: dealix up --data-dir {directory}",
                f"اكتملت الاستعادة في {directory}: عدد الصفوف {done['rows']:,}، والسجلات التي تحققنا منها {proven['logs']}، وعدد قيودها {proven['leaves']:,}، "
                f"وعدد النقاط الموقّعة {proven['checkpoints']}. للتشغيل: dealix up --data-dir {directory}",
            )
        )


def passphrase(file: Path | None) -> str:
    """The passphrase from the file or the environment. Raises BadInput when there is none or it is too short."""
    from dev.backup.sealed import SHORTEST

    try:
        found = file.read_text(encoding="utf-8").strip() if file else os.environ.get(VARIABLE, "")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} can't be read.", f"تعذّرت قراءة {file}.") from error
    if len(found) < SHORTEST:
        raise BadInput(
            f"A backup holds personal data and signing keys: give a passphrase of at least {SHORTEST} characters with --passphrase-file "
            f"or {VARIABLE}.",
            f"تحوي النسخة بيانات شخصية ومفاتيح توقيع: أعطِ عبارة مرور من {SHORTEST} حرفًا على الأقل بالخيار --passphrase-file "
            f"أو بالمتغير {VARIABLE}.",
        )
    return found


def _database_url() -> str | None:
    url = load_settings(operator_environment()).database_url
    return url.get_secret_value() if url else None
