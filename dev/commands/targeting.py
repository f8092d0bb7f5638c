"""`dealix run`, the main job, and its parts: `import`, `rank`, `opportunities`, `cards`, `decide`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from dev import job
from dev.columns import read_mapping
from dev.commands.approvals import approve_exactly
from dev.commands.common import (
    BadInput,
    Connect,
    LimitOption,
    existing_file,
    progress,
)
from dev.commands.listing import CursorOption, listing
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import plain
from dev.views import approvals as approval_views
from dev.views import cards as card_views
from dev.views import job as views
from dev.words import word, words

if TYPE_CHECKING:
    from dev.client import Client

SourceOption = Annotated[
    str, typer.Option("--source", help="Where the list comes from: own_crm, website_form, event …")
]
HowOption = Annotated[str, typer.Option("--obtained-how", help="How the list was obtained, in a sentence.")]
MappingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mapping",
        help="Which field a column feeds: column=field (nothing after = leaves it out), or a JSON or YAML file of these; again for more.",
    ),
]
APPROVE = "approve"
"""The choice with which decision casts a vote; it needs the hashes of what was shown."""
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX, vCard or JSON Lines.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""

    @command(app, connect)
    def run(
        here: Session,
        file: FileArgument,
        tenant: Annotated[str | None, typer.Option("--tenant", help="Check that the key is of this tenant.")] = None,
        source: SourceOption = "own_crm",
        obtained_how: HowOption = "",
        mapping: MappingOption = None,
    ) -> None:
        """The main job: import a list, rank it, prepare cards and drafts; print the report and what waits for you."""
        check_source(source)
        columns = read_mapping(mapping or ())
        job.check_tenant(here.client, tenant)
        with progress(here.out) as step:
            result = job.run_job(
                here.client,
                existing_file(file),
                source,
                step,
                here.out.lang,
                obtained_how=obtained_how,
                mapping=columns,
            )
        report(here.out, result)

    @command(app, connect, "import")
    def import_(
        here: Session,
        file: FileArgument,
        source: SourceOption = "own_crm",
        obtained_how: HowOption = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and store nothing.")] = False,
        mapping: MappingOption = None,
    ) -> None:
        """Import a list of leads and say what became of every row."""
        check_source(source)
        columns = read_mapping(mapping or ())
        with progress(here.out) as step:
            import_id = job.start_import(
                here.client, existing_file(file), source, obtained_how=obtained_how, dry_run=dry_run, mapping=columns
            )
            status = job.follow_import(here.client, import_id, step, here.out.lang)
        here.out.result(status)
        here.out.show(*views.outcome(here.out.lang, status))
        if status.get("mapping"):
            here.out.show(views.mapping(here.out.lang, status["mapping"]))
        if (status.get("counts") or {}).get("rejected"):
            here.out.say(_rejects_hint(import_id))

    @command(app, connect)
    def rank(here: Session) -> None:
        """Rank all leads anew and make the day's cards and drafts."""
        with progress(here.out) as step:
            ranked = job.rank(here.client, step, here.out.lang)
        best = here.client.items("/targeting/opportunities", views.TOP)
        here.out.result(ranked)
        here.out.show(views.ranking(here.out.lang, ranked), views.opportunities(here.out.lang, best))

    @command(app, connect)
    def opportunities(
        here: Session,
        tier: Annotated[str | None, typer.Option("--tier", help="Only this tier.")] = None,
        contactability: Annotated[
            str | None, typer.Option("--contactability", help="safe, needs_review, blocked or unknown.")
        ] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """Ranked leads, best first."""
        path = "/targeting/opportunities"
        listing(
            here, path, views.opportunities, views.NO_OPPORTUNITIES,
            limit=limit, cursor=cursor, tier=tier, contactability=contactability,
        )  # fmt: skip

    @command(app, connect)
    def cards(
        here: Session, role: Annotated[str, typer.Option("--role", help="ceo, sales_manager, growth_manager …")] = "ceo"
    ) -> None:
        """The decisions in front of a role, most urgent first, with the commands that decide them."""
        if role not in words()["role"]:
            known = ", ".join(words()["role"])
            raise BadInput(f"There is no role {role}; choose one of {known}.", f"لا يوجد دور {role}؛ اختر من: {known}.")
        feed = here.client.get("/cards/feed", role=role)
        here.out.result(feed)
        if not feed["items"]:
            here.out.say(Sentence("No decisions wait.", "لا قرارات معلّقة."))
        here.out.show(*(card_views.card(here.out.lang, item) for item in feed["items"]))
        if more := max(0, int(feed.get("waiting") or 0) - len(feed["items"])):
            here.out.say(Sentence(f"{more} more wait behind these.", f"عدد القرارات التالية: {more}."))

    @command(app, connect)
    def brief(
        here: Session,
        reply: Annotated[
            str, typer.Argument(metavar="[REPLY]", help="What to answer, such as 1-2; the brief alone when left out.")
        ] = "",
        of: Annotated[
            list[str] | None,
            typer.Option("--of", help="A card of the brief that is answered, in order; the brief says them."),
        ] = None,
        role: Annotated[str, typer.Option("--role", help="ceo, sales_manager, growth_manager …")] = "ceo",
        note: Annotated[str, typer.Option("--note", help="A note for the record.")] = "",
    ) -> None:
        """The day's decisions as a short WhatsApp text, and what an answer to it decides."""
        if not reply:
            made = here.client.get("/cards/whatsapp-brief", role=role)
            here.out.result(made)
            here.out.show(Text(made["text"]))
            if made["cards"]:
                command = " ".join(("dealix brief 1-2", *(f"--of {card}" for card in made["cards"])))
                here.out.say(Sentence(f"Answer this brief: {command}", f"للرد على هذا الموجز: {command}"))
            return
        if not of:
            # Its numbers are those of the brief that was read; by now another card may stand first.
            raise BadInput(
                "Say which brief you answer: `dealix brief` shows the command with its cards.",
                "حدد الموجز الذي ترد عليه: يعرض الأمر dealix brief أمر الرد مع بطاقاته.",
            )
        answered = here.client.post("/cards/whatsapp-brief/reply", {"cards": of, "text": reply, "note": note})
        here.out.result(answered)
        here.out.show(Text(answered["answer"][here.out.lang]))

    @command(app, connect)
    def decide(
        here: Session,
        card: Annotated[str, typer.Argument(metavar="CARD", help="Id of the card.")],
        button: Annotated[
            str, typer.Argument(metavar="BUTTON", help="The machine name of the choice, as `cards` shows it.")
        ],
        note: Annotated[str, typer.Option("--note", help="A note for the record.")] = "",
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask when the choice approves something.")] = False,
    ) -> None:
        """Decide a card. A choice that approves something shows exactly what, and asks."""
        reply = _decide(here.out, here.client, card, button, note, yes=yes)
        here.out.result(reply)
        if not here.out.as_json:
            _say_decided(here.out, here.client, reply, button)


def check_source(source: str) -> None:
    """Raises BadInput for a source that the catalogue does not have."""
    from libs.contracts.catalogue.sources import sources

    if source not in sources():
        known = ", ".join(sources())
        raise BadInput(
            f"There is no source {source}; choose one of {known}.", f"لا يوجد مصدر {source}؛ اختر من: {known}."
        )


def report(out: Output, result: job.Result) -> None:
    """The report of the main job."""
    out.result(result.as_json())
    lang = out.lang
    out.show(
        *views.outcome(lang, result.imported),
        views.heading(lang, "Ranking", "الترتيب"),
        views.ranking(lang, result.ranked),
        views.opportunities(lang, result.opportunities[: views.TOP]),
    )
    if result.approvals:
        count = len(result.approvals)
        out.show(
            views.heading(lang, f"Drafts that wait for a yes: {count}", f"مسودات بانتظار الموافقة: {count}"),
            approval_views.queue(lang, result.approvals[: views.TOP]),
        )
    for role, items in result.cards.items():
        name = word("role", role, lang)
        out.show(views.heading(lang, f"Next decisions: {name}", f"القرارات التالية: {name}"))
        nothing = Text("لا قرارات معلّقة." if lang == "ar" else "No decisions wait.")
        out.show(card_views.overview(lang, items) if items else nothing)
    out.show(
        *views.next_steps(
            lang,
            approvals=result.approvals,
            rejected=int((result.imported.get("counts") or {}).get("rejected") or 0),
            import_id=plain(result.imported.get("import_id")),
        ),
    )


def _rejects_hint(import_id: str) -> Sentence:
    command = f"dealix rejects {import_id} -o rejects.csv"
    return Sentence(
        f"Rejected rows with their reasons, to mend and import again: {command}",
        f"الصفوف المرفوضة مع أسبابها لتصحيحها واستيرادها: {command}",
    )


def _decide(out: Output, client: Client, card_id: str, button: str, note: str, *, yes: bool) -> dict[str, Any]:
    card = client.get(f"/cards/{card_id}")
    known = [b.get("action") for b in card.get("buttons") or ()]
    if button not in known:
        names = ", ".join(str(name) for name in known)
        raise BadInput(
            f"This card has no choice {button}; it has {names}.",
            f"لا يوجد خيار {button} في هذه البطاقة؛ خياراتها: {names}.",
        )
    body: dict[str, Any] = {"button": button, "note": note}
    approval_id = (card.get("context") or {}).get("approval_id")
    if approval_id and button == APPROVE:
        approval = client.get(f"/approvals/{approval_id}")
        out.show(approval_views.in_full(out.lang, approval))
        if not yes:
            out.ask(Sentence("Approve exactly this?", "أتوافق على هذا كما هو؟"), otherwise="--yes")
        body |= {"payload_hash": approval["payload_hash"], "view_hash": approval["view_hash"]}
    return approve_exactly(out, client, f"/cards/{card_id}/decision", body)


def _say_decided(out: Output, client: Client, reply: dict[str, Any], button: str) -> None:
    card: dict[str, Any] = reply.get("card") or {}
    result = str(reply.get("result") or "")
    if result == "opened":
        _open(out, client, card)
    elif result.startswith("drafts:"):
        count = plain(result.removeprefix("drafts:"))
        out.say(
            Sentence(
                f"Drafts prepared: {count}. Nothing is sent before a yes to each: dealix approvals list",
                f"المسودات المجهّزة: {count}. لن يُرسل شيء قبل الموافقة على كل منها: dealix approvals list",
            )
        )
    else:
        pressed: dict[str, Any] = next((b for b in card.get("buttons") or () if b.get("action") == button), {})
        en, ar = plain(pressed.get("label_en") or button), plain(pressed.get("label_ar") or button)
        out.say(Sentence(f"Decided: {en}.", f"سُجّل القرار: {ar}."))
    if reply.get("action_id"):
        journey = f"dealix actions journey {plain(reply['action_id'])}"
        out.say(Sentence(f"What happens, step by step: {journey}", f"ما يحدث خطوة بخطوة: {journey}"))


def _open(out: Output, client: Client, card: dict[str, Any]) -> None:
    """What a card lets one look at: its request, its leads, or what is blocked."""
    context = card.get("context") or {}
    looked = Sentence("Looking decides nothing: the card stays open.", "العرض لا يحسم شيئًا: تبقى البطاقة مفتوحة.")
    if context.get("approval_id"):
        out.show(approval_views.in_full(out.lang, client.get(f"/approvals/{context['approval_id']}")))
        out.say(looked)
        return
    leads = set(context.get("leads") or filter(None, [context.get("lead_id")]))
    items = client.items("/targeting/opportunities", 1000, contactability=None if leads else "blocked")
    out.show(views.opportunities(out.lang, [item for item in items if not leads or item.get("lead_id") in leads]))
    out.say(looked)
