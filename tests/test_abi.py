"""Which extensions the runtime takes, and what becomes of those that are imported again, or built anew."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

from oxflow import (
    ExtensionError,
    Map,
    PlanError,
    Serializer,
    StreamSink,
    __version__,
    _oxflow,
    streaming_source,
    testing,
)
from tables import MAGIC, MAJOR, MINOR, OLDEST_MINOR, OLDEST_SIZE, Head, ModuleTable, capsule, imported, module

if TYPE_CHECKING:
    from collections.abc import Iterable

OF_NOW = f"this oxflow speaks ABI {MAJOR}.{MINOR}"
FROM_ON = f"{OF_NOW} and reads modules from {MAJOR}.{OLDEST_MINOR} on"
BUILD = "build it again with the SDK of this oxflow (`oxflow update-sdk` in its project)"
UPDATE = "update oxflow to the release that it was built for, or build it again with the SDK of this one (`oxflow update-sdk`)"
SHORTER = (
    f"it says that it was built for ABI {MAJOR}.{MINOR}, but the table of {{}} is shorter than that one's: "
    "the module is damaged, or was not built by oxflow"
)


# --- versions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "why", "fix"),
    [
        (capsule(Head(MAGIC, 0, 2, 1000)), f"it was built for ABI 0.2; {FROM_ON}", BUILD),
        (capsule(Head(MAGIC, 1, 1, 1000)), f"it was built for ABI 1.1; {FROM_ON}", UPDATE),
        (
            module("f", version=(MAJOR, MINOR + 5), needs=MINOR + 2),
            f"it was built for ABI {MAJOR}.{MINOR + 5} and needs a runtime of {MAJOR}.{MINOR + 2} or later; {OF_NOW}",
            UPDATE,
        ),
        (
            module("f", size=OLDEST_SIZE - 8),
            SHORTER.format("the module"),
            BUILD,
        ),
        (
            module("f", more=-8),
            SHORTER.format("a type"),
            BUILD,
        ),
    ],
    ids=["older than any promise", "newer major", "needs more", "short module", "short type"],
)
def test_a_module_that_does_not_go_together_with_this_runtime_is_refused(made: Any, why: str, fix: str) -> None:
    with pytest.raises(ExtensionError) as caught:
        imported(made)
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("OXF0601", "the module `words` cannot be used as an extension")
    assert (found.why, found.fix) == (why, fix)


@pytest.mark.parametrize(
    "made",
    [
        module("f", version=(MAJOR, OLDEST_MINOR), size=OLDEST_SIZE),
        module("f", version=(MAJOR, MINOR + 1), needs=MINOR, size=ctypes.sizeof(ModuleTable) + 64, more=64),
        module("f", version=(MAJOR, MINOR + 9), needs=0),
    ],
    ids=["oldest", "newer, with entries to come", "newer, that needs nothing"],
)
def test_a_module_of_another_minor_version_is_taken(made: Any) -> None:
    words = imported(made)
    pipeline = (
        streaming_source("source", stream_name="in")
        .apply(Map("f", words.f))
        .apply(Serializer("write"))
        .sink(StreamSink("sink", stream_name="out"))
    )
    assert "f" in str(pipeline)
    assert repr(words.f) == "words.f"


@pytest.mark.parametrize(
    "given", [None, object(), capsule(Head(1, 0, 4, 1000)), capsule(Head(MAGIC, 0, 3, 1000), b"another.capsule")]
)
def test_what_is_no_capsule_of_oxflow_is_refused(given: object) -> None:
    with pytest.raises(ExtensionError) as caught:
        _oxflow.describe_module(given)
    assert caught.value.code == "OXF0602"
    assert caught.value.diagnostics[0].message == "the module cannot be used as an extension"


# --- modules that come again ----------------------------------------------------------------------------------------


def test_tables_that_are_taken_again_have_the_same_face() -> None:
    made = module("f")
    first, second, elsewhere = imported(made), imported(made), imported(made, "other.words")
    assert first.f is second.f
    # Under another name it is another function, of the same tables.
    assert first.f != elsewhere.f
    assert first.f.native.module == elsewhere.f.native.module


def of_two(first: Any, second: Any) -> Any:
    steps = streaming_source("source", stream_name="in").apply(Map("first", first)).apply(Map("second", second))
    return steps.apply(Serializer("write")).sink(StreamSink("sink", stream_name="out"))


def test_two_builds_of_one_module_that_differ_are_refused_in_one_pipeline() -> None:
    old, new = imported(module("f"), "mixed"), imported(module("f", "g"), "mixed")
    with pytest.raises(PlanError) as caught:
        testing.run(of_two(old.f, new.g), {"in": []})
    first = caught.value.diagnostics[0]
    assert first.code == "OXF0607"
    assert first.message == "the pipeline has functions or types of two builds of the module `mixed`"
    for both in [(old.f, old.f), (new.f, new.g)]:
        # These fail for another reason: what `str` is parsed of.
        with pytest.raises(PlanError) as caught:
            testing.run(of_two(*both), {"in": []})
        assert "OXF0607" not in {item.code for item in caught.value.diagnostics}


def python(folder: Path, program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder that has a copy of the module `test_steps` of its own."""
    if not (folder / "test_steps").exists():
        shutil.copytree(Path(test_steps.__file__).parent, folder / "test_steps")
    (folder / "app.py").write_text(PIPELINE + program, encoding="utf-8")
    command = [sys.executable, *options, "app.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


PIPELINE = """
import importlib, json, os, pickle, shutil, sys, warnings
import oxflow, test_steps
from oxflow import Map, Parser, Serializer, StreamSink, streaming_source, testing

def of(*functions):
    steps = streaming_source("source", stream_name="in").apply(Parser("parse", test_steps.Word))
    for number, function in enumerate(functions):
        steps = steps.apply(Map(f"map_{number}", function=function))
    return steps.apply(Serializer("write")).sink(StreamSink("sink", stream_name="out"))

pipeline = of(test_steps.check)
LINE = b'{"text":"a","count":1,"tags":{}}'

def forget():
    for name in [name for name in sys.modules if name.partition(".")[0] == "test_steps"]:
        del sys.modules[name]
"""


def lines(done: subprocess.CompletedProcess[str]) -> Iterable[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_module_that_is_imported_again_is_the_same(tmp_path: Path) -> None:
    program = """
first, double = test_steps, test_steps.Double
importlib.reload(test_steps.test_steps)
importlib.reload(test_steps)
print(test_steps.Double is double)
forget()
import test_steps
print(test_steps is not first, test_steps.Double is double)
print(pickle.loads(pickle.dumps(double())) == double())
print(testing.run(of(double(), test_steps.Double()), {"in": [LINE]})["out"])
report = oxflow.run(of(test_steps.warn_often), streams={"in": [LINE], "out": "null:"})
print([logged.count for logged in report.recorded.logs])
"""
    said = list(lines(python(tmp_path, program)))
    assert said == ["True", "True True", "True", str([b'{"text":"a","count":4,"tags":{}}']), "[1]"]


def test_two_copies_of_one_module_work_side_by_side(tmp_path: Path) -> None:
    program = """
old = test_steps.Double()
shutil.copytree("test_steps", "elsewhere/test_steps")
forget()
sys.path.insert(0, "elsewhere")
import test_steps
print(old.native.module != test_steps.Double.native.module, type(old) is not test_steps.Double)
print(testing.run(of(old, test_steps.Double(), old), {"in": [LINE]})["out"])
"""
    assert list(lines(python(tmp_path, program))) == ["True True", str([b'{"text":"a","count":8,"tags":{}}'])]


# --- modules that are built anew ------------------------------------------------------------------------------------

OUTDATED = """\
warning[OXF0606]: the module `test_steps` was built anew after it was imported
  why: its old code runs until Python is started again
  fix: start Python again
  more: oxflow explain OXF0606
"""
# As pip does it: another file of the same name.
BUILD_ANEW = """
file = test_steps.test_steps.__file__
shutil.copyfile(file, "new.so")
os.replace("new.so", file)
"""


def test_a_module_that_was_built_anew_is_told_once(tmp_path: Path) -> None:
    program = f"""
warnings.simplefilter("ignore", oxflow.UnoptimisedWarning)
warnings.simplefilter("always", oxflow.OutdatedModuleWarning)
oxflow.run(pipeline, streams={{"in": [], "out": "null:"}})
print("before", file=sys.stderr)
{BUILD_ANEW}
oxflow.run(pipeline, streams={{"in": [], "out": "null:"}})
oxflow.run(pipeline, streams={{"in": [], "out": "null:"}})
"""
    done = python(tmp_path, program)
    assert done.returncode == 0, done.stderr
    before, after = done.stderr.split("before\n")
    assert before == ""
    assert OUTDATED in after
    assert after.count("OutdatedModuleWarning") == 1


def test_check_and_doctor_tell_what_this_process_has(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from oxflow.cli import main
from oxflow.sdk.doctor import examine
{BUILD_ANEW}
Path("pipe.py").write_text("import app; pipeline = app.pipeline")
sys.modules["app"] = sys.modules["__main__"]
sys.path.insert(0, os.getcwd())
print("code", main(["check", "pipe.py"]))
for finding in examine(["test_steps"], Path.cwd()):
    if finding.name == "test_steps":
        print(finding.state, finding.found)
"""
    done = python(tmp_path, program)
    text = list(lines(done))
    assert done.stderr.startswith(OUTDATED)
    assert "code 0" in text
    why = (
        "the module `test_steps` was built anew after it was imported: its old code runs until Python is started again"
    )
    assert text[-1] == f"wrong {why}"
    # It was built by `make test`, without optimisation.
    assert text[-2].startswith(f"wrong ABI {MAJOR}.{MINOR}, SDK {__version__}, without optimisation, ")
    assert text[-2].endswith(".so")
