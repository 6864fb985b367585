"""Pipelines in YAML: the same plan as in Python, read, written, checked and run."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastjsonschema
import pure_words
import pytest
import test_steps

import oxflow
import oxflow.testing
from oxflow import (
    Batch,
    Filter,
    FlatMap,
    Map,
    Message,
    Parser,
    PlanError,
    Serializer,
    StreamSink,
    branch,
    read_pipeline,
    streaming_source,
)  # fmt: skip
from oxflow.definition import written
from oxflow.plan import lower
from pure_binary import PIPELINE, binary, pure

if TYPE_CHECKING:
    from oxflow import Pipeline

ROOT = Path(__file__).parent.parent
# Without types of its own.
YAML: Any = importlib.import_module("yaml")
SOURCE: Any = streaming_source("in", stream_name="lines")
LINES: Any = SOURCE.apply(Parser("parse", pure_words.Line)).apply(FlatMap("words", function=pure_words.words))
OWN: Any = (
    LINES.apply(Filter("long", function=pure_words.is_long))
    .apply(Map("capitals", function=pure_words.capitals))
    .apply(Serializer("serialize"))
    .sink(StreamSink("out", stream_name="words"))
)


def is_frequent(message: Message[dict[str, Any]]) -> bool:
    count: int = message.payload["count"]
    return count > 1


def sunk(name: str) -> Any:
    return branch(name).apply(Serializer(f"text-{name}")).sink(StreamSink(f"out-{name}", stream_name=name))


PIPELINES: dict[str, Any] = {
    "own": OWN,
    "several": streaming_source("in", stream_name=["lines", "more-lines"]).sink(StreamSink("out", stream_name="words")),
    "arguments": LINES.apply(Filter("above", function=pure_words.Above(4)))
    .apply(Serializer("serialize", codec="msgpack"))
    .sink(StreamSink("out", stream_name="words")),
    "batch": LINES.apply(Batch("lists", batch_size=3, batch_timedelta=timedelta(seconds=2)))
    .apply(Map("total", function=pure_words.total))
    .apply(Serializer("serialize"))
    .sink(StreamSink("out", stream_name="words")),
    "route": LINES.route(
        "by-length", routing_function=pure_words.length, routing_table={"long": sunk("yes"), "short": sunk("on")}
    ),
    "broadcast": LINES.broadcast("both", routes=[sunk("first"), sunk("second")]),
    "python": SOURCE.apply(Parser("parse", test_steps.Word, codec="json"))
    .apply(Filter("frequent", function=is_frequent))
    .apply(Filter("named", function=f"{__name__}:is_frequent"))
    .apply(Serializer("serialize"))
    .sink(StreamSink("out", stream_name="words")),
}


def without_places(value: Any) -> Any:
    container: Any = value
    if isinstance(value, dict):
        return {key: without_places(item) for key, item in container.items() if key != "place"}
    if isinstance(value, list):
        return [without_places(part) for part in container]
    return value


def plan(pipeline: Pipeline[Any]) -> Any:
    # As the engine writes it, without what is as if it were not said.
    return without_places(json.loads(lower(pipeline).graph("plan")))


def saved(folder: Path, text: str) -> Path:
    file = folder / "pipeline.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", PIPELINES)
def test_what_is_written_is_read_as_the_same_plan(name: str, tmp_path: Path) -> None:
    text = written(PIPELINES[name])
    read = read_pipeline(saved(tmp_path, text))
    assert plan(read) == plan(PIPELINES[name])
    assert written(read) == text


def test_a_time_stays_what_it_is(tmp_path: Path) -> None:
    # In seconds it is a number that is a little more when it is multiplied again.
    text = written(PIPELINES["batch"]).replace("time_ms: 2000", "time_ms: 2007")
    read = read_pipeline(saved(tmp_path, text))
    assert written(read) == text
    assert '"time_ms": 2007' in lower(read).graph("plan")


@pytest.mark.parametrize("name", sorted(PIPELINES.keys() - {"python"}))
def test_python_and_a_program_make_one_plan(name: str, tmp_path: Path) -> None:
    saved(tmp_path, written(PIPELINES[name]))
    done = pure(tmp_path, "graph", "pipeline.yaml", "--format", "plan")
    assert (done.returncode, done.stderr) == (0, "")
    assert without_places(json.loads(done.stdout)) == plan(PIPELINES[name])


def test_the_programs_own_pipeline_is_that_in_python(tmp_path: Path) -> None:
    done = pure(tmp_path, "graph", "--format", "plan")
    assert without_places(json.loads(done.stdout)) == plan(OWN)


@pytest.mark.parametrize("name", sorted(PIPELINES.keys() - {"python"}))
def test_what_is_built_in_rust_has_the_plan_of_the_others(name: str) -> None:
    call: list[str | Path] = [binary("built"), "graph", "--format", "plan"]
    shown = subprocess.run(call, capture_output=True, text=True, check=True, env=os.environ | {"BUILT": name})
    assert without_places(json.loads(shown.stdout)) == plan(PIPELINES[name])


def test_what_is_built_in_rust_runs(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "an oxen herd"}\n', encoding="utf-8")

    def run(name: str, *streams: str) -> str:
        bound = [part for stream in ("lines=file:in.jsonl", *streams) for part in ("--stream", stream)]
        call: list[str | Path] = [binary("built"), "--quiet", *bound]
        done = subprocess.run(
            call, cwd=tmp_path, capture_output=True, text=True, check=True, env=os.environ | {"BUILT": name}
        )
        return done.stdout

    assert run("own", "words=stdout:") == '{"text":"OXEN","letters":4}\n{"text":"HERD","letters":4}\n'
    assert run("counted", "words=stdout:") == "4\n4\n"
    assert run("batch", "words=stdout:") == '{"letters":10}\n'
    assert run("route", "yes=stdout:", "on=file:on.jsonl").count("\n") == 2
    assert (tmp_path / "on.jsonl").read_text(encoding="utf-8") == '{"text":"an","letters":2}\n'
    (tmp_path / "in.jsonl").write_text('{"text": "oxen and cattle"}\n', encoding="utf-8")
    assert run("arguments", "words=file:above") == ""
    above = (tmp_path / "above").read_bytes()
    assert (b"cattle" in above, b"oxen" in above) == (True, False)


def test_a_pipeline_in_yaml_runs_beside_python_functions(tmp_path: Path) -> None:
    (tmp_path / "app_of_yaml.py").write_text(
        "def louder(message):\n    return message.payload | {'text': message.payload['text'] + '!'}\n", encoding="utf-8"
    )
    text = PIPELINE.read_text(encoding="utf-8") + "module: pure_words\n"
    text = text.replace("  - serializer", '  - map: { name: louder, python: "app_of_yaml:louder" }\n  - serializer')
    saved(tmp_path, text)
    (tmp_path / "in.jsonl").write_text('{"text": "an oxen herd"}\n', encoding="utf-8")
    done = command(
        tmp_path, "run", "pipeline.yaml", "--stream", "lines=file:in.jsonl", "--stream", "words=file:out.jsonl"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.jsonl").read_text(
        encoding="utf-8"
    ) == '{"text":"OXEN!","letters":4}\n{"text":"HERD!","letters":4}\n'


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "oxflow", *arguments]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_a_pipeline_in_python_is_exported_and_run_by_the_program(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        """\
import pure_words
from oxflow import Parser, FlatMap, Serializer, StreamSink, streaming_source

