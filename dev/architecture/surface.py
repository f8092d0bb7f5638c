"""Planes, routers and pages: what is there, what is registered, what would never be reached."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from dev.architecture.tree import HERE, Tree, imported_by, names_in
from libs.architecture.registries import duplicates, made
from libs.contracts.architecture import Check, Finding
from libs.contracts.message import Plane

ROOMS: Final = ("__init__.py", "__main__.py", "app.py", "errors.py", "migrations")
HTTP: Final = "services/gateway/http"
SITE: Final = f"{HTTP}/site.py"
CONSOLE: Final = "services/gateway/console"
PAGES: Final = f"{CONSOLE}/routes"
METHODS: Final = ("get", "post", "put", "patch", "delete")
STARTED: Final = ("services.data.importing.child", "libs.runtime.migrator")
"""Modules that are started by name, as processes of their own."""

TWIN: Final = "/memory.py"
"""A store's in-memory twin: it passes the same suite as the store, and tests alone use it."""

PUBLIC: Final = (
    "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/asyncapi", "/.well-known/jwks.json", "/u/{token}", "/console",
    "/console/sign-in",
)  # fmt: skip
"""Pages and documents that are there for everybody."""

Routes = list[tuple[str, str]]


def surface_checks(tree: Tree) -> tuple[Check, ...]:
    """The checks of this file."""
    found = routes_of(tree)
    return planes(tree), modules(tree), routers(tree), duplicates(found), pages(tree, found)


def planes(tree: Tree) -> Check:
    """Every plane has its rooms and is deployed."""
    deployed = tree.document("deploy/planes.yaml")
    findings = []
    for plane in Plane:
        folder = f"services/{plane.value}"
        findings += [
            Finding(where=f"{folder}/{room}", en="This room of the plane is missing.", ar="ملف أساسي من ملفات الخدمة مفقود.")
            for room in ROOMS if not tree.has(f"{folder}/{room}")
        ]  # fmt: skip
        if plane.value not in deployed:
            findings.append(
                Finding(
                    where=f"deploy/planes.yaml: {plane.value}",
                    en="The plane has no deployment.",
                    ar="لا إعداد نشر لهذه الخدمة.",
                )
            )
    return made(
        "planes_present", "Planes are present and deployed", "الخدمات موجودة ولها إعداد نشر", len(Plane), findings
    )


def modules(tree: Tree) -> Check:
    """Every module is used by a program, not by tests alone: code that nothing reaches promises what nobody gets."""
    own: dict[str, str] = {}
    used: set[str] = set()
    for path in tree.below("libs", "services"):
        if "/migrations/" not in path and not path.endswith("__main__.py"):
            own[path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")] = path
    for path in tree.below("libs", "services", "dev", "deploy"):
        name = path.removesuffix(".py").replace("/", ".")
        for module in imported_by(tree.parsed(path)) - {name}:
            parts = module.split(".")
            used |= {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return made(
        "modules_used", "Every module is used", "كل وحدة برمجية مستخدمة", len(own),
        (
            Finding(where=path, en="No program imports this module.", ar="لا يستورد هذه الوحدة أي برنامج.")
            for name, path in sorted(own.items()) if name not in used and name not in STARTED and not path.endswith(TWIN)
        ),
    )  # fmt: skip


def routers(tree: Tree) -> Check:
    """A router that is declared is also registered, or its routes answer nobody."""
    findings = []
    looked_at = 0
    for folder, registry, suffix in ((HTTP, SITE, ".router"), (PAGES, f"{PAGES}/__init__.py", "")):
        registered = _registered(tree, registry, suffix)
        for path in tree.below(folder):
            name = path.removeprefix(f"{folder}/").removesuffix(".py")
            if "/" in name or path == registry or _prefix(tree, tree.parsed(path)) is None:
                continue
            looked_at += 1
            if name not in registered:
                findings.append(
                    Finding(
                        where=path,
                        en=f"Its router is not registered in {registry}.",
                        ar=f"موجّهه غير مسجّل في {registry}.",
                    )
                )
    return made("routers_registered", "Every router is registered", "كل موجّه مسجّل", looked_at, findings)


def _registered(tree: Tree, registry: str, suffix: str) -> set[str]:
    """Modules named as `name.router` in a registry, or bare in the tuple that it includes."""
    found = set()
    for node in ast.walk(tree.parsed(registry)):
        if isinstance(node, ast.Tuple):
            for one in node.elts:
                if (
                    suffix
                    and isinstance(one, ast.Attribute)
                    and one.attr == "router"
                    and isinstance(one.value, ast.Name)
                ):
                    found.add(one.value.id)
                elif not suffix and isinstance(one, ast.Name):
                    found.add(one.id)
    return found


def routes_of(tree: Tree) -> Routes:
    """Method and path of every route: of this source those of the application as it runs, of another tree those that it declares."""
    return running_routes() if tree.root == HERE else list(declared_routes(tree))


def running_routes() -> Routes:
    """Method and path of every route of the gateway's application, those that are made in a loop among them."""
    from fastapi.routing import iter_route_contexts

    from services.gateway.http.site import application

    return [
        (method, str(context.path))
        for context in iter_route_contexts(application().routes)
        for method in sorted(context.methods or ())
        if method.lower() in METHODS
    ]


def declared_routes(tree: Tree) -> Iterator[tuple[str, str]]:
    """Method and path of every route that a decorator declares. Those made in a loop are seen in the running application alone."""
    paths = dict(_console_paths(tree))
    for path in tree.below("services/gateway"):
        module = tree.parsed(path)
        prefix = _prefix(tree, module)
        if prefix is None:
            continue
        for node in ast.walk(module):
            for decorator in getattr(node, "decorator_list", ()):
                if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute) and decorator.args:
                    method, where = decorator.func.attr, _path(decorator.args[0], paths)
                    if method in METHODS and where is not None:
                        yield method.upper(), prefix + where


def _prefix(tree: Tree, module: ast.Module) -> str | None:
    """The prefix of a module's router; None where it declares none."""
    for node in module.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and getattr(node.value.func, "id", "") == "APIRouter"
        ):
            given = next((word.value for word in node.value.keywords if word.arg == "prefix"), None)
            if given is None:
                return ""
            if isinstance(given, ast.Constant):
                return str(given.value)
            if isinstance(given, ast.Attribute) and isinstance(given.value, ast.Name):
                return _constant(tree.parsed(_origin(module, given.value.id)), given.attr)
            return _constant(module, getattr(given, "id", ""))
    return None


