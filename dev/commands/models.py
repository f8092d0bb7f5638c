"""`dealix models`: which models may see what, which are connected, what they cost, and the most that is spent in a day."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table

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
    @group.command("list")
    def listed(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Providers, which of them are connected, which agents' input they may see, and what is left of the day's budget."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(PATH)
        out.result(found)
        _show(out, found)

    @group.command()
    def use(
        days: Annotated[int, typer.Option("--days", min=1, max=366, help="How far back.")] = 30,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What each model did for each agent: runs, failures, answers that fitted, tokens, cost."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"{PATH}/use", days=days)
        out.result(found)
        headings = [
            ("provider", "المزوّد"), ("model", "النموذج"), ("agent", "الوكيل"), ("runs", "التشغيلات"), ("failed", "أخفق"), ("after another", "بعد غيره"),
            ("fitted", "طابق الصيغة"), ("tokens", "الرموز"), ("SAR", "ر.س"), ("ms p50", "م.ث 50%"),
        ]  # fmt: skip
        rows = [
            [
                plain(one["provider"] or out.text("none answered", "لم يجب أحد")), plain(one["model"]), plain(one["agent"]), str(one["runs"]),
                str(one["failed"]), str(one["fallbacks"]), "" if one["schema_valid"] is None else f"{one['schema_valid']:.1%}",
                f"{one['tokens_in'] + one['tokens_out']:,}", str(one["cost_sar"]), f"{one['p50_ms']:.0f}",
            ]
            for one in found["items"]
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))


def _choosing(group: typer.Typer, connect: Connect) -> None:
    @group.command("set")
    def set_(
        provider: ProviderArgument,
        model: ModelArgument,
        input_sar: Annotated[str, typer.Option("--input-sar", help="SAR for a million tokens of what is asked.")],
        output_sar: Annotated[str, typer.Option("--output-sar", help="SAR for a million tokens of the answer.")],
        beside: Annotated[
            bool, typer.Option("--beside", help="Beside the provider's usual model, for a canary to name.")
        ] = False,
        reference: Annotated[str, typer.Option("--reference", help="The contract or page that says the price.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Record a model with its price; without one its provider is not asked."""
        out = output(lang, as_json)
        body = {
            "model": model, "input_sar": input_sar, "output_sar": output_sar, "usual": not beside, "reference": reference,
        }  # fmt: skip
        with connect(out, base_url, data_dir) as client:
            found = client.put(f"{PATH}/providers/{provider}/models", body)
        out.result(found)
        _show(out, found)

    @group.command()
    def drop(
        provider: ProviderArgument,
        model: ModelArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Forget a model: it is not asked any more."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.delete(f"{PATH}/providers/{provider}/models?model={quote(model, safe='')}")
        out.result(found)
        _show(out, found)

    @group.command()
    def budget(
        tokens: Annotated[int, typer.Option("--tokens", min=0, help="The most tokens a day.")],
        sar: Annotated[str, typer.Option("--sar", help="The most SAR a day.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Set the most that is used of models in a day. At either limit nothing more is asked until tomorrow."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.put(f"{PATH}/budget", {"tokens_a_day": tokens, "sar_a_day": sar})
        out.result(found)
        _show(out, found)


def _show(out: Output, found: dict[str, Any]) -> None:
    yes, no = out.text("yes", "نعم"), out.text("no", "لا")
    headings = [
        ("provider", "المزوّد"), ("data", "البيانات"), ("country", "الدولة"), ("key", "مفتاح"), ("live", "فعلي"), ("models", "النماذج"), ("connected", "موصول"),
    ]  # fmt: skip
    rows = [
        [
            plain(one["key"]), plain(one["data"]), plain(one["country"]), yes if one["keyed"] else no, yes if one["live"] else no,
            plain(", ".join(m["model"] + (" *" if m["usual"] else "") for m in one["models"])), yes if one["connected"] else no,
        ]
        for one in found["providers"]
    ]  # fmt: skip
    out.show(table(out.lang, headings, rows))
    routes = [
        [plain(one["model_policy"]), plain(one["data"]), plain(one["answers"]), plain(", ".join(one["modelled"]))] for one in found["items"]
    ]  # fmt: skip
    out.show(
        table(
            out.lang,
            [("task", "المهمة"), ("data", "البيانات"), ("asked first", "يُسأل أولًا"), ("agents", "الوكلاء")],
            routes,
        )
    )
    day = found["budget"]
    out.show(
        out.text(
            f"Today: {day['tokens']:,} of {day['tokens_a_day']:,} tokens, SAR {day['sar']} of {day['sar_a_day']}; {day['refused']} refused.",
            f"اليوم: {day['tokens']:,} من {day['tokens_a_day']:,} رمزًا، و{day['sar']} من {day['sar_a_day']} ر.س؛ رُفض {day['refused']}.",
        )
    )
