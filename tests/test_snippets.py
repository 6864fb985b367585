"""The blocks of README and guides do what the page says.

A block with a `title` is a file. `python` without one is a program, `console` is commands with their output, in which a
line `...` stands for any lines. The blocks of a page run in order in one folder, which has the files of all pages: a guide
may go on with what an earlier one wrote. A block under `<!-- excerpt: FILE -->` is taken from a file that is built and tested
elsewhere. Other languages are not run. A page that writes a `Cargo.toml` has its crate built and installed first.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from judging import Cluster

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)

# The broker of the pages.
BROKERS = "127.0.0.1:9092"
# Where a page's own modules are installed, in its folder.
MODULES = "modules"
# Always the same place, so that cargo builds only what changed.
CRATE = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/oxflow/target")) / "guide"

EXCERPT = re.compile(r"^<!-- excerpt: (?P<file>\S+) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def runnable(page: Path) -> list[re.Match[str]]:
    blocks = BLOCK.finditer(EXCERPT.sub("", page.read_text(encoding="utf-8")))
    return [block for block in blocks if block["title"] or block["language"] in {"python", "console"}]


def excerpts() -> list[tuple[str, str, str]]:
    found = [(page, excerpt) for page in PAGES for excerpt in EXCERPT.finditer(page.read_text(encoding="utf-8"))]
    return [(page.stem, excerpt["file"], excerpt["text"]) for page, excerpt in found]


def environment() -> dict[str, str]:
    """The commands of the interpreter that runs the tests come first; modules that a page builds are found."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "NO_COLOR": "1", "PYTHONPATH": MODULES}


def run(command: str | list[str], folder: Path, more: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment() | (more or {}),
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


def write_files(folder: Path, blocks: list[re.Match[str]]) -> None:
    for block in blocks:
        if block["title"]:
            file = folder / block["title"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block["text"], encoding="utf-8")


def build_crate(manifest: re.Match[str], page: Path, folder: Path) -> None:
    """Test a page's crate and install its module into `folder`, as its reader would, but against this checkout."""
    write_files(CRATE, runnable(page))
    crate = (CRATE / manifest["title"]).parent
    here = manifest["text"].replace("../../oxflow/crates", f"{ROOT.as_posix()}/crates")
    assert here != manifest["text"]
    (crate / "Cargo.toml").write_text(here, encoding="utf-8")
    # The versions that are compiled already.
    lock = (ROOT / "examples/metrics/steps/Cargo.lock").read_text(encoding="utf-8")
    (package,) = re.findall(r'^\[package\]\nname = "(\w+)"$', manifest["text"], re.MULTILINE)
    (crate / "Cargo.lock").write_text(lock.replace("metrics_steps", package), encoding="utf-8")
    # The interpreter that all of cargo has, or PyO3 is built anew.
    python = os.environ.get("PYO3_PYTHON", sys.executable)
    probe = "import sysconfig; print(*sysconfig.get_config_vars('Py_ENABLE_SHARED', 'LIBDIR'))"
    shared, libraries = run([python, "-c", probe], crate).split(maxsplit=1)
    cargo = {"CARGO_TARGET_DIR": str(CRATE.parent), "PYO3_PYTHON": python, "CARGO_NET_OFFLINE": "true"}
    # Without a shared library test programs can't be linked; `make test` then says that it could not run them.
    if shared == "1":
        run(["cargo", "test", "--quiet"], crate, cargo | {"LD_LIBRARY_PATH": libraries.strip()})
    maturin = shutil.which("maturin", path=os.pathsep.join([str(ROOT / ".venv/build/bin"), environment()["PATH"]]))
    assert maturin, "`make test` puts maturin into .venv/build"
    wheels = crate / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    run([maturin, "build", "--quiet", "--interpreter", python, "--out", str(wheels)], crate, cargo)
    (wheel,) = wheels.glob("*.whl")
    shutil.unpack_archive(wheel, folder / MODULES, "zip")


@pytest.fixture
def brokers(request: pytest.FixtureRequest, page: Path) -> str:
    """A broker with the topics of the page that needs one."""
    if BROKERS not in "".join(block["text"] for block in runnable(page)):
        return BROKERS
    cluster: Cluster = request.getfixturevalue("cluster")
    cluster.create("metrics", "doubled")
    return cluster.address


@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=lambda page: page.stem)
def test_the_page_does_what_it_says(page: Path, tmp_path: Path, brokers: str) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    write_files(tmp_path, [block for any_page in PAGES for block in runnable(any_page)])
    for block in runnable(page):
        if (block["title"] or "").endswith("Cargo.toml"):
            build_crate(block, page, tmp_path)
        elif block["title"]:
            continue
        elif block["language"] == "console":
            run_console(block["text"].replace(BROKERS, brokers), tmp_path)
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
