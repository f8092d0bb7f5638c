"""The settings of the system as a whole (environment `DEALIX_…`, `.env` below it, command line above it)."""

from __future__ import annotations

import importlib
import os
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from dev.messages import BadSetting, Lang
from dev.secrets import PLANES

DOTENV = Path(".env")


def _nats_url(value: str) -> str:
    for one in value.split(","):
        parts = urlsplit(one.strip())
        if parts.scheme not in ("nats", "tls", "ws", "wss") or not parts.hostname:
            raise ValueError("not a NATS address")
        _ = parts.port  # raises ValueError when it is no number
    return value


def _database_url(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in ("postgresql", "postgres") or not parts.hostname or not parts.path.strip("/"):
        raise ValueError("not a PostgreSQL address")
    _ = parts.port
    return value


def _host(value: str) -> str:
    try:
        socket.getaddrinfo(value, None)
    except OSError as error:
        raise ValueError("not a host") from error
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 32:
        raise ValueError("too short")
    return value


def _setting(default: Any, meaning: tuple[str, str], expects: tuple[str, str], **more: Any) -> Any:
    """A field with its meaning and what it accepts, each (English, Arabic)."""
    extra: dict[str, Any] = {"meaning": list(meaning), "expects": list(expects)}
    return Field(default, description=meaning[0], json_schema_extra=extra, **more)


class SystemSettings(BaseModel):
    """What `dealix up` needs to know. Planes have settings of their own in `services/<plane>/settings.py`.

    Each field is the environment variable `DEALIX_<NAME>`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    nats_url: Annotated[str, AfterValidator(_nats_url)] | None = _setting(
        None,
        ("NATS server to use instead of the embedded one", "خادم NATS بدل الخادم المضمّن"),
        ("an address like nats://host:4222", "عنوانًا مثل nats://host:4222"),
    )
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] | None = _setting(
        None,
        (
            "PostgreSQL to use instead of the embedded one, with the migrator's login",
            "قاعدة PostgreSQL بدل المضمّنة، بحساب الترحيل",
        ),
        (
            "an address like postgresql://user:password@host:5432/dealix",
            "عنوانًا مثل postgresql://user:password@host/dealix",
        ),
    )
    nats_ca: Path | None = _setting(
        None,
        (
            "Certificate of the authority that signed the NATS server's, for tls:// addresses",
            "شهادة الجهة التي وقّعت شهادة خادم NATS لعناوين tls://",
        ),
        ("a readable file", "ملفًا مقروءًا"),
    )
    data_dir: Path = _setting(
        Path(".dealix"),
        ("Directory of data, logs and secrets", "مجلد البيانات والسجلات والأسرار"),
        ("a directory", "مسار مجلد"),
    )
    http_host: Annotated[str, AfterValidator(_host)] = _setting(
        "127.0.0.1",
        ("Address on which the console and API listen", "العنوان الذي تستمع عليه الواجهة"),
        ("an address of this machine, like 127.0.0.1 or 0.0.0.0", "عنوانًا لهذا الجهاز مثل 127.0.0.1 أو 0.0.0.0"),
    )
    http_port: int = _setting(
        8080,
        ("Port of the console and API; 0 takes any free one", "منفذ الواجهة؛ القيمة 0 تختار منفذًا حرًا"),
        ("a whole number from 0 to 65535", "عددًا صحيحًا من 0 إلى 65535"),
        ge=0,
        le=65535,
    )
    health_ports: int | None = _setting(
        None,
        (
            "First of six ports on 127.0.0.1, one a plane, for /healthz, /readyz and /metrics; none when not set",
            "أول ستة منافذ على 127.0.0.1، لكل خدمة منفذ لحالتها وقياساتها؛ بلا منافذ إن لم يُضبط",
        ),
        ("a whole number from 1024 to 65530", "عددًا صحيحًا من 1024 إلى 65530"),
        ge=1024,
        le=65530,
    )
    secret_key: Annotated[SecretStr, AfterValidator(_long_enough)] | None = _setting(
        None,
        (
            "Signs sessions and seals credentials; generated and kept in the data directory when not set",
            "يوقّع الجلسات ويحفظ بيانات الربط؛ يُنشأ في مجلد البيانات إن لم يُضبط",
        ),
        ("at least 32 characters", "32 حرفًا على الأقل"),
    )
    lang: Literal["en", "ar"] | None = _setting(
        None,
        ("Language of the command line; from the locale when not set", "لغة سطر الأوامر؛ من إعدادات النظام إن لم تُضبط"),
        ("en or ar", "en أو ar"),
    )
    start_seconds: float = _setting(
        180.0,
        ("How long all planes may take to be ready", "أقصى مدة لجاهزية الخدمات، بالثواني"),
        ("a number of seconds from 1 to 3600", "عدد ثوانٍ من 1 إلى 3600"),
        ge=1,
        le=3600,
    )


def operator_environment(environ: Mapping[str, str] | None = None, dotenv: Path = DOTENV) -> dict[str, str]:
    """The environment with the lines of `.env` below it. Raises BadSetting when `.env` cannot be read."""
    return {**read_dotenv(dotenv), **(os.environ if environ is None else environ)}


def read_dotenv(dotenv: Path = DOTENV) -> dict[str, str]:
    """The lines of `.env`; empty without the file. Raises BadSetting."""
    try:
        below = dotenv_values(dotenv) if dotenv.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(
            f"{dotenv.absolute()} cannot be read ({error}); fix or remove it.",
            f"تعذّرت قراءة {dotenv.absolute()}؛ صحّح الملف أو احذفه.",
        ) from error
    return {name: value for name, value in below.items() if value is not None}


def load_settings(operator: Mapping[str, str], **command_line: Any) -> SystemSettings:
    """The settings, command line first. Raises BadSetting naming the first that makes no sense, never its secret."""
    given = {name: value for name, value in command_line.items() if value is not None}
    values = {n: v for n in SystemSettings.model_fields if (v := operator.get(variable(n)))}
    try:
        return SystemSettings.model_validate({**values, **given})
    except ValidationError as error:
        raise _bad(error, given) from error


def variable(name: str) -> str:
    """The environment variable of a field."""
    return f"DEALIX_{name.upper()}"


def _bad(error: ValidationError, given: Mapping[str, Any]) -> BadSetting:
    first = error.errors()[0]
    name = str(first["loc"][0])
    en, ar = _texts(SystemSettings.model_fields[name], "expects")
    flag = {"http_port": "--port", "data_dir": "--data-dir"}.get(name)
    shown = flag if flag and name in given else variable(name)
    value = "" if name in _SECRET else f" ({first['input']})"
    return BadSetting(
        f"{shown}{value} makes no sense; it must be {en}.",
        f"قيمة {shown}{value} غير صالحة؛ يجب أن تكون {ar}.",
    )


_SECRET = ("database_url", "secret_key")


def _texts(info: FieldInfo, key: str) -> tuple[str, str]:
    extra = info.json_schema_extra
    pair = extra.get(key) if isinstance(extra, dict) else None
    if isinstance(pair, list) and len(pair) == 2:
        return str(pair[0]), str(pair[1])
    return info.description or "", info.description or ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `dealix settings`."""

    name: str
    value: str
    source: str
    """`environment`, `.env` or `default`."""
    meaning: str
    plane: str | None = None


def describe(environ: Mapping[str, str], dotenv: Mapping[str, str], lang: Lang) -> Iterator[Row]:
    """Every setting: the system's own, then each plane's. Secret values are never shown."""
    for name, info in SystemSettings.model_fields.items():
        yield _row(variable(name), info, environ, dotenv, lang, secret=name in _SECRET)
    otel = "Where traces and metrics go (OTLP over HTTP); kept inside when not set"
    yield _row("OTEL_EXPORTER_OTLP_ENDPOINT", _plain(otel), environ, dotenv, lang, secret=False)
    for name, meaning in _CREDENTIALS.items():
        yield _row(name, _plain(meaning), environ, dotenv, lang, secret=True)
    seen = {variable(name) for name in SystemSettings.model_fields} | _CREDENTIALS.keys()
    modules: list[tuple[str | None, str]] = [(None, "libs.runtime.settings")]
    modules += [(plane, f"services.{plane}.settings") for plane in PLANES]
    for plane, module in modules:
        for name, info in _fields_of(module):
            # What only the supervisor sets is nobody's to set.
            if name not in seen | {"DEALIX_READY_FILE", "DEALIX_PLANE", "DEALIX_NATS_SEED", "DEALIX_READ_DATABASE_URL"}:
                seen.add(name)
                secret = bool(re.search(r"SECRET|SEED|KEY|PASSWORD|TOKEN|DATABASE_URL", name))
                yield replace(_row(name, info, environ, dotenv, lang, secret=secret), plane=plane)


_CREDENTIALS = {
    "DEALIX_<PLANE>_NATS_SEED": "A plane's NKEY seed; generated and kept in the data directory when not set",
    "DEALIX_<PLANE>_DATABASE_URL": "A plane's own login; derived from the migrator's when not set",
    "DEALIX_<PLANE>_READ_DATABASE_URL": "A standby of the database, under the plane's own login, that answers metrics; the primary does when not set",
    "DEALIX_MIGRATOR_NATS_SEED": "NKEY seed of the user that creates streams; generated when not set",
    "DEALIX_TRUST_KEYS": "Signing keys of the trust plane (JSON); generated and kept in the data directory when not set",
}


def _plain(meaning: str) -> FieldInfo:
    return FieldInfo(default=None, description=meaning)


def _row(
    name: str, info: FieldInfo, environ: Mapping[str, str], dotenv: Mapping[str, str], lang: Lang, *, secret: bool
) -> Row:
    source = "environment" if environ.get(name) else ".env" if dotenv.get(name) else "default"
    value = environ.get(name) or dotenv.get(name)
    if value is None:
        value = "" if info.default is None or info.is_required() else str(info.default)
    elif secret:
        value = "••••"
    en, ar = _texts(info, "meaning")
    return Row(name, value, source, ar if lang == "ar" else en)


def _fields_of(module_name: str) -> Iterator[tuple[str, FieldInfo]]:
    """The fields of the settings of a module, by environment variable. A plane that is not installed has none."""
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError:
        return
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == module.__name__:
            prefix = str(value.model_config.get("env_prefix") or "")
            for name, info in value.model_fields.items():
                alias = info.validation_alias if isinstance(info.validation_alias, str) else None
                yield (alias or f"{prefix}{name}").upper(), info
