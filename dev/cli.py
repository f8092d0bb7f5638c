"""The command line `dealix`. Each group of commands lives in `dev/commands/` and is registered here."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands import (
    actions,
    approvals,
    architecture,
    backup,
    bench,
    canaries,
    compliance,
    connectors,
    consent,
    contradictions,
    crm,
    dead_letters,
    documents,
    enrich,
    evaluate,
    evidence,
    executive,
    experiments,
    flags,
    flows,
    forecasts,
    gate,
    imports,
    inbox,
    integrations,
    keys,
    knowledge,
    launch,
    lineage,
    mail_domains,
    mappings,
    memos,
    metrics,
    models,
    offer,
    onboarding,
    operate,
    operations,
    partners,
    plugins,
    policy,
    preflight,
    prices,
    proving,
    quality,
    radar,
    recoveries,
    rights,
    sequences,
    settings,
    simulations,
    smoke,
    system,
    targeting,
    tower,
    webhooks,
    whatsapp,
    witness,
)
from dev.commands.common import Connect, connect
from dev.messages import Sentence
from dev.output import DealixGroup, LangOption, output, set_language
from dev.prepare import authorization, prepare, settle
from dev.state import dealix_version
from dev.supervisor import plane_commands


def build_app(parts: system.Parts, connect: Connect = connect) -> typer.Typer:
    """The application over the given parts of the system; `connect` finds a running one."""
    app = typer.Typer(
        name="dealix",
        cls=DealixGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="Dealix: AI recommends, systems commit, humans approve.",
    )

    @app.callback(invoke_without_command=True)
    def root(
        lang: LangOption = None,
        version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    ) -> None:
        set_language(lang)
        if version:
            output().say(Sentence(dealix_version(), dealix_version()))
            raise typer.Exit

    system.register(app, parts)
    for group in (
        targeting,
        imports,
        inbox,
        experiments,
        onboarding,
        tower,
        crm,
        approvals,
        consent,
        rights,
        actions,
        dead_letters,
        connectors,
        integrations,
        evidence,
        policy,
        operate,
        architecture,
        operations,
        preflight,
        radar,
        smoke,
        witness,
        keys,
        knowledge,
        launch,
        flags,
        metrics,
        models,
        prices,
        mappings,
        enrich,
        offer,
        lineage,
        memos,
        quality,
        forecasts,
        executive,
        simulations,
        compliance,
        contradictions,
        gate,
        plugins,
        canaries,
        flows,
        sequences,
        whatsapp,
        partners,
        proving,
        recoveries,
        mail_domains,
        webhooks,
    ):
        group.register(app, connect)
    documents.register(app)
    backup.register(app)
    evaluate.register(app, connect)
    bench.register(app)
    settings.register(app)
    return app


app = build_app(
    system.Parts(
        commands=lambda one_process: plane_commands(one_process=one_process),
        authorization=authorization,
        prepare=prepare,
        settle=settle,
    )
)

if __name__ == "__main__":
    app()
