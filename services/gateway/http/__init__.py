"""The HTTP surface: one file of routes per area, and what surrounds them."""

from __future__ import annotations

from typing import Any


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document, from the routes alone: nothing is started."""
    from services.gateway.http.site import application

    return application().openapi()
