"""Single sign-on out of the settings, checked before anybody needs it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from libs.runtime.settings import SettingsError
from services.gateway.authentication import Authentication
from services.gateway.domain.keyring import Keyring
from services.gateway.oidc.provider import Client, Provider
from services.gateway.oidc.sign_in import SingleSignOn
from services.gateway.people import GIVABLE
from services.gateway.settings import GatewaySettings
from services.gateway.store import Store

CALLBACK = "/console/sign-in/sso/back"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def single_sign_on(
    settings: GatewaySettings,
    store: Store,
    keyring: Keyring,
    authentication: Authentication,
    now: Callable[[], datetime],
) -> SingleSignOn | None:
    """None without an issuer. Raises SettingsError naming what is missing or unusable."""
    issuer = settings.gateway_oidc_issuer
    if not issuer:
        if settings.gateway_oidc_only:
            raise SettingsError(
                "DEALIX_GATEWAY_OIDC_ONLY is set without DEALIX_GATEWAY_OIDC_ISSUER: nobody could sign in."
            )
        return None
    for name, address in (("OIDC_ISSUER", issuer), ("PUBLIC_URL", settings.gateway_public_url)):
        parts = urlsplit(address)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise SettingsError(
                f"DEALIX_GATEWAY_{name} ({address}) must be an https:// address when single sign-on is used."
            )
    if not settings.gateway_oidc_client_id or not settings.gateway_oidc_client_secret.get_secret_value():
        raise SettingsError(
            "DEALIX_GATEWAY_OIDC_CLIENT_ID and DEALIX_GATEWAY_OIDC_CLIENT_SECRET must be set with the issuer."
        )
    if not settings.gateway_oidc_roles:
        raise SettingsError("DEALIX_GATEWAY_OIDC_ROLES maps no group to a role: nobody could sign in.")
    if unknown := sorted(set(settings.gateway_oidc_roles.values()) - GIVABLE):
        raise SettingsError(f"DEALIX_GATEWAY_OIDC_ROLES names {unknown[0]}, which is no role of people.")
    client = Client(
        issuer,
        settings.gateway_oidc_client_id,
        settings.gateway_oidc_client_secret.get_secret_value(),
        settings.gateway_public_url.rstrip("/") + CALLBACK,
    )
    return SingleSignOn(
        Provider(client, now, ca_file=settings.gateway_oidc_ca),
        store,
        keyring,
        authentication,
        groups_claim=settings.gateway_oidc_groups_claim,
        roles_of=dict(settings.gateway_oidc_roles),
        session=timedelta(minutes=settings.gateway_oidc_session_minutes),
        now=now,
        strong_acr=frozenset(one.strip() for one in settings.gateway_oidc_strong_acr.split(",") if one.strip()),
    )
