"""Puts builds of extensions and builds of oxflow together that were made apart, and expects that they work, or say why they don't.

`compat.py FOLDER PYTHON MATURIN` builds in FOLDER, which lies outside the checkout and keeps what doesn't change. The extension is
`tests/compat/steps`, what is done with it `tests/compat/scenario.py`. Other versions of the SDK are copies of this checkout that were
edited, or commits of its history.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).parents[1]
COPIED = (
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "pyproject.toml",
    "crates",
    "python",
)
STEPS = Path("tests/compat/steps")
SCENARIO = ROOT / "tests/compat/scenario.py"
EXPECTED = ROOT / "tests/compat/expected.json"
# A commit before minor versions promised anything (ABI 0.2).
UNPROMISED = "c3cd136"
# The last one of the oldest minor version that is read (ABI 0.4).
OLDEST = "9db4402"
OTHER_PYO3 = "0.29.3"
OTHER_RUST = "nightly"
# What each struct has in one version more, and where values of it are made.
GROWN = (
    "ModuleTable",
    "TypeTable",
    "FunctionTable",
    "Fault",
    "HostApi",
    "Entry",
    "Instrument",
    "ObjectTable",
    "GatherTable",
    "OfferTable",
)
MADE_IN = {
    "crates/oxflow/src/table.rs": "ModuleTable|TypeTable|FunctionTable",
    "crates/oxflow/src/closure.rs": "TypeTable|FunctionTable",
    "crates/oxflow/src/python/objects.rs": "ObjectTable",
    "crates/oxflow/src/python/gather.rs": "GatherTable",
    "crates/oxflow/src/python/offer.rs": "OfferTable",
    "crates/oxflow/src/report.rs": "Fault",
    "crates/oxflow/src/host/draft.rs": "Entry",
    # What the ABI calls an `Instrument`.
    "crates/oxflow/src/metrics.rs": "Described",
    "crates/oxflow-engine/src/host/api.rs": "HostApi",
}


class MismatchError(Exception):
    """A pair didn't do what it should."""


@dataclass(frozen=True)
class Pair:
    """An extension on a runtime.

    Attributes:
        runtime: which build of oxflow.
        module: which build of the extension.
        refused: what the error says; `None` if they go together.
    """

    runtime: str
    module: str
    refused: str | None = None


