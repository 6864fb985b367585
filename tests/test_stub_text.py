"""What a stub says: any shape that Rust can describe comes back from it, in the form that formatters leave alone."""

from __future__ import annotations
import __future__

import ast
import re
import shutil
import subprocess
import sys
import types
import typing
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import Phase, given, settings, strategies as st

from oxflow._payloads import Contents, closed, parts_of
from oxflow._shapes import shape_of
from oxflow.sdk.stubs.text import remarks, stub_text

if TYPE_CHECKING:
    from collections.abc import Generator

SCALARS = st.sampled_from(["any", "none", "bool", "int", "float", "str", "bytes"])
# Among them what Python keeps for itself, and what stubs import.
# Each of them finds what there is to find; to tell the smallest takes minutes.
FEW = settings(max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
KEYWORDS = ["class", "None", "__private", "__init__", "a key", ""]
IMPORTED = [
    "list",
    "int",
    "str",
    "dict",
    "Any",
    "TypedDict",
    "typing",
    "_typing",
    "RustFunction",
    "Literal",
    "NotRequired",
]
WORDS = st.sampled_from(["id", "Record", "é", "x" * 60, *KEYWORDS, *IMPORTED])
LETTERS = st.characters(max_codepoint=0x24F) | st.characters(min_codepoint=0x4E00, max_codepoint=0x4E40)
NAMES = st.one_of(WORDS, st.text(st.sampled_from("abcXYZ_012é²一"), min_size=1, max_size=30))
TEXTS = st.one_of(NAMES, st.text(LETTERS, max_size=20))


def records(names: st.SearchStrategy[str], types: st.SearchStrategy[Any], size: int = 4) -> st.SearchStrategy[Any]:
    fields = st.fixed_dictionaries({"name": TEXTS, "type": types, "required": st.booleans()})
    lists = st.lists(fields, max_size=size, unique_by=lambda field: field["name"])
    record = st.fixed_dictionaries({"name": names, "module": st.just(""), "kind": st.just("rust"), "fields": lists})
    return st.fixed_dictionaries({"record": record})


def unions(types: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Of members that Python does not make one of: it flattens unions."""
    flat = types.filter(lambda item: not (isinstance(item, dict) and "union" in item))
    lists = st.lists(flat, min_size=2, max_size=5, unique_by=repr)
    return st.fixed_dictionaries({"union": lists.filter(lambda items: "any" not in items)})


def extended(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    literals = st.lists(TEXTS, min_size=1, max_size=6, unique=True)
    return st.one_of(
        st.fixed_dictionaries({"list": inner}),
        st.fixed_dictionaries({"dict": st.tuples(st.sampled_from(["str", "int"]), inner).map(list)}),
        st.fixed_dictionaries({"tuple": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"literal": literals}),
        unions(inner),
        records(NAMES, inner),
    )


SHAPES = st.recursive(SCALARS, extended, max_leaves=12)


@st.composite
def modules(draw: st.DrawFn) -> dict[str, Any]:
    """What a module says of itself, with some recursion."""
    names = draw(st.lists(NAMES, max_size=8, unique=True))
    docs = st.text(LETTERS | st.sampled_from("\\\"' \n"), max_size=40)
    middle = draw(st.integers(0, len(names)))
    shown: list[dict[str, Any]] = []
    for name in names[:middle]:
        inner = st.recursive(st.one_of(SCALARS, st.just({"enclosing": name})), extended, max_leaves=6)
        shape = draw(st.one_of(records(st.just(name), inner, 6), SHAPES))
        shown.append({"name": name, "doc": draw(docs), "public": True, "shape": shape})
    functions: list[dict[str, Any]] = [
        {
            "name": name,
            "doc": draw(docs),
            "form": draw(st.sampled_from(["class", "object"])),
            "kind": draw(st.sampled_from(["map", "filter", "filter_map", "flat_map"])),
            "input": draw(SHAPES),
            "output": draw(SHAPES),
            "parameters": None,
        }
        for name in names[middle:]
    ]
    for function in functions:
        if function["form"] == "class" and draw(st.booleans()):
            named = draw(st.lists(NAMES, max_size=5, unique=True))
            function["parameters"] = [
                {"name": name, "type": draw(SHAPES), "required": draw(st.booleans())} for name in named
            ]
            # Those that may be left out come last.
            function["parameters"].sort(key=lambda parameter: not parameter["required"])
    return {"types": shown, "functions": functions}


def written(described: dict[str, Any]) -> str:
    return stub_text("steps", Contents("steps", described))


def ruff(*arguments: str, text: str) -> subprocess.CompletedProcess[str]:
    command = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    assert command is not None, "requirements/test.txt has ruff"
    line = [command, *arguments, "--isolated", "--line-length", "120", "--stdin-filename", "steps.pyi", "-"]
    return subprocess.run(line, input=text, capture_output=True, text=True, check=False)


class Runnable(ast.NodeTransformer):
    """Makes of a stub what runs: what it refers to may come later."""

    def visit_Dict(self, node: ast.Dict) -> ast.Dict:
        return ast.Dict(node.keys, [ast.Constant(ast.unparse(value)) for value in node.values])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign | None:
        return None if node.value is not None else node


@contextmanager
def running(text: str) -> Generator[dict[str, Any]]:
    """Run a stub as a module; `hints` has what its functions take and give."""
    tree = ast.parse(text)
    bases = {node.name: ast.unparse(node.bases[0]) for node in tree.body if isinstance(node, ast.ClassDef)}
    classes = {name: base for name, base in bases.items() if re.match(r"(\w+\.)?RustFunction\[", base)}
    tree.body = [node for node in tree.body if not (isinstance(node, ast.ClassDef) and node.name in classes)]
    tree = ast.fix_missing_locations(Runnable().visit(tree))
    module = types.ModuleType("steps")
    sys.modules["steps"] = module
    try:
        flags = __future__.annotations.compiler_flag
        exec(compile(tree, "steps.pyi", "exec", flags, dont_inherit=True), vars(module))  # noqa: S102  # our own text
        functions: Any = {"__annotations__": vars(module).get("__annotations__", {}) | classes}
        hints = typing.get_type_hints(type("Functions", (), functions), vars(module))
        yield vars(module) | {"hints": hints}
    finally:
        del sys.modules["steps"]


def names_of(text: str) -> list[str]:
    """What a stub declares, in its order."""
    names: list[str] = []
    for node in ast.parse(text).body:
        match node:
            case (
                ast.ClassDef(name=name)
                | ast.AnnAssign(target=ast.Name(id=name))
                | ast.Assign(targets=[ast.Name(id=name)])
            ):
                names.append(name)
            case _:
                pass
    return names


@given(modules())
@FEW
def test_formatters_and_linters_find_nothing(described: dict[str, Any]) -> None:
    text = written(described)
    assert text == ruff("format", text=text).stdout
    found = ruff("check", "--select", "F,W,I,UP", "--target-version", "py310", "--ignore", "UP013", text=text)
    assert found.returncode == 0, found.stdout


@given(modules())
@FEW
def test_each_name_is_declared_once(described: dict[str, Any]) -> None:
    contents = Contents("steps", described)
    names = names_of(stub_text("steps", contents))
    assert sorted(set(names)) == sorted(names)
    shown = {item.name for item in contents.types} | {item.name for item in contents.functions}
    told = " ".join(remarks(contents))
    assert all(f"`{name}`" in told for name in shown - set(names))


@given(modules())
@FEW
def test_a_stub_gives_back_the_shapes(described: dict[str, Any]) -> None:
    contents = Contents("steps", described)
    with running(stub_text("steps", contents)) as module:
        for record in contents.records:
            assert stripped(shape_of(module[record.title])) == stripped(closed({"record": record}))
        for function in contents.functions:
            if function.name in module["hints"]:
                reads, gives = typing.get_args(module["hints"][function.name])
                assert stripped(shape_of(reads)) == stripped(closed(function.input))
                assert function.kind != "map" or stripped(shape_of(gives)) == stripped(closed(function.output))


def stripped(shape: Any) -> Any:
    """Without what Python calls a record, and what it is there."""
    match shape:
        case {"record": {"fields": fields}}:
            return {"record": [[item["name"], item["required"], stripped(item["type"])] for item in fields]}
        case {"enclosing": _}:
            return "enclosing"
        case {"literal": words}:
            return {"literal": words}
        case str():
            return shape
        case _:
            return [next(iter(shape)), *map(stripped, parts_of(shape))]
