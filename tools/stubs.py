"""Makes `python/oxflow/_oxflow.pyi` from the built extension; `--check` compares instead of writing.

`maturin generate-stubs` reads most of it out of the binary. Three things PyO3 can't say, and they are added here: types
written as strings in a Rust signature stand bare, `Message` is generic, and getters of Python objects have their type.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
STUB = ROOT / "python/oxflow/_oxflow.pyi"
MATURIN = str(Path(sys.executable).parent / "maturin")

SUBSCRIPT = "def __class_getitem__(cls, key: Any) -> GenericAlias: ..."
GENERIC = {"Message": "_T"}
RETURNS = {
    "Message.__new__": "Message[_T]",
    "Message.payload": "_T",
    "Message.headers": "tuple[tuple[str, bytes], ...]",
    "Message.__getnewargs_ex__": "tuple[tuple[Any, ...], dict[str, Any]]",
    "Extracted.baggage": "dict[str, str]",
    "Fetched.error": "FetchError | None",
    "Fetched.headers": "dict[str, str]",
    "Span.attributes": "dict[str, Any]",
    "Span.events": "list[tuple[int, str, dict[str, Any]]]",
    "SourceMap.names": "tuple[str, ...]",
    "SourceMap.sources": "tuple[str | None, ...]",
    "Tokens.names": "memoryview[int]",
    "Tokens.source_columns": "memoryview[int]",
    "Tokens.source_lines": "memoryview[int]",
    "Tokens.sources": "memoryview[int]",
}
ARGUMENTS = {"Message.__new__": {"key": "bytes | None", "headers": "Iterable[tuple[str, bytes]] | None"}}
# A method whose result depends on which arguments are there.
CHANGES = "key: bytes | None = ..., headers: Iterable[tuple[str, bytes]] = ..., timestamp: float = ..."
OVERLOADS = {
    "Message.replace": (
        f"def replace(self, *, {CHANGES}) -> Message[_T]: ...",
        f"def replace(self, *, payload: _U, {CHANGES}) -> Message[_U]: ...",
    ),
}
HEADER = '''"""{doc}

Made by `make stubs`; not edited by hand.
"""

from _typeshed import ReadableBuffer
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from os import PathLike
from pathlib import Path
from types import GenericAlias, TracebackType
from typing import Any, Generic, Literal, SupportsFloat, SupportsIndex, TypeVar, final, overload
from typing_extensions import disjoint_base

from oxflow.errors import FetchError

_T = TypeVar("_T", covariant=True)
_U = TypeVar("_U")
_F = TypeVar("_F", bound=Callable[..., Any])
'''


class Clear(ast.NodeTransformer):
    """Takes the quotes off annotations and writes types as people do."""

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """An argument."""
        node.annotation = bare(node.annotation)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function; the default `None` of what takes no `None` is PyO3's word for "absent"."""
        node.returns = bare(node.returns)
        self.generic_visit(node)
        defaults = [
            default if default is None or fits(argument, default) else ast.Constant(...)
            for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        ]
        node.args.kw_defaults = defaults
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Type variables are private here."""
        return ast.Name(f"_{node.id}") if node.id in {"T", "U"} else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """PyO3 calls the argument for a `Vec<X>` `SupportsGetItem[int, X]`."""
        self.generic_visit(node)
        if isinstance(node.slice, ast.Tuple) and ast.unparse(node.value) == "SupportsGetItem":
            return expression(f"Sequence[{ast.unparse(node.slice.elts[1])}]")
        return node


def fits(argument: ast.arg, default: ast.expr) -> bool:
    """Whether a default is a value of its annotation, as far as `None` goes."""
    is_none = isinstance(default, ast.Constant) and default.value is None
    return not is_none or argument.annotation is None or "None" in ast.unparse(argument.annotation)


def bare(annotation: ast.expr | None) -> ast.expr | None:
    """`"list[int]"` as `list[int]`."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return expression(annotation.value)
    return annotation


def expression(text: str) -> ast.expr:
    """Parse an annotation."""
    return ast.parse(text, mode="eval").body


def finish_method(owner: str, method: ast.stmt) -> list[ast.stmt]:
    """A method as it shall stand in the stub."""
    if not isinstance(method, ast.FunctionDef):
        return [method]
    name = f"{owner}.{method.name}"
    if owner in GENERIC and method.name == "__class_getitem__":
        return []
    if name in OVERLOADS:
        documentation = method.body[0] if ast.get_docstring(method) else None
        return [overload(text, documentation) for text in OVERLOADS[name]]
    if name in RETURNS:
        method.returns = expression(RETURNS[name])
    for argument in method.args.kwonlyargs:
        if text := ARGUMENTS.get(name, {}).get(argument.arg):
            argument.annotation = expression(text)
    return [method]


def overload(text: str, documentation: ast.stmt | None) -> ast.stmt:
    """One overload of a method."""
    method = ast.parse(text).body[0]
    if isinstance(method, ast.FunctionDef):
        method.decorator_list = [expression("overload")]
        if documentation is not None:
            method.body.insert(0, documentation)
    return method


def finish(raw: str) -> str:
    """The stub from what maturin gave."""
    tree = Clear().visit(ast.parse(raw))
    for item in tree.body:
        if isinstance(item, ast.ClassDef):
            item.body = [part for method in item.body for part in finish_method(item.name, method)]
            if item.name in GENERIC:
                item.bases.append(expression(f"Generic[{GENERIC[item.name]}]"))
                item.body.extend(ast.parse(SUBSCRIPT).body)
    documentation = ast.get_docstring(tree) or "The extension module."
    kept = [item for item in tree.body if not isinstance(item, ast.Import | ast.ImportFrom | ast.Expr)]
    body = "\n\n".join(ast.unparse(item) for item in kept)
    header = HEADER.format(doc=documentation)
    require_imports(header, body)
    return f"{header}\n{body}\n"


def require_imports(header: str, body: str) -> None:
    """Fail if the body names what the header doesn't import."""
    known = {
        alias.name for node in ast.walk(ast.parse(header)) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    defined = {node.name for node in ast.parse(body).body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    builtin = set(dir(builtins)) | {"_F", "_T", "_U"}
    names = {
        node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    if unknown := names - known - defined - builtin:
        sys.exit(f"tools/stubs.py: add imports to HEADER for {sorted(unknown)}")


def generate() -> str:
    """Build the extension and read its stub."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            MATURIN,
            "generate-stubs",
            "--quiet",
            "--profile",
            "dev",
            "--features",
            "stubs",
            "--locked",
            "--out",
            folder,
        ]
        subprocess.run(command, check=True, cwd=ROOT)
        raw = next(Path(folder).rglob("*.pyi"))
        return finish(raw.read_text(encoding="utf-8"))


def main() -> None:
    """Write the stub, or compare it with the one that is there."""
    fresh = generate()
    if "--check" not in sys.argv[1:]:
        STUB.write_text(fresh, encoding="utf-8")
        return
    known = STUB.read_text(encoding="utf-8") if STUB.exists() else ""
    if known != fresh:
        diff = difflib.unified_diff(known.splitlines(True), fresh.splitlines(True), "committed", "built")
        sys.exit("".join(diff) + "the stub is not that of the extension: run `make stubs` and commit it")


if __name__ == "__main__":
    main()
