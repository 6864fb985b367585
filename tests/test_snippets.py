"""The blocks of README and guides do what the page says.

A block with a `title` is a file. `python` without one is a program, `console` is commands with their output, in which a
line `...` stands for any lines. The blocks of a page run in order in one folder, which has the files of all pages: a guide
may go on with what an earlier one wrote. A block under `<!-- excerpt: FILE -->` is taken from a file that is built and tested
elsewhere. Other languages are not run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)

EXCERPT = re.compile(r"^<!-- excerpt: (?P<file>\S+) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def runnable(page: Path) -> list[re.Match[str]]:
    blocks = BLOCK.finditer(EXCERPT.sub("", page.read_text(encoding="utf-8")))
    return [block for block in blocks if block["title"] or block["language"] in {"python", "console"}]


def excerpts() -> list[tuple[str, str, str]]:
    found = [(page, excerpt) for page in PAGES for excerpt in EXCERPT.finditer(page.read_text(encoding="utf-8"))]
    return [(page.stem, excerpt["file"], excerpt["text"]) for page, excerpt in found]


def environment() -> dict[str, str]:
    """The commands of the interpreter that runs the tests come first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "NO_COLOR": "1"}


def run(command: str | list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        shell=isinstance(command, str),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} gives {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def run_console(text: str, folder: Path) -> None:
    for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = step.partition("\n")
        pattern = re.escape(expected).replace(re.escape("...\n"), r"(?:.*\n)*")
        answer = run(command, folder)
        assert re.fullmatch(pattern, answer), f"$ {command}\n{answer}instead of\n{expected}"


@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=lambda page: page.stem)
def test_the_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for block in (block for any_page in PAGES for block in runnable(any_page) if block["title"]):
        (tmp_path / block["title"]).write_text(block["text"], encoding="utf-8")
    for block in runnable(page):
        if block["title"]:
            continue
        if block["language"] == "console":
            run_console(block["text"], tmp_path)
        else:
            program = tmp_path / "program.py"
            program.write_text(block["text"], encoding="utf-8")
            run([sys.executable, "-W", "error", "program.py"], tmp_path)


@pytest.mark.parametrize(("page", "file", "text"), excerpts())
def test_an_excerpt_is_in_its_file(page: str, file: str, text: str) -> None:
    lines = iter((ROOT / file).read_text(encoding="utf-8").splitlines())
    missing = [line for line in text.splitlines() if line and line not in lines]
    assert not missing, f"{page} shows lines that {file} does not have in this order"


def test_no_two_pages_write_the_same_file() -> None:
    titles = [block["title"] for page in PAGES for block in runnable(page) if block["title"]]
    assert sorted(set(titles)) == sorted(titles)
