"""Message catalogues: English is in the templates, Arabic in `locale/ar/LC_MESSAGES/console.po`.

The .po file is read at start and compiled in memory, so nothing compiled is committed and nothing can be out of date.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from services.gateway.console.views import Lang

LOCALE: Final = Path(__file__).parent / "locale"


@cache
def messages(lang: Lang) -> NullTranslations:
    """Translations into `lang`, plural forms included (Arabic has six)."""
    if lang == "en":
        return NullTranslations()
    with LOCALE.joinpath(lang, "LC_MESSAGES", "console.po").open("rb") as source:
        catalogue = read_po(source, locale=lang)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
