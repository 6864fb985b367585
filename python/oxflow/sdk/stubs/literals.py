"""Strings and docstrings as formatters write them."""

from __future__ import annotations

import re
import textwrap

# A quotation mark that no backslash takes its meaning.
_BARE_END = re.compile(r'((?<!\\)(?:\\\\)*)"$')


def quoted(text: str) -> str:
    """A string: in double quotes, unless that takes more backslashes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    inside = _printable(text).replace(quote, f"\\{quote}")
    return f"{quote}{inside}{quote}"


def docstring(doc: str, indent: int = 0) -> str:
    """A docstring; one of several lines ends on a line of its own."""
    first, *rest = doc.expandtabs(4).strip().split("\n")
    lines = [line.rstrip() for line in (first, *(textwrap.dedent("\n".join(rest)).split("\n") if rest else []))]
    prefix = "r" if _may_be_raw("".join(lines), lines[-1]) else ""
    if not prefix:
        lines = [_printable(line).replace('"""', r"\"\"\"") for line in lines]
    if len(lines) > 1:
        lines.append("")
    elif not prefix:
        lines[0] = _BARE_END.sub(r"\1\"", lines[0])
    space = " " if lines[0].startswith('"') else ""
    margin = " " * indent
    first, *rest = lines
    text = "\n".join([f'{margin}{prefix}"""{space}{first}', *(f"{margin}{line}" if line else "" for line in rest)])
    return f'{text}{margin if rest else ""}"""'


def _may_be_raw(text: str, last: str) -> bool:
    """With backslashes that are better left as they are."""
    return "\\" in text and text.isprintable() and '"""' not in text and not last.endswith(('"', "\\"))


def _printable(text: str) -> str:
    return "".join(
        letter if letter.isprintable() and letter != "\\" else letter.encode("unicode_escape").decode()
        for letter in text
    )
