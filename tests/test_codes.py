"""Each error code is raised for real: by a pipeline, a configuration, a file or an extension that has the fault.

What the error says is tested beside what it is about. Here a code that nothing raises any more fails, and so does a new one
without its fault.
"""

from __future__ import annotations

import ctypes
import json
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import metrics_steps
import pytest
import test_steps as steps

import oxflow
import oxflow.plan as plans
import oxflow.testing
from oxflow import Batch, Filter, Map, Message, Parser, Serializer, StreamSink, _oxflow, branch, streaming_source
from oxflow.errors import diagnostics_from
from oxflow.scheduler import Matcher, Policy, fetch_all, flatten_tasks
from oxflow.sdk.new import create
from oxflow.sdk.project import demand
from oxflow.sdk.schema import types_of
from oxflow.sourcemap import Cache, RamBundle, SourceMap
from pure_binary import PIPELINE, pure
from tables import imported, module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SINK = StreamSink("out", stream_name="out")
# Not typed: a type checker would find many of these faults before oxflow does.
UNOPTIMISED = """
import os, warnings, oxflow, test_steps
from oxflow import Map, StreamSink, streaming_source
pipeline = streaming_source("source", stream_name="in").apply(Map("map", function=test_steps.reverse))
pipeline = pipeline.sink(StreamSink("out", stream_name="out"))
with warnings.catch_warnings(record=True) as caught:
    oxflow.run(pipeline, streams={"in": [], "out": "null:"})
print(*(warning.message.diagnostic.code for warning in caught))
"""
SOURCE: Any = streaming_source("source", stream_name="in")
JSON: Any = SOURCE.apply(Parser("parse", dict[str, Any]))
PASS = SOURCE.sink(SINK)
WORD = b'{"text":"%s","count":1,"tags":{}}'


def number(message: Message[dict[str, Any]]) -> int:
    value: int = message.payload["n"]
    return value


def same(message: Message[dict[str, Any]]) -> dict[str, Any]:
    return message.payload


NUMBER: Any = number


def matched(offers: list[dict[str, Any]], tasks: list[dict[str, Any]], score: Policy | None = None) -> None:
    matcher = Matcher(resources=["cpu"], score=score)
    matcher.add_offers(offers)
    matcher.match(tasks)


def no_score(_task: tuple[float, ...], _free: tuple[float, ...]) -> float:
    return float("nan")


async def later(message: Message[bytes]) -> bytes:
    return message.payload


def level(_message: Message[bytes]) -> Literal["low", "high"]:
    return "high"


def any_level(message: Message[bytes]) -> str:
    return message.payload.decode()


def nothing_serialisable(_message: Message[dict[str, Any]]) -> Any:
    return object()


def not_a_bool(_message: Message[dict[str, Any]]) -> Any:
    return 1


def written(pipeline: Any, name: str = "serialize") -> Any:
    return pipeline.apply(Serializer(name)).sink(SINK)


def plan(pipeline: Any) -> Callable[[Path], object]:
    """Run a pipeline that is wrong in itself."""
    return lambda _folder: oxflow.testing.run(pipeline, {"in": []})


def message(pipeline: Any, *lines: bytes) -> Callable[[Path], object]:
    """Run a good pipeline on bad messages."""
    return lambda _folder: oxflow.testing.run(pipeline, {"in": list(lines)})


def config(text: str) -> Callable[[Path], object]:
    """Run a good pipeline with a bad configuration."""

    def run(folder: Path) -> object:
        file = folder / "config.yaml"
        file.write_text(text, encoding="utf-8")
        return oxflow.testing.run(PASS, {"in": []}, config=file)

    return run


def definition(text: str) -> Callable[[Path], object]:
    """Read a pipeline in YAML."""

    def read(folder: Path) -> object:
        file = folder / "pipeline.yaml"
        file.write_text(text, encoding="utf-8")
        return oxflow.read_pipeline(file)

    return read


