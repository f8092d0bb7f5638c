"""Pages from view-models: one Jinja environment per language, autoescaping, with nothing undefined let through."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.gateway.console import urls
from services.gateway.console.assets import asset
from services.gateway.console.filters import filters
from services.gateway.console.messages import messages
from services.gateway.console.navigation import DESTINATIONS, ON_PHONE
from services.gateway.console.pages import LivePage, Page
from services.gateway.console.views import Lang, Shell

TEMPLATES: Final = Path(__file__).parent / "templates"

# Nothing inline and nothing from elsewhere: a page can only run and load what this host serves.
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def render(page: Page, shell: Shell) -> str:
    """The whole page as HTML."""
    return _environment(shell.lang).get_template(page.template).render(page=page, shell=shell, fragment=False)


def render_fragment(page: LivePage, shell: Shell) -> str:
    """Only the part of the page that is fetched again when a signal says that something changed."""
    return _environment(shell.lang).get_template(page.fragment).render(page=page, shell=shell, fragment=True)


def translate(lang: Lang, text: str, **values: object) -> str:
    """A message of the catalogue outside templates, for routes: `translate(lang, "Approved")`."""
    found = messages(lang).gettext(text)
    return found % values if values else found


@cache
def _environment(lang: Lang) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    catalogue = messages(lang)
    install = "install_gettext_translations"
    getattr(environment, install)(catalogue, newstyle=True)  # added by the i18n extension at run time
    environment.filters.update(filters(lang, catalogue))
    environment.globals.update(
        url=urls.url,
        asset=lambda name: f"{urls.STATIC}/{asset(name)}",
        destinations=DESTINATIONS,
        on_phone=ON_PHONE,
    )
    return environment
