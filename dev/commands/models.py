"""`dealix models`: which models may see what, which are connected, what they cost, and the most that is spent in a day."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from dev.commands.common import Connect
from dev.commands.listing import Column, either, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import plain
from dev.words import word

USE = (
    Column("provider", "المزوّد", lambda one, lang: plain(one["provider"] or word("model_use", "nobody", lang))),
    Column("model", "النموذج", "model"),
    Column("agent", "الوكيل", "agent"),
    Column("runs", "التشغيلات", "runs", number=True),
    Column("failed", "أخفق", "failed", number=True),
    Column("after another", "بعد غيره", "fallbacks", number=True),
    Column(
        "fitted",
        "طابق الصيغة",
        lambda one, _: "" if one["schema_valid"] is None else f"{one['schema_valid']:.1%}",
        number=True,
    ),
    Column("tokens", "الرموز", lambda one, _: f"{one['tokens_in'] + one['tokens_out']:,}", number=True),
    Column("SAR", "ر.س", "cost_sar", number=True),
    Column("ms p50", "م.ث 50%", lambda one, _: f"{one['p50_ms']:.0f}", number=True),
)
NOTHING_USED = Sentence("No model was asked in these days.", "لم يُسأل أي نموذج في هذه الأيام.")
PROVIDERS = (
    Column("provider", "المزوّد", "key"),
    Column("data", "البيانات", "data"),
    Column("country", "الدولة", "country"),
    Column("key", "مفتاح", either("keyed")),
    Column("live", "فعلي", either("live")),
    Column(
        "models",
        "النماذج",
        lambda one, _: plain(", ".join(m["model"] + (" *" if m["usual"] else "") for m in one["models"])),
    ),
    Column("connected", "موصول", either("connected")),
)
ROUTES = (
    Column("task", "المهمة", "model_policy"),
    Column("data", "البيانات", "data"),
    Column("asked first", "يُسأل أولًا", "answers"),
    Column("agents", "الوكلاء", lambda one, _: plain(", ".join(one["modelled"]))),
)

PATH = "/model-routing"
ProviderArgument = Annotated[str, typer.Argument(metavar="PROVIDER", help="As `dealix models list` names it.")]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="As its provider names it.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Models that agents may ask, their price and their budget.", no_args_is_help=True)
    app.add_typer(group, name="models")
    _reading(group, connect)
    _choosing(group, connect)


def _reading(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def listed(here: Session) -> None:
        """Providers, which of them are connected, which agents' input they may see, and what is left of the day's budget."""
        found = here.client.get(PATH)
        here.out.result(found)
        _show(here.out, found)

    @command(group, connect)
    def use(
        here: Session, days: Annotated[int, typer.Option("--days", min=1, max=366, help="How far back.")] = 30
    ) -> None:
        """What each model did for each agent: runs, failures, answers that fitted, tokens, cost."""
        found = here.client.get(f"{PATH}/use", days=days)
        here.out.result(found)
        show_items(here.out, found["items"], USE, NOTHING_USED)


def _choosing(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "set")
    def set_(
        here: Session,
        provider: ProviderArgument,
        model: ModelArgument,
        input_sar: Annotated[str, typer.Option("--input-sar", help="SAR for a million tokens of what is asked.")],
        output_sar: Annotated[str, typer.Option("--output-sar", help="SAR for a million tokens of the answer.")],
        beside: Annotated[
            bool, typer.Option("--beside", help="Beside the provider's usual model, for a canary to name.")
        ] = False,
        reference: Annotated[str, typer.Option("--reference", help="The contract or page that says the price.")] = "",
    ) -> None:
        """Record a model with its price; without one its provider is not asked."""
        body = {
            "model": model, "input_sar": input_sar, "output_sar": output_sar, "usual": not beside, "reference": reference,
        }  # fmt: skip
        found = here.client.put(f"{PATH}/providers/{provider}/models", body)
        here.out.result(found)
        _show(here.out, found)

    @command(group, connect)
    def drop(here: Session, provider: ProviderArgument, model: ModelArgument) -> None:
        """Forget a model: it is not asked any more."""
        found = here.client.delete(f"{PATH}/providers/{provider}/models?model={quote(model, safe='')}")
        here.out.result(found)
        _show(here.out, found)

    @command(group, connect)
    def budget(
        here: Session,
        tokens: Annotated[int, typer.Option("--tokens", min=0, help="The most tokens a day.")],
        sar: Annotated[str, typer.Option("--sar", help="The most SAR a day.")],
    ) -> None:
        """Set the most that is used of models in a day. At either limit nothing more is asked until tomorrow."""
        found = here.client.put(f"{PATH}/budget", {"tokens_a_day": tokens, "sar_a_day": sar})
        here.out.result(found)
        _show(here.out, found)


def _show(out: Output, found: dict[str, Any]) -> None:
    show_items(out, found["providers"], PROVIDERS)
    show_items(out, found["items"], ROUTES)
    day = found["budget"]
    out.show(
        out.text(
            f"Today: {day['tokens']:,} of {day['tokens_a_day']:,} tokens, SAR {day['sar']} of {day['sar_a_day']}; {day['refused']} refused.",
            f"اليوم: {day['tokens']:,} من {day['tokens_a_day']:,} من الرموز، و{day['sar']} من {day['sar_a_day']} ر.س؛ رُفض {day['refused']}.",
        )
    )