def program_with_python(folder: Path) -> object:
    """Let a program that has no Python check a step in Python."""
    text = PIPELINE.read_text(encoding="utf-8").replace("function: is_long", "python: app:is_long")
    (folder / "pipeline.yaml").write_text(text, encoding="utf-8")
    told = json.loads(pure(folder, "check", "pipeline.yaml", "--json").stdout)
    raise oxflow.PlanError(*diagnostics_from(told["diagnostics"]))


def streams(**bound: Any) -> Callable[[Path], object]:
    """Run a good pipeline on bad streams."""
    return lambda _folder: oxflow.run(PASS, streams={name.rstrip("_"): url for name, url in bound.items()})


def routed(function: Any, keys: Iterable[Any]) -> Any:
    table = {key: branch(f"way_{key}").sink(StreamSink(f"out_{key}", stream_name=f"out_{key}")) for key in keys}
    return SOURCE.route("route", routing_function=function, routing_table=table)


def broken_checkpoint(folder: Path) -> object:
    """Leave something beside the output that is no checkpoint."""
    source, out = folder / "in.jsonl", folder / "out.jsonl"
    source.write_bytes(b"1\n")
    (folder / "out.jsonl.oxflow").write_text("no checkpoint", encoding="utf-8")
    return oxflow.run(PASS, streams={"in": f"file:{source}", "out": f"file:{out}"})


def bad_property(_folder: Path) -> object:
    """Read a topic with a property that no client knows."""
    kafka = {"bootstrap_servers": "127.0.0.1:1", "topic": "t", "group": "g", "properties": {"no.such": 1}}
    return oxflow.run(PASS, config={"streams": {"in": {"kafka": kafka}, "out": "null:"}})


def target_without_pipeline(folder: Path) -> object:
    (folder / "empty.py").write_text("", encoding="utf-8")
    return command(folder, "empty.py")


def command(folder: Path, target: str) -> object:
    """Check a target; raise what the command prints."""
    run = [sys.executable, "-m", "oxflow", "check", "--json", target]
    answer = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
    found = [oxflow.Diagnostic(item["code"], item["message"]) for item in json.loads(answer.stdout)["diagnostics"]]
    raise oxflow.PlanError(*found)


def schema_of_nothing(folder: Path) -> object:
    file = folder / "schema.json"
    file.write_text('{"$ref": "#/definitions/Nothing"}', encoding="utf-8")
    return types_of([file])


def nested(depth: int) -> Any:
    way = branch("last").sink(SINK)
    for number in range(depth):
        way = branch(f"branch_{number}").broadcast(f"broadcast_{number}", routes=[way])
    return SOURCE.broadcast("broadcast", routes=[way])


def older_plan(_folder: Path) -> None:
    pipeline = SOURCE.apply(Parser("parse", steps.Word)).apply(Map("map", function=steps.check))
    plan = plans.lower(pipeline)
    data = json.loads(plan.text)
    data["steps"][1]["operation"]["map"]["hashes"]["input"] += 1
    _oxflow.runs(json.dumps(data), dict(plan.functions))


def later_plan(_folder: Path) -> None:
    """Hand the engine a plan of a later version, which the package never does."""
    text = json.dumps(json.loads(plans.lower(PASS).text) | {"version": 99})
    bound = _oxflow.load_config('streams: {in: "memory:", out: "memory:"}', "config", [], {})
    run = _oxflow.Run(text, bound, {}, {}, (bytes, bytes), {"in": [], "out": "memory:"}, True)
    run.start()
    run.result()


def other_abi(_folder: Path) -> object:
    """Give the engine the table of an extension for another ABI, of which it reads no more than this."""
    table = struct.pack("=8sIIQ", b"oxflow\0\0", 1, 0, 1000)
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
    return _oxflow.describe_module(new(table, b"oxflow.module.v0", None))


def built_without_optimisation(folder: Path) -> object:
    """Run a step of the tests' own extension where nobody was told of it yet; raise what the command prints."""
    (folder / "app.py").write_text(UNOPTIMISED, encoding="utf-8")
    run = [sys.executable, "app.py"]
    answer = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True)
    raise oxflow.PlanError(*(oxflow.Diagnostic(code, "") for code in answer.stdout.split()))


