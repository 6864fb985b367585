"""A user's Rust extension as Python sees it: classes, objects, payload types."""

from __future__ import annotations

import importlib
import json
import pickle
import subprocess
import sys
import types
import typing
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

from oxflow import (
    ExtensionError,
    FlatMap,
    Map,
    Message,
    Parser,
    PlanError,
    RustFunction,
    Serializer,
    StepError,
    StreamSink,
    _oxflow,
    streaming_source,
    testing,
)
from oxflow._extension import CAPSULE, PIPELINE, populate
from oxflow.codec import encode
from oxflow.plan import lower

if TYPE_CHECKING:
    from pathlib import Path

# Any: what it holds is known when it is built, not when this file is checked.
steps: Any = importlib.import_module("metrics_steps")

COUNTER: dict[str, Any] = {
    "org_id": 1,
    "project_id": 2,
    "name": "c:sessions/session@none",
    "type": "c",
    "timestamp": 3,
    "tags": {},
    "value": 1,
    "retention_days": 90,
}


def test_a_rust_function_is_called_with_a_message() -> None:
    result = steps.RustTransformMsg()(Message(COUNTER))
    assert result["org_id"] == 1
    assert steps.keep(Message(COUNTER)) is True


def test_a_bare_payload_is_refused() -> None:
    text = "metrics_steps.RustTransformMsg() takes a Message, not a dict: wrap the payload, `Message(payload)`"
    with pytest.raises(TypeError) as caught:
        steps.RustTransformMsg()(COUNTER)
    assert str(caught.value) == text


def test_a_payload_that_does_not_fit_is_a_step_error() -> None:
    with pytest.raises(StepError):
        steps.keep(Message({"org_id": "x"}))


def test_functions_are_values() -> None:
    function = steps.RustTransformMsg()
    is_rust_function: bool = isinstance(steps.keep, RustFunction)
    assert is_rust_function
    assert function == steps.RustTransformMsg()
    assert function != steps.keep
    assert repr(function) == "metrics_steps.RustTransformMsg()"
    assert repr(steps.keep) == "metrics_steps.keep"
    for value in (function, steps.keep, steps.RustTransformMsg, steps.IngestMetric):
        assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301  # our own bytes


def test_a_payload_type_is_a_typed_dict() -> None:
    hints = typing.get_type_hints(steps.IngestMetric)
    assert hints["org_id"] is int
    assert hints["tags"] == dict[str, str]
    assert "sampling_weight" in steps.IngestMetric.__optional_keys__
    assert steps.IngestMetric.__module__ == "metrics_steps"


def test_rust_runs_inside_a_pipeline() -> None:
    pipeline = (
        streaming_source("in", stream_name="a")
        .apply(Parser("parse", steps.IngestMetric))
        .apply(Map("transform", steps.RustTransformMsg()))
        .apply(Serializer("write"))
        .sink(StreamSink("out", stream_name="b"))
    )
    (data,) = testing.run(pipeline, {"a": [encode(COUNTER)]})["b"]
    assert b'"org_id":1' in data


def test_a_function_of_another_kind_is_refused() -> None:
    start: Any = streaming_source("in", stream_name="a").apply(Parser("parse", steps.IngestMetric))
    with pytest.raises(PlanError) as caught:
        lower(start.apply(FlatMap("flat", steps.RustTransformMsg())))
    assert caught.value.diagnostics[0].message == (
        "step `flat` is a `FlatMap`, but `metrics_steps.RustTransformMsg()` returns one value"
    )
    assert caught.value.code == "OXF0207"


def test_two_things_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    described = {
        "identity": 0,
        "types": [{"name": "Word", "public": True}, {"name": "Word", "public": False}],
        "functions": [{"name": "Word"}],
    }

    def described_so(_capsule: object, _name: str) -> str:
        return json.dumps(described)

    monkeypatch.setattr(_oxflow, "describe_module", described_so)
    module = types.ModuleType("words.words")
    vars(module)[CAPSULE] = None
    with pytest.raises(ExtensionError) as caught:
        populate(module)
    assert caught.value.code == "OXF0602"
    assert caught.value.diagnostics[0].message == "`words` has two things that are named `Word`"
    assert caught.value.diagnostics[0].why == "a payload type and a function of this name"


def test_a_function_is_not_replaced_by_the_pipeline_of_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    def described_so(_capsule: object, _name: str) -> str:
        return json.dumps({"identity": 0, "types": [], "functions": []})

    def face_so(*_: object) -> dict[str, object]:
        return {"run_streams": "a function of the user's"}

    monkeypatch.setattr(_oxflow, "describe_module", described_so)
    monkeypatch.setattr("oxflow._extension._face", face_so)
    module = types.ModuleType("words.words")
    vars(module).update({CAPSULE: None, PIPELINE: "steps: []"})
    with pytest.raises(ExtensionError, match="`words` has two things that are named `run_streams`"):
        populate(module)


def test_a_function_that_is_called_by_hand_fails_without_talk_of_a_pipeline() -> None:
    with pytest.raises(StepError) as caught:
        test_steps.check(Message({"text": "bad", "count": 1}))
    assert str(caught.value) == (
        "error[OXF0501]: `check` failed\n  why: test_steps::BadWord: `bad` is a bad word\n  more: oxflow explain OXF0501"
    )


def test_an_error_that_is_a_mere_text_has_no_class(tmp_path: Path) -> None:
    with pytest.raises(StepError) as caught:
        test_steps.rendezvous(Message({"text": str(tmp_path / "no" / "folder"), "count": 1}))
    assert caught.value.diagnostics[0].why == "No such file or directory (os error 2)"


SLOW = """
from oxflow import Map, StreamSink, streaming_source
import test_steps

pipeline = (
    streaming_source("source", stream_name="in").apply(Map("first", function=test_steps.reverse))
    .apply(Map("second", function=test_steps.reverse)).sink(StreamSink("sink", stream_name="out"))
)
"""
RUNS = """
import oxflow
from oxflow import testing

streams = {"in": [], "out": "null:"}
testing.run(pipeline, {"in": []})
oxflow.run(pipeline, streams=streams)
oxflow.run(pipeline, streams=streams)
"""
WARNING = """\
warning[OXF0603]: the Rust module `test_steps` was built without optimisation
  why: its functions are many times slower than they could be
  fix: build it with `maturin develop --release`
  more: oxflow explain OXF0603
"""


def of_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "app.py").write_text(SLOW)
    (folder / "runs.py").write_text(SLOW + RUNS)
    (folder / "in").write_bytes(b"")
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_module_without_optimisation_is_told_once_in_a_process(tmp_path: Path) -> None:
    done = of_python(tmp_path, "-W", "always", "runs.py")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("UnoptimisedWarning: ") == 1
    assert WARNING in done.stderr
    # The line that calls, not one of ours.
    assert f"{tmp_path / 'runs.py'}:15: " in done.stderr


def test_the_command_tells_of_a_module_without_optimisation(tmp_path: Path) -> None:
    run = ("-m", "oxflow", "run", "app.py", "--stream", "in=file:in", "--stream", "out=null:")
    assert of_python(tmp_path, *run).stderr == WARNING
    assert of_python(tmp_path, *run, "--json").stderr == WARNING
    assert of_python(tmp_path, *run, "--quiet").stderr == ""
