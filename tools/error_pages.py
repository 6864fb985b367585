"""A hook of mkdocs: the pages of the error codes become `reference/errors.md`.

The pages live beside the engine, which compiles them in for `oxflow explain`; the site shows the same text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

PAGES = Path(__file__).parent.parent / "crates/oxflow-engine/errors"
INTRODUCTION = "# Errors\n\nEach error of oxflow has a code. `oxflow explain CODE` prints its page in the terminal.\n"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page of all codes."""
    pages = [path.read_text(encoding="utf-8") for path in sorted(PAGES.glob("OXF*.md"))]
    lowered = ["\n".join(lower_headings(page.splitlines())) for page in pages]
    files.append(File.generated(config, "reference/errors.md", content="\n\n".join([INTRODUCTION, *lowered])))
    return files


def lower_headings(lines: list[str]) -> list[str]:
    """One level down for each heading, outside code."""
    result: list[str] = []
    code = False
    for line in lines:
        code ^= line.startswith("```")
        result.append("#" + line if line.startswith("#") and not code else line)
    return result