def built_anew(folder: Path) -> object:
    """Run a step of a module whose file was written since it was imported; raise what it warns of."""
    anew = UNOPTIMISED.replace("with warnings", "os.utime(test_steps.test_steps.__file__)\nwith warnings")
    shutil.copytree(Path(steps.__file__).parent, folder / "test_steps")
    (folder / "app.py").write_text(anew, encoding="utf-8")
    answer = subprocess.run([sys.executable, "app.py"], cwd=folder, capture_output=True, text=True, check=True)
    raise oxflow.PlanError(*(oxflow.Diagnostic(code, "") for code in answer.stdout.split()))


def two_builds(_folder: Path) -> object:
    """Make a pipeline of functions of two modules of one name that show different things."""
    first, second = (imported(module(*names), "two_builds") for names in (["f"], ["f", "g"]))
    return oxflow.testing.run(SOURCE.apply(Map("f", first.f)).apply(Map("g", second.g)).sink(SINK), {"in": []})


def too_many(_folder: Path) -> object:
    config = {"steps": {"parse": {"on_error": "dead_letter"}}, "run": {"dead_letters": {"max_in_a_row": 1}}}
    return oxflow.run(
        written(JSON), streams={"in": [b"no JSON"], "out": "null:", "dead-letters": "null:"}, config=config
    )


def source_map(data: bytes, **options: Any) -> Callable[[Path], object]:
    """Read a map."""
    return lambda _folder: SourceMap.from_bytes(data, **options)


def later_index(folder: Path) -> object:
    """Open an index file of a later format."""
    path = folder / "index"
    Cache.build(b'{"version": 3, "sources": [], "mappings": ""}', path)
    data = bytearray(path.read_bytes())
    data[8] = 9
    data[60:64] = zlib.crc32(data[:60]).to_bytes(4, "little")
    return Cache.open(data)