def _origin(module: ast.Module, name: str) -> str:
    """The file of a module that is imported under a name."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module and any(name == one.name for one in node.names):
            return f"{node.module}.{name}".replace(".", "/") + ".py"
    return ""


def _constant(module: ast.Module, name: str) -> str:
    for node in module.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Constant) and any(getattr(target, "id", "") == name for target in targets):
            return str(value.value)
    return f"<{name}>"


def _path(node: ast.expr, console: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if (
        isinstance(node, ast.Subscript)
        and getattr(node.value, "id", "") == "PATHS"
        and isinstance(node.slice, ast.Constant)
    ):
        return console.get(str(node.slice.value))
    return None


def _console_paths(tree: Tree) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree.parsed(f"{CONSOLE}/urls.py")):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                    yield str(key.value), str(value.value)


def pages(tree: Tree, routes: Routes) -> Check:
    """Every public page, every destination of the console and every path that it links to is answered."""
    answered = {path for method, path in routes if method == "GET"}
    paths = dict(_console_paths(tree))
    findings = [
        Finding(where=path, en="This public page is missing.", ar="هذه الصفحة العامة مفقودة.")
        for path in PUBLIC
        if path not in answered
    ]
    destinations = _destinations(tree)
    for key in destinations:
        if paths.get(key) not in answered:
            findings.append(
                Finding(
                    where=f"{CONSOLE}/navigation.py: {key}",
                    en="The console leads to it and no page is there.",
                    ar="تقود إليه القائمة ولا صفحة له.",
                )
            )
    read = {one for path in tree.below(PAGES) for one in _paths_read(tree.parsed(path))}
    ends = tuple(key for key, only_end in read if only_end)
    for key in sorted(
        key for key in paths if (key, False) not in read and not key.endswith(ends) and paths[key] not in answered
    ):
        findings.append(
            Finding(where=f"{CONSOLE}/urls.py: {key}", en="No page declares this path.", ar="لا صفحة تعلن هذا المسار.")
        )
    return made(
        "pages_present", "Public pages and the console's destinations are present", "الصفحات العامة ووجهات المنصة موجودة",
        len(PUBLIC) + len(destinations) + len(paths), findings,
    )  # fmt: skip


def _destinations(tree: Tree) -> list[str]:
    return [
        str(node.args[0].value)
        for node in ast.walk(tree.parsed(f"{CONSOLE}/navigation.py"))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "Destination"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]


def _paths_read(module: ast.Module) -> Iterator[tuple[str, bool]]:
    """Keys of PATHS that a module of pages names, and ends of keys (True) where the rest is put in when it runs."""
    for node in ast.walk(module):
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "PATHS":
            if isinstance(node.slice, ast.Constant):
                yield str(node.slice.value), False
            elif isinstance(node.slice, ast.JoinedStr) and isinstance(node.slice.values[-1], ast.Constant):
                yield str(node.slice.values[-1].value), True
            elif isinstance(node.slice, ast.Name):
                yield from (
                    (text.value, False)
                    for text in ast.walk(module)
                    if isinstance(text, ast.Constant) and isinstance(text.value, str)
                )


def references(tree: Tree, *folders: str) -> set[str]:
    """Every name that the modules of folders read."""
    return {name for path in tree.below(*folders) for name in names_in(tree.parsed(path))}
