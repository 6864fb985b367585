"""`oxflow new --pure-rust`: what it makes, how much that compiles, and that it runs."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from oxflow.sdk import vendor
from oxflow.sdk.new import create
from oxflow.sdk.project import demand, update_sdk
from pure_binary import CRATE, TARGET, binary
from test_new import command
from test_project import settle

# glibc and GCC's runtime, which the image `distroless/cc` has.
IN_IMAGE = {
    *("linux-vdso.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"),
    *("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1"),
}
# Without types of its own.
YAML: Any = importlib.import_module("yaml")


def cargo(folder: Path, *arguments: str) -> str:
    environment = os.environ | {"CARGO_TARGET_DIR": str(TARGET), "CARGO_NET_OFFLINE": "true"}
    done = subprocess.run(
        ["cargo", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_project_is_made_without_a_network_and_named_as_it_was_asked_for(tmp_path: Path) -> None:
    done = command(tmp_path, "new", "ox_pipeline", "--pure-rust")
    assert (done.returncode, done.stderr) == (0, "")
    assert "./target/release/ox_pipeline --config sample.yaml\n" in done.stdout
    own = [file for file in (tmp_path / "ox_pipeline").rglob("*") if file.is_file() and "vendor" not in file.parts]
    assert {"pipeline.yaml", "Dockerfile", "kubernetes.yaml", "ci.yml", ".dockerignore"} <= {file.name for file in own}
    assert not [file.name for file in own if re.search("my[_-]steps", file.name + file.read_text(encoding="utf-8"))]


def test_a_program_is_no_module_of_many_teams(tmp_path: Path) -> None:
    done = command(tmp_path, "new", "ox_pipeline", "--pure-rust", "--monorepo")
    assert done.returncode == 2
    assert not list(tmp_path.iterdir())


def test_it_compiles_at_most_120_packages(tmp_path: Path) -> None:
    project = create("ox_pipeline", tmp_path / "ox_pipeline", is_pure=True)
    tree = cargo(project.folder, "tree", "--locked", "-e", "normal,build", "--prefix", "none", "--format", "{p}")
    packages = {line.split(" (")[0] for line in tree.splitlines() if line}
    assert 20 < len(packages) <= 120
    assert not [package for package in packages if "pyo3" in package]


def test_it_builds_passes_its_tests_and_runs(tmp_path: Path) -> None:
    # The same place each time, so that cargo builds only what changed.
    made = create("ox_pipeline", tmp_path / "ox_pipeline", is_pure=True)
    place = TARGET / "projects/ox_pipeline"
    settle(made, place)
    cargo(place, "test", "--quiet", "--locked")
    cargo(place, "fmt", "--check")
    run: list[str | Path] = [TARGET / "debug/ox_pipeline", "--quiet", "--config", "sample.yaml"]
    done = subprocess.run(run, cwd=place, capture_output=True, text=True, check=True)
    assert done.stdout.startswith('{"text":"OXEN","letters":4}\n')
    linked = subprocess.run(["ldd", str(run[0])], capture_output=True, text=True, check=True).stdout
    assert {Path(line.split()[0]).name for line in linked.splitlines()} <= IN_IMAGE


def instructions(folder: Path) -> list[list[str]]:
    """Those of the Dockerfile, each split at blanks."""
    lines = (folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def told(all_of_them: list[list[str]], word: str) -> list[str]:
    """The list of the instruction of this name."""
    (found,) = [line[1:] for line in all_of_them if line[0] == word]
    listed: list[str] = json.loads(" ".join(found))
    return listed


def test_its_image_is_made_of_what_is_there(tmp_path: Path) -> None:
    """There is no docker here: what can be said without one."""
    project = create("ox_pipeline", tmp_path / "ox_pipeline", is_pure=True)
    left_out = (project.folder / ".dockerignore").read_text(encoding="utf-8").split()
    copied = tmp_path / "src"
    shutil.copytree(project.folder, copied, ignore=shutil.ignore_patterns(*left_out))
    made = instructions(project.folder)
    assert [line[1:] for line in made if line[0] == "RUN"] == [["cargo", "build", "--release", "--locked"]]
    # Cargo refuses a lock file that doesn't fit, and a package whose sources were left out.
    (package,) = [
        package
        for package in json.loads(cargo(copied, "metadata", "--locked", "--format-version", "1"))["packages"]
        if package["name"] == "ox_pipeline"
    ]
    assert {target["name"] for target in package["targets"] if target["kind"] == ["bin"]} == {"ox_pipeline"}
    own, (_, stage, program, placed) = [line for line in made if line[0] == "COPY"]
    assert own == ["COPY", ".", "."]
    assert (stage, program) == ("--from=build", "/src/target/release/ox_pipeline")
    assert [line[1] for line in made if line[0] == "WORKDIR"] == ["/src"]
    assert told(made, "ENTRYPOINT") == [placed]
    command = told(made, "CMD")
    _, job = YAML.safe_load_all((project.folder / "kubernetes.yaml").read_text(encoding="utf-8"))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    (mount,) = [mount for mount in container["volumeMounts"] if command[-1].startswith(mount["mountPath"])]
    assert command == ["run", "--config", f"{mount['mountPath']}/config.yaml"]


def test_its_manifest_is_that_of_the_program(tmp_path: Path) -> None:
    project = create("ox_pipeline", tmp_path / "ox_pipeline", is_pure=True)
    settings, job = YAML.safe_load_all((project.folder / "kubernetes.yaml").read_text(encoding="utf-8"))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    config = project.folder / "cluster.yaml"
    config.write_text(settings["data"]["config.yaml"], encoding="utf-8")
    check: list[str | Path] = [binary(), "check", "--config", config]
    checked = subprocess.run(check, cwd=project.folder, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_vendored_engine_is_kept_up_to_date(tmp_path: Path) -> None:
    project = create("ox_pipeline", tmp_path / "ox_pipeline", is_pure=True)
    assert vendor.differences(project.folder) == []
    stale = project.folder / "vendor/oxflow-engine/src/lib.rs"
    stale.write_text("", encoding="utf-8")
    assert update_sdk(demand(project.folder)) == ["vendor/oxflow-engine/src/lib.rs"]
    assert stale.read_text(encoding="utf-8")


def test_a_module_vendors_no_engine(tmp_path: Path) -> None:
    project = create("ox_words", tmp_path / "ox_words")
    assert not (project.folder / "vendor/oxflow-engine").exists()


@pytest.fixture(scope="module")
def released() -> Path:
    """The program of the tests as it is shipped; tests/pure has the profile of the template."""
    cargo(CRATE, "build", "--quiet", "--release", "--locked", "--bin", "pure_words")
    return TARGET / "release/pure_words"


def test_it_is_small(released: Path) -> None:
    assert released.stat().st_size <= 8 << 20


def test_it_starts_at_once(released: Path, tmp_path: Path) -> None:
    def started() -> float:
        start = time.perf_counter()
        subprocess.run([released, "check", "--stream", "lines=null:"], cwd=tmp_path, capture_output=True, check=True)
        return time.perf_counter() - start

    # The least of several: others may have the machine.
    assert min(started() for _ in range(20)) <= 0.02
