"""What the command line says to a person: every sentence in English and Arabic, and the error that carries one.

The language is `--lang`, else `DEALIX_LANG`, else the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`), else English.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Lang = Literal["en", "ar"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in both languages."""

    en: str
    ar: str

    def text(self, lang: Lang) -> str:
        return self.ar if lang == "ar" else self.en


class DealixError(Exception):
    """Something a person can put right: says what is wrong and what to do, in both languages.

    `exit_code` is what the command ends with; it is never 0.
    """

    exit_code = 1
    details: Mapping[str, Any] = {}
    """What `--json` adds to the sentence."""

    def __init__(self, en: str, ar: str) -> None:
        super().__init__(en)
        self.sentence = Sentence(en, ar)


class BadSetting(DealixError):
    """A setting is missing or makes no sense."""

    exit_code = 2


class AlreadyRunning(DealixError):
    """Another process holds the lock of this data directory."""


class PortInUse(DealixError):
    """Another program listens on the port."""


class DataDirectoryUnusable(DealixError):
    """The data directory cannot be created or written, or lies on a full disk."""


class StartInterrupted(DealixError):
    """Stopped by Ctrl-C or `dealix down` before it was ready."""

    exit_code = 130


class NotRunning(DealixError):
    """A command needs a running system and there is none."""


class Declined(DealixError):
    """The person said no, or nobody was there to be asked."""


class StartFailed(DealixError):
    """A server or a plane did not come up; names the log that tells why."""


def pick_lang(explicit: str | None = None, environ: Mapping[str, str] | None = None) -> Lang:
    """Choose the language. Raises BadSetting for a language other than `en` and `ar`."""
    env = os.environ if environ is None else environ
    for source, value in (("--lang", explicit), ("DEALIX_LANG", env.get("DEALIX_LANG"))):
        if value:
            if value == "ar":
                return "ar"
            if value == "en":
                return "en"
            raise BadSetting(
                f"{source} is {value!r}; set it to en or ar.",
                f"قيمة {source} هي {value!r}؛ اجعلها en أو ar.",
            )
    locale = env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or ""
    return "ar" if locale.lower().startswith("ar") else "en"
