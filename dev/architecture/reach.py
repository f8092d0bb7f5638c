"""Which names a part of the gateway reaches: what its modules read, and what the functions and classes that they use read in turn.

Followed by name through definitions and imports of the gateway, never by module: a page that borrows one function of a route does not make the
calls of that route's other functions. A class counts as a whole.
"""

from __future__ import annotations

import ast
from typing import Final

from dev.architecture.tree import Tree, names_in

GATEWAY: Final = "services/gateway"
_Definition = tuple[str, str]
"""A module's path and the name of something that it defines."""


def reached(tree: Tree, folder: str) -> set[str]:
    """Every name that the modules below a folder read, directly or through what they use of the rest of the gateway."""
    modules = {path: _Module(tree, path) for path in tree.below(GATEWAY)}
    waiting: list[_Definition] = []
    found: set[str] = set()
    for path, module in modules.items():
        if path.startswith(f"{folder}/"):
            found |= names_in(tree.parsed(path))
            waiting += module.uses(module.everything, modules)
    seen: set[_Definition] = set()
    while waiting:
        path, name = waiting.pop()
        if (path, name) in seen or path.startswith(f"{folder}/"):
            continue
        seen.add((path, name))
        read = modules[path].defined.get(name, set())
        found |= read
        waiting += modules[path].uses(read, modules)
    return found


class _Module:
    """What a module defines at its top, what each definition reads, and where its imported names come from."""

    def __init__(self, tree: Tree, path: str) -> None:
        self.path = path
        self.defined: dict[str, set[str]] = {}
        self.imported: dict[str, _Definition | str] = {}
        parsed = tree.parsed(path)
        for node in parsed.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.defined[node.name] = names_in(node)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.defined[target.id] = names_in(node.value)
        for read in ast.walk(parsed):
            if isinstance(read, ast.ImportFrom) and read.module and read.module.startswith("services.gateway"):
                base = read.module.replace(".", "/")
                for alias in read.names:
                    as_module = f"{base}/{alias.name}.py"
                    origin = as_module if tree.has(as_module) else (f"{base}.py", alias.name)
                    self.imported[alias.asname or alias.name] = origin
        self.everything = names_in(parsed)

    def uses(self, read: set[str], modules: dict[str, _Module]) -> list[_Definition]:
        """Definitions that the given names lead to, here and in other modules of the gateway."""
        out: list[_Definition] = [(self.path, name) for name in read & set(self.defined)]
        for name in read & set(self.imported):
            origin = self.imported[name]
            if isinstance(origin, tuple):
                out += [origin] if origin[0] in modules else []
            elif origin in modules:
                # `module.function` reads both names; which belong together is not told apart.
                out += [(origin, other) for other in read & set(modules[origin].defined)]
        return out