FAULTS: dict[str, Callable[[Path], object]] = {
    "OXF0101": plan(SOURCE.apply(Batch("source", batch_size=1)).apply(Serializer("s")).sink(SINK)),
    "OXF0102": plan(SOURCE),
    "OXF0103": plan(SOURCE.sink(StreamSink("", stream_name="out"))),
    "OXF0104": plan(written(SOURCE.apply(Batch("batch", batch_size=0)))),
    "OXF0105": plan(written(SOURCE.apply(Map("map", function="no.such.module:function")))),
    "OXF0106": plan(SOURCE.apply(Map("map", function=later)).sink(SINK)),
    "OXF0107": plan(routed(any_level, [])),
    "OXF0108": target_without_pipeline,
    "OXF0109": plan(nested(60)),
    "OXF0110": definition("source: {name: in, stream: in}"),
    "OXF0111": program_with_python,
    "OXF0201": plan(written(SOURCE.apply(Map("map", function=number)))),
    "OXF0202": plan(written(JSON.apply(Parser("again", dict[str, Any])))),
    "OXF0203": plan(JSON.sink(SINK)),
    "OXF0204": plan(written(JSON.apply(Filter("filter", function=NUMBER)))),
    "OXF0205": plan(routed(level, ["low"])),
    "OXF0206": plan(written(SOURCE.apply(Parser("parse", set[int])))),
    "OXF0207": plan(written(SOURCE.apply(Parser("parse", steps.Word)).apply(Map("map", function=steps.letters)))),
    "OXF0208": plan(written(SOURCE)),
    "OXF0209": plan(written(SOURCE.apply(Parser("parse", dict[str, Any], codec="protobuf")))),
    "OXF0301": config("run: ["),
    "OXF0302": config("rum: {}"),
    "OXF0303": config("run: {lanes: 0}"),
    "OXF0304": config("run: {checkpoint: '${OXFLOW_NO_SUCH_VARIABLE}'}"),
    "OXF0305": config("steps: {nowhere: {on_error: skip}}"),
    "OXF0306": config("run: {endpoint: {address: '192.0.2.1:9'}}"),
    "OXF0401": streams(in_=[]),
    "OXF0402": streams(in_="flie:in.jsonl", out="null:"),
    "OXF0403": streams(in_="file:/no/such/file", out="null:"),
    "OXF0404": streams(in_=[], out="file:/no/such/folder/out"),
    "OXF0405": broken_checkpoint,
    "OXF0407": message(PASS, b"x" * (20 << 20)),
    "OXF0408": bad_property,
    "OXF0501": message(written(JSON.apply(Map("map", function=number))), b"{}"),
    "OXF0502": message(
        written(SOURCE.apply(Parser("parse", steps.Word)).apply(Map("map", function=steps.check))), WORD % b"panic"
    ),
    "OXF0503": message(written(JSON), b"no JSON"),
    "OXF0504": message(written(JSON.apply(Map("map", function=nothing_serialisable))), b"{}"),
    "OXF0505": message(written(JSON.apply(Filter("filter", function=not_a_bool))), b"{}"),
    "OXF0506": message(routed(any_level, ["low"]), b"high"),
    "OXF0507": too_many,
    "OXF0601": other_abi,
    "OXF0602": lambda _folder: _oxflow.describe_module(None),
    "OXF0603": built_without_optimisation,
    "OXF0604": lambda _folder: steps.MoreThan(-1),
    "OXF0605": older_plan,
    "OXF0606": built_anew,
    "OXF0607": two_builds,
    "OXF0608": plan(written(SOURCE.apply(Parser("parse", metrics_steps.IngestMetric, codec="msgpack")))),
    "OXF0701": lambda folder: create("my-steps", folder),
    "OXF0702": lambda folder: create("my_steps", folder.parent),
    "OXF0703": demand,
    "OXF0704": schema_of_nothing,
    "OXF0801": source_map(b"{"),
    "OXF0802": source_map(b'{"version": 2}'),
    "OXF0803": source_map(b'{"version": 3, "sources": [], "mappings": "A!"}'),
    "OXF0804": source_map(b'{"version": 3, "sources": [], "mappings": "AAAA"}', strict=True),
    "OXF0805": source_map(b'{"version": 3, "sections": [{}]}'),
    "OXF0806": source_map(b'{"version": 3, "sources": [], "mappings": ""}', max_bytes=9),
    "OXF0807": later_index,
    "OXF0808": lambda _folder: Cache.open(b"no index"),
    "OXF0809": source_map(b'{"version": 3, "sources": [], "mappings": "", "scopes": "C"}', strict=True),
    "OXF0810": lambda _folder: RamBundle.from_bytes(b"var a;"),
    "OXF0901": later_plan,
    "OXF1001": lambda _: matched([{"name": "o", "cpu": -1}], []),
    "OXF1002": lambda _: matched([{"name": "o"}], []),
    "OXF1003": lambda _: matched([{"name": "o", "cpu": 1}] * 2, []),
    "OXF1004": lambda _: matched([], [{"name": "t", "cpu": 1, "constraints": [("zone", "~", "(")]}]),
    "OXF1005": lambda _: Matcher(resources=[]),
    "OXF1006": lambda _: Matcher(resources=["cpu"]).remove_offer("o"),
    "OXF1007": lambda _: matched([{"name": "o", "cpu": 1}], [{"name": "t", "cpu": 1}], score=Policy.custom(no_score)),
    "OXF1008": lambda _: flatten_tasks("[{}]"),
    "OXF1101": lambda _: fetch_all(["no url"])[0].raise_for_status(),
    "OXF1102": lambda _: fetch_all(["http://127.0.0.1:1/"])[0].raise_for_status(),
}


def test_every_code_has_a_fault() -> None:
    assert sorted(FAULTS) == _oxflow.error_codes(), "give a new code the fault that raises it"


@pytest.mark.parametrize("code", FAULTS)
def test_the_fault_raises_its_code(code: str, tmp_path: Path) -> None:
    with pytest.raises(oxflow.OxflowError) as caught:
        FAULTS[code](tmp_path)
    assert code in {diagnostic.code for diagnostic in caught.value.diagnostics}, str(caught.value)
