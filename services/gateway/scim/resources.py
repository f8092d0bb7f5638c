"""What of a person an identity provider sees and keeps. Roles are not among it: they follow from its groups at sign-in, or from an owner."""

from __future__ import annotations

from typing import Annotated, Any

from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ETag,
    Filter,
    Meta,
    Mutability,
    Patch,
    Required,
    Resource,
    ResourceType,
    Schema,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from services.gateway.domain.people import User

PREFIX = "/scim/v2"
MOST = 200
"""People in one answer."""


class Person(Resource[Any]):
    """A person (RFC 7643 section 4.1, the attributes that we keep)."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Required.true, Uniqueness.server, Mutability.immutable] = None
    """The person's e-mail address, with which they sign in."""

    display_name: str | None = None
    """The name as others read it."""

    active: bool | None = None
    """Whether the person may sign in. No sign-in outlives a change to false."""


def person(user: User) -> Person:
    return Person(
        id=str(user.user_id),
        external_id=user.external_id,
        user_name=user.email,
        display_name=user.name if user.name != user.email else None,
        active=not user.disabled,
        meta=Meta(
            resource_type="User",
            created=user.created_at,
            location=f"{PREFIX}/Users/{user.user_id}",
            version=f'W/"{user.version}"',
        ),
    )


def resource_type() -> ResourceType:
    return ResourceType(
        id="User",
        name="User",
        endpoint="/Users",
        description="A person of the company",
        schema_=str(Person.__schema__),
        meta=Meta(resource_type="ResourceType", location=f"{PREFIX}/ResourceTypes/User"),
    )


def schema() -> Schema:
    found: Schema = Person.to_schema()
    found.name = "User"
    found.description = "A person of the company"
    found.meta = Meta(resource_type="Schema", location=f"{PREFIX}/Schemas/{Person.__schema__}")
    return found


def configuration() -> ServiceProviderConfig:
    """What is supported (RFC 7643 section 5)."""
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        authentication_schemes=[
            AuthenticationScheme(
                type="oauthbearertoken",
                name="API key",
                description="A personal API key of an owner or administrator with the scope `users`",
                primary=True,
            )
        ],
        meta=Meta(resource_type="ServiceProviderConfig", location=f"{PREFIX}/ServiceProviderConfig"),
    )
