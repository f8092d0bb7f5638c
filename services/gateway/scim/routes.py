"""SCIM's endpoints (RFC 7644). Who may use them: whoever may keep users, with an API key or a session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    ListResponse,
    NotFoundException,
    PatchOp,
    ResourceType,
    Schema,
    SCIMException,
    SearchRequest,
)
from scim2_models.scim_object import ScimObject

from libs.contracts.errors import DealixError, Forbidden, NotFound
from libs.contracts.message import Principal
from services.gateway.domain.people import Caller, User
from services.gateway.errors import EmailTaken
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import CallerDep, require
from services.gateway.scim import resources
from services.gateway.scim.resources import MOST, Person

MEDIA_TYPE = "application/scim+json"
LONGEST = 254
READ = 1000
"""People read at a time while a filter is applied."""
Keeper = Annotated[Principal, require("users")]


def answer(found: ScimObject, context: Context, status: int = 200, asked: SearchRequest[Any] | None = None) -> Response:
    body = found.model_dump_json(scim_ctx=context, response_parameters=asked)
    headers = {"Location": str(found.meta.location)} if isinstance(found, Person) and found.meta else {}
    return Response(body, status, media_type=MEDIA_TYPE, headers=headers)


def refusal(status: int, detail: str, scim_type: str | None = None) -> Response:
    error = Error(status=status, detail=detail, scim_type=scim_type)
    return Response(error.model_dump_json(), status, media_type=MEDIA_TYPE)


class ScimRoute(APIRoute):
    """Refusals in SCIM's own form (RFC 7644 section 3.12), whatever they come from."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except ValidationError as error:
                first = Error.from_validation_errors(error)[0]
                return refusal(
                    400, first.detail or "The request does not fit the schema.", first.scim_type or "invalidValue"
                )
            except SCIMException as error:
                told = error.to_error()
                return refusal(told.status or 400, told.detail or "", told.scim_type)
            except DealixError as error:
                return refusal(error.status, error.en, "uniqueness" if isinstance(error, EmailTaken) else None)

        return handler


router = APIRouter(prefix=resources.PREFIX, tags=["scim"], route_class=ScimRoute, include_in_schema=False)


@router.get("/ServiceProviderConfig")
async def configuration(_: Keeper) -> Response:
    return answer(resources.configuration(), Context.RESOURCE_QUERY_RESPONSE)


@router.get("/ResourceTypes")
async def resource_types(_: Keeper) -> Response:
    listed = ListResponse[ResourceType](
        total_results=1, start_index=1, items_per_page=1, resources=[resources.resource_type()]
    )
    return answer(listed, Context.RESOURCE_QUERY_RESPONSE)


@router.get("/ResourceTypes/{key}")
async def resource_type(key: str, _: Keeper) -> Response:
    if key != "User":
        raise NotFoundException
    return answer(resources.resource_type(), Context.RESOURCE_QUERY_RESPONSE)


@router.get("/Schemas")
async def schemas(_: Keeper) -> Response:
    listed = ListResponse[Schema](total_results=1, start_index=1, items_per_page=1, resources=[resources.schema()])
    return answer(listed, Context.RESOURCE_QUERY_RESPONSE)


@router.get("/Schemas/{key}")
async def schema(key: str, _: Keeper) -> Response:
    if key != str(Person.__schema__):
        raise NotFoundException
    return answer(resources.schema(), Context.RESOURCE_QUERY_RESPONSE)


def _asked(request: Request) -> SearchRequest[Person]:
    return SearchRequest[Person].model_validate(dict(request.query_params))


Asked = Annotated[SearchRequest[Person], Depends(_asked)]


@router.get("/Users")
async def people(asked: Asked, _: Keeper, caller: CallerDep, gateway: GatewayDep) -> Response:
    return await _listed(asked, caller, gateway, Context.RESOURCE_QUERY_RESPONSE)


@router.post("/.search")
@router.post("/Users/.search")
async def search(request: Request, _: Keeper, caller: CallerDep, gateway: GatewayDep) -> Response:
    asked = SearchRequest[Person].model_validate_json(await request.body(), scim_ctx=Context.SEARCH_REQUEST)
    return await _listed(asked, caller, gateway, Context.SEARCH_RESPONSE)