pipeline = (
    streaming_source("in", stream_name="lines")
    .apply(Parser("parse", pure_words.Line))
    .apply(FlatMap("words", function=pure_words.words))
    .apply(Serializer("serialize"))
    .sink(StreamSink("out", stream_name="words"))
)
""",
        encoding="utf-8",
    )
    exported = command(tmp_path, "export", "app.py")
    assert (exported.returncode, exported.stderr) == (0, "")
    saved(tmp_path, exported.stdout)
    (tmp_path / "in.jsonl").write_text('{"text": "an ox"}\n', encoding="utf-8")
    bound = ["--stream", "lines=file:in.jsonl", "--stream", "words=stdout:"]
    done = pure(tmp_path, "run", "pipeline.yaml", "--quiet", *bound)
    assert (done.returncode, done.stdout) == (0, '{"text":"an","letters":2}\n{"text":"ox","letters":2}\n')


def test_a_rust_function_that_is_named_is_exported_as_one() -> None:
    named: Any = LINES.apply(Filter("long", function="pure_words:is_long"))
    text = written(named.apply(Serializer("serialize")).sink(StreamSink("out", stream_name="words")))
    assert '- filter: { name: long, function: "pure_words:is_long" }' in text


def test_a_function_without_a_name_is_not_exported() -> None:
    nameless: Any = SOURCE.apply(Map("same", function=lambda message: message.payload))
    with pytest.raises(PlanError, match="<lambda>` has no name in a module"):
        written(nameless.sink(StreamSink("out", stream_name="out")))


def test_what_a_file_names_in_vain_is_told_at_once_with_its_places(tmp_path: Path) -> None:
    text = PIPELINE.read_text(encoding="utf-8").replace("type: Line", "type: Lime").replace("is_long", "too_long")
    with pytest.raises(PlanError) as caught:
        read_pipeline(saved(tmp_path, text + "module: pure_words\n"))
    codes = [(item.code, item.place and (item.place.line, item.place.column)) for item in caught.value.diagnostics]
    assert codes == [("OXF0105", (4, 5)), ("OXF0105", (6, 5))]
    assert "fix: did you mean `Line`?" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("module: pure_words", "", "`Line` is in no module"),
        ("type: Line", "type: json:loads", "`json:loads` is no Rust type"),
        ("function: is_long", "function: json:loads", "`json:loads` is no Rust function"),
        ("function: is_long", "function: Above", "`Above` can't be made"),
        ("function: is_long", "function: is_long, with: { x: 1 }", "`is_long` can't be made"),
        ("function: is_long", 'python: "nowhere:at_all"', "there is no module `nowhere`"),
    ],
)
def test_what_a_file_gets_wrong_is_told(old: str, new: str, said: str, tmp_path: Path) -> None:
    text = PIPELINE.read_text(encoding="utf-8") + "module: pure_words\n"
    assert old in text
    with pytest.raises(PlanError) as caught:
        lower(read_pipeline(saved(tmp_path, text.replace(old, new))))
    assert said in str(caught.value)


def test_what_is_no_rust_function_is_not_called(tmp_path: Path) -> None:
    text = PIPELINE.read_text(encoding="utf-8") + "module: pure_words\n"
    there = tmp_path / "there"
    there.write_text("still", encoding="utf-8")
    text = text.replace("function: is_long", f'function: "os:remove", with: {{ path: "{there}" }}')
    with pytest.raises(PlanError, match="`os:remove` is no Rust function"):
        read_pipeline(saved(tmp_path, text))
    assert there.exists()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read: No such file"):
        read_pipeline(tmp_path / "nowhere.yaml")


def test_the_published_schema_is_that_of_the_command(tmp_path: Path) -> None:
    published = (ROOT / "docs/reference/pipeline.schema.json").read_text(encoding="utf-8")
    shown = command(tmp_path, "pipeline-schema").stdout
    assert json.loads(published) == json.loads(shown), (
        "run `make schema` and commit docs/reference/pipeline.schema.json"
    )


@pytest.mark.parametrize("name", PIPELINES)
def test_the_schema_takes_what_is_written(name: str) -> None:
    schema = json.loads((ROOT / "docs/reference/pipeline.schema.json").read_text(encoding="utf-8"))
    # Its words are newer than this validator, but for its own sake it leaves out what it does not know.
    validate: Any = fastjsonschema.compile({**schema, "$schema": "http://json-schema.org/draft-07/schema#"})
    validate(YAML.safe_load(written(PIPELINES[name])))
    with pytest.raises(fastjsonschema.JsonSchemaException):
        validate({"source": {"name": "in", "stream": "in"}, "steps": [{"map": {"name": "a", "functon": "b"}}]})


def test_a_read_pipeline_runs_in_memory(tmp_path: Path) -> None:
    pipeline = read_pipeline(saved(tmp_path, PIPELINE.read_text(encoding="utf-8") + "module: pure_words\n"))
    outputs = oxflow.testing.run(pipeline, {"lines": [b'{"text": "an oxen herd"}']})
    assert outputs["words"] == [b'{"text":"OXEN","letters":4}', b'{"text":"HERD","letters":4}']


def test_a_module_runs_its_own_pipeline() -> None:
    report = pure_words.run_streams(streams={"lines": [b'{"text": "an oxen herd"}'], "words": "memory:"})
    assert [message.payload for message in report.outputs["words"]] == [
        b'{"text":"OXEN","letters":4}', b'{"text":"HERD","letters":4}',
    ]  # fmt: skip
    with pytest.raises(oxflow.StreamError):
        pure_words.run_streams()
