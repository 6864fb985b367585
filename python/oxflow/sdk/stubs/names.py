"""The names that a stub takes from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STANDARD = ("builtins", "typing")


class Names:
    """Finds a name for what is imported, and remembers what to import.

    A module may show a function `list` or a type `Any`. What is meant by these words elsewhere in its stub is then called
    by the name of its module: `_builtins.list`.
    """

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._modules: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}

    def of(self, module: str, name: str) -> str:
        """The name by which the stub refers to `name` of `module`."""
        if name in self._taken:
            return f"{self._module(module)}.{name}"
        if module != "builtins":
            self._members.setdefault(module, set()).add(name)
        return name

    def imports(self) -> Iterator[str]:
        """The lines that import what was asked for, as isort orders them, each section followed by an empty one."""
        for is_standard in (True, False):
            lines = [f"import {name} as {alias}" for name, alias in self._modules.items()]
            members = {name: ", ".join(sorted(found)) for name, found in self._members.items()}
            froms = [f"from {name} import {found}" for name, found in members.items()]
            section = [line for line in sorted(lines) + sorted(froms) if (line.split()[1] in _STANDARD) is is_standard]
            yield from section
            if section and is_standard:
                yield ""

    def _module(self, module: str) -> str:
        alias = f"_{module}"
        while alias in self._taken:
            alias = f"_{alias}"
        return self._modules.setdefault(module, alias)