async def _listed(asked: SearchRequest[Person], caller: Caller, gateway: Gateway, context: Context) -> Response:
    found = [resources.person(user) async for user in _everybody(caller, gateway)]
    if asked.filter is not None:
        found = [one for one in found if asked.filter.match(one)]
    start = asked.start_index or 1
    count = MOST if asked.count is None else min(asked.count, MOST)
    page = found[start - 1 : start - 1 + count]
    listed = ListResponse[Person](total_results=len(found), start_index=start, items_per_page=len(page), resources=page)
    return answer(listed, context, asked=asked)


async def _everybody(caller: Caller, gateway: Gateway) -> AsyncIterator[User]:
    after: UUID | None = None
    while page := await gateway.people.users(caller, after, READ):
        for user in page:
            if user.roles:
                yield user
        after = page[-1].user_id


@router.post("/Users", status_code=201)
async def add(request: Request, _: Keeper, caller: CallerDep, gateway: GatewayDep) -> Response:
    """A new person, as a member. They sign in through the provider; the first password goes to nobody."""
    given = Person.model_validate_json(await request.body(), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    email, name = given.user_name or "", given.display_name or given.user_name or ""
    if not email.isprintable() or " " in email or len(email) > LONGEST:
        return refusal(
            400, f"userName is the person's e-mail address: no spaces, at most {LONGEST} characters.", "invalidValue"
        )
    user = await gateway.people.provision(
        caller, email=email, name=name, active=given.active is not False, external_id=given.external_id
    )
    return answer(resources.person(user), Context.RESOURCE_CREATION_RESPONSE, 201)


@router.get("/Users/{key}")
async def one(key: str, asked: Asked, _: Keeper, caller: CallerDep, gateway: GatewayDep) -> Response:
    user = await _user(caller, gateway, key)
    return answer(resources.person(user), Context.RESOURCE_QUERY_RESPONSE, asked=asked)


@router.put("/Users/{key}")
async def replace(key: str, request: Request, _: Keeper, caller: CallerDep, gateway: GatewayDep) -> Response:
    before = resources.person(_reachable(await _user(caller, gateway, key)))
    given = Person.model_validate_json(await request.body(), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
    given.replace(before)
    user = await _keep(caller, gateway, key, given)
    return answer(resources.person(user), Context.RESOURCE_REPLACEMENT_RESPONSE)


@router.patch("/Users/{key}")
async def patch(key: str, request: Request, _: Keeper, caller: CallerDep, gateway: GatewayDep) -> Response:
    wanted = resources.person(_reachable(await _user(caller, gateway, key)))
    operations = PatchOp[Person].model_validate_json(await request.body(), scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    operations.patch(wanted)
    user = await _keep(caller, gateway, key, wanted)
    return answer(resources.person(user), Context.RESOURCE_PATCH_RESPONSE)


@router.delete("/Users/{key}", status_code=204)
async def remove(key: str, _: Keeper, caller: CallerDep, gateway: GatewayDep) -> Response:
    """The person has no rights any more and is signed out everywhere; what they did stays on record."""
    user = _reachable(await _user(caller, gateway, key))
    await gateway.people.remove(caller, user.user_id)
    return Response(status_code=204)


async def _user(caller: Caller, gateway: Gateway, key: str) -> User:
    """Raises NotFoundException, for whoever was removed as well."""
    try:
        user = await gateway.people.user(caller, UUID(key))
    except (ValueError, NotFound) as error:
        raise NotFoundException from error
    if not user.roles:
        raise NotFoundException
    return user


def _reachable(user: User) -> User:
    """An owner with a password here stays when the provider, or whoever runs it, would rather not.

    Raises Forbidden.
    """
    if "owner" in user.roles and user.password_hash:
        raise Forbidden(
            "break_glass", "An owner with a password here is out of the provider's reach.",
            "المالك الذي له كلمة مرور هنا خارج سلطة مزوّد الهوية.",
        )  # fmt: skip
    return user


async def _keep(caller: Caller, gateway: Gateway, key: str, wanted: Person) -> User:
    name = wanted.display_name or wanted.user_name or ""
    return await gateway.people.change(
        caller, UUID(key), None, name=name, disabled=wanted.active is False, external_id=wanted.external_id
    )


@router.get("/{path:path}")
async def nothing(path: str, _: Keeper) -> Response:
    """Nothing is at any other address, and that is said in SCIM's form too."""
    raise NotFoundException