class Workshop:
    """Builds what is put together."""

    def __init__(self, folder: Path, python: str, maturin: str) -> None:
        self.folder, self.python, self.maturin = folder, python, maturin
        self.minor = int(_only(r"pub const MINOR: u32 = (\d+);", (ROOT / "crates/oxflow/src/abi.rs").read_text()))

    # --- sources ---

    def edited(self, name: str, edit: Callable[[str, str], str]) -> Path:
        """Give a copy of this checkout in which each file is what `edit` makes of its path and text."""
        tree = self.folder / "trees" / name
        wanted: set[Path] = set()
        for file in _files():
            text = edit(file.as_posix(), (ROOT / file).read_text(encoding="utf-8"))
            wanted.add(tree / file)
            _write(tree / file, text)
        for file in [file for part in ("crates", "python") for file in (tree / part).rglob("*") if file.is_file()]:
            if file not in wanted:
                file.unlink()
        return tree

    def commit(self, revision: str) -> Path:
        """Give the files of a commit, with the extension of this checkout."""
        tree = self.folder / "trees" / revision
        if not (tree / "Cargo.toml").exists():
            archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
            with tarfile.open(fileobj=io.BytesIO(archive)) as files:
                files.extractall(tree)  # noqa: S202  # our own commit
        for file in _files(STEPS.as_posix()):
            _write(tree / file, (ROOT / file).read_text(encoding="utf-8"))
        return tree

    # --- builds ---

    def module(self, name: str, tree: Path, crate: Path = STEPS, toolchain: str | None = None) -> None:
        """Build an extension; its folder is that of its name."""
        cargo = ["cargo", *([f"+{toolchain}"] if toolchain else []), "build", "--quiet"]
        # As `cargo` names the library, and as Python looks for it.
        library = _only(r'name = "(\w+)"', (tree / crate / "Cargo.toml").read_text())
        target = self.folder / "target" / name
        environment = {**os.environ, "CARGO_TARGET_DIR": str(target), "PYO3_PYTHON": self.python}
        environment.pop("RUSTUP_TOOLCHAIN", None)
        subprocess.run([*cargo, "--manifest-path", tree / crate / "Cargo.toml"], env=environment, check=True)
        folder = self.folder / "modules" / name
        folder.mkdir(parents=True, exist_ok=True)
        built = target / "debug" / f"lib{library}.so"
        # Beside it and then in its place: never into a file that somebody has loaded.
        shutil.copyfile(built, folder / "new")
        (folder / "new").replace(folder / f"{library}.abi3.so")

    def runtime(self, name: str, tree: Path, *, keep: bool = False) -> None:
        """Build oxflow and install it into an environment of its own."""
        environment = self.folder / "environments" / name
        if keep and (environment / "made").exists():
            return
        wheels = self.folder / "wheels" / name
        shutil.rmtree(wheels, ignore_errors=True)
        build = [self.maturin, "build", "--quiet", "--profile", "dev", "--locked", "--interpreter", self.python]
        # What it links with is here, and it stays here.
        build += ["--auditwheel", "skip"]
        # One for each: cargo takes workspaces in different places for the same.
        target = {} if tree == ROOT else {"CARGO_TARGET_DIR": str(self.folder / "target" / f"oxflow-{name}")}
        subprocess.run([*build, "--out", wheels], cwd=tree, env={**os.environ, **target}, check=True)
        subprocess.run([self.python, "-m", "venv", "--clear", environment], check=True)
        install: list[str | Path] = [environment / "bin/pip", "install", "--quiet", "--no-deps", *wheels.glob("*.whl")]
        subprocess.run(install, check=True)
        (environment / "made").touch()

    # --- pairs ---

    def put_together(self, pair: Pair) -> dict[str, Any]:
        """Run the scenario with an extension on a runtime."""
        folder = self.folder / "modules" / pair.module
        (library,) = folder.glob("*.so")
        python = self.folder / "environments" / pair.runtime / "bin/python"
        command: list[str | Path] = [python, "-I", SCENARIO, folder, library.name.partition(".")[0]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MismatchError(f"{pair} ended with {done.returncode}:\n{done.stderr}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def later(self, path: str, text: str) -> str:
        """Make the SDK and runtime of the next minor version: an entry more in each struct that grows."""
        if path == "crates/oxflow/src/abi.rs":
            text = _replaced(f"pub const MINOR: u32 = {self.minor};", f"pub const MINOR: u32 = {self.minor + 1};", text)
        if path in tuple(f"crates/oxflow/src/abi{name}.rs" for name in ("", "/host", "/objects")):
            structs = rf"(pub struct (?:{'|'.join(GROWN)}) \{{\n(?:    .*\n|\n)+?)(?=\}}\n)"
            return re.sub(structs, r"\1    /// As a version to come has it.\n    pub later: u64,\n", text)
        if path == "crates/oxflow/src/abi/growth.rs":
            return re.sub(rf"^(    (?:{'|'.join(GROWN)}): .*);$", r"\1, later;", text, flags=re.MULTILINE)
        if path in MADE_IN:
            # A value, not the body of a function that gives one.
            value = rf"(?<!-> )(?<!-> &'static )(?<!-> \*const )(?<!struct )(?<!impl )(\b(?:{MADE_IN[path]}) \{{)(?=\s)"
            return re.sub(value, r"\1 later: 0x5EED,", text)
        return text

    def needing_more(self, path: str, text: str) -> str:
        """Make an SDK whose modules say that they need the next runtime."""
        if path != "crates/oxflow/src/abi.rs":
            return text
        return re.sub(r"pub const NEEDS: u32 = \d+;", f"pub const NEEDS: u32 = {self.minor + 1};", text)


def of_other_pyo3(path: str, text: str) -> str:
    """Make an SDK that is built on another PyO3."""
    if path != "crates/oxflow/Cargo.toml":
        return text
    return re.sub(r'(pyo3 = \{ version = )"[^"]+"', rf'\1"={OTHER_PYO3}"', text)


def build(workshop: Workshop) -> None:
    """Build all that is put together."""
    later = workshop.edited("later", workshop.later)
    steps: Iterator[tuple[str, Callable[[], None]]] = iter(
        [
            ("oxflow", lambda: workshop.runtime("this", ROOT)),
            ("oxflow of the next minor version", lambda: workshop.runtime("later", later)),
            (f"oxflow of {UNPROMISED}", lambda: workshop.runtime("0.2", workshop.commit(UNPROMISED), keep=True)),
            (f"oxflow of {OLDEST}", lambda: workshop.runtime("0.4", workshop.commit(OLDEST), keep=True)),
            ("module", lambda: workshop.module("this", ROOT)),
            (f"module of {OLDEST}", lambda: workshop.module("0.4", workshop.commit(OLDEST))),
            (f"module by {OTHER_RUST}", lambda: workshop.module(OTHER_RUST, ROOT, toolchain=OTHER_RUST)),
            (
                f"module with PyO3 {OTHER_PYO3}",
                lambda: workshop.module(f"pyo3-{OTHER_PYO3}", workshop.edited("pyo3", of_other_pyo3)),
            ),
            ("module of the next minor version", lambda: workshop.module("later", later)),
            ("module that needs it", lambda: workshop.module("needs", workshop.edited("needs", workshop.needing_more))),
            (
                f"module of {UNPROMISED}",
                lambda: workshop.module("0.2", workshop.commit(UNPROMISED), crate=Path("tests/steps")),
            ),
        ]
    )
    for name, step in steps:
        print(f"-- {name}", flush=True)
        step()


def pairs(minor: int) -> list[Pair]:
    """What is put together."""
    reads = f"this oxflow speaks ABI 0.{minor} and reads modules from 0.4 on"
    return [
        Pair("this", "this"),
        Pair("this", OTHER_RUST),
        Pair("this", f"pyo3-{OTHER_PYO3}"),
        Pair("this", "0.4"),
        Pair("0.4", "this"),
        Pair("this", "later"),
        Pair("later", "this"),
        Pair("later", "later"),
        Pair(
            "this", "needs", refused=f"and needs a runtime of 0.{minor + 1} or later; this oxflow speaks ABI 0.{minor}"
        ),
        Pair("later", "needs"),
        Pair("this", "0.2", refused=f"it was built for ABI 0.2; {reads}"),
        Pair("0.2", "this", refused=f"the extension was built for ABI 0.{minor}, this runtime speaks 0.2"),
    ]


def judge(pair: Pair, found: dict[str, Any]) -> None:
    """See that a pair did what it should."""
    if pair.refused is None:
        expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
        if found != expected:
            differs = [
                f"{key}: {found.get(key)!r} in place of {expected[key]!r}"
                for key in expected
                if found.get(key) != expected[key]
            ]
            raise MismatchError(f"{pair}: {'; '.join(differs)} {found.get('refused', '')}")
    elif found.get("refused", [None])[0] != "OXF0601" or pair.refused not in found["refused"][1]:
        raise MismatchError(f"{pair} gave {found}")


def main(arguments: Sequence[str]) -> int:
    """Build, put together, and say how it went."""
    folder, python, maturin = arguments
    workshop = Workshop(Path(folder).absolute(), python, str(Path(maturin).absolute()))
    build(workshop)
    wrong = 0
    print(f"\n{'oxflow':8}  {'module':12}")
    for pair in pairs(workshop.minor):
        try:
            judge(pair, workshop.put_together(pair))
            answer = "works" if pair.refused is None else f"refused: {pair.refused}"
        except MismatchError as error:
            answer, wrong = f"WRONG: {error}", wrong + 1
        print(f"{pair.runtime:8}  {pair.module:12}  {answer}")
    return 1 if wrong else 0


def _files(*only: str) -> list[Path]:
    """What is in the repository, or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z", *(only or (*COPIED, STEPS.as_posix()))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def _write(file: Path, text: str) -> None:
    """Write a file unless that is what it says: cargo looks at its time."""
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _replaced(old: str, new: str, text: str) -> str:
    if old not in text:
        raise MismatchError(f"there is no `{old}` to edit")
    return text.replace(old, new)


def _only(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise MismatchError(f"nothing is like `{pattern}`")
    return found[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
