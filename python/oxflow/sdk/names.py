"""Which names a project or a function may have: each is a name in Python, in Rust and of a file at once."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys

from oxflow.errors import Diagnostic, ProjectError

# What the lints of Rust take for a name of a function as well.
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
# Of Rust those that Python hasn't got, or not everywhere: there `match` and `type` are names, too.
_RUST_KEYWORDS = frozenset({
    "abstract", "become", "box", "const", "crate", "do", "dyn", "enum", "extern", "final", "fn", "gen", "impl", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "self", "static", "struct", "super", "trait", "true",
    "false", "type", "typeof", "union", "unsafe", "unsized", "use", "virtual", "where",
})  # fmt: skip
# Crates that the project's own would hide, or be hidden by.
_CRATES = frozenset({"alloc", "core", "proc_macro", "std", "test", "oxflow", "oxflow_macros", "serde", "serde_json"})
# What stands in the project's folder, which tests have on their path.
_IN_PROJECT = frozenset({"functions", "pipeline", "src", "target", "tests", "vendor"})


def check_module(name: str) -> None:
    """Refuse what can't be the name of a project, which is that of its module and its crate.

    Raises:
        ProjectError: says why.
    """
    _check_identifier(name, "a project")
    if name in sys.stdlib_module_names:
        raise _bad(name, "a project", "Python has a module of this name")
    if name in _CRATES or name in _IN_PROJECT:
        raise _bad(name, "a project", "a crate or file that the project needs has this name")
    found = importlib.util.find_spec(name)
    # A folder of this name in the working directory counts as a module without a file.
    if found is not None and found.origin is not None:
        raise _bad(name, "a project", "a module of this name is installed here: `import` would find only one of them")


def check_function(name: str) -> None:
    """Refuse what can't be the name of a function and of its file.

    Raises:
        ProjectError: says why.
    """
    _check_identifier(name, "a function")


def check_team(name: str) -> None:
    """Refuse what can't be the name of a team's folder, which is a module of Rust.

    Raises:
        ProjectError: says why.
    """
    _check_identifier(name, "a team")


def camel(name: str) -> str:
    """Give the name of a type: `clean_text` is `CleanText`."""
    return "".join(word.capitalize() for word in name.split("_"))


def _check_identifier(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        near = re.sub(r"\W+|_+", "_", name.lower(), flags=re.ASCII).strip("_0123456789")
        fix = f"did you mean `{near}`?" if _NAME.fullmatch(near) and not _is_keyword(near) else None
        raise _bad(
            name,
            what,
            "it has to be words of lower-case ASCII letters and digits with `_` between them, and begin with a letter",
            fix,
        )
    if _is_keyword(name):
        raise _bad(name, what, "it is a keyword of Python or of Rust")


def _is_keyword(name: str) -> bool:
    return keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _RUST_KEYWORDS


def _bad(name: str, what: str, why: str, fix: str | None = None) -> ProjectError:
    message = f"`{name}` can't be the name of {what}"
    return ProjectError(Diagnostic("OXF0701", message, why=why, fix=fix or "take another name"))
